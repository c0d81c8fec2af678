//! Manifests as clients read them, with Go's parser: what Countersign accepts means the same there.

use std::io::Write;
use std::process::Stdio;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use countersign::oci::manifest::Descriptor;
use countersign::oci::{Digest, Manifest};
use serde_json::{Value, json};

use crate::support::process::{command, tool};

const IMAGE: &str = "application/vnd.oci.image.manifest.v1+json";
const INDEX: &str = "application/vnd.oci.image.index.v1+json";
/// Names of members that Go takes for others, or does not.
const NAMES: [&str; 24] = [
    "Layers",
    "LAYERS",
    "layer\u{17f}",
    "lay\u{435}rs",
    "Manifests",
    "manife\u{17f}t\u{17f}",
    "MediaType",
    "mediatype",
    "Config",
    "Digest",
    "dige\u{17f}t",
    "Size",
    "\u{17f}ize",
    "URLs",
    "url\u{17f}",
    "Data",
    "Annotations",
    "annotation\u{17f}",
    "Subject",
    "FsLayers",
    "fslayers",
    "Blobs",
    "\u{212a}",
    "ArtifactType",
];

/// Row C12.
#[test]
fn c12_what_is_accepted_means_the_same_to_gos_parser() {
    let documents = documents();
    let (mut accepted, mut wrong) = (0, Vec::new());
    for (document, read) in documents.iter().zip(by_go(&documents)) {
        for content_type in [IMAGE, INDEX] {
            let digest = Digest::of(document.as_bytes());
            let Ok(ours) = Manifest::parse(document.clone().into(), &digest, content_type, 100) else { continue };
            accepted += 1;
            if let Err(why) = agree(&ours, &read) {
                wrong.push(format!("{why}: {document}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let refused = documents.len() - accepted;
    assert!(accepted > 100 && refused > 500, "too few of one kind: {accepted} accepted, {refused} refused");
}

/// Whether Go read the same.
fn agree(ours: &Manifest, read: &Value) -> Result<(), String> {
    let Some(document) = read.get("document") else { return Err(format!("Go refuses it: {}", read["error"])) };
    let list = |name: &str| document[name].as_array().cloned().unwrap_or_default();
    let (entries, other) = if ours.media_type().is_index() { ("manifests", "layers") } else { ("layers", "manifests") };
    let same = |ours: &Descriptor, theirs: &Value| {
        theirs["digest"] == ours.digest.to_string()
            && theirs["size"] == ours.size
            && theirs["mediaType"] == *ours.media_type
            && theirs["annotations"].as_object().map_or(0, serde_json::Map::len)
                == ours.annotations.as_ref().map_or(0, std::collections::BTreeMap::len)
    };
    let theirs = list(entries);
    let config = match (ours.config(), document["config"].as_object()) {
        (Some(config), Some(_)) => same(config, &document["config"]),
        (None, None) => true,
        _ => false,
    };
    let leads_away = |theirs: &Value| theirs["urls"].as_array().is_some_and(|urls| !urls.is_empty());
    let checks = [
        ("another number of entries", theirs.len() == ours.entries().len()),
        ("other entries", ours.entries().iter().zip(&theirs).all(|(ours, theirs)| same(ours, theirs))),
        ("another list as well", list(other).is_empty() && list("fsLayers").is_empty() && list("blobs").is_empty()),
        ("another config", config),
        ("addresses of a config", !leads_away(&document["config"])),
        ("addresses of children", entries == "layers" || !theirs.iter().any(leads_away)),
        ("another type", [Value::Null, json!(ours.media_type().as_str())].contains(&document["mediaType"])),
        ("another subject", document["subject"]["digest"].as_str() == ours.subject().map(|d| d.to_string()).as_deref()),
        ("another version", document["schemaVersion"] == 2),
    ];
    checks
        .iter()
        .try_for_each(|(what, holds)| if *holds { Ok(()) } else { Err(format!("Go reads {what}: {document}")) })
}

/// What Go's parser makes of each.
fn by_go(documents: &[String]) -> Vec<Value> {
    let mut program = command(tool("bin/manifests"), [""; 0])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("it starts");
    let mut stdin = program.stdin.take().expect("its input");
    let lines: String = documents.iter().map(|document| STANDARD.encode(document) + "\n").collect();
    let writer = std::thread::spawn(move || stdin.write_all(lines.as_bytes()));
    let output = program.wait_with_output().expect("it ends");
    writer.join().expect("no panic").expect("it reads all");
    let text = String::from_utf8(output.stdout).expect("text");
    let read: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    assert_eq!(read.len(), documents.len());
    read
}

/// Good ones, and each bent in every place.
fn documents() -> Vec<String> {
    let of = |media_type: &str, content: &[u8]| json!({ "mediaType": media_type, "digest": Digest::of(content), "size": content.len(), "annotations": { "a": "b" } });
    let config = of("application/vnd.oci.image.config.v1+json", b"{}");
    let layer = of("application/vnd.oci.image.layer.v1.tar", b"layer");
    let image = json!({
        "schemaVersion": 2, "mediaType": IMAGE, "config": config, "layers": [layer], "subject": of(IMAGE, b"x"),
        "artifactType": "a/b", "annotations": { "c": "d" },
    });
    let mut child = of(IMAGE, b"child");
    child["platform"] = json!({ "os": "linux", "architecture": "amd64" });
    let index = json!({ "schemaVersion": 2, "mediaType": INDEX, "manifests": [child, of(INDEX, b"nested")] });

    let mut all = Vec::new();
    for good in [image, index] {
        all.push(good.to_string());
        for place in places(&good, "") {
            all.extend(bent(&good, &place));
        }
    }
    all
}

/// The pointer of everything in a document, itself too.
fn places(value: &Value, at: &str) -> Vec<String> {
    let beneath: Vec<_> = match value {
        Value::Object(members) => members.iter().map(|(name, value)| (format!("{at}/{name}"), value)).collect(),
        Value::Array(all) => all.iter().enumerate().map(|(n, value)| (format!("{at}/{n}"), value)).collect(),
        _ => Vec::new(),
    };
    let mut found = vec![at.to_string()];
    found.extend(beneath.iter().flat_map(|(place, value)| places(value, place)));
    found
}

/// The document with one change at `place`, for every kind of change.
fn bent(good: &Value, place: &str) -> Vec<String> {
    let at = |value: Value| {
        let mut bent = good.clone();
        *bent.pointer_mut(place).expect("it is there") = value;
        bent.to_string()
    };
    let old = good.pointer(place).expect("it is there");
    let mut values = vec![
        json!(null),
        json!([]),
        json!({}),
        json!(""),
        json!("x"),
        json!(0),
        json!(-1),
        json!(1.5),
        json!(u64::MAX),
        json!(true),
    ];
    values.push(json!([old, old]));
    let mut all: Vec<String> = values.into_iter().map(at).collect();
    let Value::Object(members) = old else { return all };
    let (text, mark) = (old.to_string(), at(json!("MARK")));
    let placed = |object: String| mark.replacen("\"MARK\"", &object, 1);
    let opened = &text[1..];
    let comma = if members.is_empty() { "" } else { "," };
    let extra =
        [json!([]), json!(null), json!("x"), json!(["https://elsewhere.invalid/"]), json!([old]), json!({}), json!(7)];
    let known = [
        "layers",
        "manifests",
        "config",
        "urls",
        "data",
        "digest",
        "size",
        "mediaType",
        "annotations",
        "fsLayers",
        "blobs",
        "x",
    ];
    for name in NAMES.into_iter().chain(known) {
        for value in &extra {
            // In front of the others and behind them: some readers take the first of two, some the last.
            all.push(placed(format!("{{{}:{value}{comma}{opened}", json!(name))));
            all.push(placed(format!("{}{comma}{}:{value}}}", &text[..text.len() - 1], json!(name))));
        }
    }
    // As `\u` sequences, which are the same names.
    for name in members.keys() {
        let escaped = name.bytes().fold(String::new(), |text, byte| text + &format!("\\u{byte:04x}"));
        all.push(placed(text.replacen(&format!("\"{name}\""), &format!("\"{escaped}\""), 1)));
        all.push(placed(format!("{{\"{escaped}\":null,{opened}")));
    }
    all
}
