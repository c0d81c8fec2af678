use super::super::evidence::{Certificate, Claims, LogEntry};
use super::super::report::AuthorityReport;
use super::super::requirement::{Judgement, Node, What};
use super::*;
use crate::reason::Reason;

fn report() -> Report {
    let claimed = Claims {
        size: 5000,
        statement: Some("signature"),
        predicate_type: None,
        key_hint: None,
        certificate: Some(Certificate {
            identity: Some("https://gitlab.com/other/app//.gitlab-ci.yml@refs/heads/main".into()),
            issuer: Some("https://gitlab.com".into()),
            source_repository: Some("https://gitlab.com/other/app".into()),
            source_ref: Some("refs/heads/main".into()),
            not_before: "2026-11-25T12:00:00Z".into(),
            not_after: "2026-11-25T12:10:00Z".into(),
        }),
        log_entries: vec![LogEntry { index: 7, integrated_time: Some("2026-11-25T12:00:01Z".into()) }],
        timestamps: 1,
    };
    let said = Said {
        authority: "gitlab-ci".into(),
        verified: false,
        proof: None,
        reason: Some(Reason::IdentityMismatch),
        detail: Some("another project".into()),
    };
    let leaf = Judgement {
        value: Value::Fails,
        reason: Some(Reason::SignatureMissing),
        cause: Some(Reason::IdentityMismatch),
        detail: Some("no signature by `gitlab-ci`".into()),
        signers: Vec::new(),
    };
    let what = What::Signature { by: "gitlab-ci".into(), on: "index", annotations: [].into() };
    let require = Node { what, judgement: leaf, considered: Vec::new(), of: Vec::new() };
    let evidence =
        Piece { location: "referrer sha256:ab".into(), format: "bundle", claimed: Some(claimed), said: vec![said] };
    Report {
        reference: "registry.company.com/app:1".into(),
        digest: None,
        kind: Some("image"),
        outcome: "deny",
        reason: Reason::SignatureMissing,
        cause: Some(Reason::IdentityMismatch),
        policy: Some("company-images".into()),
        detail: "no signature by `gitlab-ci`".into(),
        judged: Judged {
            child: None,
            policies: vec![PolicyReport {
                name: "company-images".into(),
                mode: "enforce",
                exempt: false,
                judgement: Judgement::default(),
                require,
                platforms: Vec::new(),
            }],
            evidence_read: true,
            evidence: vec![evidence],
            unread: Vec::new(),
            incomplete: false,
        },
        children: Vec::new(),
        exemptions: Vec::new(),
        authorities: vec![AuthorityReport {
            name: "gitlab-ci".into(),
            keys: Vec::new(),
            issuer: Some("https://gitlab.com".into()),
            identity: Some("https://gitlab.com/myorg/**".into()),
            pins: [("sourceRepository", "https://gitlab.com/myorg/**".to_string())].into(),
        }],
        next: vec!["Sign it.".into()],
    }
}

fn written(colour: bool) -> String {
    let mut out = Vec::new();
    write(&report(), Paint::new(colour), &mut out).expect("memory");
    String::from_utf8(out).expect("text")
}

#[test]
fn the_page_reads_from_the_answer_down_to_its_grounds() {
    let expected = "\
registry.company.com/app:1

✘ denied: signature_missing (identity_mismatch)
  policy \"company-images\": no signature by `gitlab-ci`

Policies
  company-images  enforce
    ✘ signature by gitlab-ci: signature_missing (identity_mismatch)
      wants identity https://gitlab.com/myorg/**
      wants issuer https://gitlab.com
      wants sourceRepository https://gitlab.com/myorg/**

Evidence
  1. referrer sha256:ab (bundle)
     claims signature, 5 KiB
     claims identity https://gitlab.com/other/app//.gitlab-ci.yml@refs/heads/main
     claims issuer https://gitlab.com
     claims source https://gitlab.com/other/app at refs/heads/main
     claims certificate valid 2026-11-25T12:00:00Z to 2026-11-25T12:10:00Z
     claims log entry 7, logged at 2026-11-25T12:00:01Z
     claims a signed time stamp
     ✘ gitlab-ci  identity_mismatch: another project

Next
  Sign it.
";
    assert_eq!(written(false), expected);
}

#[test]
fn colour_adds_nothing_but_colour() {
    let coloured = written(true);
    assert!(coloured.contains("\x1b[31m✘ denied\x1b[0m"), "{coloured}");
    let mut plain = String::new();
    for part in coloured.split("\x1b[") {
        plain += part.split_once('m').filter(|(code, _)| code.len() <= 2).map_or(part, |(_, rest)| rest);
    }
    assert_eq!(plain, written(false));
}
