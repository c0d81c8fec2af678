use serde_json::{Value, json};

use super::*;

mod rows;

const INDEX: &str = "application/vnd.oci.image.index.v1+json";
const IMAGE: &str = "application/vnd.oci.image.manifest.v1+json";
const DOCKER_IMAGE: &str = "application/vnd.docker.distribution.manifest.v2+json";

fn parse_as(content_type: &str, body: impl Into<String>) -> Result<Manifest, ManifestError> {
    let bytes = Bytes::from(body.into());
    let digest = Digest::of(&bytes);
    Manifest::parse(bytes, &digest, content_type, Bounds { children: 4, layers: 3 })
}

fn parse(body: &Value) -> Result<Manifest, ManifestError> {
    let content_type = if body.get("manifests").is_some() { INDEX } else { IMAGE };
    parse_as(content_type, body.to_string())
}

/// What is wrong, by kind and in words.
#[track_caller]
fn refused(result: Result<Manifest, ManifestError>) -> (&'static str, String) {
    let error = result.expect_err("a refusal");
    let kind = match error {
        ManifestError::Ambiguous(_) => "ambiguous",
        ManifestError::DescriptorMismatch(_) => "mismatch",
        ManifestError::DigestMismatch { .. } => "digest",
        ManifestError::ForeignUrls(_) => "urls",
        ManifestError::Limits(_) => "limits",
        ManifestError::Malformed(_) => "malformed",
        ManifestError::MediaTypeUnsupported(_) => "type",
    };
    (kind, error.to_string())
}

fn descriptor(media_type: &str, content: &[u8]) -> Value {
    json!({ "mediaType": media_type, "size": content.len(), "digest": Digest::of(content) })
}

fn layer() -> Value {
    descriptor("application/vnd.oci.image.layer.v1.tar+gzip", b"a layer")
}

fn child() -> Value {
    descriptor(IMAGE, b"a child")
}

fn image() -> Value {
    let config = descriptor("application/vnd.oci.image.config.v1+json", b"{}");
    json!({ "schemaVersion": 2, "mediaType": IMAGE, "config": config, "layers": [layer()] })
}

fn index() -> Value {
    json!({ "schemaVersion": 2, "mediaType": INDEX, "manifests": [child()] })
}

/// `document` with `value` at `pointer`; an `Undefined` takes the member away.
fn with(mut document: Value, pointer: &str, value: Value) -> Value {
    let (parent, name) = pointer.rsplit_once('/').expect("a pointer");
    match document.pointer_mut(parent).expect("it is there") {
        Value::Array(all) => all.push(value),
        parent => parent[name] = value,
    }
    document
}

#[test]
fn reads_an_image_and_an_index() {
    let two = with(image(), "/layers/-", layer());
    let read = parse(&two).expect("an image");
    assert_eq!((read.entries().len(), read.listed().len(), read.size_of(&Digest::of(b"{}"))), (2, 2, Some(2)));
    assert!(read.lists(&Digest::of(b"a layer")) && read.lists(&Digest::of(b"{}")) && !read.lists(&Digest::of(b"y")));
    let read = parse(&index()).expect("an index");
    assert_eq!((read.listed(), read.config().is_none()), (&[Digest::of(b"a child")][..], true));
    // The type in the document may be left out, as may its parameters in the header.
    let untyped = image().to_string().replace(&format!("\"mediaType\":\"{IMAGE}\","), "");
    assert_eq!(parse_as(&format!("{IMAGE}; charset=utf-8"), untyped).expect("an image").media_type().as_str(), IMAGE);
    assert!(parse_as(&IMAGE.to_uppercase(), image().to_string()).is_ok());
}

#[test]
fn refuses_bytes_that_are_not_the_digest() {
    let read = Manifest::parse(Bytes::from_static(b"{}"), &Digest::of(b"x"), IMAGE, 1);
    assert_eq!(refused(read).0, "digest");
}

#[test]
fn each_refusal_says_what_is_wrong_where_and_what_to_do() {
    let foreign = with(child(), "/urls", json!(["http://169.254.169.254/"]));
    let sha512 = with(layer(), "/digest", json!(format!("sha512:{}", "0".repeat(128))));
    for (document, kind, words) in [
        (with(index(), "/manifests/-", foreign), "urls", "`manifests[1].urls` leads clients past this registry; push"),
        (with(image(), "/config/urls", json!(["x"])), "urls", "`config.urls` leads"),
        (with(image(), "/layers/-", sha512), "malformed", "`layers[1].digest` is `sha512:000"),
        (with(image(), "/layers/-", json!({})), "malformed", "`layers[1].mediaType` is missing; push it again"),
        (with(image(), "/layers/-", json!(null)), "malformed", "at line 1 column"),
        (with(image(), "/config/size", json!(-1)), "malformed", "`config.size` is -1, not a number of bytes"),
        (with(image(), "/layers", json!(null)), "malformed", "without `config` or `layers`"),
        (with(image(), "/manifests", json!([])), "ambiguous", "both `manifests` and"),
        (with(image(), "/mediaType", json!(DOCKER_IMAGE)), "ambiguous", "v2+json`, and Content-Type is"),
        (with(image(), "/schemaVersion", json!(1)), "malformed", "`schemaVersion` is 1, not 2"),
        (with(image(), "/fsLayers", json!([])), "ambiguous", "`fsLayers` belongs to another kind"),
    ] {
        let content_type = if document["mediaType"] == INDEX { INDEX } else { IMAGE };
        let (found, said) = refused(parse_as(content_type, document.to_string()));
        assert!(found == kind && said.contains(words), "{document}: {found}: {said}");
    }
}

#[test]
fn what_a_document_says_is_not_repeated_at_length_or_as_it_is() {
    let long = "x\u{202e}\n".repeat(1 << 10);
    for document in [
        with(image(), "/mediaType", json!(long)),
        with(image(), "/layers/0/digest", json!(long)),
        with(image(), "/layers/0/size", json!(long)),
        with(index(), "/manifests/0/mediaType", json!(long)),
        with(image(), &format!("/{long}"), json!(1)),
    ] {
        let content_type = if document.get("manifests").is_some() { INDEX } else { IMAGE };
        let document = document.to_string();
        let twice = document.replacen('{', &format!("{{{}:1,", json!(long)), 1);
        for document in [document, twice] {
            let Err(error) = parse_as(content_type, document) else { continue };
            let said = error.to_string();
            assert!(said.len() < 700 && !said.contains(['\n', '\u{202e}']), "{said}");
        }
    }
}
