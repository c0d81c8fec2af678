use std::fs;

use clap::Parser;
use serde_json::{Value, json};

use super::*;
use crate::demo::sigstore::{Content, Identity, Key, Recipe};
use crate::test_support::SIGSTORE;

const NOW: i64 = 1_750_000_000;
const IDENTITY: &str = "https://gitlab.com/myorg/app//.gitlab-ci.yml@refs/heads/main";

#[derive(Parser)]
struct Command {
    #[command(flatten)]
    arguments: Arguments,
}

/// Files in a folder of their own: a bundle for `artifact`, the trusted root, a key.
struct Scene(tempfile::TempDir);

impl Scene {
    fn new(recipe: &Recipe, content: Content) -> Self {
        Self::of(&recipe.sign(content).expect("signs").bundle(), recipe)
    }

    fn of(bundle: &Value, recipe: &Recipe) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        for (name, text) in [
            ("artifact", "content".to_string()),
            ("bundle", bundle.to_string()),
            ("root", SIGSTORE.trusted_root_json()),
            ("key", recipe.key.public_pem()),
            ("other", Key::p256().expect("a key").public_pem()),
        ] {
            fs::write(folder.path().join(name), text).expect("writes");
        }
        Self(folder)
    }

    /// The exit code and what is said for `words`, in which `@name` is a file.
    fn run(&self, words: &str) -> (u8, String) {
        let path = |word: &str| match word.strip_prefix('@') {
            Some(name) => self.0.path().join(name).display().to_string(),
            None => word.to_string(),
        };
        let words = ["verify-bundle"].into_iter().chain(words.split_whitespace()).map(path);
        let arguments = match Command::try_parse_from(words) {
            Ok(command) => command.arguments,
            Err(_) => return (64, String::new()),
        };
        let mut said = Vec::new();
        let code = run(&arguments, &mut said);
        (code, String::from_utf8(said).expect("text"))
    }
}

fn digests() -> (String, String) {
    let sha512 = sigstore_verify::crypto::sha512(b"content").to_hex();
    (crate::oci::Digest::of(b"content").to_string(), format!("sha512:{sha512}"))
}

fn statement(algorithm: &str, hex: &str) -> Content {
    Content::statement(&json!({
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{ "name": "artifact", "digest": { algorithm: hex } }],
        "predicateType": "https://slsa.dev/provenance/v1",
        "predicate": {},
    }))
}

#[test]
fn an_identity_is_matched_whole() {
    let recipe = SIGSTORE.keyless(&Identity::gitlab("myorg/app"), NOW).expect("a key");
    let scene = Scene::new(&recipe, Content::Message(b"content".to_vec()));
    let who = |identity: &str, issuer: &str| {
        format!(
            "--bundle @bundle --trusted-root @root --certificate-identity {identity} --certificate-oidc-issuer {issuer}"
        )
    };
    let good = who(IDENTITY, "https://gitlab.com");
    let (sha256, sha512) = digests();
    assert_eq!(scene.run(&format!("{good} @artifact")).0, 0);
    assert_eq!(scene.run(&format!("{good} {sha256}")).0, 0);
    for (words, expected) in [
        (format!("{good} @root"), "subject_mismatch"),
        (format!("{good} sha256:{}", "0".repeat(64)), "subject_mismatch"),
        (format!("{good} {sha512}"), "evidence_unsupported"),
        (format!("{good} @gone"), "it does not exist"),
        (format!("{} @artifact", who("https://gitlab.com/*", "https://gitlab.com")), "identity_mismatch"),
        (format!("{} @artifact", who(&IDENTITY.replace('.', "x"), "https://gitlab.com")), "identity_mismatch"),
        (format!("{} @artifact", who(IDENTITY, "https://gitlab.com/")), "issuer_mismatch"),
        ("--bundle @bundle --trusted-root @root --key @key @artifact".into(), "key_mismatch"),
        (good.replace("@root", "@gone") + " @artifact", "it does not exist"),
        (good.replace("@root", "@key") + " @artifact", "the trusted root"),
        (good.replace("--trusted-root @root", "") + " @artifact", "log_entry_invalid"),
        (good.replace("@bundle", "@gone") + " @artifact", "it does not exist"),
        (good.replace("@bundle", "@key") + " @artifact", "evidence_malformed"),
    ] {
        let (code, said) = scene.run(&words);
        assert!(code == 1 && said.contains(expected) && said.lines().count() == 1, "{words}: {code} {said}");
    }
    for wrong in [
        "--bundle @bundle @artifact",
        "--bundle @bundle --certificate-identity x @artifact",
        "--bundle @bundle --certificate-oidc-issuer x @artifact",
        "--bundle @bundle --key @key --certificate-identity x --certificate-oidc-issuer x @artifact",
        "--bundle @bundle --key @key",
        "--key @key @artifact",
    ] {
        assert_eq!(scene.run(wrong).0, 64, "{wrong}");
    }
}

#[test]
fn a_key_and_its_log_entry_are_verified() {
    let recipe = SIGSTORE.keyed(&Key::p256().expect("a key"), NOW);
    let by = |key: &str| format!("--bundle @bundle --trusted-root @root --key {key}");
    let (sha256, sha512) = digests();
    let message = Scene::new(&recipe, Content::Message(b"content".to_vec()));
    let unlogged = Recipe { logs: vec![], ..recipe.clone() };
    let unlogged = Scene::new(&unlogged, Content::Message(b"content".to_vec()));
    let sha256_hex = crate::oci::Digest::of(b"content").hex();
    let attested = Scene::new(&recipe, statement("sha256", &sha256_hex));
    let npm = Scene::new(&recipe, statement("sha512", &sha512["sha512:".len()..]));
    for (scene, words, expected) in [
        (&message, format!("{} @artifact", by("@key")), ""),
        (&message, format!("{} {sha256}", by("@key")), ""),
        (&message, format!("{} @artifact", by("@other")), "key_mismatch"),
        (&message, format!("{} @artifact", by("@artifact")), "not a PEM public key"),
        (&message, format!("{} @artifact", by("@gone")), "it does not exist"),
        (&message, format!("{} @root", by("@key")), "subject_mismatch"),
        (&unlogged, format!("{} @artifact", by("@key")), "log_entry_missing"),
        (&attested, format!("{} @artifact", by("@key")), ""),
        (&attested, format!("{} {sha256}", by("@key")), ""),
        (&attested, format!("{} {sha512}", by("@key")), "subject_mismatch"),
        (&npm, format!("{} @artifact", by("@key")), ""),
        (&npm, format!("{} {sha512}", by("@key")), ""),
        (&npm, format!("{} {sha256}", by("@key")), "subject_mismatch"),
    ] {
        let (code, said) = scene.run(&words);
        assert_eq!(code == 0, expected.is_empty(), "{words}: {said}");
        assert!(said.contains(expected), "{words}: {said}");
    }
}

#[test]
fn every_version_of_a_bundle_is_read_by_its_own_rules() {
    let recipe = SIGSTORE.keyless(&Identity::gitlab("myorg/app"), NOW).expect("a key");
    let good = recipe.sign(Content::Message(b"content".to_vec())).expect("signs").bundle();
    let words = format!(
        "--bundle @bundle --trusted-root @root --certificate-identity {IDENTITY} \
         --certificate-oidc-issuer https://gitlab.com @artifact"
    );
    let certificate = good["verificationMaterial"]["certificate"].clone();
    for (version, chain, proof, promise, expected) in [
        ("application/vnd.dev.sigstore.bundle+json;version=0.1", true, true, true, ""),
        ("application/vnd.dev.sigstore.bundle+json;version=0.1", true, false, true, ""),
        ("application/vnd.dev.sigstore.bundle+json;version=0.1", true, true, false, "log_proof_missing"),
        ("application/vnd.dev.sigstore.bundle+json;version=0.2", true, true, true, ""),
        ("application/vnd.dev.sigstore.bundle+json;version=0.2", true, false, true, "log_proof_missing"),
        ("application/vnd.dev.sigstore.bundle+json;version=0.3", false, true, true, ""),
        ("application/vnd.dev.sigstore.bundle+json;version=0.3", true, true, true, "evidence_unsupported"),
        ("application/vnd.dev.sigstore.bundle.v0.3+json", false, true, true, ""),
        ("application/vnd.dev.sigstore.bundle.v0.3+json", false, false, true, "log_proof_missing"),
        ("application/vnd.dev.sigstore.bundle.v0.3+json", true, true, true, "evidence_unsupported"),
        ("application/vnd.dev.sigstore.bundle.v0.4+json", false, true, true, "evidence_malformed"),
    ] {
        let mut bundle = good.clone();
        bundle["mediaType"] = json!(version);
        let material = bundle["verificationMaterial"].as_object_mut().expect("an object");
        if chain {
            material.remove("certificate");
            material.insert("x509CertificateChain".into(), json!({ "certificates": [certificate] }));
        }
        let entry = material["tlogEntries"][0].as_object_mut().expect("an object");
        for (keep, member) in [(proof, "inclusionProof"), (promise, "inclusionPromise")] {
            if !keep {
                entry.remove(member);
            }
        }
        let (code, said) = Scene::of(&bundle, &recipe).run(&words);
        assert_eq!(code == 0, expected.is_empty(), "{version} {chain} {proof} {promise}: {said}");
        assert!(said.contains(expected), "{version} {chain} {proof} {promise}: {said}");
    }
}
