//! What is judged on the thread that asks for it.

use super::super::light::is_light;
use super::*;
use crate::demo::sigstore::Key;
use crate::discovery::Candidate;
use crate::discovery::Material;
use crate::evidence::EvidenceSet;
use crate::oci::Digest;
use crate::policy::condition::ImageFacts;
use crate::test_support::subject;

/// Whether judging so many pieces of so many bytes is light, under a policy that requires this.
fn light(require: &str, pieces: usize, bytes: usize) -> bool {
    let key = Key::p256().expect("a key").public_pem();
    let (sure, key) =
        (serde_json::json!({ "inline": key, "insecureSkipTransparencyLog": true }), serde_json::Value::from(&*key));
    let text = format!(
        r#"trustRoots: {{ root: {{ file: root.json }} }}
authorities:
  key: {{ key: {sure} }}
  other: {{ key: {sure} }}
  logged: {{ key: {{ inline: {key}, trustRoot: root }} }}
  ci: {{ keyless: {{ trustRoot: root, issuer: "https://gitlab.com", identity: "https://gitlab.com/myorg/**" }} }}
policies: [ {{ name: p, match: [ "r.io/**" ], require: {require} }} ]
"#
    );
    let policies = parse(&text, "policy.yaml", Path::new(".")).unwrap_or_else(|errors| panic!("{errors}\n{text}"));
    let (subject, now) = (subject(), Timestamp(1_000));
    let material = Material::SimpleSigning { payload: vec![b' '; bytes / pieces].into(), signature: "MEQ=".into() };
    let evidence = EvidenceSet {
        candidates: vec![Candidate::new("here".into(), material); pieces],
        unread: Vec::new(),
        unusable: Vec::new(),
        incomplete: false,
        read_at: now,
    };
    let image = ImageFacts {
        registry: String::new(),
        repository: String::new(),
        digest: Digest::of(b"m"),
        annotations: BTreeMap::new(),
    };
    let own = Piece { image, platform: String::new(), evidence: Arc::new(evidence), held: false };
    let zero = Duration::ZERO;
    let terms = Terms { now, allow: zero, deny: zero, evidence_max_age: zero, last_known_good: zero };
    let governing = policies.governing(&subject, now);
    let snapshot = Arc::new(Snapshot { policies: Arc::new(policies), trust: Trust::none() });
    is_light(&Case { snapshot, governing, evidence: Gathered::alone(own), limits: Limits::default(), terms })
}

#[test]
fn a_few_signatures_by_keys_are_light_and_nothing_else_is() {
    let either = "{ anyOf: [ { signature: { by: key } }, { signature: { by: other } } ] }";
    for (expected, require, pieces, bytes) in [
        (true, "{ signature: { by: key } }", 1, 1 << 10),
        (true, "{ signature: { by: key } }", 4, 1 << 10),
        (false, "{ signature: { by: key } }", 5, 1 << 10),
        (false, "{ signature: { by: key } }", 1, 64 << 10),
        (true, either, 2, 1 << 10),
        (false, either, 3, 1 << 10),
        (false, "{ signature: { by: logged } }", 1, 1 << 10),
        (false, "{ signature: { by: ci } }", 1, 1 << 10),
        (false, "{ anyOf: [ { signature: { by: key } }, { signature: { by: ci } } ] }", 1, 1 << 10),
        (false, "{ attestation: { by: key, type: \"https://cyclonedx.org/bom\" } }", 1, 1 << 10),
    ] {
        assert_eq!(light(require, pieces, bytes), expected, "{require}: {pieces} pieces, {bytes} bytes");
    }
}
