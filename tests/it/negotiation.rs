//! What a client accepts chooses nothing: the manifest that was verified is the one that is served.

use countersign::demo::registry::Options;
use http::header::ACCEPT;
use http::{HeaderMap, HeaderValue, Method};
use serde_json::Value;

use crate::support::expect::{denied, header, served, unsure};
use crate::support::lab::Lab;
use crate::support::registry_double::{Fault, Kind};
use crate::support::scene::{INDEX, manifest};
use crate::support::wire;

const DOCKER_IMAGE: &str = "application/vnd.docker.distribution.manifest.v2+json";
const DOCKER_LIST: &str = "application/vnd.docker.distribution.manifest.list.v2+json";
const SCHEMA_1: &str = "application/vnd.docker.distribution.manifest.v1+prettyjws";

#[tokio::test]
async fn o63_an_index_is_served_whatever_the_client_accepts() {
    let lab = Lab::start(Options::default()).await;
    let (index, _) = lab.signed_index("team/multi");
    let long = format!("{}{DOCKER_IMAGE}", "application/x;q=0.1, ".repeat(300));
    let accepts: [&[&str]; 8] = [
        &[],
        &["*/*"],
        &[DOCKER_IMAGE],
        &[SCHEMA_1, "application/vnd.docker.distribution.manifest.v1+json"],
        // As containers/image of old and ORAS send it: a line for each.
        &[DOCKER_IMAGE, INDEX, SCHEMA_1],
        &["text/html;q=0.9, */*;q=0"],
        &["not a media type"],
        &[&long],
    ];
    for accept in accepts {
        let mut headers = HeaderMap::new();
        for line in accept {
            headers.append(ACCEPT, HeaderValue::from_str(line).expect("a value"));
        }
        for reference in ["1".to_string(), index.digest.to_string()] {
            for method in [Method::GET, Method::HEAD] {
                let answer = lab.ask(&method, &manifest("team/multi", &reference), headers.clone()).await;
                assert_eq!(header(&answer, "content-type"), INDEX, "{accept:?}");
                assert_eq!(header(&answer, "docker-content-digest"), index.digest.to_string());
                assert_eq!(header(&answer, "content-length"), index.size.to_string());
                if method == Method::GET {
                    served(&answer, index.digest, "signed");
                }
            }
        }
    }
    let sent: Vec<_> = lab.double.seen().into_iter().filter(|seen| seen.kind() == Kind::Resolve).collect();
    assert!(sent.iter().all(|seen| seen.headers.get_all(ACCEPT).iter().count() == 1), "one line");
    assert!(sent.iter().all(|seen| seen.headers[ACCEPT] == sent[0].headers[ACCEPT]), "the same for all");
}

/// Some registries give a client that does not name the stored type another manifest in its place.
#[tokio::test]
async fn o63_what_a_registry_converts_is_not_relayed() {
    let lab = Lab::start(Options::default()).await;
    let image = lab.signed("team/app").manifest;
    let (_, bytes) = lab.registry().manifest("team/app", "1").expect("it is there");
    let mut converted: Value = serde_json::from_slice(&bytes).expect("a manifest");
    converted["mediaType"] = DOCKER_IMAGE.into();
    let convert = |method: Method, path: &str| {
        lab.double.fault(method.clone(), path, Fault::Body(converted.to_string().into()));
        lab.double.fault(method, path, Fault::Header("content-type", DOCKER_IMAGE.into()));
    };
    // By digest, other bytes than were asked for.
    convert(Method::GET, &manifest("team/app", image.digest));
    unsure(&lab.get(&manifest("team/app", "1")).await, "upstream_digest_mismatch");
    lab.double.heal();
    // By tag, another image, which nobody signed and the registry does not even hold.
    lab.double.fault(Method::HEAD, &manifest("team/app", "1"), Fault::NoHeader("docker-content-digest"));
    convert(Method::GET, &manifest("team/app", "1"));
    assert_eq!(lab.get(&manifest("team/app", "1")).await.given().reason, "upstream_not_found");
    lab.registry().put_manifest("team/app", DOCKER_IMAGE, converted.to_string(), None);
    denied(&lab.get(&manifest("team/app", "1")).await, "unsigned");
    lab.double.heal();
    // The type in the header alone is changed, or that of a format of old.
    for other in [DOCKER_LIST, DOCKER_IMAGE, INDEX] {
        lab.double.fault(Method::GET, &manifest("team/app", image.digest), Fault::Header("content-type", other.into()));
        denied(&lab.get(&manifest("team/app", "1")).await, "manifest_ambiguous");
        lab.double.heal();
    }
    lab.double.fault(Method::GET, &manifest("team/app", image.digest), Fault::Header("content-type", SCHEMA_1.into()));
    denied(&lab.get(&manifest("team/app", "1")).await, "media_type_unsupported");
    lab.double.heal();
    served(&lab.get(&manifest("team/app", "1")).await, image.digest, "signed");
}

/// Runtimes read these three headers of a HEAD, and ask again where one is missing.
#[tokio::test]
async fn a_head_has_the_headers_that_runtimes_need_and_no_others_about_the_content() {
    let lab = Lab::start(Options::default()).await;
    let (index, _) = lab.signed_index("team/multi");
    let more = "Accept-Encoding: gzip, zstd\r\nIf-None-Match: *\r\nRange: bytes=0-0";
    for method in ["HEAD", "GET"] {
        let reply = wire::ask(lab.proxy.address, method, &manifest("team/multi", "1"), "localhost", more).await;
        assert_eq!(reply.status(), 200);
        for (name, value) in [
            ("content-type", INDEX.to_string()),
            ("content-length", index.size.to_string()),
            ("docker-content-digest", index.digest.to_string()),
        ] {
            assert_eq!(reply.header(name), value);
        }
        for name in ["content-encoding", "transfer-encoding", "content-range", "accept-ranges", "etag", "last-modified"]
        {
            assert_eq!(reply.header(name), "", "{name}");
        }
        assert_eq!(reply.body.len(), if method == "HEAD" { 0 } else { index.size });
    }
}
