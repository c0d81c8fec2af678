//! What is left warm in a store, and where there is none to be left.

use std::path::{Path, PathBuf};
use std::process::Command;

use countersign::demo::proxy::start_proxy;
use countersign::demo::registry::Options;
use http::{HeaderMap, Method};

use super::{fed, piped, run};
use crate::support::lab::Lab;
use crate::support::nobody::Nobody;
use crate::support::redis_double::{RedisDouble, Reply, greeting};
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

const KEY: &str = "5eed5eed5eed5eed5eed5eed5eed5eed5eed5eed5eed5eed5eed5eed5eed5eed";

/// The lab's configuration with another store, and a key beside it.
fn with_store(lab: &Lab, store: &str) -> PathBuf {
    let config = lab.config.with_file_name("other.yaml");
    let text = std::fs::read_to_string(&lab.config).expect("a file").replace(MEMORY, store);
    std::fs::write(&config, text).expect("a file");
    let key = lab.config.with_file_name("store.key");
    std::fs::write(&key, KEY).expect("a file");
    std::fs::set_permissions(&key, std::os::unix::fs::PermissionsExt::from_mode(0o600)).expect("it is ours");
    config
}

/// A Redis that has no room.
async fn full() -> RedisDouble {
    RedisDouble::start(|command| {
        let bytes = |text: &str| Reply::Bytes(text.into());
        match command.first().map(String::as_str) {
            Some("SET" | "EVAL") => bytes("-OOM command not allowed when used memory > 'maxmemory'.\r\n"),
            Some("GETRANGE") => bytes("$0\r\n\r\n"),
            _ => greeting(command).unwrap_or_else(|| bytes(":0\r\n")),
        }
    })
    .await
}

#[tokio::test]
async fn what_the_shared_store_did_not_take_is_said_and_is_no_success() {
    let lab = Lab::start(Options::default()).await;
    lab.signed("team/app");
    let held = Nobody::new();
    let nobody = held.address().port();
    let full = full().await;
    for (port, why) in [(nobody, "refused"), (full.port, "it takes nothing new: OOM")] {
        let store =
            format!("store: {{ kind: redis, keys: [ store.key ], redis: {{ url: \"redis://127.0.0.1:{port}\" }} }}");
        let config = with_store(&lab, &store);
        let ran = run(&["-", "--config", text(&config), "--output", "json"], "registry.demo/team/app:1").await;
        assert_eq!((ran.code, &ran.json()["allowed"], &ran.json()["stored"]), (2, &1.into(), &false.into()));
        assert!(ran.stderr.contains("the store did not take all that was learned: "), "{}", ran.stderr);
        assert!(ran.stderr.contains(why) && ran.stderr.contains("run this again"), "{}", ran.stderr);
    }
}

#[tokio::test]
async fn what_a_full_disk_did_not_take_is_said_and_is_no_success() {
    let lab = Lab::start(Options::default()).await;
    lab.signed("team/app");
    let store = "store: { keys: [ store.key ], embedded: { path: kept/store.redb } }";
    let config = with_store(&lab, store);
    let folder = config.with_file_name("kept");
    std::fs::create_dir(&folder).expect("a folder");
    let mut command = Command::new("unshare");
    let mount = format!("mount -t tmpfs -o size=8m,mode=0700 tmpfs '{}'", folder.display());
    let fill = format!("yes > '{}/filler' 2>/dev/null || true", folder.display());
    command.args(["--mount", "sh", "-ec"]).arg(format!("{mount}\n{fill}\nexec \"$0\" warm - --config \"$1\""));
    command.arg(env!("CARGO_BIN_EXE_countersign")).arg(&config);
    let ran = fed(piped(command), "registry.demo/team/app:1").await;
    assert_eq!(ran.code, 2, "{}{}", ran.stdout, ran.stderr);
    assert!(ran.stdout.contains("1 reference: 1 allowed"), "{}", ran.stdout);
    assert!(ran.stderr.contains("the store did not take all that was learned: "), "{}", ran.stderr);
    assert!(ran.stderr.contains("No space left on device"), "{}", ran.stderr);
}
