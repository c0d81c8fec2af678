module countersign.test/issuer

go 1.25.0
