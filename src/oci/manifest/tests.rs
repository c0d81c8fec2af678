use super::*;

const INDEX: &str = "application/vnd.oci.image.index.v1+json";
const IMAGE: &str = "application/vnd.oci.image.manifest.v1+json";

fn parse(body: &str, content_type: &str) -> Result<Manifest, ManifestError> {
    let bytes = Bytes::from(body.to_string());
    let digest = Digest::of(&bytes);
    Manifest::parse(bytes, &digest, content_type, 3)
}

fn descriptor(extra: &str) -> String {
    format!(r#"{{"mediaType":"a/b","size":1,"digest":"{}"{extra}}}"#, Digest::of(b"x"))
}

#[test]
fn reads_an_image_and_an_index() {
    let d = descriptor("");
    let image = parse(&format!(r#"{{"schemaVersion":2,"config":{d},"layers":[{d},{d}]}}"#), IMAGE).expect("an image");
    assert_eq!(image.entries().len(), 2);
    assert_eq!(image.listed(), [Digest::of(b"x")]);
    assert_eq!(image.size_of(&Digest::of(b"x")), Some(1));
    let index = parse(&format!(r#"{{"schemaVersion":2,"manifests":[{d}]}}"#), INDEX).expect("an index");
    assert!(index.lists(&Digest::of(b"x")) && !index.lists(&Digest::of(b"y")));
}

#[test]
fn refuses_each_kind_of_bad_document() {
    let d = descriptor("");
    let urls = descriptor(r#","urls":["http://169.254.169.254/"]"#);
    let image = format!(r#"{{"schemaVersion":2,"config":{d},"layers":[{d}]}}"#);
    let cases = [
        (format!(r#"{{"schemaVersion":2,"config":{d},"layers":[],"manifests":[]}}"#), IMAGE, "ambiguous"),
        (format!(r#"{{"schemaVersion":2,"config":{d},"layers":[],"manifests":[]}}"#), INDEX, "ambiguous"),
        (format!(r#"{{"schemaVersion":2,"config":{d},"layers":[],"Layers":[]}}"#), IMAGE, "ambiguous"),
        (format!(r#"{{"schemaVersion":2,"mediaType":"{INDEX}","config":{d},"layers":[]}}"#), IMAGE, "ambiguous"),
        (format!(r#"{{"schemaVersion":2,"fsLayers":[],"config":{d},"layers":[]}}"#), IMAGE, "ambiguous"),
        (image.clone(), INDEX, "malformed"),
        (image.replace(":2", ":1"), IMAGE, "malformed"),
        (image.clone(), "application/vnd.docker.distribution.manifest.v2+json", "malformed"),
        (image.clone(), "application/vnd.docker.distribution.manifest.v1+prettyjws", "not served"),
        (image.clone(), "text/plain", "not served"),
        (image.replace("sha256:", "md5:"), IMAGE, "malformed"),
        (format!(r#"{{"schemaVersion":2,"manifests":[{urls}]}}"#), INDEX, "urls"),
        (format!(r#"{{"schemaVersion":2,"config":{urls},"layers":[]}}"#), IMAGE, "urls"),
        (format!(r#"{{"schemaVersion":2,"manifests":[{d},{d},{d},{d}]}}"#), INDEX, "lists 4"),
        ("[]".to_string(), INDEX, "malformed"),
    ];
    for (body, content_type, expected) in cases {
        let error = parse(&body, content_type).expect_err(&body).to_string();
        assert!(error.contains(expected), "{body}: {error}");
    }
}

#[test]
fn refuses_bytes_that_are_not_the_digest() {
    let error = Manifest::parse(Bytes::from_static(b"{}"), &Digest::of(b"x"), IMAGE, 3).expect_err("other bytes");
    assert!(matches!(error, ManifestError::DigestMismatch { .. }));
}
