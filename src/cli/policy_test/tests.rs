//! The whole command: what it prints, what it writes, and its exit code.

use std::fs;

use clap::Parser;

use super::*;

const POLICY: &str = r#"
trustRoots: { company: { tuf: { } } }
authorities:
  ci: { keyless: { trustRoot: company, issuer: https://gitlab.com, identity: "https://gitlab.com/myorg/**", sourceRepository: "https://gitlab.com/myorg/**" } }
policies:
  - { name: company-images, match: [ "registry.company.com/**" ], refuseTags: [ latest ], require: { allOf: [ { signature: { by: ci } }, { attestation: { by: ci, type: vuln, maxAge: 7d } } ] } }
"#;

const TESTS: &str = "\
policy: ../policy.yaml
now: 2025-11-28T12:00:00Z
signers: { ci: { gitlab: myorg/app }, foreign: { gitlab: myorg/app, sourceRepository: https://gitlab.com/evil/app } }
cases:
  - name: signed and scanned
    image: registry.company.com/app:1
    evidence: [ { signature: { by: ci } }, { attestation: { by: ci, type: vuln, predicate: { }, signedAt: -6d } } ]
    expect: allow
  - name: stale & <refused>
    image: registry.company.com/app:1
    evidence: [ { signature: { by: ci } }, { attestation: { by: ci, type: vuln, predicate: { }, signedAt: -8d } } ]
    expect: { verdict: deny, reason: too_old, policy: company-images }
";

const FAILING: &str = "
  - name: the wrong one
    image: registry.company.com/app:1
    evidence: [ { signature: { by: foreign } } ]
    expect: { verdict: allow, reason: signed }
  - name: another reason
    image: registry.company.com/app:latest
    expect: { verdict: deny, reason: unsigned, detail: no signature }
";

#[derive(clap::Parser)]
struct Command {
    #[command(flatten)]
    arguments: Arguments,
}

/// Exit code, what was printed, and the `JUnit` document.
fn tested(tests: &str, options: &[&str], colour: bool) -> (u8, String, String) {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("policy.yaml"), POLICY).expect("a file");
    fs::create_dir(folder.path().join("tests")).expect("a folder");
    fs::write(folder.path().join("tests/a.yaml"), tests).expect("a file");
    let (dir, junit) = (folder.path().join("tests").display().to_string(), folder.path().join("junit.xml"));
    let mut line = vec!["test".to_string(), dir, "--junit".into(), junit.display().to_string()];
    line.extend(options.iter().map(|option| (*option).replace("DIR", &folder.path().display().to_string())));
    let arguments = Command::try_parse_from(line).expect("arguments").arguments;
    let mut out = Vec::new();
    let code = run_in(&arguments, Paint::new(colour), &mut out);
    let plain = |text: String| text.replace(&format!("{}/", folder.path().display()), "");
    let junit = fs::read_to_string(junit).unwrap_or_default();
    (code, plain(String::from_utf8(out).expect("text")), plain(junit))
}

#[test]
fn what_passes_is_one_line_each() {
    let (code, text, junit) = tested(TESTS, &[], false);
    let expected = "\
tests/a.yaml  policy tests/../policy.yaml
  ✔ signed and scanned
  ✔ stale & <refused>

2 passed, 0 failed
";
    assert_eq!((code, text.as_str()), (0, expected));
    let expected = r#"<?xml version="1.0" encoding="UTF-8"?>
<testsuites tests="2" failures="0" errors="0">
  <testsuite name="tests/a.yaml" tests="2" failures="0" errors="0" skipped="0">
    <testcase classname="tests/a.yaml" name="signed and scanned"/>
    <testcase classname="tests/a.yaml" name="stale &amp; &lt;refused&gt;"/>
  </testsuite>
</testsuites>
"#;
    assert_eq!(junit, expected);
}

#[test]
fn what_fails_is_told_as_a_difference() {
    let (code, text, junit) = tested(&format!("{TESTS}{FAILING}"), &[], false);
    let expected = "\
tests/a.yaml  policy tests/../policy.yaml
  ✔ signed and scanned
  ✔ stale & <refused>
  ✘ the wrong one  tests/a.yaml:14:11
      - verdict: allow
      + verdict: deny
      - reason: signed
      + reason: signature_missing
        cause: extension_mismatch
        policy: company-images
        detail: no signature by `ci`, the nearest candidate: a pinned certificate extension differs
  ✘ another reason  tests/a.yaml:18:11
      - reason: unsigned
      + reason: tag_refused
      - detail: … no signature …
      + detail: the policy refuses the tag `latest`; use another tag or a digest
        policy: company-images

2 passed, 2 failed
";
    assert_eq!((code, text.as_str()), (1, expected));
    let expected = r#"    <testcase classname="tests/a.yaml" name="the wrong one">
      <failure type="expectation" message="expected allow, got deny signature_missing">tests/a.yaml:14:11
- verdict: allow
+ verdict: deny
- reason: signed
+ reason: signature_missing
  cause: extension_mismatch
  policy: company-images
  detail: no signature by `ci`, the nearest candidate: a pinned certificate extension differs</failure>
    </testcase>
"#;
    assert!(junit.contains(expected), "{junit}");
    assert!(junit.contains(r#"<testsuites tests="4" failures="2" errors="0">"#), "{junit}");
}

#[test]
fn colour_only_marks() {
    let (_, text, _) = tested(&format!("{TESTS}{FAILING}"), &[], true);
    for part in ["  \x1b[32m✔\x1b[0m signed", "\x1b[31m- verdict: allow\x1b[0m", "\x1b[32m+ verdict: deny\x1b[0m"] {
        assert!(text.contains(part), "{part:?} {text:?}");
    }
}

#[test]
fn programs_get_all_of_it() {
    let (code, text, _) = tested(&format!("{TESTS}{FAILING}"), &["--output", "json"], false);
    let said: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    assert_eq!((code, &said["passed"], &said["failed"]), (1, &2.into(), &2.into()));
    let case = &said["files"][0]["cases"][2];
    assert_eq!((&case["name"], &case["passed"]), (&"the wrong one".into(), &false.into()));
    assert_eq!((&case["expected"]["verdict"], &case["got"]["cause"]), (&"allow".into(), &"extension_mismatch".into()));
    assert_eq!(case["differences"][1]["what"], "reason");
}

#[test]
fn another_policy_can_take_the_place_of_the_named_one() {
    let tests = TESTS.replace("../policy.yaml", "../gone.yaml");
    let (code, text, _) = tested(&tests, &["--policy", "DIR/policy.yaml"], false);
    assert_eq!(code, 0);
    assert!(text.starts_with("tests/a.yaml  policy policy.yaml\n"), "{text}");
}

#[test]
fn a_broken_file_is_a_mistake_of_its_own() {
    let (code, text, junit) = tested(&TESTS.replace("signedAt", "signdAt"), &[], false);
    assert_eq!((code, text.as_str(), junit.as_str()), (78, "", ""));
    let (code, ..) = tested(TESTS, &["--policy", "DIR/gone.yaml"], false);
    assert_eq!(code, 78);
}
