//! Key pairs of each kind that `cosign import-key-pair` takes: images that real cosign signed with them are served under
//! the right key, to crane and to skopeo, and images signed by another key of the same kind are not.

use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use tempfile::tempdir;

use crate::support::cosign::keyless::Form;
use crate::support::cosign::{Cosign, import_key_pair};
use crate::support::image::Image;
use crate::support::lab::Cell;
use crate::support::matrix::for_every_signature;
use crate::support::process::{Process, Ran, command, run, tool};
use crate::support::proxy::{Proxy, REGISTRY};
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
