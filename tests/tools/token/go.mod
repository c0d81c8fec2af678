module countersign.test/token

go 1.24
