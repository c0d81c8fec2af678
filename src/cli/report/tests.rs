//! The two checks, as a person and a program read them.

use std::fs;

use crate::cli::{config_check, policy_check};

const POLICY: &str = include_str!("../../../config/policy.example.yaml");
const CONFIGURATION: &str = include_str!("../../../config/countersign.yaml");

/// Runs a check on `text`, as the file `f.yaml`, and returns the exit code and what was printed.
fn check(config: bool, text: &str, json: bool) -> (u8, String) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("f.yaml");
    fs::write(&path, text).expect("a file");
    if config {
        fs::write(folder.path().join("policy.example.yaml"), POLICY).expect("a file");
    }
    let mut out = Vec::new();
    let code = if config { config_check::run(&path, json, &mut out) } else { policy_check::run(&path, json, &mut out) };
    let text = String::from_utf8(out).expect("UTF-8");
    (code, text.replace(&format!("{}/", folder.path().display()), ""))
}

#[test]
fn what_is_right_is_summed_up() {
    let (code, text) = check(false, POLICY, false);
    assert_eq!(code, 0);
    assert_eq!(
        text.lines().take(3).collect::<Vec<_>>(),
        [
            "f.yaml is right: 2 policies, 3 authorities, 1 exemption, 0 revoked digests; what no enforced policy matches is denied",
            "  company-images enforces registry.company.com/** except registry.company.com/mirror/**",
            "  two-of-three audits registry.company.com/payments/*",
        ]
    );
    assert!(text.contains("warning: authority `scanner-key` skips the transparency log"), "{text}");
    assert_eq!(text.matches("warning: ").count(), 1, "{text}");
    let (code, text) = check(true, CONFIGURATION, false);
    assert_eq!(
        (code, text.as_str()),
        (
            0,
            "f.yaml is right: listens on 0.0.0.0:5000, admin on 127.0.0.1:9090\n  registry.company.com at \
             https://registry-internal.company.com, with no credentials\n"
        )
    );
    let (code, text) = check(true, "policy: { path: policy.example.yaml }\nupstreams: { r.io: { } }\n", false);
    assert_eq!(code, 0);
    assert!(text.ends_with("warning: there are no `clients`: every pull is refused (client_forbidden)\n"), "{text}");
}

#[test]
fn mistakes_are_78_with_their_places() {
    let (code, text) = check(false, "policies: [ { name: p } ]\ndefault: alow\n", false);
    assert_eq!(code, 78);
    assert_eq!(
        text,
        "\
f.yaml:1:13: policies[0]: `match` is missing
  1 | policies: [ { name: p } ]
    |             ^
f.yaml:1:13: policies[0]: `require` is missing
  1 | policies: [ { name: p } ]
    |             ^
f.yaml:2:10: default: `alow` is not one of `deny`, `audit`
  2 | default: alow
    |          ^

3 mistakes in f.yaml
"
    );
    assert_eq!(check(true, "log: { level: loud }\n", false).0, 78);
}

#[test]
fn json_is_one_object_on_one_line() {
    let (code, text) = check(false, "default: alow\n", true);
    assert_eq!(code, 78);
    assert_eq!(
        text,
        "{\"ok\":false,\"errors\":[{\"path\":\"f.yaml\",\"line\":1,\"column\":10,\"message\":\"default: `alow` is not one of \
         `deny`, `audit`\"}],\"warnings\":[]}\n"
    );
    let (code, text) = check(true, CONFIGURATION, true);
    assert_eq!((code, text.as_str()), (0, "{\"ok\":true,\"errors\":[],\"warnings\":[]}\n"));
}
