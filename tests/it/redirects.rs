//! Registries that keep their blobs elsewhere: followed or relayed to hosts that the configuration names, to no other.

use countersign::oci::Digest;
use http::{HeaderMap, Method};
use serde_json::Value;

use crate::support::expect::{denied, header, served, unsure};
use crate::support::nobody::Nobody;
use crate::support::redirecting::{Elsewhere, LOOPBACK, redirect, stored};
use crate::support::registry_double::{Fault, Kind, Seen};
use crate::support::scene::{blob, manifest};

#[tokio::test]
async fn a56_a_redirect_is_followed_to_an_allowed_host_without_credentials() {
    let all = Elsewhere::allowed("").await;
    let whole = all.lab.get(&all.path()).await;
    served(&whole, all.image.layer, "member");
    let head = all.lab.head(&all.path()).await;
    assert_eq!((head.status, header(&head, "content-length")), (200, whole.body.len().to_string().as_str()));
    let part = all.lab.ask(&Method::GET, &all.path(), ranged("bytes=-7")).await;
    assert_eq!((part.status, &part.body[..]), (206, &whole.body[whole.body.len() - 7..]));
    for answer in [&whole, &head, &part] {
        assert!(!answer.headers.contains_key("location"));
        assert_eq!(header(answer, "etag"), format!("\"{}\"", all.image.layer));
    }
    let asked = |seen: &Seen, name: &str| seen.headers.get(name).map(|value| value.to_str().expect("text").to_string());
    let seen = all.storage.seen();
    let ranges: Vec<_> = seen.iter().map(|seen| (seen.method.as_str(), asked(seen, "range"))).collect();
    assert_eq!(ranges, [("GET", None), ("HEAD", None), ("GET", Some("bytes=-7".into()))]);
    for seen in &seen {
        assert!(seen.path.ends_with("?X-Signature=secret"), "{}", seen.path);
        for name in ["authorization", "cookie", "referer", "proxy-authorization"] {
            assert_eq!(asked(seen, name), None, "{name}");
        }
    }
    let credentials = all.lab.double.seen().iter().map(|seen| asked(seen, "authorization")).collect::<Vec<_>>();
    assert_eq!(credentials, vec![Some("Bearer secret".to_string()); 3]);
}

#[tokio::test]
async fn o60_a_host_that_is_not_listed_is_refused_with_the_line_to_add() {
    let all = Elsewhere::new(|_| "blobRedirects: follow".into()).await;
    for method in [Method::GET, Method::HEAD] {
        let answer = all.lab.ask(&method, &all.path(), HeaderMap::new()).await;
        assert_eq!((answer.status, header(&answer, "countersign-reason")), (503, "redirect_refused"));
    }
    let answer = all.lab.get(&all.path()).await;
    unsure(&answer, "redirect_refused");
    let line = format!("upstreams.registry.demo.redirectHosts: [ \"http://{}\" ]", all.storage.address());
    assert!(answer.message().contains(&line), "{}", answer.message());
    assert!(!answer.message().contains("secret"), "{}", answer.message());
    assert!(all.storage.seen().is_empty());
}

#[tokio::test]
async fn b37_an_address_that_is_not_public_is_not_dialled_by_number_or_by_name() {
    let all = Elsewhere::new(|storage| {
        let port = storage.address().port();
        format!("redirectHosts: [ \"http://127.0.0.1:{port}\", \"http://localhost:{port}\", \"http://[::1]:{port}\" ]")
    })
    .await;
    // Names often enough that a host which cannot be reached would be left alone.
    let names = ["localhost", "LOCALHOST"].repeat(5);
    for host in ["127.0.0.1", "0x7f.1", "2130706433", "[::1]"].into_iter().chain(names) {
        all.redirect(&all.target().replace("127.0.0.1", host));
        let answer = all.lab.get(&all.path()).await;
        unsure(&answer, "redirect_refused");
        assert!(answer.message().contains("is not public"), "{host}: {}", answer.message());
        assert!(answer.message().contains("upstreams.registry.demo.redirectPrivate: [ \""), "{}", answer.message());
    }
    assert!(all.storage.seen().is_empty());
}

#[tokio::test]
async fn a_storage_that_cannot_be_reached_costs_no_time_after_a_few_requests() {
    let held = Nobody::new();
    let nobody = held.address();
    let all = Elsewhere::new(|_| format!("redirectHosts: [ \"http://{nobody}\" ]\n    {LOOPBACK}")).await;
    let label = [("registry", "registry.demo"), ("server", "redirect")];
    assert_eq!(all.lab.metric("upstream_unreachable", &label).await, Some(0));
    all.redirect(&format!("http://{nobody}/layer"));
    for _ in 0..5 {
        unsure(&all.lab.get(&all.path()).await, "upstream_unavailable");
    }
    let answer = all.lab.get(&all.path()).await;
    unsure(&answer, "upstream_unavailable");
    assert!(answer.message().contains("the storage cannot be reached; it is asked again in"), "{}", answer.message());
    assert_eq!(all.lab.metric("upstream_unreachable", &label).await, Some(1));
    assert_eq!(all.lab.get(&manifest("team/app", "1")).await.status, 200, "the registry itself is asked");
}

#[tokio::test]
async fn b37_what_nothing_opens_is_refused_without_a_line_to_add() {
    let all = Elsewhere::new(|_| "redirectHosts: [ \"http://169.254.169.254\" ]".into()).await;
    all.redirect("http://169.254.169.254/latest/meta-data");
    let answer = all.lab.get(&all.path()).await;
    unsure(&answer, "redirect_refused");
    assert!(answer.message().contains("is never dialled"), "{}", answer.message());
    assert!(!answer.message().contains("redirectPrivate"), "{}", answer.message());
}

#[tokio::test]
async fn a_private_network_that_is_named_is_dialled_by_name_too() {
    let all = Elsewhere::new(|storage| {
        format!("redirectHosts: [ \"http://localhost:{}\" ]\n    {LOOPBACK}", storage.address().port())
    })
    .await;
    all.redirect(&all.target().replace("127.0.0.1", "localhost"));
    served(&all.lab.get(&all.path()).await, all.image.layer, "member");
}

#[tokio::test]
async fn b37_a_redirect_that_leads_nowhere_good_is_refused() {
    let all = Elsewhere::allowed("").await;
    let storage = all.storage.address();
    for target in [
        "file:///etc/passwd",
        "data:text/plain,x",
        "http://169.254.169.254/latest/meta-data/",
        "https://169.254.169.254/",
        "http://[::ffff:169.254.169.254]/",
        "//evil.company.com/x",
        "https://evil.company.com/x",
        &format!("https://{storage}/x"),
        &format!("http://user:password@{storage}/x"),
        &format!("http://{storage}.evil.company.com/"),
        &format!("http://evil.company.com/{storage}"),
        "http://",
        "http://\u{fc}",
    ] {
        all.redirect(target);
        for method in [Method::GET, Method::HEAD] {
            let answer = all.lab.ask(&method, &all.path(), HeaderMap::new()).await;
            assert_eq!((answer.status, header(&answer, "countersign-reason")), (503, "redirect_refused"), "{target}");
        }
    }
    assert!(all.storage.seen().is_empty());
}

#[tokio::test]
async fn redirects_in_a_row_are_followed_three_times_and_each_is_judged() {
    let all = Elsewhere::allowed("").await;
    let (storage, target) = (all.storage.address(), all.target());
    redirect(&all.storage, Method::GET, "/first", &format!("http://{storage}/second"));
    redirect(&all.storage, Method::GET, "/second", &target);
    all.redirect(&format!("http://{storage}/first"));
    served(&all.lab.get(&all.path()).await, all.image.layer, "member");

    redirect(&all.storage, Method::GET, "/loop", &format!("http://{storage}/loop"));
    all.redirect(&format!("http://{storage}/loop"));
    all.storage.forget();
    unsure(&all.lab.get(&all.path()).await, "redirect_refused");
    assert_eq!(all.storage.seen().len(), 3);

    redirect(&all.storage, Method::GET, "/away", "https://evil.company.com/");
    all.redirect(&format!("http://{storage}/away"));
    let answer = all.lab.get(&all.path()).await;
    unsure(&answer, "redirect_refused");
    assert!(answer.message().contains("`evil.company.com`"), "{}", answer.message());
    // Back to the registry: as any other host, and it is not listed.
    redirect(&all.storage, Method::GET, "/back", &format!("http://{}/v2/", all.lab.double.address()));
    all.redirect(&format!("http://{storage}/back"));
    unsure(&all.lab.get(&all.path()).await, "redirect_refused");
}

#[tokio::test]
async fn o60_within_the_registry_manifests_and_blobs_are_followed_with_credentials() {
    let all = Elsewhere::new(|_| "blobRedirects: relay".into()).await;
    let (lab, digest) = (&all.lab, all.image.manifest.digest);
    let (media_type, bytes) = lab.registry().manifest("team/app", "1").expect("it is there");
    lab.registry().put_manifest("team/other", &media_type, bytes, Some("1"));
    lab.double.heal();
    lab.registry().put_blob("team/other", stored(lab, &all.path()).await);
    for method in [Method::HEAD, Method::GET] {
        let target = manifest("team/other", "1");
        redirect(&lab.double, method.clone(), &manifest("team/app", "1"), &target);
        let target = format!("http://{}{}", lab.double.address(), manifest("team/other", digest));
        redirect(&lab.double, method.clone(), &manifest("team/app", digest), &target);
        redirect(&lab.double, method, &all.path(), &blob("team/other", all.image.layer));
    }
    served(&lab.get(&manifest("team/app", "1")).await, digest, "signed");
    served(&lab.get(&all.path()).await, all.image.layer, "member");
    let others = lab.double.seen().into_iter().filter(|seen| seen.path.contains("/team/other/"));
    assert!(others.clone().count() >= 2);
    assert!(others.clone().all(|seen| seen.headers.contains_key("authorization")));

    redirect(&lab.double, Method::HEAD, &manifest("team/app", "loop"), &manifest("team/app", "loop"));
    lab.double.forget();
    unsure(&lab.get(&manifest("team/app", "loop")).await, "redirect_refused");
    assert_eq!(lab.double.seen().len(), 4);
}

#[tokio::test]
async fn relayed_redirects_lead_to_allowed_hosts_only_and_come_after_admission() {
    let all = Elsewhere::allowed("blobRedirects: relay").await;
    for method in [Method::GET, Method::HEAD] {
        let answer = all.lab.ask(&method, &all.path(), ranged("bytes=0-1")).await;
        assert_eq!((answer.status, header(&answer, "location")), (307, all.target().as_str()));
        assert_eq!((header(&answer, "content-length"), header(&answer, "cache-control")), ("0", "no-store"));
        assert_eq!(header(&answer, "countersign-reason"), "member");
    }
    assert!(all.storage.seen().is_empty());
    for target in ["https://evil.company.com/x", "http://169.254.169.254/", "file:///etc/passwd"] {
        all.redirect(target);
        let answer = all.lab.get(&all.path()).await;
        unsure(&answer, "redirect_refused");
        assert!(!answer.headers.contains_key("location"));
    }
    all.redirect(&all.target());
    all.lab.double.forget();
    all.lab.distrust_signer();
    denied(&all.lab.get(&all.path()).await, "signature_missing");
    assert_eq!(all.lab.double.count(Kind::Blob), 0, "what is refused is not asked for");
}

#[tokio::test]
async fn evidence_is_read_from_where_the_registry_keeps_it_and_never_relayed() {
    for mode in ["follow", "relay"] {
        let all = Elsewhere::allowed(&format!("blobRedirects: {mode}")).await;
        let image = all.lab.signed("team/new");
        let (storage, referrers) = (&all.storage, format!("/v2/team/new/referrers/{}", image.manifest.digest));
        let index: Value = serde_json::from_slice(&stored(&all.lab, &referrers).await).expect("JSON");
        let bundle = index["manifests"][0]["digest"].as_str().expect("a digest");
        let listing = stored(&all.lab, &manifest("team/new", bundle)).await;
        let listing: Value = serde_json::from_slice(&listing).expect("JSON");
        let layer: Digest = listing["layers"][0]["digest"].as_str().and_then(|d| d.parse().ok()).expect("a digest");
        storage.registry().put_blob("bucket", stored(&all.lab, &blob("team/new", layer)).await);
        let target = format!("http://{}{}", storage.address(), blob("bucket", layer));
        redirect(&all.lab.double, Method::GET, &blob("team/new", layer), &target);
        storage.forget();
        served(&all.lab.get(&manifest("team/new", "1")).await, image.manifest.digest, "signed");
        assert_eq!(storage.count(Kind::Blob), 1, "the bundle came from the storage");
    }
}

#[tokio::test]
async fn a_head_that_the_storage_does_not_answer_is_measured_by_its_first_byte() {
    let all = Elsewhere::allowed("").await;
    let length = all.lab.get(&all.path()).await.body.len().to_string();
    all.storage.fault(Method::HEAD, "/", Fault::Status(403));
    all.storage.forget();
    let head = all.lab.head(&all.path()).await;
    assert_eq!((head.status, header(&head, "content-length")), (200, length.as_str()));
    let seen = all.storage.seen();
    let [_, get] = &seen[..] else { panic!("{seen:?}") };
    assert_eq!((get.method.as_str(), get.headers["range"].to_str().expect("text")), ("GET", "bytes=0-0"));
    // Neither does the GET.
    all.storage.fault(Method::GET, "/", Fault::Status(403));
    assert_eq!(all.lab.head(&all.path()).await.status, 503);
}

#[tokio::test]
async fn a_storage_that_fails_is_named_and_its_corrupt_blob_is_cut() {
    let all = Elsewhere::allowed("").await;
    for status in [401, 403, 404, 500] {
        all.storage.heal();
        all.storage.fault(Method::GET, "/", Fault::Status(status));
        let answer = all.lab.get(&all.path()).await;
        unsure(&answer, "upstream_unavailable");
        let expected = format!("`{}`, which answered {status}", all.storage.address());
        assert!(answer.message().contains(&expected), "{}", answer.message());
    }
    all.storage.heal();
    let mut bytes = all.lab.get(&all.path()).await.body.to_vec();
    bytes[0] ^= 1;
    all.storage.fault(Method::GET, "/", Fault::Body(bytes.into()));
    let url = format!("http://{}{}", all.lab.proxy.address, all.path());
    assert!(all.lab.client.get(&url).await.is_err(), "a whole answer came");
    all.lab.metric_becomes("blobs_cut_total", &[("cause", "corrupt")], 1).await;
}

fn ranged(range: &str) -> HeaderMap {
    HeaderMap::from_iter([(http::header::RANGE, range.parse().expect("a value"))])
}
