//! The repositories of a registry: only where it is enabled, and only those that the caller may read.

use bytes::Bytes;
use countersign::demo::registry::Options;
use http::Method;
use serde_json::{Value, json};

use crate::support::expect::{denied, header, refused, unsure};
use crate::support::lab::Lab;
use crate::support::registry_double::Fault;

const CATALOG: &str = "/v2/_catalog";

async fn enabled(may: &str) -> Lab {
    let may = format!("may: [ {may} ]");
    Lab::edited(Options::default(), |config| {
        config.replace("    dial:", "    catalog: true\n    dial:").replace("may: [ \"registry.demo/**\" ]", &may)
    })
    .await
}

impl Lab {
    /// What the registry lists for a request that begins so, and what it links to.
    fn lists(&self, path: &str, repositories: &Value, link: &str) {
        let body = Bytes::from(json!({ "repositories": repositories }).to_string());
        let faults = [Fault::Status(200), Fault::Body(body), Fault::Header("link", link.into())];
        for fault in faults.into_iter().take(if link.is_empty() { 2 } else { 3 }) {
            self.double.fault(Method::GET, path, fault);
        }
    }

    async fn listed(&self, path: &str) -> (Value, String) {
        let answer = self.get(path).await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.message());
        assert_eq!(self.head(path).await.headers["content-length"], answer.headers["content-length"]);
        let list: Value = serde_json::from_slice(&answer.body).expect("JSON");
        (list["repositories"].clone(), header(&answer, "link").to_string())
    }
}

#[tokio::test]
async fn without_being_enabled_it_is_no_endpoint_and_nobody_is_asked() {
    let lab = Lab::start(Options::default()).await;
    for path in [CATALOG, "/v2/_catalog?n=5", "/v2/_catalog?ns=registry.demo"] {
        refused(&lab.get(path).await, 404, "UNSUPPORTED", "not_routed");
    }
    denied(&lab.get("/v2/_catalog?ns=evil.demo").await, "registry_unknown");
    assert!(lab.double.seen().is_empty(), "{:?}", lab.double.seen());
}

#[tokio::test]
async fn only_what_the_caller_may_read_is_listed() {
    let lab = enabled("\"registry.demo/public/*\"").await;
    lab.lists(CATALOG, &json!(["private/a", "public/a", "public/a/b", "public/b", "PUBLIC/x", "public/../y"]), "");
    assert_eq!(lab.listed(CATALOG).await, (json!(["public/a", "public/b"]), String::new()));
    for path in ["/v2/_catalog?n=0", "/v2/_catalog?ns=registry.demo&n=0"] {
        assert_eq!(lab.listed(path).await, (json!([]), String::new()));
    }
}

#[tokio::test]
async fn nobody_is_asked_for_those_who_may_read_nothing() {
    let lab = Lab::edited(Options::default(), |config| {
        let (before, clients) = config.split_once("clients:").expect("a section");
        let (_, after) = clients.split_once("upstreams:").expect("a section");
        format!("{before}upstreams:{after}").replace("    dial:", "    catalog: true\n    dial:")
    })
    .await;
    denied(&lab.get(CATALOG).await, "client_forbidden");
    assert!(lab.double.seen().is_empty(), "{:?}", lab.double.seen());
}

/// The links are the proxy's own: the registry's would name what comes last on its page, whoever may read that.
#[tokio::test]
async fn links_name_nothing_that_the_caller_may_not_read() {
    let lab = enabled("\"registry.demo/public/*\"").await;
    lab.lists(
        "/v2/_catalog?n=1000",
        &json!(["public/a", "public/b", "secret/a"]),
        "</v2/_catalog?n=3&last=secret%2Fa>; rel=next",
    );
    lab.lists("/v2/_catalog?n=3&last=secret%2Fa", &json!(["public/c", "secret/z"]), "");
    lab.lists("/v2/_catalog?n=1000&last=public%2Fa", &json!(["public/b", "public/c", "secret/z"]), "");
    assert_eq!(lab.listed(CATALOG).await, (json!(["public/a", "public/b", "public/c"]), String::new()));
    let next = "</v2/_catalog?n=1&last=public%2Fa&ns=registry.demo>; rel=\"next\"";
    assert_eq!(lab.listed("/v2/_catalog?n=1&ns=registry.demo").await, (json!(["public/a"]), next.into()));
    let (rest, link) = lab.listed("/v2/_catalog?n=99999&last=public%2Fa&ns=registry.demo").await;
    assert_eq!((rest, link.as_str()), (json!(["public/b", "public/c"]), ""));
}

#[tokio::test]
async fn a_catalog_that_fails_or_does_not_end_is_an_error() {
    let lab = enabled("\"registry.demo/public/*\"").await;
    for link in ["<?n=1000>; rel=next", "<https://evil/v2/_catalog?n=5>; rel=next", "</v2/other?n=5>; rel=next"] {
        lab.lists(CATALOG, &json!(["public/a"]), link);
        unsure(&lab.get(CATALOG).await, "upstream_unavailable");
        lab.double.heal();
    }
    lab.double.fault(Method::GET, CATALOG, Fault::Status(200));
    unsure(&lab.get(CATALOG).await, "upstream_unavailable");
    lab.double.heal();
    lab.lists(CATALOG, &json!(["secret/a"]), "<?n=2>; rel=next");
    lab.lists("/v2/_catalog?n=2", &json!(["secret/b"]), "<?n=3>; rel=next");
    lab.lists("/v2/_catalog?n=3", &json!(["secret/c"]), "<?n=2>; rel=next");
    lab.double.forget();
    unsure(&lab.get(CATALOG).await, "upstream_unavailable");
    assert_eq!(lab.double.seen().len(), 16);
    // A registry without one.
    lab.double.heal();
    refused(&lab.get(CATALOG).await, 404, "NAME_UNKNOWN", "upstream_not_found");
}
