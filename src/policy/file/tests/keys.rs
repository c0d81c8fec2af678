//! Directories of keys, as people and Kubernetes lay them out.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use super::*;
use crate::policy::PublicKey;

fn key_of(fixture: &str) -> String {
    let record: serde_json::Value = serde_json::from_str(fixture).expect("JSON");
    record["key"].as_str().expect("a text").into()
}

fn authority(folder: &Path) -> Result<Policies, PolicyErrors> {
    parse("authorities:\n  x: { key: { directory: k, insecureSkipTransparencyLog: true } }\n", "p.yaml", folder)
}

#[test]
fn any_key_of_a_mounted_directory_counts_whatever_its_kind() {
    let texts = [
        KEY_A.to_owned(),
        key_of(include_str!("../../../../tests/fixtures/keys/ed25519.json")),
        key_of(include_str!("../../../../tests/fixtures/keys/p384.json")),
        key_of(include_str!("../../../../tests/fixtures/keys/rsa2048.json")),
    ];
    let [p256, ed25519, p384, rsa] = &texts;
    // What a Kubernetes volume looks like: links to a hidden link to a hidden folder, which is swapped as a whole.
    let mounted = [("k/..2026_11_25/1.pub", &**p256), ("k/..2026_11_25/2.pem", ed25519)];
    let beside = [("k/3.pub", &**p384), ("k/4.pem", rsa), ("k/.5.pub", "not a key"), ("k/notes.txt", "not a key")];
    let folder = folder(&[&mounted[..], &beside].concat());
    symlink("..2026_11_25", folder.path().join("k/..data")).expect("a link");
    for name in ["1.pub", "2.pem"] {
        symlink(Path::new("..data").join(name), folder.path().join("k").join(name)).expect("a link");
    }
    let policies = authority(folder.path()).expect("keys");
    let keys = policies.authority(&Name::new("x").expect("a name")).expect("an authority").keys();
    let expected = texts.map(|text| PublicKey::from_pem(&text).expect("a key").fingerprint());
    assert_eq!(keys.iter().map(PublicKey::fingerprint).collect::<Vec<_>>(), expected);
}

#[test]
fn a_file_of_the_directory_that_is_no_key_is_named() {
    let certificate = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    let folder = folder(&[("k/a.pub", KEY_A), ("k/b.pub", certificate), ("k/c.pub", ""), ("k/d.pem/x", "")]);
    fs::write(folder.path().join("k/e.pem"), b"\xff").expect("a file");
    symlink("nowhere", folder.path().join("k/f.pub")).expect("a link");
    let errors = authority(folder.path()).map(|_| ()).expect_err("no keys");
    let messages: Vec<_> = errors.all().iter().map(|error| error.message.as_str()).collect();
    let expected = [
        "`b.pub`: it is a certificate; `openssl x509 -noout -pubkey -in FILE` writes the public key that is in it",
        "`c.pub`: it is not a PEM public key: no line is `-----BEGIN PUBLIC KEY-----`",
        "`d.pem`: it is not a file",
        "`e.pem`: it is not UTF-8",
        "`f.pub`: it does not exist",
    ];
    assert_eq!(messages, expected.map(|why| format!("authorities.x.key.directory: key file {why}")));
}
