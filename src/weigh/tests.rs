//! What requirements come to, on evidence that was really verified.

use super::*;
use crate::evidence::EvidenceSet;
use crate::policy::Policies;
use crate::policy::file::parse;
use crate::test_support::{KEY_A, against, attested, examined, patient, subject};
use crate::verify::verify_all;

const NOW: Timestamp = Timestamp(1_000_000);
const VULN: &str = "https://cosign.sigstore.dev/attestation/vuln/v1";

fn policies(more: &str) -> Policies {
    let text = format!(
        "authorities:\n  a: {{ key: {{ inline: {:?}, insecureSkipTransparencyLog: true }} }}\npolicies:\n  - name: p\n    \
         match: [ \"r.io/**\" ]\n    require: {{ attestation: {{ by: a, type: vuln{more} }} }}\n",
        KEY_A.public_pem()
    );
    parse(&text, "test.yaml", std::path::Path::new(".")).unwrap_or_else(|errors| panic!("{errors}"))
}

/// An attestation that is larger than the limit is no evidence; where all of them matter, it may be the one that does.
#[test]
fn an_attestation_above_the_limit_is_denied_and_may_be_the_newest() {
    let predicate = |size: usize| format!(r#"{{"at":"1970-01-12T00:00:00Z","text":"{}"}}"#, "x".repeat(size));
    let (small, large) = (predicate(1), predicate(5_000));
    let mut limits = patient();
    limits.attestation = 4_000;
    let aged = ", maxAge: 7d, ageFrom: at";
    for (more, predicates, expected) in [
        ("", vec![&large], "attestation_missing (evidence_too_large)"),
        ("", vec![&small, &large], "holds"),
        (", maxAge: 7d, ageFrom: at, select: any", vec![&small, &large], "holds"),
        (aged, vec![&small, &large], "503 evidence_incomplete (evidence_too_large)"),
        (aged, vec![&small], "holds"),
        (aged, vec![&large], "attestation_missing (evidence_too_large)"),
    ] {
        let policies = policies(more);
        let candidates = predicates.iter().map(|one| attested(&KEY_A, subject().digest, VULN, one)).collect();
        let (unread, unusable) = (Vec::new(), Vec::new());
        let set = EvidenceSet { candidates, unread, unusable, incomplete: false, read_at: NOW };
        let authorities: Vec<_> = policies.authorities().cloned().collect();
        let part = examined(&verify_all(&set, &subject().digest, &authorities, against(&limits))).own;
        let policy = &policies.all()[0];
        let leaf = policy.require().leaves()[0];
        let cause = |why: &Shortfall| why.cause.map_or("", Reason::code).to_string();
        let outcome = match weigh(leaf, policy, &part, NOW) {
            Truth::Holds(_) => "holds".to_string(),
            Truth::Fails(why) => format!("{} ({})", why.reason, cause(&why)),
            Truth::Unknown(why) => format!("503 {} ({})", why.reason, cause(&why)),
        };
        assert_eq!(outcome, expected, "{more} {}", predicates.len());
    }
}
