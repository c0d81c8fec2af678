//! Tags and referrers: relayed page by page, with links that lead through the proxy.

use countersign::demo::client::Answer;
use countersign::demo::registry::Options;
use http::Method;
use serde_json::Value;

use crate::support::expect::{header, refused, unsure};
use crate::support::lab::Lab;
use crate::support::registry_double::{Fault, Kind};

const TAGS: &str = "/v2/team/app/tags/list";

#[tokio::test]
async fn tags_are_relayed_page_by_page_through_the_proxy() {
    let lab = Lab::start(Options { page: 2, ..Options::default() }).await;
    let digest = lab.unsigned("team/app").manifest.digest;
    for tag in ["2", "3", "4", "5"] {
        lab.registry().tag("team/app", tag, digest);
    }
    for start in [TAGS.to_string(), format!("{TAGS}?n=2"), format!("/v2/registry.demo{}", &TAGS[3..])] {
        let pages = follow(&lab, &start).await;
        let tags: Vec<_> = pages.iter().flat_map(|page| strings(&page["tags"])).collect();
        assert_eq!(tags, ["1", "2", "3", "4", "5"], "from {start}");
        assert_eq!(pages.len(), 3, "from {start}");
    }
}

#[tokio::test]
async fn links_begin_with_the_public_url_where_there_is_one() {
    let public = |config: String| config.replace("listen: {", "listen: { publicUrl: \"https://proxy.company.com\",");
    let lab = Lab::edited(Options { page: 1, ..Options::default() }, public).await;
    let digest = lab.unsigned("team/app").manifest.digest;
    lab.registry().tag("team/app", "2", digest);
    let answer = lab.get(TAGS).await;
    let link = header(&answer, "link");
    assert!(link.starts_with(&format!("<https://proxy.company.com{TAGS}?")), "{link}");
}

#[tokio::test]
async fn referrers_are_relayed_page_by_page_through_the_proxy() {
    let lab = Lab::start(Options { page: 2, ..Options::default() }).await;
    let image = lab.unsigned("team/app").manifest;
    let mut expected = Vec::new();
    for _ in 0..5 {
        expected.push(lab.signer.sign_bundle(lab.registry(), &image).expect("signs").digest.to_string());
    }
    let path = format!("/v2/team/app/referrers/{}", image.digest);
    let pages = follow(&lab, &path).await;
    let found: Vec<_> = pages.iter().flat_map(|page| page["manifests"].as_array().expect("a list").clone()).collect();
    let found: Vec<_> = found.iter().filter_map(|entry| entry["digest"].as_str()).collect();
    assert_eq!(found, expected);
    assert_eq!(header(&lab.get(&path).await, "content-type"), "application/vnd.oci.image.index.v1+json");
    assert_eq!(lab.head(&path).await.status, 200);
}

#[tokio::test]
async fn a_link_keeps_the_registry_that_the_request_named() {
    let lab = Lab::start(Options { page: 1, ..Options::default() }).await;
    let digest = lab.unsigned("team/app").manifest.digest;
    lab.registry().tag("team/app", "2", digest);
    let answer = lab.get(&format!("{TAGS}?ns=registry.demo")).await;
    let next = next(&answer).expect("a second page");
    assert!(next.contains("ns=registry.demo"), "{next}");
    for seen in lab.double.seen() {
        assert!(!seen.path.contains("ns="), "the name is for the proxy: {}", seen.path);
    }
}

/// B37, O44: a list that goes on elsewhere, or nowhere new, is not passed off as a whole one.
#[tokio::test]
async fn a_link_to_elsewhere_is_not_relayed() {
    let lab = Lab::start(Options::default()).await;
    let digest = lab.unsigned("team/app").manifest.digest;
    let referrers = format!("/v2/team/app/referrers/{digest}");
    for target in [
        "<https://evil/v2/team/app/tags/list?last=1>; rel=\"next\"",
        "<http://169.254.169.254/v2/team/app/tags/list?last=1>; rel=\"next\"",
        "</v2/other/tags/list?n=1>; rel=next",
        "<?n=5>; rel=next",
        "<?last=1&last=2>; rel=next",
        "next",
    ] {
        for list in [TAGS, &referrers] {
            lab.double.fault(Method::GET, list, Fault::Header("link", target.into()));
            let answer = lab.get(&format!("{list}?n=5")).await;
            unsure(&answer, "upstream_unavailable");
            assert_eq!(header(&answer, "link"), "", "{target}");
            lab.double.heal();
        }
    }
    assert!(lab.double.seen().iter().all(|seen| seen.path.ends_with("?n=5")), "{:?}", lab.double.seen());
}

#[tokio::test]
async fn failing_and_endless_lists_are_errors() {
    let lab = Lab::start(Options { referrers: false, ..Options::default() }).await;
    let digest = lab.unsigned("team/app").manifest.digest;
    lab.double.fault(Method::GET, TAGS, Fault::Status(500));
    unsure(&lab.get(TAGS).await, "upstream_unavailable");
    lab.double.heal();
    lab.double.fault(Method::GET, TAGS, Fault::Endless(u64::MAX));
    unsure(&lab.get(TAGS).await, "upstream_unavailable");
    refused(&lab.get("/v2/team/none/tags/list").await, 404, "NAME_UNKNOWN", "upstream_not_found");
    // A registry without the API says 404, and clients then ask for the tag.
    let answer = lab.get(&format!("/v2/team/app/referrers/{digest}")).await;
    refused(&answer, 404, "MANIFEST_UNKNOWN", "upstream_not_found");
    assert_eq!(lab.double.count(Kind::Manifest), 0);
}

#[tokio::test]
async fn what_is_no_list_is_not_relayed_as_one() {
    let lab = Lab::start(Options::default()).await;
    let digest = lab.unsigned("team/app").manifest.digest;
    let referrers = format!("/v2/team/app/referrers/{digest}");
    for body in [
        "<html>hello</html>",
        "",
        "[]",
        r#"{"tags":{},"manifests":{}}"#,
        r#"{"tags":[],"tags":[],"manifests":[],"manifests":[]}"#,
    ] {
        for list in [TAGS, &referrers] {
            lab.double.fault(Method::GET, list, Fault::Body(body.into()));
            unsure(&lab.get(list).await, "upstream_unavailable");
            lab.double.heal();
        }
    }
    // A web page, or a status that means as much, is no referrers API: clients then ask for the tag.
    for fault in
        [Fault::Header("content-type", "text/html".into()), Fault::Status(400), Fault::Status(405), Fault::Status(406)]
    {
        lab.double.fault(Method::GET, &referrers, fault);
        refused(&lab.get(&referrers).await, 404, "MANIFEST_UNKNOWN", "upstream_not_found");
        lab.double.heal();
    }
}

/// A48.
#[tokio::test]
async fn no_registry_is_asked_for_pages_without_bound() {
    let lab = Lab::start(Options::default()).await;
    let digest = lab.unsigned("team/app").manifest.digest;
    for n in ["1001", "2147483647", "99999999999999999999"] {
        for list in [TAGS.to_string(), format!("/v2/team/app/referrers/{digest}")] {
            lab.double.forget();
            assert_eq!(lab.get(&format!("{list}?n={n}")).await.status, 200, "{list} {n}");
            assert_eq!(lab.double.seen()[0].path, format!("{list}?n=1000"));
        }
    }
}

#[tokio::test]
async fn what_is_filtered_says_so_and_only_if_it_was_asked_to_be() {
    let lab = Lab::start(Options::default()).await;
    let digest = lab.unsigned("team/app").manifest.digest;
    let path = format!("/v2/team/app/referrers/{digest}");
    let filtered = format!("{path}?artifactType=application%2Fvnd.example%2Bjson");
    assert_eq!(header(&lab.get(&filtered).await, "oci-filters-applied"), "");
    assert_eq!(lab.double.seen()[0].path, filtered);
    lab.double.fault(Method::GET, &path, Fault::Header("oci-filters-applied", "artifactType, x".into()));
    assert_eq!(header(&lab.get(&filtered).await, "oci-filters-applied"), "artifactType");
    assert_eq!(header(&lab.get(&path).await, "oci-filters-applied"), "");
    let twice = format!("{filtered}&artifactType=other");
    refused(&lab.get(&twice).await, 400, "NAME_INVALID", "name_invalid");
}

/// O73: whoever may read a repository may know its tags and what refers to its images, also where the image is refused.
#[tokio::test]
async fn o73_the_tags_of_what_is_denied_are_listed() {
    let lab = Lab::start(Options::default()).await;
    let digest = lab.unsigned("team/app").manifest.digest;
    assert_eq!(lab.get("/v2/team/app/manifests/1").await.status, 403);
    for (path, body) in [
        (TAGS.to_string(), r#"{"name":"team/app","tags":["1"]}"#),
        (format!("/v2/registry.demo{}", &TAGS[3..]), r#"{"name":"registry.demo/team/app","tags":["1"]}"#),
    ] {
        let (get, head) = (lab.get(&path).await, lab.head(&path).await);
        assert_eq!((get.status, std::str::from_utf8(&get.body).expect("text")), (200, body), "{path}");
        assert_eq!((head.status, header(&head, "content-length")), (200, body.len().to_string().as_str()), "{path}");
    }
    assert_eq!(lab.get(&format!("/v2/team/app/referrers/{digest}")).await.status, 200);
}

/// Every page of a list, by the links of the one before; panics if they lead nowhere new.
async fn follow(lab: &Lab, start: &str) -> Vec<Value> {
    let mut pages = Vec::new();
    let mut path = Some(start.to_string());
    while let Some(asked) = path {
        assert!(pages.len() < 10, "the pages do not end: {pages:?}");
        let answer = lab.get(&asked).await;
        assert_eq!(answer.status, 200, "{asked}: {}", answer.message());
        pages.push(serde_json::from_slice(&answer.body).expect("JSON"));
        path = next(&answer);
    }
    pages
}

/// The target of the link to the next page: a path, so that it leads through the proxy.
fn next(answer: &Answer) -> Option<String> {
    let target = header(answer, "link").strip_prefix('<')?.strip_suffix(">; rel=\"next\"")?;
    assert!(target.starts_with("/v2/"), "{target}");
    Some(target.to_string())
}

fn strings(list: &Value) -> Vec<String> {
    list.as_array().into_iter().flatten().filter_map(|item| item.as_str().map(str::to_string)).collect()
}
