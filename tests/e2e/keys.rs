//! Key pairs of each kind that `cosign import-key-pair` takes: images that real cosign signed with them are served under
//! the right key, to crane and to skopeo, and images signed by another key of the same kind are not.

use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;
use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};
use tempfile::tempdir;

use crate::fixtures::rewriting;
use crate::support::containerd::Version;
use crate::support::cosign::keyless::Form;
use crate::support::cosign::{Cosign, import_key_pair};
use crate::support::evidence::Evidence;
use crate::support::image::Image;
use crate::support::lab::Cell;
use crate::support::matrix::for_every_signature;
use crate::support::process::{Process, Ran, command, run, tool};
use crate::support::proxy::{Proxy, REGISTRY};
use crate::support::registry::Kind;
use crate::support::sigstore::sigstore;

/// What `openssl genpkey` is told.
const KINDS: [(&str, &[&str]); 5] = [
    ("p384", &["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-384"]),
    ("p521", &["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-521"]),
    ("rsa2048", &["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"]),
    ("rsa4096", &["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:4096"]),
    ("ed25519", &["-algorithm", "ED25519"]),
];

/// Of each kind two key pairs, `KIND` and `other-KIND`, in the folder of a program that only waits.
static KEYS: LazyLock<Process> = LazyLock::new(|| {
    let keys = Process::start("keys", |_| command("sleep", ["infinity"]));
    for (kind, words) in KINDS {
        import_key_pair(keys.folder(), kind, words);
        import_key_pair(keys.folder(), &format!("other-{kind}"), words);
    }
    keys
});

fn keys() -> &'static Path {
    KEYS.folder()
}

fn keys_of_each_kind_serve_their_own_images_only(cell: Cell) {
    let signs = |key: &str, image: &Image| cell.cosign.sign(keys(), key, image);
    serves_what_the_right_key_signed(cell, &KINDS.map(|(kind, _)| kind), "insecureSkipTransparencyLog: true", signs);
}

/// With the kinds that cosign can log. Rekor v1 takes no signature over another hash than SHA-256, which is what cosign
/// signs with the larger curves; and cosign accepts no Ed25519ph, which is what it signs with Ed25519.
fn keys_whose_signatures_are_in_the_log_serve_their_own_images_only(cell: Cell) {
    let kinds: &[_] = match cell.cosign {
        Cosign::Legacy => &["rsa2048", "rsa4096"],
        Cosign::Bundle => &["p384", "p521", "rsa2048", "rsa4096"],
    };
    let key = |name: &str| keys().join(format!("{name}.key"));
    let signs = |name: &str, image: &Image| Form::from(cell.cosign).sign_with_key(&key(name), image);
    serves_what_the_right_key_signed(cell, kinds, "trustRoot: lab", signs);
}

fn serves_what_the_right_key_signed(cell: Cell, kinds: &[&str], demand: &str, sign: impl Fn(&str, &Image)) {
    let lab = cell.lab();
    let mut policy = String::from("trustRoots: { lab: { file: trusted_root.json } }\nauthorities:\n");
    for kind in kinds {
        writeln!(policy, "  {kind}: {{ key: {{ file: {kind}.pub, {demand} }} }}").expect("a text grows");
    }
    policy.push_str("policies:\n");
    let mut images = Vec::new();
    for kind in kinds {
        let (ours, foreign) = (lab.push(kind), lab.push(&format!("other-{kind}")));
        sign(kind, &ours);
        sign(&format!("other-{kind}"), &foreign);
        let matched = [&ours, &foreign].map(|image| format!("\"{REGISTRY}/{}\"", image.repository)).join(", ");
        let require = format!("{{ signature: {{ by: {kind} }} }}");
        writeln!(policy, "  - {{ name: {kind}, match: [ {matched} ], require: {require} }}").expect("a text grows");
        images.push((kind, ours, foreign));
    }
    let mut files: Vec<PathBuf> = kinds.iter().map(|kind| keys().join(format!("{kind}.pub"))).collect();
    files.push(sigstore().trusted_root());
    let proxy = Proxy::start(&lab.registry, &files, &policy);
    for (kind, ours, foreign) in images {
        let digest = crane(&proxy, &ours).succeeded();
        assert_eq!(digest.trim(), ours.digest, "{kind}");
        skopeo(&proxy, &ours).succeeded();
        for said in [crane(&proxy, &foreign).refused(), skopeo(&proxy, &foreign).refused()] {
            assert!(said.contains("key_mismatch"), "{kind}: {said}");
        }
    }
}

/// What crane says of the image, by tag.
fn crane(proxy: &Proxy, image: &Image) -> Ran {
    run(&command(tool("bin/crane"), ["digest", "--full-ref=false", &image.tagged(proxy.address)]))
}

/// What skopeo says as it copies the whole image, by digest.
fn skopeo(proxy: &Proxy, image: &Image) -> Ran {
    let folder = tempdir().expect("a temporary folder");
    let from = format!("docker://{}", image.by_digest(proxy.address));
    let to = format!("dir:{}", folder.path().display());
    run(&command("skopeo", ["copy", "--insecure-policy", "--src-tls-verify=false", &from, &to]))
}

for_every_signature! {
    keys_of_each_kind_serve_their_own_images_only
    keys_whose_signatures_are_in_the_log_serve_their_own_images_only
}

/// Makes what `tests/fixtures/keys/logged.json` has, which unit tests replay, so that it can always be made anew; with
/// `COUNTERSIGN_WRITE_FIXTURES=1 cargo test --test e2e keys::the_kept` it is kept there.
#[test]
fn the_kept_evidence_can_be_made_anew() {
    let cell = Cell { containerd: Version::V2, registry: Kind::Referrers, cosign: Cosign::Bundle };
    let mut evidence = Vec::new();
    for (form, by, kinds) in [
        (Form::Legacy, "cosign 2, legacy, Rekor v1", &["rsa2048", "rsa4096"][..]),
        (Form::EarlyBundle, "cosign 2, bundle, Rekor v1", &["rsa2048", "rsa4096"]),
        (Form::Bundle, "cosign 3, bundle, Rekor v2", &["p384", "p521", "rsa2048", "rsa4096"]),
    ] {
        for kind in kinds {
            let image = cell.lab().push("logged");
            form.sign_with_key(&keys().join(format!("{kind}.key")), &image);
            let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("JSON is text");
            let mut piece = match form {
                Form::Legacy => {
                    let Evidence::Tag { annotations, payload, .. } = Evidence::tag_of(&image, "sig") else {
                        unreachable!()
                    };
                    json!({ "payload": text(payload), "annotations": annotations })
                }
                Form::EarlyBundle | Form::Bundle => {
                    let Evidence::Bundle(bytes) = Evidence::referrer_of(&image) else { unreachable!() };
                    json!({ "bundle": text(bytes) })
                }
            };
            let public = |name: &str| fs::read_to_string(keys().join(format!("{name}.pub"))).expect("the key is there");
            piece["by"] = by.into();
            piece["digest"] = image.digest.into();
            piece["key"] = public(kind).into();
            piece["otherKey"] = public(&format!("other-{kind}")).into();
            evidence.push(piece);
        }
    }
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/keys/logged.json");
    let kept: Value = serde_json::from_slice(&fs::read(&path).expect("it is there")).expect("JSON");
    let makers = |evidence: &[Value]| evidence.iter().map(|piece| piece["by"].clone()).collect::<Vec<_>>();
    assert_eq!(makers(&evidence), makers(kept["evidence"].as_array().expect("a list")));
    if !rewriting() {
        return;
    }
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("it is later than 1970").as_secs();
    let root = fs::read_to_string(sigstore().trusted_root()).expect("the root is there");
    let all = json!({
        "about": "Made by keys::the_kept_evidence_can_be_made_anew of the end-to-end tests, with cosign 2.6.5 and 3.1.3.",
        "at": now, "root": root, "evidence": evidence,
    });
    fs::write(path, format!("{all:#}\n")).expect("the folder is writable");
}
