module countersign.test/keys

go 1.25.0
