//! Credentials in every form that a docker configuration gives them, and what happens when they are replaced.

use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::*;

/// What the registry takes now; tests change it.
#[derive(Clone, Default)]
struct Wanted(Arc<Mutex<String>>);

impl Wanted {
    fn set(&self, value: &str) {
        value.clone_into(&mut self.0.lock().expect("a lock"));
    }

    fn is(&self, value: &str) -> bool {
        *self.0.lock().expect("a lock") == value
    }
}

fn basic(password: &str) -> String {
    format!("Basic {}", STANDARD.encode(format!("robot:{password}")))
}

fn unauthorized(challenge: String) -> Answer {
    whole(status(401).header("www-authenticate", challenge), "")
}

/// A registry that asks for the Basic scheme.
async fn basic_registry(wanted: &Wanted) -> Registry {
    let wanted = wanted.clone();
    Registry::start(move |asked, _| match asked.header("authorization") {
        value if wanted.is(value) => whole(status(200), ""),
        _ => unauthorized("Basic realm=x".to_string()),
    })
    .await
}

/// A file with `content`, and the credentials that it holds for the registry of these tests.
fn docker_config(folder: &Path, entry: &str) -> Credentials {
    let path = folder.join("config.json");
    std::fs::write(&path, format!(r#"{{"auths":{{"registry.company.com":{{{entry}}}}}}}"#)).expect("a file");
    Credentials::DockerConfig(path)
}

#[tokio::test]
async fn a_password_that_is_rotated_is_read_again_when_the_registry_rejects_the_old_one() {
    let (wanted, folder) = (Wanted::default(), tempfile::tempdir().expect("a folder"));
    let path = folder.path().join("password");
    let rotate = |password: &str| {
        std::fs::write(&path, password).expect("a file");
        wanted.set(&basic(password));
    };
    rotate("one");
    let registry = basic_registry(&wanted).await;
    let file = SecretSource::File(path.clone());
    let credentials = Credentials::Basic { username: "robot".to_string(), password: file };
    let upstream = upstream(&registry.address, credentials);
    for password in ["one", "two", "three"] {
        rotate(password);
        upstream.ping().await.expect(password);
    }
    wanted.set("nothing");
    let before = registry.asked().len();
    assert_eq!(upstream.ping().await, Err(UpstreamError::CredentialsRejected { status: 401 }));
    assert_eq!(registry.asked().len(), before + 1, "what was rejected is not sent again");
}

#[tokio::test]
async fn an_identity_token_is_exchanged_for_a_token_of_our_scope() {
    let folder = tempfile::tempdir().expect("a folder");
    let registry = Registry::start(|asked, own| match (asked.uri.path(), asked.header("authorization")) {
        ("/token", "") if asked.method == Method::POST => whole(status(200), r#"{"access_token":"good"}"#),
        (_, "Bearer good") => whole(status(200), ""),
        _ => unauthorized(format!(r#"Bearer realm="{own}token?scope=x",service="s",scope="a:b:push""#)),
    })
    .await;
    let credentials = docker_config(folder.path(), r#""auth":"cm9ib3Q6eA==","identitytoken":"id&entity""#);
    let upstream = upstream(&registry.address, credentials);
    upstream.resolve(&repository(), &tag()).await.expect("authorised");
    let [asked] = registry.asked_at("/token").try_into().expect("one token request");
    assert_eq!(asked.uri.to_string(), "/token", "nothing of it stands in the address");
    assert_eq!(asked.header("content-type"), "application/x-www-form-urlencoded");
    let form = "grant_type=refresh_token&refresh_token=id%26entity&client_id=countersign&service=s\
                &scope=repository%3Ateam%2Fapp%3Apull";
    assert_eq!(asked.body, form);
    assert!(registry.asked_at("/v2/").iter().all(|asked| !asked.header("authorization").contains("id")));
}

#[tokio::test]
async fn an_identity_token_that_is_no_longer_good_is_a_rejection_and_goes_to_no_other_host() {
    let folder = tempfile::tempdir().expect("a folder");
    let credentials = || docker_config(folder.path(), r#""identitytoken":"hunter2""#);
    let registry = Registry::start(|asked, own| match asked.uri.path() {
        "/token" => whole(status(400), r#"{"error":"invalid_grant"}"#),
        _ => unauthorized(format!("Bearer realm=\"{own}token\"")),
    })
    .await;
    let error = upstream(&registry.address, credentials()).ping().await;
    assert_eq!(error, Err(UpstreamError::CredentialsRejected { status: 400 }));
    let thief = Registry::start(|_, _| whole(status(200), r#"{"token":"t"}"#)).await;
    let mut realm = thief.address.clone();
    realm.set_host(Some("localhost")).expect("a host");
    let registry = Registry::start(move |_, _| unauthorized(format!("Bearer realm=\"{realm}\""))).await;
    let error = upstream(&registry.address, credentials()).ping().await;
    assert_eq!(error, Err(UpstreamError::RealmRefused { host: "localhost".to_string() }));
    assert!(thief.asked().is_empty());
}

#[tokio::test]
async fn a_registry_token_is_sent_as_it_is() {
    let folder = tempfile::tempdir().expect("a folder");
    let registry = Registry::start(|_, _| whole(status(200), "")).await;
    let credentials = docker_config(folder.path(), r#""registrytoken":"mine""#);
    upstream(&registry.address, credentials).ping().await.expect("authorised");
    assert_eq!(registry.asked()[0].header("authorization"), "Bearer mine");
}

#[tokio::test]
async fn tokens_that_were_made_of_former_credentials_go_with_them() {
    let (wanted, folder) = (Wanted::default(), tempfile::tempdir().expect("a folder"));
    wanted.set(&basic("one"));
    let (takes, issued) = (wanted.clone(), AtomicUsize::new(0));
    // The token server takes what is wanted now; the registry takes the last token that was issued while it did not change.
    let last = Mutex::new((String::new(), String::new()));
    let registry = Registry::start(move |asked, own| {
        let given = asked.header("authorization");
        let mut last = last.lock().expect("a lock");
        match asked.uri.path() {
            "/token" if takes.is(given) => {
                let token = format!("t{}", issued.fetch_add(1, Ordering::SeqCst));
                *last = (given.to_string(), format!("Bearer {token}"));
                whole(status(200), format!(r#"{{"token":"{token}","expires_in":3600}}"#))
            }
            "/token" => whole(status(401), ""),
            _ if takes.is(&last.0) && given == last.1 => whole(status(200), ""),
            _ => unauthorized(format!("Bearer realm=\"{own}token\"")),
        }
    })
    .await;
    let credentials = |password: &str| {
        let entry = format!(r#""username":"robot","password":"{password}""#);
        docker_config(folder.path(), &entry)
    };
    let upstream = upstream(&registry.address, credentials("one"));
    let resolve = async || upstream.resolve(&repository(), &tag()).await.map(|_| ());
    resolve().await.expect("authorised");
    wanted.set(&basic("two"));
    assert_eq!(resolve().await, Err(UpstreamError::CredentialsRejected { status: 401 }));
    credentials("two");
    resolve().await.expect("authorised");
    let given: Vec<_> =
        registry.asked_at("/token").iter().map(|asked| asked.header("authorization").to_string()).collect();
    assert_eq!(given, [basic("one"), basic("one"), basic("one"), basic("two")]);
    let before = registry.asked().len();
    resolve().await.expect("authorised");
    assert_eq!(registry.asked().len(), before + 1, "the new token is held");
}

/// B37: whatever stands beside it, the challenge that can be answered is.
#[tokio::test]
async fn the_challenge_that_can_be_answered_is_found_among_others() {
    let folder = tempfile::tempdir().expect("a folder");
    let entry = r#""username":"robot","password":"hunter2""#;
    for (challenges, expected) in [
        (vec!["Negotiate", "Basic realm=x"], basic("hunter2")),
        (vec!["Negotiate YIIJ==, Digest realm=\"a, b\", nonce=c, Basic realm=x"], basic("hunter2")),
        (vec!["Bearer realm=\"https://evil.example/\"", "Basic realm=x"], basic("hunter2")),
        (vec!["Bearer", "Basic realm=x"], basic("hunter2")),
        (vec!["Basic realm=\"unclosed", "bEARER realm=\"OWNtoken\""], "Bearer good".to_string()),
        (vec!["Basic realm=x, Bearer realm=\"OWNtoken\""], "Bearer good".to_string()),
        (vec!["Bearer realm=\"https://evil.example/\"", "Bearer realm=\"OWNtoken\""], "Bearer good".to_string()),
    ] {
        let (sent, takes) = (challenges.clone(), expected.clone());
        let registry = Registry::start(move |asked, own| match asked.uri.path() {
            "/token" => whole(status(200), r#"{"token":"good"}"#),
            _ if asked.header("authorization") == takes => whole(status(200), ""),
            _ => {
                let with = |answer: http::response::Builder, value: &&str| {
                    answer.header("www-authenticate", value.replace("OWN", own.as_str()))
                };
                whole(sent.iter().fold(status(401), with), "")
            }
        })
        .await;
        upstream(&registry.address, docker_config(folder.path(), entry)).ping().await.expect(&expected);
        let answered: Vec<_> =
            registry.asked_at("/v2/").iter().map(|a| a.header("authorization").to_string()).collect();
        assert_eq!(answered, [String::new(), expected], "{challenges:?}");
    }
    for challenge in ["Negotiate", "Digest realm=x", "Bearer service=s", ""] {
        let registry = Registry::start(move |_, _| unauthorized(challenge.to_string())).await;
        let error = upstream(&registry.address, docker_config(folder.path(), entry)).ping().await.expect_err(challenge);
        assert_eq!(error.reason(), Reason::UpstreamCredentialsRejected, "{challenge}: {error}");
        assert!(registry.asked().iter().all(|asked| asked.header("authorization").is_empty()), "{challenge}");
    }
}

#[tokio::test]
async fn a_token_server_that_does_not_answer_costs_a_timeout() {
    let registry = Registry::start(|asked, own| match asked.uri.path() {
        "/token" => Answer::Never,
        _ => unauthorized(format!("Bearer realm=\"{own}token\"")),
    })
    .await;
    let upstream = build(&registry.address, Credentials::None, Duration::from_millis(200));
    assert_eq!(upstream.ping().await, Err(UpstreamError::Timeout));
}
