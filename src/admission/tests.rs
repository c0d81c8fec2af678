use std::sync::Arc;

use bytes::Bytes;

use super::*;
use crate::decide::{decide_artifact, ungoverned};
use crate::outcome::Terms;
use crate::policy::file::parse;
use crate::test_support::{evidence_artifact, subject};
use crate::trust::Trust;
use crate::verify::artifact::EvidenceProof;

const NOW: Timestamp = Timestamp(1_000_000);

fn policies(text: &str) -> Policies {
    parse(&format!("policies: []\n{text}"), "test.yaml", std::path::Path::new(".")).expect("a policy text")
}

/// A policy text under which everything in `r.io` is exempt, and `extra`.
fn exempt(extra: &str) -> Policies {
    policies(&format!("exemptions: [ {{ match: [ \"r.io/**\" ], reason: x }} ]\n{extra}"))
}

fn index(listed: &[Digest]) -> Arc<Manifest> {
    let kind = "application/vnd.oci.image.index.v1+json";
    let child = |digest: &Digest| {
        format!(r#"{{"mediaType":"application/vnd.oci.image.manifest.v1+json","size":1,"digest":"{digest}"}}"#)
    };
    let children: Vec<_> = listed.iter().map(child).collect();
    let bytes = Bytes::from(format!(r#"{{"schemaVersion":2,"manifests":[{}]}}"#, children.join(",")));
    let digest = Digest::of(&bytes);
    Arc::new(Manifest::parse(bytes, &digest, kind, 10).expect("an index"))
}

fn verdict(governing: &Governing) -> Verdict {
    ungoverned(governing, Trust::none().revision(governing), &terms()).expect("ungoverned")
}

fn terms() -> Terms {
    let day = std::time::Duration::from_hours(24);
    Terms { now: NOW, allow: day, deny: day, evidence_max_age: day, last_known_good: day }
}

/// Admits `content` as evidence.
fn as_evidence(content: Arc<Manifest>, proof: &EvidenceProof, policies: &Policies) -> Admitted<Arc<Manifest>> {
    let governing = policies.governing(&subject().image.at(content.digest()), NOW);
    let verdict = decide_artifact(&governing, Trust::none().revision(&governing), proof, &terms());
    admit(content, &verdict.expect("a verdict"), &governing, policies, NOW).expect("evidence")
}

fn try_admit(content: &Arc<Manifest>, policies: &Policies) -> Result<Admitted<Arc<Manifest>>, Denial> {
    let governing = policies.governing(&subject().image.at(content.digest()), NOW);
    admit(content.clone(), &verdict(&governing), &governing, policies, NOW)
}

#[test]
fn admits_the_content_that_the_verdict_is_about_and_no_other() {
    let (content, other) = (index(&[]), index(&[Digest::of(b"x")]));
    let policies = exempt("");
    let governing = policies.governing(&subject().image.at(content.digest()), NOW);
    let verdict = verdict(&governing);
    let admitted = admit(content.clone(), &verdict, &governing, &policies, NOW).expect("exempt");
    assert_eq!(admitted.basis().reason(), Reason::Exempt);
    assert_eq!(Manifest::digest(admitted.content()), content.digest());
    let refused = admit(other.clone(), &verdict, &governing, &policies, NOW).expect_err("other bytes");
    assert_eq!(refused.reason, Reason::Internal);
    let elsewhere = policies.governing(&subject().image.at(other.digest()), NOW);
    let refused = admit(other, &verdict, &elsewhere, &policies, NOW).expect_err("a verdict on another subject");
    assert_eq!(refused.reason, Reason::Internal);
}

#[test]
fn a_verdict_of_another_repository_or_revision_or_past_its_time_admits_nothing() {
    let content = index(&[]);
    let policies = exempt("");
    let here = policies.governing(&subject().image.at(content.digest()), NOW);
    let verdict_here = verdict(&here);
    let mut image = subject().image;
    image.repository = "other".parse().expect("a name");
    let other = policies.governing(&image.at(content.digest()), NOW);
    assert!(admit(content.clone(), &verdict_here, &other, &policies, NOW).is_err());
    let edited = exempt(
        "revoked: { digests: [ \"sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\" ] }\n",
    );
    let governing = edited.governing(&subject().image.at(content.digest()), NOW);
    assert!(admit(content.clone(), &verdict_here, &governing, &edited, NOW).is_err());
    let until = policies_until();
    let governing = until.governing(&subject().image.at(content.digest()), NOW);
    let short = verdict(&governing);
    assert!(admit(content.clone(), &short, &governing, &until, short.valid_until()).is_err());
    assert!(admit(content, &short, &governing, &until, NOW).is_ok());
}

fn policies_until() -> Policies {
    policies("exemptions: [ { match: [ \"r.io/**\" ], reason: x, expires: 1970-01-12T13:46:50Z } ]\n")
}

#[test]
fn a_denial_is_passed_on() {
    assert_eq!(try_admit(&index(&[]), &policies("")).expect_err("no policy").reason, Reason::NoPolicy);
}

#[test]
fn a_member_is_what_the_parent_lists_and_nothing_revoked() {
    let child = index(&[]);
    let blob = Blob(Digest::of(b"layer"));
    let parent_content = index(&[child.digest(), blob.0]);
    let allow = exempt("");
    let parent = try_admit(&parent_content, &allow).expect("exempt");
    let member = admit_member(child.clone(), &parent, &allow).expect("listed");
    assert_eq!(member.basis(), &Basis::Member { of: parent_content.digest() });
    assert!(admit_member(blob, &parent, &allow).is_ok());
    let refused = admit_member(Blob(Digest::of(b"another")), &parent, &allow).expect_err("unlisted");
    assert_eq!(refused.reason, Reason::NotAMember);
    let revoking = exempt(&format!("revoked: {{ digests: [ \"{}\" ] }}\n", child.digest()));
    assert_eq!(admit_member(child, &parent, &revoking).expect_err("revoked").reason, Reason::Revoked);
    let refused = try_admit(&parent_content, &revoking).expect_err("lists a revoked child");
    assert_eq!(refused.reason, Reason::ChildDenied);
}

#[test]
fn an_evidence_artifact_lets_through_its_blobs_and_an_index_of_evidence_nothing() {
    let (manifest, proof) = evidence_artifact();
    let (manifest, none) = (Arc::new(manifest), policies(""));
    let artifact = as_evidence(manifest.clone(), &proof, &none);
    assert!(artifact.confers());
    for blob in manifest.listed() {
        let member = admit_member(Blob(*blob), &artifact, &none).expect("listed");
        assert_eq!(member.basis(), &Basis::Member { of: manifest.digest() });
    }
    let listing = index(&[manifest.digest()]);
    let of_index = EvidenceProof::of_index(&listing, &[proof]).expect("evidence");
    let admitted = as_evidence(listing.clone(), &of_index, &none);
    assert_eq!((admitted.basis(), admitted.confers()), (&Basis::Evidence, false));
    let refused = admit_member(manifest.clone(), &admitted, &none).expect_err("judged on its own");
    assert_eq!(refused.reason, Reason::NotAMember);
    assert!(admit_member(Blob(manifest.digest()), &admitted, &none).is_err());
    // The very index lets it through, where it is admitted on other grounds.
    let allow = exempt("");
    let exempted = try_admit(&listing, &allow).expect("exempt");
    assert!(exempted.confers() && admit_member(manifest, &exempted, &allow).is_ok());
}
