//! Proxies that share a store, or one that is started again on what it had stored.

use std::sync::Arc;

use countersign::app::{self, Memory, Running};
use countersign::config::Config;
use countersign::demo::client::Answer;
use countersign::record::Seal;
use countersign::store::MemoryStore;
use http::{HeaderMap, Method};

use super::lab::Lab;

/// A proxy before the lab's registry, with the lab's configuration and policy.
pub(crate) struct Replica<'a> {
    lab: &'a Lab,
    running: Running,
}

/// A store that outlives its proxies, and the key that they share.
pub(crate) fn memory() -> Memory {
    (Arc::new(MemoryStore::new(64 << 20)), Arc::new(Seal::random().expect("randomness")))
}

impl Lab {
    /// Starts one more proxy, on a file beside the configuration; one at a time can.
    pub(crate) async fn on_file(&self) -> Replica<'_> {
        let text = std::fs::read_to_string(&self.config).expect("a file");
        let path = self.config.with_file_name("on-file.yaml");
        let store = "store: { embedded: { path: store.redb } }";
        std::fs::write(&path, text.replace("store: { kind: memory }", store)).expect("a file");
        let config = Config::load(&path, std::iter::empty()).expect("a configuration");
        Replica { lab: self, running: app::start(config).await.expect("it starts") }
    }

    /// Starts one more proxy, on this store.
    pub(crate) async fn replica(&self, memory: &Memory) -> Replica<'_> {
        let config = Config::load(&self.config, std::iter::empty()).expect("the lab's configuration");
        let running = app::start_on(config, Some(memory.clone())).await.expect("it starts");
        Replica { lab: self, running }
    }
}

impl Replica<'_> {
    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.ask(&Method::GET, path).await
    }

    pub(crate) async fn head(&self, path: &str) -> Answer {
        self.ask(&Method::HEAD, path).await
    }

    /// Asks for a path, and says how many requests that cost the registry.
    pub(crate) async fn counted(&self, path: &str) -> (Answer, usize) {
        self.lab.double.forget();
        let answer = self.get(path).await;
        (answer, self.lab.double.seen().len())
    }

    /// Reads the policy again.
    pub(crate) async fn reload(&self) {
        self.running.reloader().reload().await.expect("a good policy");
    }

    /// Whether its metrics have this line.
    pub(crate) async fn shows(&self, line: &str) -> bool {
        let url = format!("http://{}/metrics", self.running.admin);
        let text = self.lab.client.get(&url).await.expect("metrics").body;
        std::str::from_utf8(&text).expect("text").lines().any(|one| one == line)
    }

    /// Stops it; what it had to write is written then.
    pub(crate) async fn stop(self) {
        self.running.shutdown().await;
    }

    async fn ask(&self, method: &Method, path: &str) -> Answer {
        let url = format!("http://{}{path}", self.running.address);
        self.lab.client.send(method, &url, HeaderMap::new()).await.expect("an answer of the proxy")
    }
}
