//! The proxy's own credentials: which registry sees them, and what a client's are worth.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use countersign::demo::registry::Options;
use http::{HeaderMap, Method};
use serde_json::json;

use crate::support::expect::{denied, served, unsure};
use crate::support::lab::Lab;
use crate::support::registry_double::{Double, Fault};
use crate::support::scene::{blob, manifest};

const OURS: &str = "Bearer of-registry-demo";
const THEIRS: &str = "Bearer of-other-demo";

/// A proxy with credentials for its registry, and with others for `other.demo`.
async fn lab(other: &Double) -> Lab {
    let address = other.address();
    Lab::edited(Options::default(), |config| {
        let credentials = |token: &str| {
            let token = token.trim_start_matches("Bearer ");
            format!("    credentials: {{ bearer: {{ token: {token} }} }}\n")
        };
        let second = format!(
            "  \"other.demo\":\n    dial: \"http://{address}\"\n{}    tls: {{ insecurePlainHttp: true }}\npolicy: {{",
            credentials(THEIRS)
        );
        let config = config.replace("    dial:", &[&credentials(OURS), "    dial:"].concat());
        config.replace("policy: {", &second).replace("anonymous: true", "anonymous: true\n    insecureAnonymous: true")
    })
    .await
}

/// A path as a client asks for it that means `registry.demo`.
fn ours(path: &str) -> String {
    format!("{path}?ns=registry.demo")
}

/// What `double` was shown as `authorization`, once each.
fn shown_to(double: &Double) -> Vec<String> {
    let value =
        |headers: &HeaderMap| headers.get("authorization").map_or("", |value| value.to_str().expect("text")).into();
    let mut shown: Vec<String> = double.seen().iter().map(|seen| value(&seen.headers)).collect();
    shown.sort();
    shown.dedup();
    shown
}

#[tokio::test]
async fn a40_a_registry_sees_its_own_credentials_and_no_others() {
    let other = Double::start(Options { name: "other.demo".into(), ..Options::default() }).await;
    let lab = lab(&other).await;
    let formats = "    formats: [ bundle, legacy ]\n";
    let evidence = [formats, "    evidence: { repository: other.demo/team/signatures }\n"].concat();
    lab.set_policy(&lab.policy().replace(formats, &evidence)).expect("a good policy");
    let image = lab.unsigned("team/app").manifest;
    let mut elsewhere = image.clone();
    elsewhere.repository = "team/signatures".into();
    lab.signer.sign_bundle(other.registry(), &elsewhere).expect("signs");
    served(&lab.get(&ours(&manifest("team/app", "1"))).await, image.digest, "signed");
    assert_eq!(shown_to(&lab.double), [OURS]);
    assert_eq!(shown_to(&other), [THEIRS]);
}

#[tokio::test]
async fn a56_credentials_follow_no_redirect() {
    let other = Double::start(Options { name: "other.demo".into(), ..Options::default() }).await;
    let thief = Double::start(Options::default()).await;
    let lab = lab(&other).await;
    let image = lab.signed("team/app");
    served(&lab.get(&ours(&manifest("team/app", "1"))).await, image.manifest.digest, "signed");
    let layer = blob("team/app", image.layer);
    let target = format!("http://{}{layer}", thief.address());
    for path in [layer.clone(), manifest("team/new", "1")] {
        for method in [Method::HEAD, Method::GET] {
            lab.double.fault(method.clone(), &path, Fault::Status(307));
            lab.double.fault(method, &path, Fault::Header("location", target.clone()));
        }
        unsure(&lab.get(&ours(&path)).await, "redirect_refused");
    }
    assert!(thief.seen().is_empty(), "{:?}", thief.seen());
    assert_eq!(shown_to(&lab.double), [OURS]);
}

/// Nobody's token is read here, whatever key it brings along: a caller without other credentials is anonymous.
#[tokio::test]
async fn a49_a_token_that_brings_its_own_key_is_worth_nothing() {
    let lab =
        Lab::edited(Options::default(), |config| config.replace("registry.demo/**", "registry.demo/public/**")).await;
    let (public, secret) = (lab.signed("public/app").manifest, lab.signed("secret/app").manifest);
    let part = |value: serde_json::Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let key = json!({ "kty": "EC", "crv": "P-256", "x": "AA", "y": "AA" });
    let header = part(json!({ "alg": "ES256", "typ": "JWT", "jwk": key, "x5c": ["MIIB"] }));
    let access = json!([{ "type": "repository", "name": "secret/app", "actions": ["pull"] }]);
    let claims = part(json!({ "iss": "evil", "sub": "admin", "aud": "registry.demo", "access": access }));
    for token in [format!("Bearer {header}.{claims}.AAAA"), "Basic YWRtaW46YWRtaW4=".to_string()] {
        let mut headers = HeaderMap::new();
        headers.insert("authorization", token.parse().expect("a value"));
        served(&lab.ask(&Method::GET, &manifest("public/app", "1"), headers.clone()).await, public.digest, "signed");
        for reference in ["1".to_string(), secret.digest.to_string()] {
            let answer = lab.ask(&Method::GET, &manifest("secret/app", reference), headers.clone()).await;
            denied(&answer, "client_forbidden");
        }
    }
    assert_eq!(shown_to(&lab.double), [""]);
}
