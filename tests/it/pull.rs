//! Manifests: what is served, what is refused, and in which words.

use countersign::demo::client::{Answer, Given};
use countersign::demo::cosign::{attach_bundle, tag};
use countersign::demo::registry::Options;
use countersign::demo::signer::{SIGN, signature_statement};
use http::header::{DATE, IF_NONE_MATCH, RANGE};
use http::{HeaderMap, Method};
use serde_json::json;

use crate::support::expect::{denied, header, refused, served};
use crate::support::lab::Lab;
use crate::support::registry_double::{Fault, Kind};
use crate::support::scene::{IMAGE, blob, manifest};
use crate::support::wire;

#[tokio::test]
async fn a_signed_image_is_served_by_tag_and_by_digest() {
    let lab = Lab::start(Options::default()).await;
    let digest = lab.signed("team/app").manifest.digest;
    for reference in ["1".to_string(), digest.to_string()] {
        let answer = lab.get(&manifest("team/app", reference)).await;
        served(&answer, digest, "signed");
        assert_eq!(header(&answer, "content-type"), IMAGE);
        assert_eq!(header(&answer, "content-length"), answer.body.len().to_string());
    }
}

#[tokio::test]
async fn head_says_what_get_says() {
    let lab = Lab::start(Options::default()).await;
    lab.signed("team/app");
    lab.unsigned("team/unsigned");
    lab.unsigned("team/dangling");
    lab.registry().untag("team/dangling", "1");
    for (repository, status) in [("team/app", 200), ("team/unsigned", 403), ("team/dangling", 404)] {
        let path = manifest(repository, "1");
        let (head, get) = (lab.head(&path).await, lab.get(&path).await);
        assert_eq!((head.status, get.status), (status, status), "{repository}");
        assert_eq!(without_date(&head), without_date(&get), "{repository}");
        assert_eq!(header(&head, "content-length"), get.body.len().to_string());
        assert!(head.body.is_empty());
    }
}

#[tokio::test]
async fn both_storages_are_read_from_registries_with_and_without_the_referrers_api() {
    for referrers in [true, false] {
        let lab = Lab::start(Options { referrers, ..Options::default() }).await;
        let bundle = lab.signed("team/bundle").manifest;
        let legacy = lab.unsigned("team/legacy").manifest;
        lab.signer.sign_legacy(lab.registry(), &legacy).expect("signs");
        for image in [&bundle, &legacy] {
            served(&lab.get(&manifest(&image.repository, "1")).await, image.digest, "signed");
        }
        let fallback = manifest("team/bundle", tag(&bundle.digest, None));
        let asked = lab.double.seen().iter().filter(|seen| seen.path == fallback).count();
        assert_eq!(asked, 1, "the fallback tag, with the referrers API: {referrers}");
    }
}

#[tokio::test]
async fn what_the_policy_does_not_accept_is_denied_with_its_reason_and_cause() {
    let lab = Lab::start(Options::default()).await;
    let registry = lab.registry();
    let signed = lab.signed("team/app").manifest;
    lab.unsigned("team/unsigned");
    lab.foreign.sign_bundle(registry, &lab.unsigned("team/foreign").manifest).expect("signs");
    lab.foreign.sign_legacy(registry, &lab.unsigned("team/foreign-legacy").manifest).expect("signs");
    let copied = lab.signer.bundle(&signature_statement(signed.digest)).expect("signs").to_string();
    attach_bundle(registry, &lab.unsigned("team/copied").manifest, copied.into_bytes(), SIGN);
    let bom = json!({ "bomFormat": "CycloneDX", "components": [] });
    let sbom = lab.unsigned("team/sbom").manifest;
    lab.signer.attest_bundle(registry, &sbom, "https://cyclonedx.org/bom", &bom).expect("signs");
    for (repository, reason, cause) in [
        ("team/unsigned", "unsigned", None),
        ("team/foreign", "signature_missing", Some("key_mismatch")),
        ("team/foreign-legacy", "signature_missing", Some("key_mismatch")),
        ("team/copied", "signature_missing", Some("subject_mismatch")),
        ("team/sbom", "signature_missing", Some("predicate_type_mismatch")),
    ] {
        let answer = lab.get(&manifest(repository, "1")).await;
        denied(&answer, reason);
        let given = Given { reason: reason.into(), cause: cause.map(str::to_string) };
        assert_eq!(answer.given(), given, "{repository}");
        assert!(answer.message().contains("policy \"demo\""), "{}", answer.message());
        let next = format!(": registry.demo/{repository}:1; next: ");
        assert!(answer.message().contains(&next), "{}", answer.message());
    }
}

#[tokio::test]
async fn the_reason_stands_in_the_status_line_and_the_length_of_the_body_in_the_head() {
    let lab = Lab::start(Options::default()).await;
    let digest = lab.unsigned("team/unsigned").manifest.digest;
    let address = lab.proxy.address;
    for method in ["GET", "HEAD"] {
        let reply = wire::ask(address, method, &manifest("team/unsigned", digest), "localhost", "").await;
        let line = reply.status_line;
        assert!(line.starts_with("HTTP/1.1 403 Forbidden: unsigned: policy \"demo\": "), "{line}");
        assert!(line.contains(&format!(": registry.demo/team/unsigned@{digest}; next: sign it")), "{line}");
    }
    let reply = wire::ask(address, "HEAD", &manifest("team/unsigned", digest), "localhost", "").await;
    assert_eq!(reply.header("countersign-reason"), "unsigned");
    assert!(reply.header("content-length").parse::<usize>().expect("a length") > 0 && reply.body.is_empty());
}

#[tokio::test]
async fn what_the_registry_does_not_have_is_404_as_a_manifest_and_refused_as_a_blob() {
    let lab = Lab::start(Options::default()).await;
    let image = lab.signed("team/app");
    lab.registry().delete("team/app", &image.manifest.digest);
    // The registry would serve the same bytes as a blob.
    let digest = lab.registry().put_blob("team/app", "not a manifest here");
    for reference in ["1".to_string(), "2".to_string(), digest.to_string()] {
        let answer = lab.get(&manifest("team/app", reference)).await;
        refused(&answer, 404, "MANIFEST_UNKNOWN", "upstream_not_found");
    }
    denied(&lab.get(&blob("team/app", digest)).await, "not_a_member");
    assert_eq!(lab.head(&blob("team/app", digest)).await.status, 403);
    assert_eq!(lab.double.count(Kind::Blob), 0);
}

#[tokio::test]
async fn a_manifest_comes_whole_whatever_part_or_condition_is_asked_for() {
    let lab = Lab::start(Options::default()).await;
    let digest = lab.signed("team/app").manifest.digest;
    let mut headers = HeaderMap::new();
    headers.insert(RANGE, "bytes=0-3".parse().expect("a value"));
    for etag in [format!("\"{digest}\""), digest.to_string(), "*".to_string()] {
        headers.insert(IF_NONE_MATCH, etag.parse().expect("a value"));
        served(&lab.ask(&Method::GET, &manifest("team/app", "1"), headers.clone()).await, digest, "signed");
    }
    for seen in lab.double.seen() {
        assert!(!seen.headers.contains_key(RANGE) && !seen.headers.contains_key(IF_NONE_MATCH), "{seen:?}");
    }
}

#[tokio::test]
async fn the_digest_in_the_answer_is_computed_from_its_bytes() {
    let lab = Lab::start(Options::default()).await;
    let digest = lab.signed("team/app").manifest.digest;
    for method in [Method::HEAD, Method::GET] {
        lab.double.fault(method, "/v2/team/app/manifests/", Fault::NoHeader("docker-content-digest"));
    }
    served(&lab.get(&manifest("team/app", "1")).await, digest, "signed");
    assert_eq!(header(&lab.head(&manifest("team/app", "1")).await, "docker-content-digest"), digest.to_string());
}

#[tokio::test]
async fn the_proxy_asks_for_the_four_manifest_types_in_identity_encoding_whatever_the_client_accepts() {
    let lab = Lab::start(Options::default()).await;
    lab.signed("team/app");
    let mut headers = HeaderMap::new();
    headers.insert("accept", "application/vnd.docker.distribution.manifest.v1+json".parse().expect("a value"));
    headers.insert("accept-encoding", "gzip, zstd".parse().expect("a value"));
    headers.insert("authorization", "Basic bm9kZTpzZWNyZXQ=".parse().expect("a value"));
    assert_eq!(lab.ask(&Method::GET, &manifest("team/app", "1"), headers).await.status, 200);
    for seen in lab.double.seen() {
        assert_eq!(seen.headers["accept-encoding"], "identity", "{seen:?}");
        assert!(!seen.headers.contains_key("authorization"), "the client's credentials stay here: {seen:?}");
        if matches!(seen.kind(), Kind::Manifest | Kind::Resolve) {
            let accept = seen.headers["accept"].to_str().expect("text");
            assert_eq!(accept.split(", ").count(), 4, "{accept}");
            assert!(!accept.contains("docker.distribution.manifest.v1"), "{accept}");
        }
    }
}

fn without_date(answer: &Answer) -> HeaderMap {
    let mut headers = answer.headers.clone();
    headers.remove(DATE);
    headers
}
