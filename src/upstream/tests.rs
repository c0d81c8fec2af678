//! The client against a registry double on loopback.

mod authentication;

mod failures;

mod hostile;

mod registry;

mod renewal;

mod secrecy;

mod secure;

mod secure_registry;

use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use http::{HeaderValue, Method, Response};
use url::Url;

use self::registry::{Answer, Asked, Registry};
use super::*;
use crate::telemetry::Metrics;

/// An upstream that is patient enough for a busy machine.
fn upstream(dial: &Url, credentials: Credentials) -> Upstream {
    build(dial, credentials, Duration::from_secs(30))
}

fn build(dial: &Url, credentials: Credentials, phase: Duration) -> Upstream {
    // Another test may have been first.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let settings = Settings {
        registry: "registry.company.com".parse().expect("a registry"),
        dial: dial.clone(),
        credentials,
        connect: phase,
        first_byte: phase,
        idle: phase,
        tls: Tls::default(),
        referrers: true,
        redirects: Redirects::default(),
        insecure_skip_blob_digest: false,
    };
    Upstream::new(settings, Arc::new(Metrics::default())).expect("an upstream")
}

fn repository() -> Repository {
    "team/app".parse().expect("a repository")
}

fn tag() -> Tag {
    "v1".parse().expect("a tag")
}

fn status(status: u16) -> http::response::Builder {
    Response::builder().status(status)
}

fn whole(response: http::response::Builder, body: impl Into<Bytes>) -> Answer {
    Answer::Whole(response.body(body.into()).expect("a response"))
}

/// A redirect to `host` by something that is no blob.
fn refused(host: &str) -> UpstreamError {
    let why = "and only redirects of blobs are followed to another host".into();
    UpstreamError::RedirectRefused { host: host.into(), why }
}

/// An upstream before a registry that gives the same answer to everything.
async fn answered(answer: impl Fn(&Asked, &Url) -> Answer + Send + Sync + 'static) -> (Registry, Upstream) {
    let registry = Registry::start(answer).await;
    let upstream = upstream(&registry.address, Credentials::None);
    (registry, upstream)
}

#[tokio::test]
async fn resolves_a_tag_by_the_registrys_word() {
    let digest = Digest::of(b"manifest");
    let (registry, upstream) =
        answered(move |_, _| whole(status(200).header("docker-content-digest", digest.to_string()), "")).await;
    assert_eq!(upstream.resolve(&repository(), &tag()).await, Ok(Some(digest)));
    let [asked] = registry.asked().try_into().expect("one request");
    assert_eq!((asked.method.as_str(), asked.uri.path()), ("HEAD", "/v2/team/app/manifests/v1"));
    assert!(asked.header("accept").contains("application/vnd.oci.image.index.v1+json"));
    assert_eq!(asked.header("accept-encoding"), "identity");
    assert!(asked.header("user-agent").starts_with("countersign/"));
    assert_eq!(asked.header("authorization"), "");

    for header in ["", "sha256:short"] {
        let (_registry, upstream) =
            answered(move |_, _| whole(status(200).header("docker-content-digest", header), "")).await;
        assert_eq!(upstream.resolve(&repository(), &tag()).await, Ok(None));
    }
}

#[tokio::test]
async fn keeps_the_path_of_the_dialled_address() {
    let (registry, _) = answered(|_, _| whole(status(200), "{}")).await;
    let dial = registry.address.join("/artifactory/").expect("a URL");
    upstream(&dial, Credentials::None).ping().await.expect("answers");
    assert_eq!(registry.asked()[0].uri.path(), "/artifactory/v2/");
}

#[tokio::test]
async fn reads_a_manifest_within_its_limit() {
    let (_registry, upstream) = answered(|_, _| whole(status(200).header("content-type", "a/b"), "0123456789")).await;
    let reference = Reference::Tag(tag());
    let raw = upstream.manifest(&repository(), &reference, 10).await.expect("within the limit");
    assert_eq!((&raw.bytes[..], raw.content_type.as_str()), (&b"0123456789"[..], "a/b"));
    let above = upstream.manifest(&repository(), &reference, 9).await;
    assert_eq!(above.map(|_| ()), Err(UpstreamError::TooLarge { limit: 9 }));
}

#[tokio::test]
async fn a_small_blob_hashes_to_its_digest() {
    let (_registry, upstream) = answered(|_, _| whole(status(200), "content")).await;
    let digest = Digest::of(b"content");
    assert_eq!(upstream.small_blob(&repository(), &digest, 100).await.as_deref(), Ok(&b"content"[..]));
    let expected = Digest::of(b"other");
    let error = upstream.small_blob(&repository(), &expected, 100).await.expect_err("another digest");
    assert_eq!(error, UpstreamError::DigestMismatch { expected, actual: digest });
    assert_eq!(error.reason(), Reason::UpstreamDigestMismatch);
}

#[tokio::test]
async fn blobs_pass_ranges_through() {
    let (_registry, upstream) = answered(|asked, _| match (asked.method.as_str(), asked.header("range")) {
        ("HEAD", _) => whole(status(200).header("content-length", "10").header("etag", "\"e\""), ""),
        (_, "bytes=0-0,2-2") => whole(status(206).header("content-type", "multipart/byteranges; boundary=b"), "--b"),
        (_, "bytes=99-") => whole(status(416).header("content-range", "bytes */10"), "an error"),
        (_, "bytes=bare") => whole(status(206), "23"),
        (_, "whole") => whole(status(200).header("content-type", "text/html"), "0123456789"),
        _ => whole(status(206).header("content-range", "bytes 2-3/10"), "23"),
    })
    .await;
    let digest = Digest::of(b"0123456789");
    let blob = async |method: Method, range: Option<&'static str>| {
        let range = range.map(HeaderValue::from_static);
        let BlobAnswer::Sent(blob) = upstream.blob(&method, &repository(), &digest, range.as_ref()).await? else {
            panic!("it does not redirect");
        };
        let (status, range, boundary) = (blob.status, blob.content_range.map(|range| range.to_string()), blob.boundary);
        let chunks: Vec<_> = blob.body.map(|chunk| chunk.expect("a chunk")).collect().await;
        Ok((status, range, boundary, blob.content_length, chunks.concat()))
    };
    let text = |text: &str| Some(text.to_string());
    let part = (206, text("bytes 2-3/10"), None, Some(2), b"23".to_vec());
    assert_eq!(blob(Method::GET, Some("bytes=2-3")).await, Ok(part));
    let parts = (206, None, text("b"), Some(3), b"--b".to_vec());
    assert_eq!(blob(Method::GET, Some("bytes=0-0,2-2")).await, Ok(parts));
    assert_eq!(blob(Method::GET, Some("bytes=99-")).await, Ok((416, text("bytes */10"), None, Some(8), Vec::new())));
    assert_eq!(blob(Method::GET, Some("whole")).await, Ok((200, None, None, Some(10), b"0123456789".to_vec())));
    assert_eq!(blob(Method::HEAD, None).await, Ok((200, None, None, Some(10), Vec::new())));
    assert!(matches!(blob(Method::GET, None).await, Err(UpstreamError::Malformed(_))), "a part that nobody asked for");
    assert!(matches!(blob(Method::GET, Some("bytes=bare")).await, Err(UpstreamError::Malformed(_))));
}

#[tokio::test]
async fn referrers_and_tags_go_on_by_query_only() {
    let (registry, upstream) = answered(|asked, _| {
        let path = asked.uri.path();
        let link = match asked.uri.query().unwrap_or_default() {
            "n=5&last=a%2Fb" => "<https://evil/v2/team/app/tags/list?x>; rel=\"next\"".to_string(),
            "page=2" => String::new(),
            _ => format!("<{path}?page=2>; rel=\"next\""),
        };
        whole(status(200).header("link", link).header("content-type", "application/json"), "{}")
    })
    .await;
    let digest = Digest::of(b"subject");
    let first = upstream.referrers(&repository(), &digest, 10, None).await.expect("a page");
    assert_eq!((first.next.as_deref(), first.foreign_next, &first.bytes[..]), (Some("page=2"), false, &b"{}"[..]));
    let second = upstream.referrers(&repository(), &digest, 10, first.next.as_deref()).await.expect("a page");
    assert_eq!((second.next, second.foreign_next), (None, false));
    let tags = upstream.tags(&repository(), Some("n=5&last=a%2Fb"), 10).await.expect("a page");
    assert_eq!((tags.next, tags.foreign_next, tags.content_type.as_str()), (None, true, "application/json"));
    let paths: Vec<_> = registry.asked().iter().map(|asked| asked.uri.to_string()).collect();
    let referrers = format!("/v2/team/app/referrers/{digest}");
    assert_eq!(
        paths,
        [referrers.clone(), format!("{referrers}?page=2"), "/v2/team/app/tags/list?n=5&last=a%2Fb".to_string()]
    );
}

#[test]
fn refuses_settings_that_cannot_work() {
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let make = |dial: &str, ca: Option<&str>| {
        let settings = Settings {
            registry: "registry.company.com".parse().expect("a registry"),
            dial: Url::parse(dial).expect(dial),
            credentials: Credentials::None,
            connect: Duration::from_secs(1),
            first_byte: Duration::from_secs(1),
            idle: Duration::from_secs(1),
            tls: Tls { ca: ca.map(Into::into), ..Tls::default() },
            referrers: true,
            redirects: Redirects::default(),
            insecure_skip_blob_digest: false,
        };
        Upstream::new(settings, Arc::new(Metrics::default())).map(|_| ())
    };
    assert!(make("http://host:5000/prefix", None).is_ok());
    for dial in ["ftp://host", "https://user:pw@host", "https://host/?q", "https://host/#f", "unix:/socket"] {
        assert!(matches!(make(dial, None), Err(BuildError::Dial)), "{dial}");
    }
    assert!(matches!(make("https://host", Some("Cargo.toml")), Err(BuildError::TlsFile(_))));
}
