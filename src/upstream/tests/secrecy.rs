//! Nothing of a secret is shown, whatever happens to it: neither in a log at its most talkative, nor in an error, nor in
//! what is printed for debugging.

use std::path::Path;

use super::*;
use crate::telemetry::log::tests::Written;

/// The secret in itself and as the password of `robot`, and the token that is issued for it.
const SECRETS: [&str; 3] = ["hunter2", "cm9ib3Q6aHVudGVyMg", "issued-t0ken"];

/// Every form of credentials, in files of `folder`.
fn forms(folder: &Path) -> Vec<Credentials> {
    let write = |name: &str, content: &str| {
        std::fs::write(folder.join(name), content).expect("a file");
        folder.join(name)
    };
    let entry =
        |name: &str, entry: &str| write(name, &format!(r#"{{"auths":{{"registry.company.com":{{{entry}}}}}}}"#));
    let inline = SecretSource::Inline(Secret::from("hunter2".to_string()));
    let file = SecretSource::File(write("password", "hunter2\n"));
    vec![
        Credentials::Basic { username: "robot".to_string(), password: inline.clone() },
        Credentials::Basic { username: "robot".to_string(), password: file.clone() },
        Credentials::Bearer(inline),
        Credentials::Bearer(file),
        Credentials::DockerConfig(entry("auth", r#""auth":"cm9ib3Q6aHVudGVyMg==""#)),
        Credentials::DockerConfig(entry("pair", r#""username":"robot","password":"hunter2""#)),
        Credentials::DockerConfig(entry("identity", r#""identitytoken":"hunter2""#)),
        Credentials::DockerConfig(entry("token", r#""registrytoken":"hunter2""#)),
    ]
}

/// A registry that asks for a token or for a password, and repeats what it was given as hostile ones may.
async fn registry(challenge: &'static str, good: bool) -> Registry {
    Registry::start(move |asked, own| {
        let given = asked.header("authorization").to_string();
        let echo = format!("{given} {}", String::from_utf8_lossy(&asked.body));
        match asked.uri.path() {
            "/token" if good => whole(status(200), r#"{"token":"issued-t0ken","refresh_token":"hunter2"}"#),
            "/token" => whole(status(400).header("x-echo", &given), echo),
            _ if good && !given.is_empty() => whole(status(200), echo),
            _ => {
                let challenge = challenge.replace("OWN", own.as_str());
                whole(status(401).header("www-authenticate", challenge).header("x-echo", &given), echo)
            }
        }
    })
    .await
}

/// Makes requests with every form of credentials, and breaks a file; all that can be printed of it.
async fn exchange(folder: &Path) -> String {
    let mut shown = Vec::new();
    for good in [true, false] {
        for challenge in ["Bearer realm=\"OWNtoken\"", "Basic realm=x", "Bearer realm=\"https://evil.example/\""] {
            let registry = registry(challenge, good).await;
            for credentials in forms(folder) {
                shown.push(format!("{credentials:#?}"));
                let upstream = upstream(&registry.address, credentials);
                let resolved = upstream.resolve(&repository(), &tag()).await.map(|_| ());
                for error in [upstream.ping().await, resolved].into_iter().filter_map(Result::err) {
                    shown.push(format!("{error} {error:?}"));
                }
                shown.push(format!("{upstream:#?}"));
            }
        }
    }
    let path = folder.join("breaks");
    let entry = |auth: &str| format!(r#"{{"auths":{{"registry.company.com":{{"auth":{auth}}}}}}}"#);
    std::fs::write(&path, entry(r#""cm9ib3Q6aHVudGVyMg==""#)).expect("a file");
    let registry = registry("Basic realm=x", false).await;
    let upstream = upstream(&registry.address, Credentials::DockerConfig(path.clone()));
    for broken in ["hunter2", &entry(r#""hunter2""#), &entry(r#"["hunter2"]"#)] {
        std::fs::write(&path, broken).expect("a file");
        shown.push(format!("{:?} {upstream:?}", upstream.ping().await));
    }
    shown.join("\n")
}

#[tokio::test]
async fn no_secret_is_shown_in_a_whole_exchange() {
    let (folder, log) = (tempfile::tempdir().expect("a folder"), Written::default());
    let writer = log.clone();
    let lines = tracing_subscriber::fmt().with_max_level(tracing::Level::TRACE).with_writer(move || writer.clone());
    let _logged_here = tracing::subscriber::set_default(lines.finish());
    // What another test's thread came by first is logged here only after that.
    exchange(folder.path()).await;
    tracing::callsite::rebuild_interest_cache();
    let shown = exchange(folder.path()).await;
    let log = log.text();
    assert!(log.contains("TRACE") && log.contains("cannot be renewed"), "it is not the log: {log}");
    assert!(shown.contains("[redacted]") && shown.contains("Sensitive"), "{shown}");
    for secret in SECRETS {
        for (what, text) in [("printed", &shown), ("logged", &log)] {
            let at = text.find(secret).map(|at| text[at.saturating_sub(200)..].chars().take(300).collect::<String>());
            assert_eq!(at, None, "`{secret}` is {what}");
        }
    }
}
