//! The store in a file, under a real process: killed at any moment, without room, without rights, without its key. It starts
//! or says exactly what to do, and it never lets pass what policy refuses.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use countersign::demo::client::Client;
use countersign::demo::registry::Options;
use http::Method;

use crate::support::lab::Lab;
use crate::support::program::{Ended, Program};
use crate::support::registry_double::Fault;
use crate::support::scene::manifest;

mod killed;

mod starting;

mod without_room;

/// A registry with images, and the configuration of a proxy before it that keeps its store in `folder`.
struct Scene {
    lab: Lab,
    client: Client,
    config: PathBuf,
    folder: PathBuf,
}

impl Scene {
    /// One whose `store.embedded` says `more` besides the path.
    async fn with(more: &str) -> Self {
        let lab = Lab::start(Options::default()).await;
        let scratch = lab.config.parent().expect("a folder").to_path_buf();
        let folder = scratch.join("kept");
        let text = fs::read_to_string(&lab.config).expect("a file");
        let store = format!("store: {{ embedded: {{ path: kept/store.redb{more} }} }}");
        let config = scratch.join("embedded.yaml");
        fs::write(&config, text.replace("store: { kind: memory }", &store)).expect("a file");
        Self { lab, client: Client::new().expect("a client"), config, folder }
    }

    async fn new() -> Self {
        Self::with("").await
    }

    async fn serve(&self) -> Program {
        Program::serve(&self.config).await.expect("it serves")
    }

    /// What is said by a program that does not start, which takes the configuration for wrong.
    async fn refused(&self) -> String {
        refusal(Program::serve(&self.config).await)
    }

    fn store(&self) -> PathBuf {
        self.folder.join("store.redb")
    }

    fn key(&self) -> PathBuf {
        self.folder.join("store.key")
    }

    /// Lets the registry tell nothing of signatures, so that only what is remembered can allow.
    fn hide_signatures(&self, repository: &str) {
        for path in ["referrers/", "manifests/sha256-"] {
            self.lab.double.fault(Method::GET, &format!("/v2/{repository}/{path}"), Fault::Status(503));
        }
    }
}

fn refusal(outcome: Result<Program, Ended>) -> String {
    let ended = outcome.err().expect("it does not start");
    assert_eq!(ended.code, Some(78), "{}", ended.said);
    assert!(!ended.said.contains("panicked"), "{}", ended.said);
    ended.said
}

fn contains(text: &str, all: &[&str]) {
    assert!(all.iter().all(|each| text.contains(each)), "{all:?} in:\n{text}");
}

/// Writes into `path` what every other user can read, or what only we can.
fn write(path: &Path, bytes: &[u8], mode: u32) {
    use std::os::unix::fs::PermissionsExt;
    fs::write(path, bytes).expect("a file");
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("it is ours");
}
