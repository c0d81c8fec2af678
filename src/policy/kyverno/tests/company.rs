//! The three policies hold: evidence that was really signed, verified and decided on.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use super::*;
use crate::clock::Timestamp;
use crate::decide::decide;
use crate::demo::sigstore::pieces::{BUNDLE, CERTIFICATE, CHAIN, SIGNATURE};
use crate::demo::sigstore::{Content, Identity, Pieces};
use crate::discovery::{Beside, Candidate, Material};
use crate::evidence::EvidenceSet;
use crate::examined::{Examined, Part};
use crate::oci::{Digest, Image, Subject};
use crate::outcome::{Indeterminate, Outcome, Terms};
use crate::policy::condition::ImageFacts;
use crate::policy::{Name, Revoked};
use crate::test_support::{SIGSTORE, patient};
use crate::trust::{Root, Trust};
use crate::verify::{Against, verify_all};

const NOW: i64 = 1_780_000_000;

fn subject() -> Subject {
    let image = Image {
        registry: "registry.company.com".parse().expect("a registry"),
        repository: "team/app".parse().expect("a repository"),
    };
    image.at(Digest::of(b"the manifest"))
}

fn signature(by: &Identity) -> Candidate {
    let payload = json!({ "critical": {
        "identity": { "docker-reference": "registry.company.com/team/app" },
        "image": { "docker-manifest-digest": subject().digest.to_string() },
        "type": "cosign container image signature",
    }, "optional": null });
    legacy(&pieces(by, Content::document(&payload)))
}

fn attestation(by: &Identity, predicate_type: &str, predicate: &Value) -> Candidate {
    let statement = json!({
        "_type": "https://in-toto.io/Statement/v0.1",
        "subject": [{ "name": "registry.company.com/team/app", "digest": { "sha256": subject().digest.hex() } }],
        "predicateType": predicate_type,
        "predicate": predicate,
    });
    legacy(&pieces(by, Content::statement(&statement)))
}

fn pieces(by: &Identity, content: Content) -> Pieces {
    SIGSTORE.keyless(by, NOW).and_then(|recipe| recipe.sign(content)).expect("signs")
}

fn legacy(pieces: &Pieces) -> Candidate {
    let annotations = pieces.annotations();
    let of = |name: &str| annotations.get(name).cloned();
    let material = match pieces.content {
        Content::Envelope { .. } => Material::Envelope(pieces.layer().into()),
        Content::Message(_) => {
            Material::SimpleSigning { payload: pieces.layer().into(), signature: of(SIGNATURE).expect("a signature") }
        }
    };
    let beside = Beside { certificate: of(CERTIFICATE), chain: of(CHAIN), bundle: of(BUNDLE), timestamp: None };
    Candidate::new("tag".into(), material).with(beside)
}

fn sbom(by: &Identity, package: &str) -> Candidate {
    attestation(by, "https://cyclonedx.org/bom", &json!({ "components": [{ "name": "openssl" }, { "name": package }] }))
}

fn provenance(by: &Identity, builder: &str, source: &str) -> Candidate {
    let predicate = json!({
        "buildDefinition": { "externalParameters": { "source": source } },
        "runDetails": { "builder": { "id": builder } },
    });
    attestation(by, "https://slsa.dev/provenance/v1", &predicate)
}

/// What the imported policies say of an image with this evidence.
fn outcome(evidence: Vec<Candidate>) -> String {
    let policies = load(&import(&company()).expect("imports").policy.expect("a policy"));
    let name = Name::new("public-good").expect("a name");
    let root = Root::parse(&SIGSTORE.trusted_root().to_string()).expect("a trusted root");
    let trust = Trust::of(BTreeMap::from([(name, Arc::new(root))]));
    let (limits, revoked, now) = (patient(), Revoked::default(), Timestamp(1_780_003_600));
    let set = EvidenceSet {
        candidates: evidence,
        unread: vec![],
        unusable: vec![],
        incomplete: false,
        read_at: Timestamp(0),
    };
    let authorities: Vec<_> = policies.authorities().cloned().collect();
    let against = Against { trust: &trust, revoked: &revoked, limits: &limits, now };
    let findings = verify_all(&set, &subject().digest, &authorities, against);
    let image = ImageFacts {
        registry: subject().image.registry.to_string(),
        repository: subject().image.repository.to_string(),
        digest: subject().digest,
        annotations: BTreeMap::new(),
    };
    let examined = Examined::alone(Part { image, platform: String::new(), findings });
    let secs = Duration::from_secs;
    let terms = Terms { now, allow: secs(600), deny: secs(15), evidence_max_age: secs(300), last_known_good: secs(0) };
    let governing = policies.governing(&subject(), now);
    match decide(&governing, trust.revision(&governing), &examined, &terms) {
        Ok(verdict) => match verdict.outcome() {
            Outcome::Allow(basis) => basis.reason().to_string(),
            Outcome::Deny(denial) => denial.reason.to_string(),
        },
        Err(Indeterminate(why)) => format!("503 {}", why.reason),
    }
}

#[test]
fn the_compliant_image_runs_and_each_deficient_one_is_refused() {
    let (ours, theirs) = (Identity::gitlab("myorg/app"), Identity::gitlab("elsewhere/app"));
    let (runner, source) = ("https://gitlab.com/myorg/app/-/runners/1", "https://gitlab.com/myorg/app");
    let signed = || signature(&ours);
    let listed = || sbom(&ours, "zlib");
    let built = || provenance(&ours, runner, source);
    for (what, evidence, expected) in [
        ("compliant", vec![signed(), listed(), built()], "signed"),
        ("unsigned", vec![], "unsigned"),
        ("not signed, only attested", vec![listed(), built()], "signature_missing"),
        ("signed by somebody else", vec![signature(&theirs), listed(), built()], "signature_missing"),
        ("without SBOM", vec![signed(), built()], "attestation_missing"),
        ("with a banned package", vec![signed(), sbom(&ours, "banned-package"), built()], "condition_false"),
        // Kyverno would take it: it asks for no attestor.
        ("with an SBOM by somebody else", vec![signed(), sbom(&theirs, "zlib"), built()], "attestation_missing"),
        // Kyverno asks it of every one.
        (
            "with a good and a bad SBOM",
            vec![signed(), listed(), sbom(&ours, "banned-package"), built()],
            "condition_false",
        ),
        ("without provenance", vec![signed(), listed()], "attestation_missing"),
        (
            "built elsewhere",
            vec![signed(), listed(), provenance(&ours, "https://evil.example/", source)],
            "condition_false",
        ),
        (
            "of another source",
            vec![signed(), listed(), provenance(&ours, runner, "https://gitlab.com/myorg-evil/app")],
            "condition_false",
        ),
    ] {
        assert_eq!(outcome(evidence), expected, "{what}");
    }
}
