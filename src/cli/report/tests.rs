//! The two checks, as a person and a program read them.

use std::fs;

use clap::Parser;

use crate::cli::{config_check, policy_check};

const POLICY: &str = include_str!("../../../config/policy.example.yaml");
const CONFIGURATION: &str = include_str!("../../../config/countersign.yaml");

/// The arguments of `policy check`.
#[derive(clap::Parser)]
struct PolicyCheck {
    #[command(flatten)]
    arguments: policy_check::Arguments,
}

/// Runs a check on `text`, as the file `f.yaml`, and returns the exit code and what was printed.
fn check(config: bool, text: &str, json: bool) -> (u8, String) {
    let output: &[&str] = if json { &["--output", "json"] } else { &[] };
    if !config {
        return check_policy(text, &[&["DIR/f.yaml"], output].concat());
    }
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("f.yaml");
    fs::write(&path, text).expect("a file");
    fs::write(folder.path().join("policy.example.yaml"), POLICY).expect("a file");
    let mut out = Vec::new();
    let code = config_check::run(&path, json, &mut out);
    let text = String::from_utf8(out).expect("UTF-8");
    (code, text.replace(&format!("{}/", folder.path().display()), ""))
}

/// Runs `policy check` where `text` is `DIR/f.yaml` and a configuration that names it `DIR/c.yaml`.
fn check_policy(text: &str, arguments: &[&str]) -> (u8, String) {
    let folder = tempfile::tempdir().expect("a folder");
    let config = "clients: [ { anonymous: true, may: [ \"r.io/**\" ] } ]\nupstreams: { r.io: { aliases: [ mirror.io ] } }\n\
                  policy: { path: f.yaml }\n";
    fs::write(folder.path().join("f.yaml"), text).expect("a file");
    fs::write(folder.path().join("c.yaml"), config).expect("a file");
    let directory = folder.path().display().to_string();
    let arguments = arguments.iter().map(|argument| argument.replace("DIR", &directory));
    let parsed = PolicyCheck::try_parse_from(["check".to_string()].into_iter().chain(arguments)).expect("arguments");
    let mut out = Vec::new();
    let code = policy_check::run(&parsed.arguments, &mut out);
    (code, String::from_utf8(out).expect("UTF-8").replace(&format!("{directory}/"), ""))
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
    let told = "\nf.yaml: warning: there are no `clients`: every pull is refused (client_forbidden) [no_clients]\n\n\
                1 warning in f.yaml\n";
    assert!(text.ends_with(told), "{text}");
}

/// With one warning, and a note if the upstreams are not known.
const WARNED: &str = "\
authorities:
  a:
    key:
      insecureSkipTransparencyLog: true
      inline: |
        -----BEGIN PUBLIC KEY-----
        MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEEsdEK1vp6C2LZH8b+yM9IQJrw9NJ
        UKqXEfRynonVzn9+t9eYctEAkMiLFZu1GOwQ6EaQZRO+KtaHYI/89n+iIg==
        -----END PUBLIC KEY-----
policies:
- { name: p, match: [ \"r.io/**\" ], require: { signature: { by: a } } }
";

#[test]
fn warnings_are_told_as_compilers_do() {
    let (code, text) = check(false, WARNED, false);
    assert_eq!(
        (code, text.as_str()),
        (
            0,
            "\
f.yaml is right: 1 policy, 1 authority, 0 exemptions, 0 revoked digests; what no enforced policy matches is denied
  p enforces r.io/**

f.yaml: note: which registries are configured is not known: whether a scope can match any image is not told [upstreams_unknown]
  help: give `--config FILE`, or `--registry NAME` for each

f.yaml:4:36: warning: authorities.a.key.insecureSkipTransparencyLog: no entry in a transparency log is demanded: who steals the key or the identity signs unseen [insecure]
  4 |       insecureSkipTransparencyLog: true
    |                                    ^
  help: have signatures logged in a log that a trust root names, and take this away

1 warning in f.yaml
"
        )
    );
}

#[test]
fn the_upstreams_come_from_the_configuration_or_by_name() {
    let aliased = WARNED.replace("r.io/**", "mirror.io/**");
    for (text, arguments, unreachable) in [
        (WARNED, &["DIR/f.yaml", "--config", "DIR/c.yaml"][..], false),
        (WARNED, &["--config", "DIR/c.yaml"], false),
        (WARNED, &["DIR/f.yaml", "--registry", "s.io", "--registry", "r.io"], false),
        (WARNED, &["DIR/f.yaml", "--registry", "s.io"], true),
        (&aliased, &["--config", "DIR/c.yaml"], true),
    ] {
        let (code, printed) = check_policy(text, arguments);
        assert_eq!(code, 0, "{printed}");
        assert_eq!(printed.contains("[scope_unreachable]"), unreachable, "{arguments:?}\n{printed}");
        assert!(!printed.contains("[upstreams_unknown]"), "{printed}");
    }
    let (_, printed) = check_policy(&aliased, &["--config", "DIR/c.yaml"]);
    assert!(printed.contains("help: write `r.io` for `mirror.io`"), "{printed}");
}

#[test]
fn evidence_in_a_registry_that_is_not_configured_is_a_mistake() {
    let text = format!("{WARNED}  evidence: {{ repository: s.io/signatures }}\n").replace(
        "- { name: p, match: [ \"r.io/**\" ], require: { signature: { by: a } } }",
        "- name: p\n  match: [ \"r.io/**\" ]\n  require: { signature: { by: a } }",
    );
    assert_eq!(check_policy(&text, &["DIR/f.yaml"]).0, 0);
    let (code, printed) = check_policy(&text, &["--config", "DIR/c.yaml"]);
    assert_eq!(code, 78, "{printed}");
    assert!(
        printed.starts_with("f.yaml:14:27: policies[0].evidence.repository: `s.io` is not among the `upstreams`"),
        "{printed}"
    );
}

#[test]
fn warnings_fail_a_strict_check_and_notes_do_not() {
    let clean = WARNED
        .replace("insecureSkipTransparencyLog: true", "trustRoot: t")
        .replace("authorities:", "trustRoots: { t: { tuf: { } } }\nauthorities:");
    for (text, strict, expected) in
        [(WARNED, false, 0), (WARNED, true, 1), (&clean, true, 0), ("default: alow\n", true, 78)]
    {
        for json in [false, true] {
            let mut arguments = vec!["DIR/f.yaml"];
            arguments.extend(strict.then_some("--strict"));
            arguments.extend(json.then_some("--output=json"));
            let (code, printed) = check_policy(text, &arguments);
            assert_eq!(code, expected, "{printed}");
            if json {
                let report: serde_json::Value = serde_json::from_str(&printed).expect("JSON");
                assert_eq!(report["ok"], code == 0, "{printed}");
            }
        }
    }
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
        "{\"ok\":false,\"summary\":null,\"errors\":[{\"severity\":\"error\",\"code\":\"invalid\",\"file\":\"f.yaml\",\"line\":1,\
         \"column\":10,\"message\":\"default: `alow` is not one of `deny`, `audit`\",\"help\":null}],\"warnings\":[],\
         \"notes\":[]}\n"
    );
    let (code, text) = check_policy(WARNED, &["DIR/f.yaml", "--output", "json", "--registry", "r.io"]);
    assert_eq!(code, 0);
    assert_eq!(
        text,
        "{\"ok\":true,\"summary\":\"1 policy, 1 authority, 0 exemptions, 0 revoked digests; what no enforced policy matches \
         is denied\\n  p enforces r.io/**\",\"errors\":[],\"warnings\":[{\"severity\":\"warning\",\"code\":\"insecure\",\
         \"file\":\"f.yaml\",\"line\":4,\"column\":36,\"message\":\"authorities.a.key.insecureSkipTransparencyLog: no entry in \
         a transparency log is demanded: who steals the key or the identity signs unseen\",\"help\":\"have signatures logged in \
         a log that a trust root names, and take this away\"}],\"notes\":[]}\n"
    );
    let (code, text) = check(true, CONFIGURATION, true);
    assert!(
        code == 0 && text.starts_with("{\"ok\":true,\"summary\":\"listens on") && text.ends_with("\"notes\":[]}\n"),
        "{text}"
    );
}
