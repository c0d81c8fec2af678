//! Who issued the certificate: intermediates that may not, and anchors that are none.

use super::*;
use crate::demo::sigstore::certificate::{BASIC_CONSTRAINTS, CODE_SIGNING, SERVER_AUTH};
use crate::demo::sigstore::trusted_root::authority;
use crate::demo::sigstore::{Extension as X509Extension, Template, der};

/// What an intermediate says, below a root of its own.
struct Chain {
    stage: Stage,
    root: Ca,
}

impl Chain {
    fn new() -> Self {
        let chain = Self { stage: Stage::keyless(), root: Ca::root("company root").expect("a key") };
        let good = chain.root.subordinate(&Self::intermediate()).expect("a key");
        let (stage, evidence) = chain.issued_by(&good);
        stage.accepts(&evidence);
        chain
    }

    fn intermediate() -> Template {
        let usage = X509Extension::usage(&[CODE_SIGNING]);
        Template::authority("company intermediate", BEGIN, END, vec![usage])
    }

    /// The root that trusts the chain of `ca`, and what its leaf signs.
    fn issued_by(&self, ca: &Ca) -> (Stage, Candidate) {
        let stage = self.stage.with_root("/certificateAuthorities", json!([authority(&ca.chain, "https://ca.test")]));
        let recipe = issued(SIGSTORE.stamped(myorg()), |issuance| issuance.authority = ca.clone());
        (stage, bundle(&recipe.sign(statement()).expect("signs")))
    }

    /// Such a root is not even read.
    fn unreadable(&self, what: &str, template: &Template, why: &str) {
        let (stage, _) = self.issued_by(&self.root.subordinate(template).expect("a key"));
        assert!(stage.root_error().contains(why), "{what}: {}", stage.root_error());
    }

    fn refuses(&self, what: &str, template: &Template, reason: Reason) {
        let (stage, evidence) = self.issued_by(&self.root.subordinate(template).expect("a key"));
        stage.refuses([(what, evidence, reason)]);
    }
}

const BEGIN: i64 = crate::demo::sigstore::authority::BEGIN;
const END: i64 = crate::demo::sigstore::authority::END;

#[test]
pub(super) fn a08_an_intermediate_that_had_expired() {
    let chain = Chain::new();
    let until = |not_after: i64| Template { not_after, ..Chain::intermediate() };
    let (stage, evidence) = chain.issued_by(&chain.root.subordinate(&until(NOW + 60)).expect("a key"));
    stage.accepts(&evidence);
    chain.refuses("expired before", &until(NOW), CertificateInvalid);
    let later = Template { not_before: NOW + 60, ..Chain::intermediate() };
    chain.refuses("not yet valid", &later, CertificateInvalid);
    // Without a log as well: the stamp is a time like any other.
    let unlogged = Chain { stage: Stage { log: false, ..chain.stage.clone() }, root: chain.root.clone() };
    unlogged.refuses("expired before, and no log", &until(NOW), CertificateInvalid);
}

#[test]
pub(super) fn b33_a_leaf_is_no_anchor() {
    let stage = Stage::keyless();
    let good = stage.good(&myorg());
    let leaf = good.certificate.clone().expect("a certificate");
    let anchored =
        |chain: &[Vec<u8>]| stage.with_root("/certificateAuthorities", json!([authority(chain, "https://ca.test")]));
    anchored(&good.chain).accepts(&bundle(&good));
    // Neither itself nor another leaf: a root that trusts one is not read.
    for chain in [
        vec![leaf.clone()],
        vec![leaf.clone(), good.chain[1].clone()],
        [vec![leaf.clone()], good.chain.clone()].concat(),
    ] {
        assert!(anchored(&chain).root_error().contains("no authority's"));
    }
    let own = Ca { name: String::new(), key: good.key.clone(), chain: vec![leaf] };
    let issued_by_leaf = issued(myorg(), |issuance| issuance.authority = own).sign(statement()).expect("signs");
    stage.refuses([("issued by a leaf", bundle(&issued_by_leaf), CertificateInvalid)]);
}

#[test]
pub(super) fn o31_intermediates_of_every_wrong_kind() {
    let chain = Chain::new();
    let good = Chain::intermediate;
    let no_authority = X509Extension::critical(BASIC_CONSTRAINTS, der::sequence(&[]));
    // The names that may be issued: URIs below another host.
    let host = der::tlv(0xa0, &der::sequence(&[der::tlv(0x86, b"other.test")]));
    let names = X509Extension::critical(&[2, 5, 29, 30], der::tlv(0x30, &host));
    let unknown = X509Extension::critical(&[1, 3, 6, 1, 4, 1, 99999, 1], vec![5, 0]);
    let servers = X509Extension::usage(&[SERVER_AUTH]);
    chain.refuses("other names only", &good().with(names), CertificateInvalid);
    chain.unreadable("may not issue", &good().with(X509Extension::key_usage(0x80)), "issuing");
    chain.unreadable("no authority", &good().with(no_authority), "no authority's");
    chain.unreadable("no constraints", &good().without(BASIC_CONSTRAINTS), "no authority's");
    chain.unreadable("an unknown critical extension", &good().with(unknown), "not known");
    chain.unreadable("for servers", &good().with(servers), "not for code signing");
    // None may stand below this one.
    let last = X509Extension::critical(BASIC_CONSTRAINTS, der::sequence(&[der::tlv(1, &[0xff]), der::integer(0)]));
    let last = chain.root.subordinate(&good().with(last)).expect("a key");
    let (stage, evidence) = chain.issued_by(&last);
    stage.accepts(&evidence);
    let (stage, _) = chain.issued_by(&last.subordinate(&good()).expect("a key"));
    assert!(stage.root_error().contains("more authorities below it"), "{}", stage.root_error());
}

#[test]
pub(super) fn o31_an_authority_with_the_same_names_and_another_key() {
    let chain = Chain::new();
    let twin = Ca::root("company root").expect("a key").subordinate(&Chain::intermediate()).expect("a key");
    let ours = chain.root.subordinate(&Chain::intermediate()).expect("a key");
    let (stage, evidence) = chain.issued_by(&ours);
    stage.accepts(&evidence);
    let (_, theirs) = chain.issued_by(&twin);
    stage.refuses([("the twin's", theirs, CertificateInvalid)]);
}
