use serde_json::{Value, json};

use super::signer::{IN_TOTO, SBOM, Signer, bytes, edited, simple_signing, statement, without};
use super::statement::COSIGN_SIGN;
use super::*;
use crate::discovery::double::candidate;
use crate::discovery::{Candidate, Material};
use crate::evidence::Unusable;
use crate::outcome;
use crate::policy::{Leaf, On, Validity};
use crate::test_support::against;

mod bounds;

mod keyless;

mod logged;

mod mutations;
mod rows;

mod real_keys;

mod real_sigstore;

mod scene;

/// One candidate for one authority, as [`verify_all`] tries each.
pub(super) fn verify_one(
    candidate: &Candidate,
    subject: &Digest,
    authority: &Authority,
    against: Against<'_>,
) -> Result<Verified, Rejection> {
    Piece::read(candidate, subject, against.limits)?.verify(authority, against)
}

fn evidence(materials: Vec<Material>) -> EvidenceSet {
    EvidenceSet {
        candidates: materials.into_iter().map(candidate).collect(),
        unread: Vec::new(),
        unusable: Vec::new(),
        incomplete: false,
        read_at: Timestamp(7),
    }
}

#[test]
fn what_there_is_no_time_to_try_is_incomplete_and_not_a_denial() {
    let (alice, subject) = (Signer::new(), Digest::of(b"image"));
    let good = || Material::Bundle(bytes(&alice.bundle(&bytes(&statement(&subject, COSIGN_SIGN)))));
    let mut limits = Limits::default();
    limits.verification.time = std::time::Duration::ZERO;
    let authorities = [Arc::new(alice.authority("alice"))];
    let findings = verify_all(&evidence(vec![good(), good()]), &subject, &authorities, against(&limits));
    assert_eq!((findings.verified.len(), findings.incomplete), (0, true));
    let leaf = Leaf::Signature { by: Name::new("alice").expect("a name"), on: On::Index, annotations: [].into() };
    let why = outcome::unread(&leaf, None, None, &findings).map(|why| why.reason);
    assert_eq!(why, Some(Reason::EvidenceIncomplete), "not a denial");
    let none = verify_all(&evidence(vec![]), &subject, &authorities, against(&limits));
    assert!(!none.incomplete, "there was nothing to try");
}

#[test]
fn every_candidate_is_tried_for_every_authority() {
    let (alice, bob, subject) = (Signer::new(), Signer::new(), Digest::of(b"image"));
    let payload = bytes(&simple_signing(&subject));
    let signature = bob.sign(&payload);
    let mut set = evidence(vec![
        Material::Bundle(bytes(&alice.bundle(&bytes(&statement(&subject, COSIGN_SIGN))))),
        Material::Bundle(bytes(&alice.bundle(&bytes(&statement(&subject, SBOM))))),
        Material::SimpleSigning { payload, signature },
    ]);
    set.unread.push(Unread::new("tag x.att", Reason::EvidenceUnreadable, "the registry answered 500"));
    set.unusable.push(Unusable::new("referrer y", Format::Bundle, Reason::EvidenceTooLarge, "\n"));
    let authorities = [Arc::new(alice.authority("alice")), Arc::new(bob.authority("bob"))];
    let findings = verify_all(&set, &subject, &authorities, against(&Limits::default()));

    let verified: Vec<_> =
        findings.verified.iter().map(|one| (one.authority().as_str(), one.claim().clone(), one.format())).collect();
    assert_eq!(
        verified,
        [
            ("alice", Claim::Signature, Format::Bundle),
            ("alice", Claim::Attestation(SBOM.into()), Format::Bundle),
            ("bob", Claim::Signature, Format::Legacy),
        ]
    );
    let rejected: Vec<_> = findings.rejected.iter().map(|one| (one.authority.as_str(), one.reason)).collect();
    assert_eq!(
        rejected,
        [
            ("bob", Reason::KeyMismatch),
            ("bob", Reason::KeyMismatch),
            ("alice", Reason::KeyMismatch),
            ("alice", Reason::EvidenceTooLarge),
            ("bob", Reason::EvidenceTooLarge),
        ]
    );
    assert!(findings.rejected.iter().all(|one| !one.detail.contains('\n')));
    assert_eq!((findings.unread, findings.incomplete, findings.read_at), (set.unread, false, Timestamp(7)));
}

#[test]
fn a_flood_of_one_kind_is_cut_and_hides_no_other() {
    let (alice, subject) = (Signer::new(), Digest::of(b"image"));
    let good = Material::Bundle(bytes(&alice.bundle(&bytes(&statement(&subject, COSIGN_SIGN)))));
    let junk = || Material::Envelope(bytes(&json!({})));
    let limits = Limits { examined: 2, ..Limits::default() };
    let authorities = [Arc::new(alice.authority("alice"))];
    let findings = verify_all(&evidence(vec![junk(), junk(), junk(), good]), &subject, &authorities, against(&limits));
    assert_eq!((findings.verified.len(), findings.rejected.len(), findings.incomplete), (1, 2, true));
}

#[test]
fn nothing_found_or_nobody_to_ask_verifies_nothing() {
    let (alice, subject) = (Signer::new(), Digest::of(b"image"));
    let good = Material::Bundle(bytes(&alice.bundle(&bytes(&statement(&subject, COSIGN_SIGN)))));
    let authorities = [Arc::new(alice.authority("alice"))];
    assert!(verify_all(&evidence(vec![]), &subject, &authorities, against(&Limits::default())).verified.is_empty());
    assert!(verify_all(&evidence(vec![good.clone()]), &subject, &[], against(&Limits::default())).verified.is_empty());
    let nobody = [Arc::new(Authority::of_keys("nobody", Vec::new()))];
    assert!(verify_all(&evidence(vec![good]), &subject, &nobody, against(&Limits::default())).verified.is_empty());
}

#[test]
fn each_bad_legacy_envelope_is_rejected_for_its_reason() {
    let (alice, subject) = (Signer::new(), Digest::of(b"image"));
    let authority = alice.authority("alice");
    let payload = bytes(&statement(&subject, SBOM));
    let good = alice.envelope(IN_TOTO, &payload);
    let signature = &good["signatures"][0];
    let signatures = |all: Value| edited(&good, "/signatures", all);
    for (envelope, expected) in [
        (edited(&good, "/signatures/0/keyid", json!("anything")), None),
        (signatures(json!([])), Some(Reason::EvidenceMalformed)),
        (signatures(json!([signature, signature])), Some(Reason::EvidenceMalformed)),
        (signatures(json!([signature, { "sig": "AAAA" }])), Some(Reason::EvidenceMalformed)),
        (signatures(json!([{ "sig": "AAAA" }, signature])), Some(Reason::EvidenceMalformed)),
        (signatures(json!([{ "sig": alice.sign(&payload) }])), Some(Reason::KeyMismatch)),
        (Signer::new().envelope(IN_TOTO, &payload), Some(Reason::KeyMismatch)),
        (alice.envelope("text/plain", &payload), Some(Reason::EvidenceUnsupported)),
        (alice.envelope("", &payload), Some(Reason::EvidenceUnsupported)),
        (alice.envelope(IN_TOTO, &bytes(&statement(&Digest::of(b"other"), SBOM))), Some(Reason::SubjectMismatch)),
        (edited(&good, "/extra", json!(1)), Some(Reason::EvidenceMalformed)),
        (without(&good, "/payload"), Some(Reason::EvidenceMalformed)),
        (json!([good["payload"], good["payloadType"], good["signatures"]]), Some(Reason::EvidenceMalformed)),
    ] {
        let candidate = candidate(Material::Envelope(bytes(&envelope)));
        let result = verify_one(&candidate, &subject, &authority, against(&Limits::default()));
        assert_eq!(result.err().map(|rejection| rejection.reason), expected, "{envelope}");
    }
}

#[test]
fn an_authority_without_its_trusted_root_is_not_judged_and_holds_nobody_else_up() {
    let (alice, bob, subject) = (Signer::new(), Signer::new(), Digest::of(b"image"));
    let good = |key: &Signer| Material::Bundle(bytes(&key.bundle(&bytes(&statement(&subject, COSIGN_SIGN)))));
    let rooted = alice.authority("alice").demanding(true, Validity::ALWAYS).rooted("gone");
    let authorities = [Arc::new(rooted), Arc::new(bob.authority("bob"))];
    let limits = Limits::default();
    let findings = verify_all(&evidence(vec![good(&alice), good(&bob)]), &subject, &authorities, against(&limits));
    let verified: Vec<_> = findings.verified.iter().map(|one| one.authority().as_str()).collect();
    assert_eq!(verified, ["bob"]);
    let leaf = |by| Leaf::Signature { by: Name::new(by).expect("a name"), on: On::Index, annotations: [].into() };
    let unsure = |by| outcome::unread(&leaf(by), None, None, &findings).map(|why| why.reason);
    assert_eq!((unsure("alice"), unsure("bob")), (Some(Reason::TrustRootUnavailable), None));
}
