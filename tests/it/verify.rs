//! `countersign verify`: it says what the proxy answers, in the same words, and shows what that rests on.

use std::path::Path;
use std::process::Command;

use countersign::demo::cosign::tag;
use countersign::demo::proxy;
use countersign::demo::registry::Options;
use http::Method;
use serde_json::Value;

use crate::support::expect::header;
use crate::support::lab::Lab;
use crate::support::registry_double::Fault;
use crate::support::scene::{authority, manifest, rule};

mod artifact;
mod keyless;
mod places;

struct Ran {
    code: i32,
    stdout: String,
    stderr: String,
}

impl Ran {
    fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {}{}", self.stdout, self.stderr))
    }
}

/// Runs the command; not on the thread that the lab's servers run on.
async fn verify(arguments: &[&str]) -> Ran {
    let mut command = Command::new(env!("CARGO_BIN_EXE_countersign"));
    command.arg("verify").args(arguments).env_remove("NO_COLOR");
    let output = tokio::task::spawn_blocking(move || command.output()).await.expect("no panic").expect("it runs");
    let text = |bytes| String::from_utf8(bytes).expect("text");
    Ran { code: output.status.code().expect("it exits"), stdout: text(output.stdout), stderr: text(output.stderr) }
}

fn text(path: &Path) -> &str {
    path.to_str().expect("text")
}

/// Explains `reference` by the lab's configuration, and compares with what its proxy answers to `path`.
async fn explained(lab: &Lab, reference: &str, path: &str) -> (Ran, Value) {
    let arguments = [reference, "--config", text(&lab.config)];
    let json = verify(&[&arguments[..], &["--output", "json"]].concat()).await.json();
    let ran = verify(&arguments).await;
    let answer = lab.get(path).await;
    let expected = match answer.status {
        200 => 0,
        403 => 1,
        _ => 2,
    };
    assert_eq!(ran.code, expected, "the proxy says {}: {}", answer.status, ran.stdout);
    assert_eq!(json["reason"], header(&answer, "countersign-reason"), "{json:#}");
    let detail = json["detail"].as_str().expect("a text");
    assert!(answer.status == 200 || answer.message().contains(detail), "{} / {detail}", answer.message());
    (ran, json)
}

#[tokio::test]
async fn an_allowed_image_is_shown_with_its_evidence() {
    let lab = Lab::start(Options::default()).await;
    let image = lab.signed("team/app").manifest;
    lab.signer.sign_legacy(lab.registry(), &image).expect("signs");
    lab.foreign.sign_bundle(lab.registry(), &image).expect("signs");
    let (ran, json) = explained(&lab, "registry.demo/team/app:1", &manifest("team/app", 1)).await;
    assert_eq!((&json["outcome"], &json["kind"]), (&"allow".into(), &"image".into()));
    assert_eq!(json["digest"], image.digest.to_string());
    let evidence = json["evidence"].as_array().expect("a list");
    assert_eq!(evidence.len(), 3, "{json:#}");
    let key = &json["authorities"][0]["keys"][0];
    let (mut good, mut foreign) = (0, 0);
    for piece in evidence {
        assert_eq!(piece["claimed"]["statement"], "signature");
        let [said] = piece["said"].as_array().expect("a list").as_slice() else { panic!("{piece:#}") };
        assert_eq!(said["authority"], "release-key");
        if said["verified"] == true {
            good += 1;
            assert_eq!(said["proof"]["signer"], format!("key:{}", key.as_str().expect("a text")));
        } else {
            foreign += 1;
            assert_eq!(said["reason"], "key_mismatch");
            assert_ne!(piece["claimed"]["keyHint"], *key);
        }
    }
    assert_eq!((good, foreign), (2, 1));
    assert_eq!(json["policies"][0]["name"], "demo");
    assert_eq!(json["policies"][0]["require"]["value"], "holds");
    for part in [
        "✔ allowed: signed",
        "referrer sha256:",
        ".sig, layer 0 (legacy)",
        "claims key sha256:",
        "✘ release-key  key_mismatch:",
    ] {
        assert!(ran.stdout.contains(part), "no `{part}` in\n{}", ran.stdout);
    }
}

#[tokio::test]
async fn a_denied_image_is_told_what_it_lacks_and_what_to_do() {
    let lab = Lab::start(Options::default()).await;
    let unsigned = lab.unsigned("team/unsigned").manifest;
    let (ran, json) = explained(&lab, "registry.demo/team/unsigned:1", &manifest("team/unsigned", 1)).await;
    assert_eq!((&json["reason"], &json["policy"]), (&"unsigned".into(), &"demo".into()));
    assert_eq!((&json["evidenceRead"], &json["evidence"]), (&true.into(), &Value::Array(vec![])));
    let advice = format!("cosign sign --key KEY registry.demo/team/unsigned@{}", unsigned.digest);
    assert!(ran.stdout.contains(&advice) && ran.stdout.contains("No evidence was found"), "{}", ran.stdout);

    let foreign = lab.unsigned("team/foreign").manifest;
    lab.foreign.sign_bundle(lab.registry(), &foreign).expect("signs");
    let reference = format!("registry.demo/team/foreign@{}", foreign.digest);
    let (ran, json) = explained(&lab, &reference, &manifest("team/foreign", foreign.digest)).await;
    assert_eq!((&json["reason"], &json["cause"]), (&"signature_missing".into(), &"key_mismatch".into()));
    assert!(ran.stdout.contains("✘ denied: signature_missing (key_mismatch)"), "{}", ran.stdout);
    assert!(ran.stdout.contains("If the key that signed may sign too"), "{}", ran.stdout);
}

#[tokio::test]
async fn what_could_not_be_read_is_no_denial() {
    let lab = Lab::start(Options::default()).await;
    lab.signed("team/app");
    lab.double.fault(Method::GET, "/v2/team/app/referrers/", Fault::Status(500));
    let (ran, json) = explained(&lab, "registry.demo/team/app:1", &manifest("team/app", 1)).await;
    assert_eq!((ran.code, &json["outcome"]), (2, &"unavailable".into()));
    assert_eq!(json["unread"][0]["location"], "referrers");
    assert_eq!(json["policies"][0]["require"]["value"], "unknown");
    assert!(ran.stdout.contains("Could not be read\n  referrers"), "{}", ran.stdout);
    lab.double.heal();
    lab.double.fault(Method::HEAD, "/v2/team/app/", Fault::Status(503));
    let (ran, json) = explained(&lab, "registry.demo/team/app:1", &manifest("team/app", 1)).await;
    assert_eq!((ran.code, &json["evidenceRead"], &json["digest"]), (2, &false.into(), &Value::Null));
}

#[tokio::test]
async fn a_registry_that_is_down_and_an_image_that_is_not_there_are_not_told() {
    let lab = Lab::start(Options::default()).await;
    let (ran, _) = explained(&lab, "registry.demo/team/nothing:1", &manifest("team/nothing", 1)).await;
    assert!(ran.stdout.contains("? nothing to judge: upstream_not_found"), "{}", ran.stdout);
    let policy = lab.config.with_file_name("policy.yaml");
    // Nothing listens on the port of discard.
    let ran = verify(&["127.0.0.1:9/app:1", "--policy", text(&policy), "--insecure-plain-http"]).await;
    assert_eq!(ran.code, 2, "{}{}", ran.stdout, ran.stderr);
    assert!(ran.stdout.contains("? could not tell: upstream_unavailable"), "{}", ran.stdout);
}

#[tokio::test]
async fn every_policy_and_every_leaf_is_weighed() {
    let lab = Lab::start(Options::default()).await;
    let image = lab.signed("team/app").manifest;
    lab.signer.attest_bundle(lab.registry(), &image, "https://example.com/sbom", &Value::Null).expect("attests");
    let stranger = authority("stranger", &lab.foreign.public_key_pem());
    let demands = "require: { allOf: [ { signature: { by: release-key } }, { anyOf: [ { signature: { by: stranger } }, \
                   { attestation: { by: release-key, type: \"https://example.com/none\" } } ] } ] }";
    let policy = lab.policy().replace("authorities:\n", &format!("authorities:\n{stranger}"));
    let watched = rule("watched", "registry.demo/**", "audit", "stranger", "");
    let policy = policy.replace("require:\n      signature: { by: release-key }", demands);
    lab.set_policy(&policy.replace("default: deny", &format!("{watched}default: deny"))).expect("a good policy");
    let (ran, json) = explained(&lab, "registry.demo/team/app:1", &manifest("team/app", 1)).await;
    let [demo, watched] = json["policies"].as_array().expect("a list").as_slice() else { panic!("{json:#}") };
    let tree = &demo["require"];
    assert_eq!((&tree["kind"], &tree["value"]), (&"allOf".into(), &"fails".into()));
    assert_eq!((&tree["of"][0]["by"], &tree["of"][0]["value"]), (&"release-key".into(), &"holds".into()));
    let any = &tree["of"][1];
    assert_eq!((&any["kind"], &any["value"]), (&"anyOf".into(), &"fails".into()));
    assert_eq!((&any["of"][0]["kind"], &any["of"][0]["value"]), (&"signature".into(), &"fails".into()));
    assert_eq!(any["of"][1]["predicateType"], "https://example.com/none");
    assert_eq!((&watched["mode"], &watched["require"]["value"]), (&"audit".into(), &"fails".into()));
    assert!(ran.stdout.contains("✘ attestation https://example.com/none by release-key"), "{}", ran.stdout);
    assert!(ran.stdout.contains("claims attestation "), "{}", ran.stdout);
}

#[tokio::test]
async fn exemptions_revocations_and_audit_are_told_as_the_proxy_has_them() {
    let lab = Lab::start(Options::default()).await;
    let image = lab.unsigned("team/app").manifest;
    let name = format!("registry.demo/team/app@{}", image.digest);
    let path = manifest("team/app", image.digest);
    let exempt =
        format!("exemptions: [ {{ match: [ \"{name}\" ], reason: INC-1234, expires: 2999-01-01T00:00:00Z }} ]\n");
    lab.set_policy(&(lab.policy() + &exempt)).expect("a good policy");
    let (ran, json) = explained(&lab, &name, &path).await;
    assert_eq!((&json["reason"], &json["evidenceRead"]), (&"exempt".into(), &false.into()));
    assert_eq!((&json["policies"][0]["exempt"], &json["exemptions"][0]["reason"]), (&true.into(), &"INC-1234".into()));
    assert!(ran.stdout.contains("exemption in force: INC-1234, until 2999-01-01T00:00:00Z"), "{}", ran.stdout);

    lab.set_policy(&(lab.policy() + &format!("revoked: {{ digests: [ \"{}\" ] }}\n", image.digest))).expect("good");
    assert_eq!(explained(&lab, &name, &path).await.1["reason"], "revoked");

    let lab = Lab::edited(Options::default(), |config| config.replace("policy: {", "policy: { audit: true,")).await;
    lab.unsigned("team/app");
    let (ran, json) = explained(&lab, "registry.demo/team/app:1", &manifest("team/app", 1)).await;
    assert_eq!((&json["reason"], &json["cause"]), (&"audited".into(), &"unsigned".into()));
    assert!(ran.stdout.contains("served in audit mode only"), "{}", ran.stdout);
}

#[tokio::test]
async fn an_index_answers_for_itself_and_names_the_child_that_decides() {
    let lab = Lab::start(Options::default()).await;
    let (_, images) = lab.signed_index("team/multi");
    let (_, json) = explained(&lab, "registry.demo/team/multi:1", &manifest("team/multi", 1)).await;
    assert_eq!((&json["kind"], &json["reason"]), (&"index".into(), &"signed".into()));
    let child = images[0].manifest.digest;
    lab.set_policy(&(lab.policy() + &format!("revoked: {{ digests: [ \"{child}\" ] }}\n"))).expect("a good policy");
    let (ran, json) = explained(&lab, "registry.demo/team/multi:1", &manifest("team/multi", 1)).await;
    assert_eq!(json["reason"], "child_denied");
    assert!(ran.stdout.contains(&child.to_string()), "{}", ran.stdout);
}

#[tokio::test]
async fn a_policy_alone_asks_the_registry_that_the_image_names() {
    let lab = Lab::start(Options::default()).await;
    lab.signed("team/app");
    let host = lab.double.address().to_string();
    let policy = lab.config.with_file_name("alone.yaml");
    std::fs::write(&policy, proxy::policy(&host, &lab.signer.public_key_pem())).expect("a file");
    let reference = format!("{host}/team/app:1");
    let ran = verify(&[&reference, "--policy", text(&policy), "--insecure-plain-http"]).await;
    assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
    // Over HTTPS, which this registry does not speak.
    let ran = verify(&[&reference, "--policy", text(&policy)]).await;
    assert_eq!(ran.code, 2, "{}{}", ran.stdout, ran.stderr);
    // Another policy under the registries and credentials of a configuration.
    std::fs::write(&policy, proxy::policy("registry.demo", &lab.foreign.public_key_pem())).expect("a file");
    let arguments = ["registry.demo/team/app:1", "--config", text(&lab.config), "--policy", text(&policy)];
    assert_eq!(verify(&arguments).await.code, 1);
}

#[tokio::test]
async fn a_registry_that_is_not_configured_is_refused_as_by_the_proxy() {
    let lab = Lab::start(Options::default()).await;
    let ran = verify(&["other.example/app:1", "--config", text(&lab.config)]).await;
    assert_eq!(ran.code, 1, "{}{}", ran.stdout, ran.stderr);
    assert!(ran.stdout.contains("registry_unknown") && ran.stdout.contains("`registry.demo`"), "{}", ran.stdout);
}

#[tokio::test]
async fn wrong_usage_and_wrong_files_have_codes_of_their_own() {
    let lab = Lab::start(Options::default()).await;
    let config = text(&lab.config);
    for (arguments, part) in [
        (&["registry.demo/app:1"][..], "--policy"),
        (&["--config", config], "REF"),
        (&["team/app:1", "--config", config], "write it as `registry.demo/team/app`"),
        (&["registry.demo/App:1", "--config", config], "lower-case"),
        (&["registry.demo/app@sha256:12", "--config", config], "sha256:12"),
        (&["registry.demo/app:1", "--config", config, "--insecure-plain-http"], "--insecure-plain-http"),
    ] {
        let ran = verify(arguments).await;
        assert_eq!(ran.code, 64, "{arguments:?}: {}{}", ran.stdout, ran.stderr);
        assert!(ran.stderr.contains(part) && ran.stdout.is_empty(), "{}", ran.stderr);
    }
    let wrong = lab.config.with_file_name("wrong.yaml");
    std::fs::write(&wrong, "policies: [ { name: x } ]\n").expect("a file");
    for (arguments, part) in [
        (&["registry.demo/app:1", "--policy", text(&wrong)][..], "wrong.yaml:1:"),
        (&["registry.demo/app:1", "--config", text(&wrong)], "wrong.yaml:1:"),
        (&["registry.demo/app:1", "--config", "/nowhere.yaml"], "/nowhere.yaml"),
        (&["registry.demo/app:1", "--policy", "/nowhere.yaml"], "/nowhere.yaml"),
        (&["registry.demo/app:1", "--policy", text(&wrong), "--docker-config", "/nowhere.json"], "wrong.yaml"),
    ] {
        let ran = verify(&[arguments, &["--output", "json"]].concat()).await;
        assert_eq!(ran.code, 78, "{arguments:?}: {}{}", ran.stdout, ran.stderr);
        assert!(ran.stderr.contains(part) && ran.stdout.is_empty(), "{}", ran.stderr);
    }
}

#[tokio::test]
async fn what_others_wrote_cannot_move_the_cursor() {
    let lab = Lab::start(Options::default()).await;
    let image = lab.unsigned("team/app").manifest;
    let kind = "https://evil.example/\u{1b}[2J\u{202e}\nevil: ✔ allowed";
    lab.signer.attest_bundle(lab.registry(), &image, kind, &Value::Null).expect("attests");
    lab.double.fault(
        Method::GET,
        &manifest("team/app", tag(&image.digest, Some("sig"))),
        Fault::Body("\u{1b}[31m".into()),
    );
    let (ran, json) = explained(&lab, "registry.demo/team/app:1", &manifest("team/app", 1)).await;
    assert!(
        json["evidence"][0]["claimed"]["predicateType"].as_str().expect("text").starts_with("https://evil.example/")
    );
    let bad = |c: char| c != '\n' && (c.is_control() || c == '\u{202e}');
    assert!(!ran.stdout.contains(bad) && !ran.stdout.contains("\nevil"), "{:?}", ran.stdout);
}
