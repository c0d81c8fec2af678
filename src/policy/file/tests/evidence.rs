//! `evidence`: where it may be as well as beside the image.

use crate::clock::Timestamp;
use crate::oci::{Digest, Image};
use crate::policy::Policies;

use super::{assert_errors, parsed};

const A: &str = "authorities: { a: { key: { file: a.pub, insecureSkipTransparencyLog: true } } }\n";

fn policy(name: &str, scope: &str, evidence: &str) -> String {
    let head = format!("- name: {name}\n  match: [ {scope} ]\n  require: {{ signature: {{ by: a }} }}\n");
    if evidence.is_empty() { head } else { format!("{head}  evidence: {{ repository: {evidence} }}\n") }
}

fn image(registry: &str, repository: &str) -> Image {
    Image { registry: registry.parse().expect("r"), repository: repository.parse().expect("n") }
}

fn places(policies: &Policies, image: &Image) -> Vec<String> {
    let governing = policies.governing(&image.at(Digest::of(b"x")), Timestamp(1));
    governing.evidence_elsewhere().iter().map(ToString::to_string).collect()
}

#[test]
fn the_places_of_all_policies_that_govern_are_read_each_once() {
    let text = [
        A,
        "policies:\n",
        &policy("one", "r.io/**", "r.io/signatures"),
        &policy("two", "r.io/app", "s.io:5000/team/signatures"),
        &policy("three", "r.io/app", "r.io/signatures"),
        &policy("four", "r.io/app", ""),
        &policy("five", "r.io/other", "r.io/elsewhere"),
        "exemptions: [ { match: [ r.io/other ], policies: [ five ], reason: why } ]\n",
    ]
    .concat();
    let policies = parsed(&text).expect(&text);
    assert_eq!(places(&policies, &image("r.io", "app")), ["r.io/signatures", "s.io:5000/team/signatures"]);
    assert_eq!(places(&policies, &image("r.io", "other")), ["r.io/signatures"], "an exempted policy asks for nothing");
    assert_eq!(places(&policies, &image("r.io", "signatures")), [""; 0], "that is beside the image");
    assert_eq!(places(&policies, &image("s.io", "app")), [""; 0]);
}

#[test]
fn the_place_is_part_of_the_revision() {
    let revision = |evidence: &str| {
        let text = [A, "policies:\n", &policy("one", "r.io/**", evidence)].concat();
        let policies = parsed(&text).expect(&text);
        policies.governing(&image("r.io", "app").at(Digest::of(b"x")), Timestamp(1)).revision()
    };
    let revisions = [revision(""), revision("r.io/a"), revision("r.io/b"), revision("s.io/a")];
    for (at, one) in revisions.iter().enumerate() {
        assert!(revisions[..at].iter().all(|other| other != one), "{at}");
    }
    assert_eq!(revision("r.io/a"), revision("R.io:443/a"), "two spellings of one place");
}

#[test]
fn what_is_no_repository_is_refused_at_its_place() {
    for evidence in ["signatures", "r.io/", "r.io/A", "r.io/a:tag", "r.io/a@sha256:00", "r_io/a", "''", "r.io/**"] {
        let text = [A, "policies:\n", &policy("one", "r.io/**", evidence)].concat();
        let why = format!("`{}` is not a registry and a repository", evidence.trim_matches('\''));
        assert_errors(&text, &[&format!("policy.yaml:6:27: policies[0].evidence.repository: {why}")]);
    }
    let text = [A, "policies:\n", &policy("one", "r.io/**", ""), "  evidence: { }\n"].concat();
    assert_errors(&text, &["policy.yaml:6:3: policies[0].evidence: `repository` is missing"]);
}
