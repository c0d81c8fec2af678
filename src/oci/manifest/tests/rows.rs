//! A test for each known attack on reading a manifest, named by its row in `tests/attacks/table.tsv`.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::*;

fn kind(document: &Value) -> &'static str {
    let content_type = if document.get("manifests").is_some() { INDEX } else { IMAGE };
    refused(parse_as(content_type, document.to_string())).0
}

#[test]
fn a45_one_document_of_two_kinds() {
    let both = with(image(), "/manifests", json!([child()]));
    for content_type in [IMAGE, INDEX] {
        for document in
            [both.clone(), with(both.clone(), "/mediaType", json!(INDEX)), with(both.clone(), "/x", json!(1))]
        {
            assert_eq!(refused(parse_as(content_type, document.to_string())).0, "ambiguous", "{document}");
        }
    }
    // Even where the other list is empty, and whatever the header says about the type within.
    assert_eq!(kind(&with(index(), "/layers", json!([]))), "ambiguous");
    assert_eq!(refused(parse_as(IMAGE, index().to_string())).0, "ambiguous");
    assert_eq!(refused(parse_as(INDEX, image().to_string())).0, "ambiguous");
    let untyped = image().to_string().replace(&format!("\"mediaType\":\"{IMAGE}\","), "");
    assert_eq!(refused(parse_as(INDEX, untyped.clone())).0, "malformed");
    assert_eq!(refused(parse_as(DOCKER_IMAGE, untyped)).0, "malformed");
}

/// Go's parser takes names in any case, and the last of two.
#[test]
fn a45_names_that_others_read_as_other_members() {
    for (pointer, name) in [
        ("", "Manifests"),
        ("", "manife\u{17f}ts"),
        ("", "LAYERS"),
        ("", "layer\u{17f}"),
        ("", "Config"),
        ("", "MediaType"),
        ("", "sUbJeCt"),
        ("/config", "Digest"),
        ("/layers/0", "URLs"),
        ("/layers/0", "url\u{17f}"),
        ("/layers/0", "\u{17f}ize"),
        ("/layers/0", "DATA"),
        ("/layers/0", "Annotations"),
    ] {
        let changed = with(image(), &format!("{pointer}/{name}"), json!(null));
        let (found, said) = refused(parse(&changed));
        assert!(found == "ambiguous" && said.contains(" can be read as "), "{name}: {found}: {said}");
    }
    // The names of annotations are anybody's.
    let annotations = json!({ "Size": "1", "size": "2", "URLs": "3", "Layers": "4" });
    let good = with(with(image(), "/annotations", annotations.clone()), "/layers/0/annotations", annotations);
    assert!(parse(&good).is_ok());
}

#[test]
fn a28_bytes_around_and_within_the_document() {
    let good = image().to_string();
    let duplicate = good.replacen('{', r#"{"layers":[],"#, 1);
    let escaped = good.replacen('{', r#"{"l\u0061yers":[],"#, 1);
    for (document, expected) in [
        (format!("\u{feff}{good}"), "malformed"),
        (format!("{good}{good}"), "malformed"),
        (format!("{good}\0"), "malformed"),
        (format!("[{good}]"), "malformed"),
        (String::new(), "malformed"),
        (duplicate, "ambiguous"),
        (escaped, "ambiguous"),
        (format!(r#"{{"x":{}{},{}"#, "[".repeat(200), "]".repeat(200), &good[1..]), "malformed"),
        (good.replace(r#""schemaVersion":2"#, r#""schemaVersion":2.0"#), "malformed"),
    ] {
        assert_eq!(refused(parse_as(IMAGE, document.clone())).0, expected, "{document}");
    }
    assert!(parse_as(IMAGE, format!(" \n{good}\n")).is_ok());
    // Structures stand as objects only: some readers would take an array for one.
    let d = Digest::of(b"x").to_string();
    assert_eq!(kind(&with(image(), "/config", json!(["a/b", d, 1]))), "malformed");
    assert_eq!(kind(&with(image(), "/layers/-", json!(["a/b", d, 1]))), "malformed");
}

#[test]
fn a46_addresses_outside_the_registry() {
    let urls = json!(["https://go.microsoft.com/layer"]);
    for pointer in ["/config/urls", "/manifests/0/urls"] {
        let document = if pointer.starts_with("/m") { index() } else { image() };
        assert_eq!(kind(&with(document, pointer, urls.clone())), "urls");
    }
    // Layers of Windows have them; nobody here follows them. Empty ones lead nowhere.
    assert!(parse(&with(image(), "/layers/0/urls", urls)).is_ok());
    for none in [json!([]), json!(null)] {
        assert!(parse(&with(index(), "/manifests/0/urls", none)).is_ok());
    }
}

#[test]
fn a32_absurd_sizes_and_counts() {
    for size in ["-1", "1.5", "1e3", "9223372036854775808", "18446744073709551616", "\"1\"", "null", "[]", "true"] {
        let size: Value = serde_json::from_str(size).expect("JSON");
        for document in [with(image(), "/config/size", size.clone()), with(index(), "/manifests/0/size", size.clone())]
        {
            assert_eq!(kind(&document), "malformed", "{document}");
        }
    }
    assert!(parse(&with(image(), "/layers/0/size", json!(i64::MAX))).is_ok());
    let many =
        |document: Value, list: &str, entry: Value, count| with(document, list, Value::Array(vec![entry; count]));
    assert!(parse(&many(index(), "/manifests", child(), 4)).is_ok());
    assert_eq!(kind(&many(index(), "/manifests", child(), 5)), "limits");
    assert!(parse(&many(image(), "/layers", layer(), 3)).is_ok());
    assert_eq!(kind(&many(image(), "/layers", layer(), 4)), "limits");
    assert!(
        parse(&many(image(), "/layers", layer(), 0)).is_ok() && parse(&many(index(), "/manifests", child(), 0)).is_ok()
    );
}

#[test]
fn o61_more_annotations_than_anybody_writes() {
    let annotations = |count: usize| -> Value { (0..count).map(|n| (n.to_string(), json!("x"))).collect() };
    for (document, pointer) in [
        (image(), "/annotations"),
        (image(), "/config/annotations"),
        (image(), "/layers/0/annotations"),
        (index(), "/manifests/0/annotations"),
    ] {
        assert!(parse(&with(document.clone(), pointer, annotations(1000))).is_ok());
        assert_eq!(kind(&with(document.clone(), pointer, annotations(1001))), "limits", "{pointer}");
        assert_eq!(kind(&with(document, pointer, json!({ "a": 1 }))), "malformed");
    }
}

#[test]
fn o62_types_of_manifests_that_are_not_served() {
    for (content_type, words) in [
        ("application/vnd.docker.distribution.manifest.v1+json", "schema 1 is not served; push"),
        ("application/vnd.docker.distribution.manifest.v1+prettyjws", "schema 1 is not served; push"),
        ("application/vnd.oci.artifact.manifest.v1+json", "withdrew"),
        ("application/json", "the registry must say"),
        ("application/json; charset=utf-8", "the registry must say"),
        ("text/plain", "the registry must say"),
        ("", "the registry must say"),
        ("application/vnd.oci.image.manifest.v2+json", "only images and indexes"),
    ] {
        let (found, said) = refused(parse_as(content_type, image().to_string()));
        assert!(found == "type" && said.contains(words), "{content_type}: {said}");
    }
    for (member, value) in [("fsLayers", json!([])), ("blobs", json!([{}]))] {
        assert_eq!(kind(&with(image(), &format!("/{member}"), value)), "ambiguous");
    }
}

/// A client asks for a manifest or a blob by the type in the descriptor.
#[test]
fn o62_manifests_as_blobs_and_blobs_as_manifests() {
    for manifest in [IMAGE, INDEX, DOCKER_IMAGE] {
        assert_eq!(kind(&with(image(), "/config/mediaType", json!(manifest))), "type");
        assert_eq!(kind(&with(image(), "/layers/0/mediaType", json!(manifest))), "type");
        assert!(parse(&with(index(), "/manifests/0/mediaType", json!(manifest))).is_ok());
    }
    for other in ["application/octet-stream", "application/vnd.oci.image.layer.v1.tar", "", &format!("{IMAGE}; a=b")] {
        assert_eq!(kind(&with(index(), "/manifests/0/mediaType", json!(other))), "type", "{other}");
    }
}

#[test]
fn o52_content_within_a_descriptor() {
    let data = |content: &[u8]| json!(STANDARD.encode(content));
    let subject = with(image(), "/subject", descriptor(IMAGE, b"a subject"));
    for (document, place, content) in [
        (image(), "/config", &b"{}"[..]),
        (image(), "/layers/0", b"a layer"),
        (index(), "/manifests/0", b"a child"),
        (subject, "/subject", b"a subject"),
    ] {
        let held = |data: Value| with(document.clone(), &format!("{place}/data"), data);
        assert!(parse(&held(data(content))).is_ok(), "{place}");
        for other in [&b"another"[..], b"", b"a child and more"] {
            let (found, said) = refused(parse(&held(data(other))));
            assert!(found == "mismatch" && said.contains(".data` holds "), "{place}: {said}");
        }
        assert_eq!(kind(&held(json!("not base64!"))), "malformed");
        // Right bytes under a wrong size are another content, too.
        let longer = with(held(data(content)), &format!("{place}/size"), json!(content.len() + 1));
        assert_eq!(kind(&longer), "mismatch", "{place}");
    }
}

#[test]
fn o51_one_content_with_two_sizes() {
    let other = with(layer(), "/size", json!(6));
    let (found, said) = refused(parse(&with(image(), "/layers/-", other)));
    assert!(found == "mismatch" && said.contains("is listed with 6 and with 7 bytes"), "{said}");
    // One content may be listed twice, and be layer and config at once, as artifacts have it.
    let twice = with(image(), "/layers/-", layer());
    assert!(parse(&with(twice, "/layers/-", image()["config"].clone())).is_ok());
}

#[test]
fn o64_digests_of_other_algorithms_and_spellings() {
    let hex = Digest::of(b"x").hex();
    for digest in [
        format!("sha512:{hex}{hex}"),
        format!("sha384:{hex}"),
        format!("SHA256:{hex}"),
        format!("sha256:{}", hex.to_uppercase()),
        format!("sha256:{}", &hex[1..]),
        "sha256:../../x".into(),
        "md5:d41d8cd98f00b204e9800998ecf8427e".into(),
        String::new(),
    ] {
        for (document, place) in [(image(), "/config"), (image(), "/layers/0"), (index(), "/manifests/0")] {
            let (found, said) = refused(parse(&with(document, &format!("{place}/digest"), json!(digest))));
            let another = ["sha512", "sha384", "md5"].iter().any(|algorithm| digest.starts_with(algorithm));
            assert_eq!((found, said.contains("only sha256 is served")), ("malformed", another), "{said}");
        }
    }
}
