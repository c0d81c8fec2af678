//! `dockerConfig`: what shows before anybody uses it.

use std::fs;

use crate::config::Config;
use crate::upstream::Credentials;

/// The configuration of `r.io` at `internal.lan` with this docker configuration.
fn configured(content: &str) -> Result<Config, String> {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("config.json"), content).expect("a file");
    let text = "policy: { path: p }\nupstreams:\n  r.io:\n    dial: https://internal.lan\n    \
                credentials: { dockerConfig: config.json }\n";
    let config = Config::parse(text, "c.yaml", folder.path(), std::iter::empty());
    let config = config.map_err(|errors| errors.to_string());
    if let Ok(config) = &config {
        let path = folder.path().join("config.json");
        assert_eq!(config.upstreams[0].credentials, Credentials::DockerConfig(path));
        // Warnings look into the file.
        let _ = config.warnings();
    }
    config
}

#[test]
fn every_form_is_taken() {
    for content in [
        r#"{"auths":{"r.io":{"auth":"dTpw"}}}"#,
        r#"{"auths":{"https://internal.lan/v2/":{"identitytoken":"t"}}}"#,
        r#"{"https://r.io":{"auth":"dTpw","email":"e"}}"#,
        r#"{"credHelpers":{"r.io":"ecr-login"}}"#,
        r#"{"auths":{},"credsStore":"pass"}"#,
    ] {
        configured(content).expect(content);
    }
}

#[test]
fn what_has_nothing_for_the_registry_is_a_mistake_with_its_place_and_no_secret() {
    let place = "c.yaml:5:34: upstreams.\"r.io\".credentials.dockerConfig: `config.json`: ";
    for (content, why) in [
        ("hunter2", "not a docker configuration (line 1, column 1)"),
        (
            r#"{"auths":{"other.io":{"auth":"aHVudGVyMg"}}}"#,
            "no entry for `r.io`, nor for `internal.lan` of its `dial`; `docker login r.io` makes one",
        ),
        (r#"{"auths":{"r.io":{"auth":"hunter2"}}}"#, "the entry `r.io` does not hold `user:password` in base64"),
        (r#"{"credHelpers":{"r.io":"/bin/sh"}}"#, "`/bin/sh` is not the name of a credential helper"),
    ] {
        let errors = configured(content).map(|_| ()).expect_err(content);
        assert!(errors.starts_with(&[place, why].concat()), "{errors}");
        assert!(!errors.contains("hunter2") && !errors.contains("aHVudGVyMg"), "{errors}");
    }
}

#[test]
fn a_helper_that_is_not_there_is_a_warning() {
    let folder = tempfile::tempdir().expect("a folder");
    let content = r#"{"credHelpers":{"r.io":"countersign-test-nobody"}}"#;
    fs::write(folder.path().join("config.json"), content).expect("a file");
    let text = "policy: { path: p }\nupstreams: { r.io: { credentials: { dockerConfig: config.json } } }\n";
    let config = Config::parse(text, "c.yaml", folder.path(), std::iter::empty()).expect("a configuration");
    let warnings = config.warnings();
    let (_, why) = warnings.iter().find(|(kind, _)| *kind == "helper_missing").expect("a warning");
    assert!(why.starts_with("`docker-credential-countersign-test-nobody`, which `"), "{why}");
    assert!(why.ends_with("config.json` names for `r.io`, is not in PATH"), "{why}");
}
