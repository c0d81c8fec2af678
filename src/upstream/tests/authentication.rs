//! Challenges, tokens, and where credentials go.

use super::*;

/// `robot:hunter2`.
const BASIC: &str = "Basic cm9ib3Q6aHVudGVyMg==";

fn secret(text: &str) -> SecretSource {
    SecretSource::Inline(Secret::from(text.to_string()))
}

fn robot() -> Credentials {
    Credentials::Basic { username: "robot".to_string(), password: secret("hunter2") }
}

fn challenge(realm: &str) -> Answer {
    let value = format!(r#"Bearer realm="{realm}",service="s",scope="repository:team/app:pull,push,delete""#);
    whole(status(401).header("www-authenticate", value), "{}")
}

/// A registry whose token server stands beside it and issues `good`, for `lifetime` seconds.
async fn token_registry(lifetime: u64) -> Registry {
    Registry::start(move |asked, own| match (asked.uri.path(), asked.header("authorization")) {
        ("/token", _) => whole(status(200), format!(r#"{{"token":"good","expires_in":{lifetime}}}"#)),
        (_, "Bearer good") => whole(status(200), "content"),
        _ => challenge(&format!("{own}token")),
    })
    .await
}

#[tokio::test]
async fn a_bearer_challenge_is_answered_with_our_scope() {
    for (credentials, sent) in [(Credentials::None, ""), (robot(), BASIC)] {
        let registry = token_registry(300).await;
        upstream(&registry.address, credentials).resolve(&repository(), &tag()).await.expect("authorised");
        let [token] = registry.asked_at("/token").try_into().expect("one token request");
        assert_eq!(token.uri.query(), Some("service=s&scope=repository%3Ateam%2Fapp%3Apull"));
        assert_eq!(token.header("authorization"), sent);
        let first = &registry.asked_at("/v2/")[0];
        assert_eq!(first.header("authorization"), "", "nothing before it is asked for");
    }
}

#[tokio::test]
async fn one_token_serves_all_requests_of_its_scope() {
    let registry = token_registry(300).await;
    let upstream = upstream(&registry.address, Credentials::None);
    let (repository, tag) = (repository(), tag());
    let many = (0..16).map(|_| upstream.resolve(&repository, &tag));
    for answer in futures_util::future::join_all(many).await {
        answer.expect("authorised");
    }
    assert_eq!(registry.asked_at("/token").len(), 1);
    let before = registry.asked().len();
    upstream.resolve(&repository, &tag).await.expect("authorised");
    assert_eq!(registry.asked().len(), before + 1, "the token is sent at once");
    let other = "team/other".parse().expect("a repository");
    upstream.resolve(&other, &tag).await.expect("authorised");
    upstream.ping().await.expect("authorised");
    let scopes: Vec<_> =
        registry.asked_at("/token").iter().map(|asked| asked.uri.query().map(str::to_string)).collect();
    assert_eq!(scopes[1].as_deref(), Some("service=s&scope=repository%3Ateam%2Fother%3Apull"));
    assert_eq!(scopes[2].as_deref(), Some("service=s"));
}

#[tokio::test]
async fn a_token_without_a_lifetime_left_is_not_kept() {
    let registry = token_registry(0).await;
    let upstream = upstream(&registry.address, Credentials::None);
    upstream.resolve(&repository(), &tag()).await.expect("authorised");
    upstream.resolve(&repository(), &tag()).await.expect("authorised");
    assert_eq!(registry.asked_at("/token").len(), 2);
}

#[tokio::test]
async fn a_token_that_is_no_longer_accepted_is_replaced_once() {
    let issued = std::sync::atomic::AtomicU32::new(0);
    let revoked = Arc::new(std::sync::atomic::AtomicBool::new(false));
    let is_revoked = Arc::clone(&revoked);
    let registry = Registry::start(move |asked, own| {
        let good = if is_revoked.load(std::sync::atomic::Ordering::SeqCst) { "Bearer t1" } else { "Bearer t0" };
        if asked.uri.path() == "/token" {
            let number = issued.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
            whole(status(200), format!(r#"{{"access_token":"t{number}","expires_in":300}}"#))
        } else if asked.header("authorization") == good {
            whole(status(200), "")
        } else {
            challenge(&format!("{own}token"))
        }
    })
    .await;
    let upstream = upstream(&registry.address, Credentials::None);
    upstream.resolve(&repository(), &tag()).await.expect("authorised");
    revoked.store(true, std::sync::atomic::Ordering::SeqCst);
    upstream.resolve(&repository(), &tag()).await.expect("authorised anew");
    assert_eq!(registry.asked_at("/token").len(), 2);
}

#[tokio::test]
async fn a_token_that_is_never_accepted_is_a_rejection() {
    for refused in [401, 403] {
        let registry = Registry::start(move |asked, own| match (asked.uri.path(), asked.header("authorization")) {
            ("/token", _) => whole(status(200), r#"{"token":"bad"}"#),
            (_, "") => challenge(&format!("{own}token")),
            _ => whole(status(refused).header("www-authenticate", format!("Bearer realm=\"{own}token\"")), ""),
        })
        .await;
        let error = upstream(&registry.address, robot()).resolve(&repository(), &tag()).await;
        assert_eq!(error, Err(UpstreamError::CredentialsRejected { status: refused }));
        assert_eq!(registry.asked().len(), 3, "no loop");
    }
}

#[tokio::test]
async fn a_basic_challenge_is_answered_and_remembered() {
    let registry = Registry::start(|asked, _| match asked.header("authorization") {
        BASIC => whole(status(200), ""),
        _ => whole(status(401).header("www-authenticate", "Basic realm=\"Registry\""), ""),
    })
    .await;
    let upstream = upstream(&registry.address, robot());
    for _ in 0..2 {
        upstream.resolve(&repository(), &tag()).await.expect("authorised");
    }
    let sent: Vec<_> = registry.asked().iter().map(|asked| asked.header("authorization").to_string()).collect();
    assert_eq!(sent, ["", BASIC, BASIC]);
    let anonymous = super::upstream(&registry.address, Credentials::None).ping().await;
    assert_eq!(anonymous, Err(UpstreamError::CredentialsRejected { status: 401 }));
}

#[tokio::test]
async fn a_wrong_password_is_tried_once() {
    let registry = Registry::start(|_, _| whole(status(401).header("www-authenticate", "Basic realm=x"), "")).await;
    let upstream = upstream(&registry.address, robot());
    for requests in [2, 3] {
        let error = upstream.ping().await.expect_err("rejected");
        assert_eq!(error, UpstreamError::CredentialsRejected { status: 401 });
        assert_eq!(error.reason(), Reason::UpstreamCredentialsRejected);
        assert_eq!(registry.asked().len(), requests);
    }
}

#[tokio::test]
async fn a_configured_token_goes_to_the_registry_only() {
    let registry = token_registry(300).await;
    let token = Credentials::Bearer(secret("mine"));
    let error = upstream(&registry.address, token).ping().await;
    assert_eq!(error, Err(UpstreamError::CredentialsRejected { status: 401 }));
    let [asked] = registry.asked().try_into().expect("one request");
    assert_eq!((asked.uri.path(), asked.header("authorization")), ("/v2/", "Bearer mine"));
}

#[tokio::test]
async fn a_foreign_realm_gets_nothing() {
    let thief = Registry::start(|_, _| whole(status(200), r#"{"token":"t"}"#)).await;
    // The same server under a name that is not the registry's.
    let mut realm = thief.address.clone();
    realm.set_host(Some("localhost")).expect("a host");
    let registry = Registry::start(move |_, _| challenge(realm.as_str())).await;
    for credentials in [robot(), Credentials::None] {
        let error = upstream(&registry.address, credentials).ping().await.expect_err("refused");
        assert_eq!(error, UpstreamError::RealmRefused { host: "localhost".to_string() });
        assert_eq!(error.reason(), Reason::UpstreamCredentialsRejected);
    }
    assert!(thief.asked().is_empty());
    assert!(registry.asked().iter().all(|asked| asked.header("authorization").is_empty()));
}

#[tokio::test]
async fn a_failing_token_server_says_nothing_about_the_content() {
    for (answer, expected) in [
        (status(404), UpstreamError::TokenServer { status: 404 }),
        (status(405), UpstreamError::TokenServer { status: 405 }),
        (status(401), UpstreamError::CredentialsRejected { status: 401 }),
        (status(429), UpstreamError::Throttled { retry_after: None }),
        (status(200), UpstreamError::Malformed("the token server's answer is not the expected JSON")),
        (status(302).header("location", "http://evil/"), refused("evil")),
    ] {
        let answer = answer.body(Bytes::from_static(b"hello")).expect("a response");
        let registry = Registry::start(move |asked, own| match asked.uri.path() {
            "/token" => Answer::Whole(answer.clone()),
            _ => challenge(&format!("{own}token")),
        })
        .await;
        let upstream = upstream(&registry.address, robot());
        let error = upstream.referrers(&repository(), &Digest::of(b""), 9, None).await;
        assert_eq!(error.map(|_| ()), Err(expected));
    }
    let registry = Registry::start(|asked, own| match asked.uri.path() {
        "/token" => whole(status(200), vec![b' '; 65 << 10]),
        _ => challenge(&format!("{own}token")),
    })
    .await;
    let error = upstream(&registry.address, robot()).ping().await;
    assert_eq!(error, Err(UpstreamError::Malformed("the token server's answer is too long")));
}
