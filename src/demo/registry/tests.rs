use super::*;
use crate::demo::images::image;

/// Status, headers and body of one request.
fn ask(registry: &Registry, method: &str, path: &str, range: Option<&str>) -> (u16, HeaderMap, Bytes) {
    let mut headers = HeaderMap::new();
    if let Some(range) = range {
        headers.insert(RANGE, range.parse().expect("a value"));
    }
    let method = method.parse().expect("a method");
    let (parts, body) = registry.handle(&method, &path.parse().expect("a path"), &headers).into_parts();
    let collected = futures_util::FutureExt::now_or_never(http_body_util::BodyExt::collect(body));
    (parts.status.as_u16(), parts.headers, collected.expect("in memory").expect("it cannot fail").to_bytes())
}

#[test]
fn manifests_by_tag_and_digest_by_get_and_head() {
    let registry = Registry::new(Options::default());
    let stored = image(&registry, "blobs/manifests/app", Some("1"), "hello").manifest;
    for reference in ["1", &stored.digest.to_string()] {
        let path = format!("/v2/blobs/manifests/app/manifests/{reference}?ns=registry.demo");
        let (status, headers, body) = ask(&registry, "GET", &path, None);
        assert_eq!((status, Digest::of(&body)), (200, stored.digest));
        assert_eq!(headers[CONTENT_DIGEST], stored.digest.to_string());
        assert_eq!(headers["content-type"], stored.media_type);
        let (status, of_head, empty) = ask(&registry, "HEAD", &path, None);
        assert_eq!((status, of_head, empty.len()), (200, headers, 0));
    }
    for missing in ["/v2/blobs/manifests/app/manifests/2", "/v2/none/manifests/1", "/v2/x", "/", "/v2/a/b/c"] {
        assert_eq!(ask(&registry, "GET", missing, None).0, 404, "{missing}");
    }
    assert_eq!(ask(&registry, "PUT", "/v2/blobs/manifests/app/manifests/1", None).0, 405);
    assert_eq!(ask(&registry, "GET", "/v2/", None).0, 200);
}

#[test]
fn blobs_in_parts() {
    let registry = Registry::new(Options::default());
    let digest = registry.put_blob("app", &b"0123456789"[..]);
    let path = format!("/v2/app/blobs/{digest}");
    let (status, headers, body) = ask(&registry, "GET", &path, None);
    assert_eq!((status, &*body), (200, &b"0123456789"[..]));
    assert_eq!(
        (&headers["content-type"], &headers["accept-ranges"]),
        (&OCTET_STREAM.parse().expect("a value"), &"bytes".parse().expect("a value"))
    );
    let (status, headers, body) = ask(&registry, "GET", &path, Some("bytes=2-4"));
    assert_eq!((status, &*body), (206, &b"234"[..]));
    assert_eq!(
        (&headers["content-range"], &headers["content-length"]),
        (&"bytes 2-4/10".parse().expect("a value"), &"3".parse().expect("a value"))
    );
    let (status, headers, _) = ask(&registry, "GET", &path, Some("bytes=10-"));
    assert_eq!((status, headers["content-range"].to_str().expect("text")), (416, "bytes */10"));
}

#[test]
fn tags_move_and_content_goes_away() {
    let registry = Registry::new(Options::default());
    let (first, second) = (image(&registry, "app", Some("1"), "first"), image(&registry, "app", None, "second"));
    registry.tag("app", "1", second.manifest.digest);
    let (_, _, body) = ask(&registry, "GET", "/v2/app/manifests/1", None);
    assert_eq!(Digest::of(&body), second.manifest.digest);
    registry.delete("app", &first.manifest.digest);
    assert_eq!(ask(&registry, "GET", &format!("/v2/app/manifests/{}", first.manifest.digest), None).0, 404);
    registry.untag("app", "1");
    assert_eq!(ask(&registry, "GET", "/v2/app/manifests/1", None).0, 404);
}

#[test]
fn lists_come_in_pages_that_link_to_the_next() {
    let registry = Registry::new(Options { page: 2, ..Options::default() });
    let image = image(&registry, "app", Some("1"), "hello").manifest;
    for kind in ["a", "b", "c"] {
        let referrer = json!({ "config": { "mediaType": kind }, "subject": { "digest": image.digest } });
        registry.put_manifest("app", ManifestType::OciImage.as_str(), referrer.to_string(), Some(kind));
        // Pushed again, it is still listed once.
        registry.put_manifest("app", ManifestType::OciImage.as_str(), referrer.to_string(), None);
    }
    for (path, member) in
        [(format!("/v2/app/referrers/{}", image.digest), "manifests"), ("/v2/app/tags/list".into(), "tags")]
    {
        let (mut next, mut seen) = (Some(path), Vec::new());
        while let Some(path) = next {
            let (status, headers, body) = ask(&registry, "GET", &path, None);
            let page: Value = serde_json::from_slice(&body).expect("JSON");
            let page = page[member].as_array().expect("a list").clone();
            assert!(status == 200 && page.len() <= 2, "{page:?}");
            seen.extend(page);
            let link = headers.get("link").map(|link| link.to_str().expect("text"));
            next = link.map(|link| link.trim_start_matches('<').split('>').next().expect("a target").to_string());
        }
        assert_eq!(seen.len(), if member == "tags" { 4 } else { 3 });
        if member == "manifests" {
            assert_eq!(seen[0]["artifactType"], "a");
        }
    }
}

#[tokio::test]
async fn it_answers_over_http_and_stops_when_dropped() {
    let registry = Registry::new(Options::default());
    image(&registry, "app", Some("1"), "hello");
    let running = registry.serve().await.expect("it listens");
    let address = running.address();
    let client = crate::demo::client::Client::new().expect("a client");
    let answer = client.get(&format!("http://{address}/v2/app/manifests/1")).await.expect("an answer");
    assert_eq!(answer.status, 200);
    drop(running);
    tokio::task::yield_now().await;
    assert!(client.get(&format!("http://{address}/v2/")).await.is_err());
}
