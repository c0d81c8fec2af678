//! Blobs on their way: ranges, lengths that lie, clients that are slow or leave. What may be read at all is in
//! `members`, and where it comes from in `redirects`.

use std::time::Duration;

use aws_lc_rs::digest::{Context, SHA256};
use countersign::demo::images::Image;
use countersign::demo::registry::Options;
use countersign::oci::Digest;
use http::{HeaderMap, Method};
use serde_json::json;
use tokio::io::AsyncReadExt;
use tokio::time::timeout;

use crate::support::expect::{denied, header, served, unsure};
use crate::support::lab::Lab;
use crate::support::registry_double::flow::Flow;
use crate::support::registry_double::{Fault, Kind};
use crate::support::scene::{IMAGE, blob, manifest};
use crate::support::wire;

/// A lab with an image that was pulled, but for its layer.
async fn pulled() -> (Lab, Image, String) {
    let lab = Lab::edited(Options::default(), |config| {
        let tls = "tls: { insecurePlainHttp: true }";
        config.replace(tls, &format!("{tls}\n    timeouts: {{ idle: 1s }}"))
    })
    .await;
    let image = lab.signed("team/app");
    assert_eq!(lab.get(&manifest("team/app", "1")).await.status, 200);
    let path = blob("team/app", image.layer);
    (lab, image, path)
}

/// Signs an image, and pulls it, whose only layer is `size` bytes of any kind with this digest and media type.
pub(crate) async fn with_layer(lab: &Lab, repository: &str, media_type: &str, digest: Digest, size: u64) -> String {
    let path = pushed_with_layer(lab, repository, media_type, digest, size);
    assert_eq!(lab.get(&manifest(repository, "1")).await.status, 200);
    path
}

fn pushed_with_layer(lab: &Lab, repository: &str, media_type: &str, digest: Digest, size: u64) -> String {
    let config = lab.registry().put_blob(repository, "{}");
    let document = json!({
        "schemaVersion": 2, "mediaType": IMAGE,
        "config": { "mediaType": "application/vnd.oci.image.config.v1+json", "digest": config, "size": 2 },
        "layers": [{ "mediaType": media_type, "digest": digest, "size": size }],
    });
    lab.signed_bytes(repository, IMAGE, document.to_string());
    blob(repository, digest)
}

fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
    let pair =
        |(name, value): &(&'static str, &str)| (http::HeaderName::from_static(name), value.parse().expect("a value"));
    pairs.iter().map(pair).collect()
}

#[tokio::test]
async fn o56_several_ranges_come_with_their_boundary_and_nothing_else_of_the_registry() {
    let (lab, _, path) = pulled().await;
    let parts = "--B\r\nContent-Range: bytes 0-0/2048\r\n\r\nh\r\n--B--\r\n";
    for (registrys, expected) in [
        ("multipart/byteranges; boundary=B", "multipart/byteranges; boundary=\"B\""),
        (
            "Multipart/Byteranges; x=application/vnd.oci.image.index.v1+json; boundary=\"B\"",
            "multipart/byteranges; boundary=\"B\"",
        ),
    ] {
        lab.double.heal();
        lab.double.fault(Method::GET, &path, Fault::Status(206));
        lab.double.fault(Method::GET, &path, Fault::Body(parts.into()));
        lab.double.fault(Method::GET, &path, Fault::Header("content-type", registrys.into()));
        lab.double.fault(Method::GET, &path, Fault::Header("set-cookie", "a=b".into()));
        lab.double.forget();
        let answer = lab.ask(&Method::GET, &path, headers(&[("range", "BYTES= 0-0, -2")])).await;
        assert_eq!((answer.status, header(&answer, "content-type")), (206, expected));
        assert_eq!(answer.body, parts);
        assert!(!answer.headers.contains_key("set-cookie") && !answer.headers.contains_key("content-range"));
        assert_eq!(lab.double.seen()[0].headers["range"], "bytes=0-0,-2");
        // One range has one part.
        unsure(&lab.ask(&Method::GET, &path, headers(&[("range", "bytes=0-0")])).await, "upstream_unavailable");
    }
}

#[tokio::test]
async fn o56_a_thousand_overlapping_ranges_are_416_and_not_passed_on() {
    let (lab, _, path) = pulled().await;
    let length = lab.get(&path).await.body.len();
    lab.double.forget();
    let overlapping = format!("bytes={}", vec!["0-"; 1000].join(","));
    let answer = lab.ask(&Method::GET, &path, headers(&[("range", &overlapping)])).await;
    assert_eq!((answer.status, header(&answer, "content-range")), (416, format!("bytes */{length}").as_str()));
    assert!(answer.body.is_empty());
    assert_eq!(lab.double.count(Kind::Blob), 0);
}

#[tokio::test]
async fn o56_a_range_holds_for_this_blob_and_for_get_only() {
    let (lab, image, path) = pulled().await;
    let whole = lab.get(&path).await;
    let etag = format!("\"{}\"", image.layer);
    assert_eq!((header(&whole, "etag"), header(&whole, "accept-ranges")), (etag.as_str(), "bytes"));
    let range = ("range", "bytes=-5");
    let part = lab.ask(&Method::GET, &path, headers(&[range, ("if-range", &etag)])).await;
    assert_eq!((part.status, &part.body[..]), (206, &whole.body[whole.body.len() - 5..]));
    for other in ["\"sha256:0000\"", "W/\"x\"", "Sat, 29 Oct 1994 19:43:31 GMT"] {
        served(&lab.ask(&Method::GET, &path, headers(&[range, ("if-range", other)])).await, image.layer, "member");
    }
    for ignored in ["bytes=a-b", "lines=0-1", "bytes=5-1", "bytes=0-1, x"] {
        served(&lab.ask(&Method::GET, &path, headers(&[("range", ignored)])).await, image.layer, "member");
    }
    let head = lab.ask(&Method::HEAD, &path, headers(&[range])).await;
    assert_eq!((head.status, header(&head, "content-length")), (200, whole.body.len().to_string().as_str()));
    assert!(lab.double.seen().iter().all(|seen| !seen.headers.contains_key("if-range")));
}

#[tokio::test]
async fn a_part_that_is_not_the_one_asked_for_is_refused() {
    let (lab, _, path) = pulled().await;
    let length = lab.get(&path).await.body.len();
    for (range, said, body, reason) in [
        ("bytes=2-3", format!("bytes 0-1/{length}"), "ab", "upstream_unavailable"),
        ("bytes=2-3", format!("bytes 2-4/{length}"), "abc", "upstream_unavailable"),
        ("bytes=2-3", format!("bytes 2-3/{length}"), "abc", "upstream_unavailable"),
        ("bytes=-2", format!("bytes 0-1/{length}"), "ab", "upstream_unavailable"),
        ("bytes=2-3", "bytes 2-3/7".into(), "ab", "upstream_digest_mismatch"),
        ("bytes=2-3", "nonsense".into(), "ab", "upstream_unavailable"),
    ] {
        lab.double.heal();
        lab.double.fault(Method::GET, &path, Fault::Status(206));
        lab.double.fault(Method::GET, &path, Fault::Body(body.into()));
        lab.double.fault(Method::GET, &path, Fault::Header("content-range", said.clone()));
        let answer = lab.ask(&Method::GET, &path, headers(&[("range", range)])).await;
        unsure(&answer, reason);
    }
}

#[tokio::test]
async fn a_part_that_is_the_whole_is_checked_as_one() {
    let (lab, image, path) = pulled().await;
    let mut bytes = lab.get(&path).await.body.to_vec();
    let range = headers(&[("range", "bytes=0-")]);
    let answer = lab.ask(&Method::GET, &path, range.clone()).await;
    assert_eq!((answer.status, Digest::of(&answer.body)), (206, image.layer));
    bytes[0] ^= 1;
    lab.registry().delete("team/app", &image.layer);
    let said = format!("bytes 0-{}/{}", bytes.len() - 1, bytes.len());
    lab.double.fault(Method::GET, &path, Fault::Status(206));
    lab.double.fault(Method::GET, &path, Fault::Body(bytes.into()));
    lab.double.fault(Method::GET, &path, Fault::Header("content-range", said));
    let url = format!("http://{}{path}", lab.proxy.address);
    assert!(lab.client.send(&Method::GET, &url, range).await.is_err(), "a whole answer came");
    lab.metric_becomes("blobs_cut_total", &[("cause", "corrupt")], 1).await;
}

#[tokio::test]
async fn o72_a_size_that_the_manifest_does_not_declare_is_refused_or_cut() {
    let (lab, _, path) = pulled().await;
    assert_eq!(lab.metric("blobs_cut_total", &[]).await, Some(0));
    lab.double.fault(Method::GET, &path, Fault::Flow(Flow::of(5000)));
    unsure(&lab.get(&path).await, "upstream_digest_mismatch");
    lab.double.fault(Method::HEAD, &path, Fault::Header("content-length", "5000".into()));
    let head = lab.head(&path).await;
    assert_eq!((head.status, header(&head, "countersign-reason")), (503, "upstream_digest_mismatch"));
    lab.double.heal();
    // Without a length before it: cut where it grows too long.
    lab.double.fault(Method::GET, &path, Fault::Endless(u64::MAX));
    let url = format!("http://{}{path}", lab.proxy.address);
    assert!(lab.client.get(&url).await.is_err(), "a whole answer came");
    lab.metric_becomes("blobs_cut_total", &[("cause", "corrupt")], 1).await;
}

#[tokio::test]
async fn a_blob_that_stalls_or_breaks_off_is_cut_and_counted() {
    let (lab, ..) = pulled().await;
    let path = with_layer(&lab, "team/large", LAYER, zeros(1 << 20), 1 << 20).await;
    let url = format!("http://{}{path}", lab.proxy.address);
    lab.registry().put_blob("team/large", vec![0; 1 << 20]);
    let broken = Flow::breaking(1 << 20, 1 << 19);
    for (fault, cause) in [(Fault::Stall(1 << 19), "timeout"), (Fault::Flow(broken), "broken")] {
        lab.double.heal();
        lab.double.fault(Method::GET, &path, fault);
        assert!(lab.client.get(&url).await.is_err(), "a whole answer came");
        lab.metric_becomes("blobs_cut_total", &[("cause", cause)], 1).await;
    }
}

#[tokio::test]
async fn a_slow_client_slows_the_registry_down() {
    let lab = Lab::start(Options::default()).await;
    let digest = zeros(GIB);
    let path = with_layer(&lab, "team/large", LAYER, digest, GIB).await;
    let flow = Flow::of(GIB);
    lab.double.fault(Method::GET, &path, Fault::Flow(flow.clone()));
    let request = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    let mut client = wire::send(lab.proxy.address, &request).await;
    // Nobody reads yet: the registry is asked for what fits into buffers, and then for no more.
    let too_much = async {
        while flow.made() < IN_BUFFERS {
            tokio::task::yield_now().await;
        }
    };
    assert!(timeout(Duration::from_secs(1), too_much).await.is_err(), "{} bytes are in memory", flow.made());
    let (mut read, mut buffer, mut hash) = (0, vec![0; 1 << 20], Context::new(&SHA256));
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(client.read_u8().await.expect("a head"));
    }
    assert!(head.starts_with(b"HTTP/1.1 200 "), "{}", String::from_utf8_lossy(&head));
    loop {
        let count = client.read(&mut buffer).await.expect("the body");
        if count == 0 {
            break;
        }
        hash.update(&buffer[..count]);
        read += count as u64;
        let ahead = flow.made() - read;
        assert!(ahead < IN_BUFFERS, "{ahead} bytes are in memory after {read}");
    }
    assert_eq!((read, hash.finish().as_ref()), (GIB, &digest.as_bytes()[..]));
}

#[tokio::test]
async fn a_client_that_leaves_ends_the_request_to_the_registry() {
    let lab = Lab::start(Options::default()).await;
    let path = with_layer(&lab, "team/large", LAYER, Digest::of(b"never sent"), GIB).await;
    let flow = Flow::of(GIB);
    lab.double.fault(Method::GET, &path, Fault::Flow(flow.clone()));
    let request = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n");
    let mut client = wire::send(lab.proxy.address, &request).await;
    client.read_exact(&mut [0; 4096]).await.expect("it begins");
    drop(client);
    timeout(Duration::from_secs(20), flow.is_dropped()).await.expect("the registry goes on sending");
    assert!(flow.made() < GIB);
}

/// O70: blobs that clients do not read, and blobs that the registry drips, hold up nobody's verification.
#[tokio::test]
async fn o70_blobs_on_their_way_hold_no_verification() {
    let one = "limits: { verification: { threads: 1, queue: 1 } }\npolicy: {";
    let lab = Lab::edited(Options::default(), |config| config.replacen("policy: {", one, 1)).await;
    let path = with_layer(&lab, "team/large", LAYER, zeros(GIB), GIB).await;
    let dripping = with_layer(&lab, "team/dripping", LAYER, Digest::of(b"dripped"), 7).await;
    lab.double.fault(Method::GET, &path, Fault::Flow(Flow::of(GIB)));
    lab.registry().put_blob("team/dripping", "dripped");
    lab.double.fault(Method::GET, &dripping, Fault::Stall(1));
    let mut clients = Vec::new();
    for path in [&path, &dripping].repeat(4) {
        let request = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n");
        let mut client = wire::send(lab.proxy.address, &request).await;
        client.read_exact(&mut [0; 17]).await.expect("it begins");
        clients.push(client);
    }
    for repository in ["team/one", "team/two", "team/three"] {
        let image = lab.signed(repository);
        served(&lab.get(&manifest(repository, "1")).await, image.manifest.digest, "signed");
    }
    assert_eq!(lab.metric("requests_in_flight", &[]).await, Some(clients.len() as u64));
}

#[tokio::test]
async fn only_where_it_is_spelled_out_a_blob_is_passed_on_unchecked() {
    let lab = Lab::edited(Options::default(), |config| {
        let tls = "tls: { insecurePlainHttp: true }";
        config.replace(tls, &format!("{tls}\n    insecureSkipBlobDigest: true"))
    })
    .await;
    let right = Digest::of(b"right");
    let path = with_layer(&lab, "team/app", LAYER, right, 5).await;
    lab.registry().put_blob("team/app", "right");
    served(&lab.get(&path).await, right, "member");
    lab.double.fault(Method::GET, &path, Fault::Body("wrong".into()));
    let answer = lab.get(&path).await;
    assert_eq!((answer.status, &answer.body[..]), (200, &b"wrong"[..]));
    // Its length is looked at all the same.
    lab.double.heal();
    lab.double.fault(Method::GET, &path, Fault::Body("longer".into()));
    unsure(&lab.get(&path).await, "upstream_digest_mismatch");
}

#[tokio::test]
async fn c06_a_layer_that_is_a_manifest_is_not_served() {
    let lab = Lab::start(Options::default()).await;
    let smuggled = lab.unsigned("team/app").manifest;
    let (media_type, bytes) = lab.registry().manifest("team/app", "1").expect("it is there");
    let size = bytes.len() as u64;
    lab.registry().put_blob("team/app", bytes);
    let path = pushed_with_layer(&lab, "team/app", &media_type, smuggled.digest, size);
    denied(&lab.get(&manifest("team/app", "1")).await, "media_type_unsupported");
    denied(&lab.get(&path).await, "not_a_member");
    assert_eq!(lab.head(&path).await.status, 403);
    denied(&lab.get(&manifest("team/app", smuggled.digest)).await, "unsigned");
}

/// The digest of so many zeros.
pub(crate) fn zeros(length: u64) -> Digest {
    let mut hash = Context::new(&SHA256);
    for _ in 0..length >> 20 {
        hash.update(&vec![0; 1 << 20]);
    }
    Digest::from_bytes(hash.finish().as_ref().try_into().expect("32 bytes"))
}

pub(crate) const LAYER: &str = "application/vnd.oci.image.layer.v1.tar";
const GIB: u64 = 1 << 30;
/// What the system's buffers on two connections hold at most, and the proxy's own.
pub(crate) const IN_BUFFERS: u64 = 64 << 20;
