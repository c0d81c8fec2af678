use super::super::considered::Considered;
use super::super::report::AuthorityReport;
use super::super::requirement::{Judgement, Node, PlatformReport, Value, What};
use super::*;

const SBOM: &str = "https://cyclonedx.org/bom";
const SCAN: &str = "https://cosign.sigstore.dev/attestation/vuln/v1";

fn held(signer: &str) -> Judgement {
    Judgement { value: Value::Holds, signers: vec![signer.into()], ..Judgement::default() }
}

fn short(value: Value, reason: Reason, detail: &str) -> Judgement {
    Judgement { value, reason: Some(reason), detail: Some(detail.into()), ..Judgement::default() }
}

fn leaf(what: What, judgement: Judgement, considered: Vec<Considered>) -> Node {
    Node { what, judgement, considered, of: Vec::new() }
}

fn piece(location: &str, time: Option<&str>, chosen: bool, fails: Option<(Reason, &str)>) -> Considered {
    Considered {
        location: location.into(),
        format: "bundle",
        signer: "identity:https://gitlab.com/myorg/app issuer:https://gitlab.com".into(),
        time: time.map(str::to_string),
        chosen,
        satisfies: fails.is_none(),
        reason: fails.map(|(reason, _)| reason),
        detail: fails.map(|(_, detail)| detail.into()),
    }
}

fn attestation(predicate_type: &str, select: &'static str, condition: Option<&str>, max_age: Option<u64>) -> What {
    What::Attestation {
        by: "ci".into(),
        predicate_type: predicate_type.into(),
        on: "index",
        select,
        condition: condition.map(str::to_string),
        max_age,
        age_from: max_age.map(|_| "metadata.scanFinishedOn".into()),
    }
}

fn signature(on: &'static str) -> What {
    What::Signature { by: "ci".into(), on, annotations: [].into() }
}

fn policy_of(name: &str, judgement: Judgement, require: Node) -> PolicyReport {
    PolicyReport { name: name.into(), mode: "enforce", exempt: false, judgement, require, platforms: Vec::new() }
}

/// A stale scan among what is fine, a watched policy over platforms, and one that an exemption takes away.
fn report() -> Report {
    let stale = "it is 8 days old, at most 7 days are allowed";
    let scan = leaf(
        attestation(SCAN, "newest", Some("scan.count('CRITICAL') == 0\n  && true"), Some(7 * 86_400)),
        short(Value::Fails, Reason::TooOld, &format!("the attestation {SCAN} by `ci` (referrer sha256:cd): {stale}")),
        vec![
            piece("referrer sha256:cd", Some("2026-11-20T12:00:00Z"), true, Some((Reason::TooOld, stale))),
            piece(
                "referrer sha256:ef",
                Some("2026-11-10T12:00:00Z"),
                false,
                Some((Reason::TooOld, "it is 18 days old")),
            ),
        ],
    );
    let sbom = leaf(
        attestation(SBOM, "any", Some("true"), None),
        held("x"),
        vec![
            piece(
                "referrer sha256:01",
                None,
                true,
                Some((Reason::ConditionFalse, "the condition does not hold: true")),
            ),
            piece("referrer sha256:02", None, true, None),
        ],
    );
    let unread = "evidence by `ci` could not be judged: the registry did not answer";
    let either = Node {
        what: What::AnyOf,
        judgement: held("x"),
        considered: Vec::new(),
        of: vec![
            leaf(signature("index"), held("x"), vec![piece("tag sha256-ab.sig, layer 0", None, true, None)]),
            leaf(signature("index"), short(Value::Unknown, Reason::EvidenceUnreadable, unread), Vec::new()),
        ],
    };
    let all = Node {
        what: What::AllOf,
        judgement: short(Value::Fails, Reason::TooOld, stale),
        considered: Vec::new(),
        of: vec![either, sbom, scan],
    };
    let detail = format!("the attestation {SCAN} by `ci` (referrer sha256:cd): {stale}");
    let missing = || short(Value::Fails, Reason::Unsigned, "no signature by `ci`");
    let platform = |platform: &str, judgement| PlatformReport {
        platform: platform.into(),
        digest: Digest::of(platform.as_bytes()),
        require: leaf(signature("platform"), judgement, Vec::new()),
    };
    let mut each = policy_of("each", missing(), leaf(signature("platform"), missing(), Vec::new()));
    each.mode = "audit";
    each.platforms = vec![platform("linux/amd64", held("x")), platform("linux/arm64", missing())];
    let away = leaf(signature("index"), Judgement::default(), Vec::new());
    let away = PolicyReport { exempt: true, ..policy_of("away", Judgement::default(), away) };
    let company = policy_of("company-images", short(Value::Fails, Reason::TooOld, &detail), all);
    Report {
        reference: "registry.company.com/app:1".into(),
        digest: None,
        kind: Some("index"),
        outcome: "deny",
        reason: Reason::TooOld,
        cause: None,
        policy: Some("company-images".into()),
        detail,
        judged: Judged { policies: vec![company, each, away], evidence_read: true, ..Judged::default() },
        children: Vec::new(),
        exemptions: Vec::new(),
        authorities: vec![AuthorityReport {
            name: "ci".into(),
            keys: Vec::new(),
            issuer: Some("https://gitlab.com".into()),
            identity: Some("https://gitlab.com/myorg/**".into()),
            pins: [].into(),
        }],
        next: Vec::new(),
    }
}

fn written(colour: bool) -> String {
    let mut out = Vec::new();
    text(&report(), Paint::new(colour), &mut out).expect("memory");
    String::from_utf8(out).expect("text")
}

#[test]
fn every_node_has_a_mark_and_its_grounds() {
    let expected = format!(
        "\
registry.company.com/app:1

✘ denied: too_old
  policy \"company-images\": the attestation {SCAN} by `ci` (referrer sha256:cd): it is 8 days old, at most 7 days are allowed

✘ company-images  enforce: too_old
  ✘ all of
    ✔ any of
      ✔ signature by ci
        ✔ tag sha256-ab.sig, layer 0 (bundle) by identity:https://gitlab.com/myorg/app issuer:https://gitlab.com
      ? signature by ci: evidence_unreadable
        evidence by `ci` could not be judged: the registry did not answer
        wants identity https://gitlab.com/myorg/**
        wants issuer https://gitlab.com
    ✔ attestation {SBOM} by ci
      one of them: true
      ✘ referrer sha256:01 (bundle): condition_false: the condition does not hold: true
      ✔ referrer sha256:02 (bundle) by identity:https://gitlab.com/myorg/app issuer:https://gitlab.com
    ✘ attestation {SCAN} by ci: too_old
      the newest: at most 7d old, by predicate.metadata.scanFinishedOn
      the newest: scan.count('CRITICAL') == 0 && true
      wants identity https://gitlab.com/myorg/**
      wants issuer https://gitlab.com
      ✘ referrer sha256:cd (bundle, 2026-11-20T12:00:00Z, the newest): too_old: it is 8 days old, at most 7 days are allowed
      - referrer sha256:ef (bundle, 2026-11-10T12:00:00Z, not the newest): too_old: it is 18 days old

✘ each  audit: unsigned
  linux/amd64 ({amd})
    ✔ signature of each platform by ci
  linux/arm64 ({arm})
    ✘ signature of each platform by ci: unsigned
      no signature by `ci`
      wants identity https://gitlab.com/myorg/**
      wants issuer https://gitlab.com

- away  enforce: taken away by an exemption
  - signature by ci
",
        amd = Digest::of(b"linux/amd64"),
        arm = Digest::of(b"linux/arm64"),
    );
    assert_eq!(written(false), expected);
}

#[test]
fn colour_adds_nothing_but_colour() {
    let coloured = written(true);
    assert!(coloured.contains("\x1b[31m✘\x1b[0m \x1b[1mcompany-images\x1b[0m"), "{coloured}");
    let mut plain = String::new();
    for part in coloured.split("\x1b[") {
        plain += part.split_once('m').filter(|(code, _)| code.len() <= 2).map_or(part, |(_, rest)| rest);
    }
    assert_eq!(plain, written(false));
}

#[test]
fn programs_read_the_same_tree() {
    let mut out = Vec::new();
    json(&report(), &mut out).expect("memory");
    let said: serde_json::Value = serde_json::from_slice(&out).expect("JSON");
    let company = &said["policies"][0];
    assert_eq!((&company["name"], &company["value"]), (&"company-images".into(), &"fails".into()));
    let scan = &company["require"]["of"][2];
    assert_eq!((&scan["select"], &scan["maxAge"]), (&"newest".into(), &604_800.into()));
    assert_eq!((&scan["considered"][0]["chosen"], &scan["considered"][1]["chosen"]), (&true.into(), &false.into()));
    assert_eq!(said["policies"][1]["platforms"][1]["require"]["reason"], "unsigned");
    assert_eq!(said["policies"][2]["value"], "notJudged");
}
