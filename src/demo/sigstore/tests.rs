//! What is made rightly is accepted by `sigstore-verify`, and what is bent is not.

use serde_json::Value;
use sigstore_verify::SubjectAltName;
use sigstore_verify::trust_root::TrustedRoot;
use sigstore_verify::types::{Bundle, DerPublicKey};
use sigstore_verify::{PublicKeyVerificationPolicy, VerificationPolicy, VerificationResult, Verifier};

use super::*;
use crate::demo::signer::{signature_statement, simple_signing_payload};
use crate::oci::Digest;
use crate::test_support::SIGSTORE;

const NOW: i64 = 1_784_894_400;

fn statement() -> Content {
    Content::statement(&signature_statement(subject()))
}

fn subject() -> Digest {
    Digest::of(b"a manifest")
}

fn verify(root: &Value, bundle: &Value, artifact: &[u8], key: Option<&Key>) -> Result<VerificationResult, String> {
    let root = TrustedRoot::from_json(&root.to_string()).map_err(|error| error.to_string())?;
    let verifier = Verifier::new(&root).map_err(|error| error.to_string())?;
    let bundle = Bundle::from_json(&bundle.to_string()).map_err(|error| error.to_string())?;
    let result = match key {
        Some(key) => {
            let policy = PublicKeyVerificationPolicy::new(DerPublicKey::new(key.spki()));
            verifier.verify(artifact, &bundle, &policy)
        }
        None => verifier.verify(artifact, &bundle, &VerificationPolicy::any_identity()),
    };
    result.map_err(|error| error.to_string())
}

#[test]
fn keyless_with_rekor_v1() {
    let sigstore = &*SIGSTORE;
    let identity = Identity::gitlab("myorg/app");
    let recipe = sigstore.keyless(&identity, NOW).expect("a key");
    let bundle = recipe.sign(statement()).expect("signs").bundle();
    let result = verify(&sigstore.trusted_root(), &bundle, b"a manifest", None).expect("it verifies");
    assert!(result.certificate_verified() && result.sct_verified() && result.tlog_verified());
    assert_eq!(result.issuer(), Some("https://gitlab.com"));
    let name = "https://gitlab.com/myorg/app//.gitlab-ci.yml@refs/heads/main";
    assert_eq!(result.identity().map(SubjectAltName::as_str), Some(name));
}

#[test]
fn every_form_verifies() {
    let sigstore = &*SIGSTORE;
    let (identity, key) = (Identity::gitlab("myorg/app"), Key::p256().expect("a key"));
    let keyless = sigstore.keyless(&identity, NOW).expect("a key");
    let keyed = sigstore.keyed(&key, NOW);
    let payload = Content::document(&simple_signing_payload("r.io/app", subject()));
    for (name, recipe) in [
        ("keyless", keyless.clone()),
        ("keyless, stamped", sigstore.stamped(keyless.clone())),
        ("keyless, v2", sigstore.with_rekor_v2(keyless)),
        ("key", keyed.clone()),
        ("key, stamped", sigstore.stamped(keyed.clone())),
        ("key, v2", sigstore.with_rekor_v2(keyed)),
    ] {
        let key = recipe.certificate.is_none().then_some(&recipe.key);
        for (content, artifact) in [(statement(), b"a manifest".as_slice()), (payload.clone(), payload.payload())] {
            let bundle = recipe.sign(content).expect("signs").bundle();
            let result = verify(&sigstore.trusted_root(), &bundle, artifact, key);
            assert!(result.is_ok(), "{name}: {result:?}\n{bundle:#}");
        }
    }
}
