//! What real cosign 2 and 3 wrote against a real private Sigstore (`tests/fixtures/sigstore`).

use std::fs;
use std::path::Path;

use serde_json::Value;

use super::scene::{by_myorg, judge_about};
use crate::discovery::double::candidate;
use crate::discovery::{Beside, Candidate, Material};
use crate::oci::Digest;
use crate::policy::{Authority, Kind, PublicKey, Revoked, Validity};
use crate::reason::Reason;

fn read(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/sigstore").join(name);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{name}: {error}"))
}

fn json(name: &str) -> Value {
    serde_json::from_str(&read(name)).expect(name)
}

/// The only layer of a legacy tag.
fn layer(name: &str, tag: &str) -> Candidate {
    let manifest = json(&format!("{name}.{tag}.json"));
    let annotation = |key: &str| manifest["layers"][0]["annotations"][key].as_str().map(str::to_string);
    let payload = read(&format!("{name}.payload")).into();
    let material = if tag == "att" {
        Material::Envelope(payload)
    } else {
        let signature = annotation("dev.cosignproject.cosign/signature").expect("a signature");
        Material::SimpleSigning { payload, signature }
    };
    candidate(material).with(Beside {
        certificate: annotation("dev.sigstore.cosign/certificate"),
        chain: annotation("dev.sigstore.cosign/chain"),
        bundle: annotation("dev.sigstore.cosign/bundle"),
        timestamp: annotation("dev.sigstore.cosign/rfc3161timestamp"),
    })
}

fn evidence(form: &str, signer: &str) -> Candidate {
    let name = format!("{form}-{signer}");
    match (form, signer) {
        ("cosign2", "sbom") => layer(&name, "att"),
        ("cosign2", _) => layer(&name, "sig"),
        _ => candidate(Material::Bundle(read(&format!("{name}.bundle.json")).into())),
    }
}

#[test]
fn each_signer_is_told_apart_in_every_form() {
    let (root, facts) = (json("trusted_root.json"), json("facts.json"));
    let subject: Digest = facts["image"].as_str().expect("a digest").parse().expect("a digest");
    let (began, ended) = (facts["began"].as_u64().expect("a time"), facts["ended"].as_u64().expect("a time"));
    let key = || PublicKey::from_pem(&read("key.pub")).expect("a key");
    let by_key = || Authority::alone(Kind::Keys(vec![key()]), super::scene::name());
    for form in ["cosign2", "cosign2-bundle", "cosign3"] {
        let judged = |signer: &str, by: &Authority| {
            let now = i64::try_from(ended).expect("a time") + 86_400;
            judge_about(&evidence(form, signer), &subject, by, &root, &Revoked::default(), now)
        };
        for (signer, expected) in [
            ("myorg", None),
            ("sbom", None),
            ("evil", Some(Reason::IdentityMismatch)),
            ("issuer", Some(Reason::IssuerMismatch)),
            ("project", Some(Reason::ExtensionMismatch)),
            ("key", Some(Reason::IdentityMismatch)),
        ] {
            let signing = judged(signer, &by_myorg());
            assert_eq!(signing.as_ref().err(), expected.as_ref(), "{form} {signer}");
            if let Ok(signing) = signing {
                let time = signing.time().expect("a time").0;
                assert!((began..=ended).contains(&time) && signing.log_index().is_some(), "{form} {signer}");
            }
        }
        assert!(judged("key", &by_key()).is_ok(), "{form}");
        assert!(judged("key", &by_key().demanding(false, Validity::ALWAYS)).is_ok(), "{form}, whatever the log says");
        // A key is not a certificate, and legacy layers do not say which made them.
        let foreign = judged("myorg", &by_key()).err();
        assert_eq!(foreign, Some(Reason::KeyMismatch), "{form}");
    }
}
