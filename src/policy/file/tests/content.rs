//! What a policy's content digest covers.

use super::*;

/// The content of the first policy and of the first exemption.
fn contents(text: &str) -> (Digest, Digest) {
    let policies = parsed(text).expect(text);
    (policies.all[0].content, policies.exemptions[0].content)
}

#[test]
fn the_content_digest_changes_when_and_only_when_a_decision_could() {
    let base = format!(
        "{AUTHORITIES}\
policies:
- name: p
  match: [ r.io/**, s.io/** ]
  except: [ r.io/x/** ]
  require: {{ anyOf: [ {{ signature: {{ by: a }} }}, {{ attestation: {{ by: a, type: vuln }} }} ] }}
  refuseTags: [ latest, edge ]
exemptions:
- match: [ r.io/app ]
  reason: INC-1
  expires: 2026-12-02T00:00:00Z
"
    );
    let (policy, exemption) = contents(&base);
    for (from, to, policy_stays, exemption_stays) in [
        ("name: p", "name: p  # a comment", true, true),
        ("[ r.io/**, s.io/** ]", "[ s.io/**, r.io/**, r.io/** ]", true, true),
        ("[ latest, edge ]", "[ edge, latest ]", true, true),
        ("refuseTags:", "mode: enforce\n  formats: [ legacy, bundle ]\n  refuseTags:", true, true),
        ("type: vuln", "type: https://cosign.sigstore.dev/attestation/vuln/v1", true, true),
        ("file: b.pub", "file: keys/a.pem", true, true),
        ("file: a.pub", "file: keys/a.pem", true, true),
        ("2026-12-02T00:00:00Z", "2026-12-02T01:00:00+01:00", true, true),
        ("name: p", "name: q", false, true),
        ("r.io/**, s.io/**", "r.io/**", false, true),
        ("r.io/x/**", "r.io/y/**", false, true),
        ("refuseTags:", "mode: audit\n  refuseTags:", false, true),
        ("refuseTags:", "formats: [ bundle ]\n  refuseTags:", false, true),
        ("latest, edge", "latest", false, true),
        ("anyOf", "allOf", false, true),
        ("type: vuln", "type: spdx", false, true),
        ("file: a.pub", "file: b.pub", false, true),
        ("file: a.pub", "directory: keys", false, true),
        ("[ { signature: { by: a } }", "[ { signature: { by: release-key } }", false, true),
        ("r.io/app", "r.io/apps", true, false),
        ("[ r.io/app ]", "[ r.io/app ]\n  policies: [ p ]", true, false),
        ("INC-1", "INC-2", true, false),
        ("2026-12-02", "2026-12-03", true, false),
        ("  expires: 2026-12-02T00:00:00Z\n", "", true, false),
    ] {
        let text = base.replace(from, to);
        assert_ne!(text, base, "{from}");
        let (new_policy, new_exemption) = contents(&text);
        assert_eq!(new_policy == policy, policy_stays, "policy: {from} -> {to}");
        assert_eq!(new_exemption == exemption, exemption_stays, "exemption: {from} -> {to}");
    }
}

#[test]
fn the_content_digest_covers_what_a_certificate_must_say() {
    let base = "\
trustRoots: { r: { file: r.json }, s: { file: s.json } }
authorities:
  ci: { keyless: { trustRoot: r, issuer: i, identity: x, sourceRepository: p } }
  k: { key: { file: a.pub, trustRoot: r } }
policies:
- name: p
  match: [ r.io/** ]
  require: { allOf: [ { signature: { by: ci } }, { signature: { by: k } } ] }
";
    let content = |text: &str| parsed(text).expect(text).all[0].content;
    let before = content(base);
    for (from, to, stays) in [
        ("s.json", "other.json", true),
        ("{ file: s.json }", "{ file: s.json, insecureSkipTransparencyLog: true }", true),
        ("{ file: r.json }", "{ file: r.json, insecureSkipTransparencyLog: false }", true),
        ("{ file: r.json }", "{ file: r.json, insecureSkipTransparencyLog: true }", false),
        ("{ file: r.json }", "{ file: r.json, insecureSkipCertificateTransparency: true }", false),
        ("issuer: i", "issuer: j", false),
        ("identity: x", "identity: y", false),
        ("identity: x", "identityRegex: x", false),
        ("sourceRepository: p", "sourceRepository: q", false),
        ("sourceRepository: p", "sourceRef: p", false),
        (", sourceRepository: p", "", false),
        ("trustRoot: r, issuer", "trustRoot: s, issuer", false),
        ("sourceRepository: p", "sourceRepository: p, insecureSkipTransparencyLog: true", false),
        ("trustRoot: r }", "trustRoot: r, notBefore: 2026-01-01T00:00:00Z }", false),
        ("trustRoot: r }", "trustRoot: r, notAfter: 2036-01-01T00:00:00Z }", false),
        ("trustRoot: r }", "trustRoot: r, insecureSkipTransparencyLog: true }", false),
        ("trustRoot: r }", "trustRoot: s }", false),
    ] {
        let text = base.replacen(from, to, 1);
        assert_ne!(text, base, "{from}");
        assert_eq!(content(&text) == before, stays, "{from} -> {to}");
    }
}
