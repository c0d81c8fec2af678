module countersign.test/manifests

go 1.24
