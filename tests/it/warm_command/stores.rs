//! What is left warm in a store, and where there is none to be left.

use std::path::Path;

use countersign::demo::proxy::start_proxy;
use countersign::demo::registry::Options;
use http::{HeaderMap, Method};

use super::run;
use crate::support::lab::Lab;
use crate::support::registry_double::Kind;
use crate::support::scene::manifest;

const MEMORY: &str = "store: { kind: memory }";

/// A lab whose proxy keeps what it learns in a file.
async fn embedded() -> Lab {
    let file = "store: { kind: embedded, embedded: { path: store.redb } }";
    Lab::edited(Options::default(), |config| config.replace(MEMORY, file)).await
}

fn text(path: &Path) -> &str {
    path.to_str().expect("text")
}

#[tokio::test]
async fn a_proxy_that_starts_on_a_warmed_store_verifies_nothing() {
    let lab = Lab::start(Options::default()).await;
    let image = lab.signed("team/app").manifest;
    lab.unsigned("team/unsigned");
    let (index, [child, _]) = lab.signed_index("team/index");
    let config = lab.config.with_file_name("warmed.yaml");
    let file = "store: { kind: embedded, embedded: { path: warmed.redb } }";
    let written = std::fs::read_to_string(&lab.config).expect("a file").replace(MEMORY, file);
    std::fs::write(&config, written).expect("a file");
    let list = "registry.demo/team/app:1 registry.demo/team/unsigned:1 registry.demo/team/index:1";
    let ran = run(&["-", "--config", text(&config)], list).await;
    assert_eq!((ran.code, ran.stderr.as_str()), (1, ""), "{}", ran.stdout);
    assert!(ran.stdout.starts_with("✘ registry.demo/team/unsigned:1\n  unsigned: policy \"demo\": "), "{}", ran.stdout);
    assert!(ran.summary().starts_with("3 references: 2 allowed, 1 denied, 0 could not be told, "), "{}", ran.stdout);
    lab.double.forget();
    let proxy = start_proxy(&config).await.expect("it starts");
    let ask = async |path: String| {
        let url = format!("http://{}{path}", proxy.address);
        let answer = lab.client.send(&Method::GET, &url, HeaderMap::new()).await.expect("an answer");
        assert_eq!(answer.status, 200, "{}", answer.message());
    };
    ask(manifest("team/app", image.digest)).await;
    // A node that holds the index asks for the image alone.
    ask(manifest("team/index", child.manifest.digest)).await;
    ask(manifest("team/index", index.digest)).await;
    assert_eq!((lab.double.count(Kind::Referrers), lab.double.count(Kind::Tags)), (0, 0), "{:?}", lab.double.seen());
    proxy.shutdown().await;
}

#[tokio::test]
async fn a_file_that_a_running_proxy_has_is_left_to_it() {
    let lab = embedded().await;
    let ran = run(&["-", "--config", text(&lab.config)], "registry.demo/team/app:1").await;
    assert_eq!((ran.code, ran.stdout.as_str()), (2, ""), "{}", ran.stderr);
    assert!(ran.stderr.contains("store.redb") && ran.stderr.contains("`--proxy URL`"), "{}", ran.stderr);
    assert_eq!(lab.double.seen().len(), 0);
}

#[tokio::test]
async fn a_store_that_is_gone_with_the_command_is_not_warmed() {
    let lab = Lab::start(Options::default()).await;
    let ran = run(&["-", "--config", text(&lab.config)], "registry.demo/team/app:1").await;
    assert_eq!((ran.code, ran.stdout.as_str()), (78, ""), "{}", ran.stderr);
    assert!(ran.stderr.contains("`memory`") && ran.stderr.contains("`--proxy URL`"), "{}", ran.stderr);
    assert_eq!(lab.double.seen().len(), 0);
    let none = lab.config.with_file_name("none.yaml");
    assert_eq!(run(&["-", "--config", text(&none)], "registry.demo/team/app:1").await.code, 78);
}
