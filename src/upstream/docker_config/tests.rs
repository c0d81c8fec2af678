//! Every form that such a file has, and what is not ours in it.

use super::*;

fn names(names: &[&str]) -> Vec<Registry> {
    names.iter().map(|name| name.parse().expect(name)).collect()
}

fn plan(text: &str, known_by: &[&str]) -> Result<Plan, DockerConfigError> {
    DockerConfig::parse(text.as_bytes())?.plan(&names(known_by))
}

/// What the file itself holds for `reg.io`.
fn login(text: &str) -> Option<Login> {
    let plan = plan(text, &["reg.io"]).expect(text);
    assert!(plan.ask.is_empty(), "{text}");
    plan.login
}

fn basic(username: &str, password: &str) -> Option<Login> {
    Login::basic(username, &Secret::from(password.to_string())).ok()
}

#[test]
fn finds_the_entry_under_every_spelling_of_the_host() {
    for key in ["reg.io", "REG.io:443", "https://reg.io", "https://reg.io/v1/", "http://reg.io/v2", "reg.io/"] {
        let text = format!(r#"{{"auths":{{"other.io":{{}},"{key}":{{"auth":"dTpwOnc"}}}},"HttpHeaders":{{}}}}"#);
        assert_eq!(login(&text), basic("u", "p:w"), "{key}");
    }
    let hub = r#"{"auths":{"https://index.docker.io/v1/":{"username":"u","password":"p"}}}"#;
    assert!(plan(hub, &["docker.io"]).is_ok());
    let dialled = r#"{"auths":{"internal.lan:5000":{"auth":"dTpw"}}}"#;
    assert!(plan(dialled, &["reg.io", "internal.lan:5000"]).is_ok());
}

#[test]
fn another_hosts_entry_is_not_ours() {
    for key in ["reg.io.evil.com", "evilreg.io", "evil.com/reg.io", "reg.io/team", "reg.io:5000", "io", ""] {
        let entry = format!(r#""{key}":{{"auth":"dTpw"}}"#);
        let helper = format!(r#"{{"credHelpers":{{"{key}":"gcloud"}}}}"#);
        for text in [format!(r#"{{"auths":{{{entry}}}}}"#), format!("{{{entry}}}"), helper] {
            assert!(matches!(plan(&text, &["reg.io"]), Err(DockerConfigError::NoEntry { .. })), "{text}");
        }
    }
}

#[test]
fn every_form_of_an_entry_is_understood() {
    let secret = || Secret::from("t".to_string());
    for (entry, expected) in [
        (r#""auth":"dTpw""#, basic("u", "p")),
        (r#""auth":"","username":"u","password":"p""#, basic("u", "p")),
        (r#""auth":"dTpw","username":"x","password":"y""#, basic("u", "p")),
        (r#""auth":"dTpw","email":"me@here","identitytoken":"t""#, Some(Login::Identity(secret()))),
        (r#""identitytoken":"i","registrytoken":"t""#, Login::bearer(&secret()).ok()),
    ] {
        assert_eq!(login(&format!(r#"{{"auths":{{"reg.io":{{{entry}}}}}}}"#)), expected, "{entry}");
    }
}

#[test]
fn kubernetes_legacy_secret_has_the_entries_at_its_top() {
    let legacy = r#"{"https://reg.io/v1/":{"auth":"dTpw","email":"x"},"other.io":{"auth":"eDp5"},"note":1}"#;
    assert_eq!(login(legacy), basic("u", "p"));
    // In a `config.json` an entry at the top is none.
    let current = r#"{"auths":{},"reg.io":{"auth":"dTpw"}}"#;
    assert!(matches!(plan(current, &["reg.io"]), Err(DockerConfigError::NoEntry { .. })));
}

#[test]
fn helpers_come_before_the_store_and_the_store_before_entries() {
    let text = r#"{"auths":{"reg.io":{"auth":"dTpw"}},"credHelpers":{"b.lan":"b","https://reg.io":"a","o.io":"o"},"credsStore":"s"}"#;
    let found = plan(text, &["reg.io", "b.lan"]).expect(text);
    let asked: Vec<_> = found.ask.iter().map(|ask| (ask.helper.program(), ask.server.as_str())).collect();
    let program = |name: &str| format!("docker-credential-{name}");
    assert_eq!(
        asked,
        [(program("a"), "reg.io"), (program("b"), "b.lan"), (program("s"), "reg.io"), (program("s"), "b.lan")]
    );
    assert_eq!(found.login, basic("u", "p"));
    let hub = plan(r#"{"auths":{"reg.io":{}},"credsStore":"pass"}"#, &["docker.io"]).expect("a store");
    assert_eq!((hub.ask[0].server.as_str(), hub.login), ("https://index.docker.io/v1/", None));
    assert!(plan(r#"{"auths":{"reg.io":{}},"credsStore":""}"#, &["reg.io"]).is_err());
}

#[test]
fn says_what_is_wrong_without_repeating_secrets() {
    let error = |text: &str| plan(text, &["reg.io"]).expect_err(text).to_string();
    let twice = r#"{"auths":{"reg.io":{"auth":"dTpw"},"https://reg.io":{"auth":"dTpx"}}}"#;
    assert_eq!(error(twice), "several different entries for `reg.io`");
    for auth in ["hunter2", "aHVudGVyMg==", "OnB3"] {
        let text = format!(r#"{{"auths":{{"reg.io":{{"auth":"{auth}"}}}}}}"#);
        assert_eq!(error(&text), "the entry `reg.io` does not hold `user:password` in base64");
    }
    let colon = r#"{"auths":{"reg.io":{"username":"a:b","password":"hunter2"}}}"#;
    assert_eq!(error(colon), "the entry for `reg.io`: the user name contains a colon");
    let token = r#"{"auths":{"reg.io":{"registrytoken":"hunter 2"}}}"#;
    assert_eq!(error(token), "the entry for `reg.io`: the token contains characters that a header cannot carry");
    for text in [r#"{"auths":"hunter2"}"#, r#"{"auths":{"reg.io":{"auth":["hunter2"]}}}"#, r#"["hunter2"]"#, "hunter2"]
    {
        let said = error(text);
        assert!(said.starts_with("not a docker configuration (line 1, column ") && !said.contains("hunter"), "{said}");
    }
    for helper in ["../evil", "a b", "", "/bin/sh", "a;b", "ä", "a\\u0000b"] {
        let text = format!(r#"{{"credHelpers":{{"reg.io":"{helper}"}}}}"#);
        assert!(error(&text).ends_with("is not the name of a credential helper"), "{text}");
    }
    assert_eq!(error("{}"), "no entry for `reg.io`; `docker login reg.io` makes one");
}
