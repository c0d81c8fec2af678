//! TLS to the registry: whom it believes, what it shows, and which HTTP it speaks over it.

use futures_util::future::join_all;

use super::secure_registry::{Authority, SecureRegistry};
use super::*;

const BOTH: [&str; 2] = ["h2", "http/1.1"];

/// A file that holds an authority.
fn ca(folder: &tempfile::TempDir, authority: &Authority) -> std::path::PathBuf {
    let path = folder.path().join("ca.crt");
    std::fs::write(&path, authority.pem()).expect("a file");
    path
}

fn secure(registry: &SecureRegistry, tls: Tls) -> Upstream {
    Upstream::new(settings(&registry.address, tls), Arc::new(Metrics::default())).expect("an upstream")
}

fn settings(dial: &Url, tls: Tls) -> Settings {
    let patience = Duration::from_secs(30);
    let (connect, first_byte, idle) = (patience, patience, patience);
    let registry = "registry.company.com".parse().expect("a registry");
    let dial = dial.clone();
    let (credentials, redirects) = (Credentials::None, Redirects::default());
    Settings {
        registry,
        dial,
        credentials,
        connect,
        first_byte,
        idle,
        tls,
        referrers: true,
        redirects,
        insecure_skip_blob_digest: false,
    }
}

async fn blob(upstream: &Upstream) -> Bytes {
    let answer = upstream.blob(&Method::GET, &repository(), &Digest::of(b"{}"), None).await.expect("a blob");
    let BlobAnswer::Sent(blob) = answer else { panic!("it does not redirect") };
    let chunks: Vec<_> = blob.body.map(|chunk| chunk.expect("a chunk")).collect().await;
    chunks.concat().into()
}

#[tokio::test]
async fn authorities_of_its_own_are_believed_and_no_others() {
    let folder = tempfile::tempdir().expect("a folder");
    let (ours, other) = (Authority::new(), Authority::new());
    let registry = SecureRegistry::start(&ours, &BOTH, None, None).await;
    let ping = async |tls: Tls| secure(&registry, tls).ping().await;
    let believed = Tls { ca: Some(ca(&folder, &ours)), ..Tls::default() };
    assert_eq!(ping(believed).await, Ok(()));
    let error = ping(Tls { ca: Some(ca(&folder, &other)), ..Tls::default() }).await.expect_err("a foreign authority");
    assert!(matches!(&error, UpstreamError::Transport(text) if text.contains("certificate")), "{error}");
    assert!(matches!(ping(Tls::default()).await, Err(UpstreamError::Transport(_))), "not one of the public ones");
    let unjudged = Tls { insecure_skip_verify: true, ..Tls::default() };
    assert_eq!(ping(unjudged).await, Ok(()));
}

#[tokio::test]
async fn another_hosts_certificate_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let ours = Authority::new();
    let registry = SecureRegistry::start(&ours, &BOTH, None, None).await;
    let mut dial = registry.address.clone();
    dial.set_host(Some("127.0.0.1")).expect("a host");
    let settings = settings(&dial, Tls { ca: Some(ca(&folder, &ours)), ..Tls::default() });
    let upstream = Upstream::new(settings, Arc::new(Metrics::default())).expect("an upstream");
    assert!(matches!(upstream.ping().await, Err(UpstreamError::Transport(_))), "it is localhost's");
}

#[tokio::test]
async fn its_own_certificate_is_shown_and_turned_when_the_files_are() {
    let folder = tempfile::tempdir().expect("a folder");
    let (ours, clients) = (Authority::new(), Authority::new());
    let registry = SecureRegistry::start(&ours, &BOTH, Some(&clients), None).await;
    let trusting = Tls { ca: Some(ca(&folder, &ours)), ..Tls::default() };
    assert!(secure(&registry, trusting.clone()).ping().await.is_err(), "it has to show one");

    let own = Some(clients.issue("proxy").write(folder.path()));
    let upstream = secure(&registry, Tls { own, ..trusting });
    assert_eq!(upstream.ping().await, Ok(()));
    let (mut used, mut told) = (upstream.made_from.clone(), None);
    let mut look = || upstream.turn(upstream.settings.tls.read(), &mut used, &mut told);
    // A half of a new pair is none: the one in force stays.
    let key = folder.path().join("own.key");
    let good = std::fs::read(&key).expect("a file");
    std::fs::write(&key, clients.issue("proxy").key).expect("a file");
    look();
    assert_eq!(upstream.ping().await, Ok(()));
    std::fs::write(&key, good).expect("a file");
    look();
    assert_eq!((upstream.ping().await, registry.connections()), (Ok(()), 1), "nothing changed");

    clients.issue("proxy").write(folder.path());
    look();
    assert_eq!((upstream.ping().await, registry.connections()), (Ok(()), 2));
    let shown: Vec<_> = registry.seen().into_iter().map(|seen| seen.shown.expect("a certificate")).collect();
    assert!(shown[0] == shown[2] && shown[2] != shown[3]);
}

#[tokio::test]
async fn answers_that_are_held_share_a_connection_and_blobs_do_not() {
    let folder = tempfile::tempdir().expect("a folder");
    let ours = Authority::new();
    let registry = SecureRegistry::start(&ours, &BOTH, None, None).await;
    let upstream = secure(&registry, Tls { ca: Some(ca(&folder, &ours)), ..Tls::default() });
    upstream.ping().await.expect("answers");
    let (repository, reference) = (repository(), Reference::Tag(tag()));
    let pulls = (0..50).map(|_| upstream.manifest(&repository, &reference, 100));
    for pull in join_all(pulls).await {
        assert_eq!(&pull.expect("a manifest").bytes[..], b"{}");
    }
    assert_eq!(registry.connections(), 1);
    assert!(registry.seen().iter().all(|seen| seen.version == http::Version::HTTP_2));
    assert_eq!(&blob(&upstream).await[..], b"{}");
    assert_eq!(registry.seen().last().map(|seen| seen.version), Some(http::Version::HTTP_11));

    let old = SecureRegistry::start(&ours, &["http/1.1"], None, None).await;
    let upstream = secure(&old, Tls { ca: Some(ca(&folder, &ours)), ..Tls::default() });
    for _ in 0..3 {
        upstream.ping().await.expect("answers");
    }
    assert_eq!((old.seen()[0].version, old.connections()), (http::Version::HTTP_11, 1));
}

#[tokio::test]
async fn a_registry_that_says_goodbye_is_asked_over_another_connection() {
    let folder = tempfile::tempdir().expect("a folder");
    let ours = Authority::new();
    let registry = SecureRegistry::start(&ours, &BOTH, None, Some(3)).await;
    let upstream = secure(&registry, Tls { ca: Some(ca(&folder, &ours)), ..Tls::default() });
    for _ in 0..4 {
        for answer in join_all((0..5).map(|_| upstream.ping())).await {
            assert_eq!(answer, Ok(()));
        }
    }
    assert!(registry.connections() > 1, "it never said goodbye");
}

#[tokio::test]
async fn a_handshake_that_does_not_end_is_given_up_with_the_connection() {
    // The kernel takes connections; nobody says a word on them.
    let black_hole = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    let port = black_hole.local_addr().expect("an address").port();
    let dial = Url::parse(&format!("https://localhost:{port}")).expect("a URL");
    let connect = Duration::from_millis(200);
    let settings = Settings { connect, first_byte: Duration::from_mins(10), ..settings(&dial, Tls::default()) };
    let upstream = Upstream::new(settings, Arc::new(Metrics::default())).expect("an upstream");
    for _ in 0..5 {
        let within = tokio::time::timeout(Duration::from_mins(1), upstream.ping()).await;
        assert_eq!(within, Ok(Err(UpstreamError::Timeout)));
    }
    assert!(matches!(upstream.ping().await, Err(UpstreamError::LeftAlone { .. })));
}
