//! A TUF repository on loopback, signed with Ed25519 here, that can be wrong in every way.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
use bytes::Bytes;
use http::{HeaderMap, Response, StatusCode};
use http_body_util::Full;
use serde_json::{Value, json};
use sigstore_tuf::canonical_json::to_canonical_bytes;

use crate::clock::Timestamp;
use crate::demo::server::{Running, serve};
use crate::oci::Digest;
use crate::policy::TufSource;

/// What the mirror says until it is told otherwise.
pub(crate) const NOW: Timestamp = Timestamp(1_800_000_000);
const DAY: u64 = 86_400;

/// A mirror that is listening, and the keys of the repository.
pub(crate) struct Mirror {
    pub(crate) repository: Repository,
    served: Arc<Mutex<Served>>,
    server: Running,
}

#[derive(Default)]
struct Served {
    files: BTreeMap<String, Vec<u8>>,
    down: bool,
    hangs: bool,
    asked: Vec<(String, HeaderMap)>,
}

/// A repository as its owner has it.
pub(crate) struct Repository {
    root_key: Ed25519KeyPair,
    /// Signs everything below the root.
    pub(crate) key: Ed25519KeyPair,
    pub(crate) root_version: u64,
    pub(crate) version: u64,
    /// When timestamp, snapshot, targets and root expire.
    pub(crate) expires: [u64; 4],
    pub(crate) threshold: usize,
    pub(crate) trusted_root: String,
}

impl Mirror {
    pub(crate) async fn start(trusted_root: &str) -> Self {
        let state = Arc::new(Mutex::new(Served::default()));
        let shared = state.clone();
        let started = serve(move |request: http::Request<hyper::body::Incoming>| {
            let path = request.uri().path().trim_start_matches("/repo/").to_string();
            let mut served = shared.lock().expect("not poisoned");
            served.asked.push((path.clone(), request.headers().clone()));
            let answer = match served.files.get(&path) {
                _ if served.down => (StatusCode::SERVICE_UNAVAILABLE, Bytes::new()),
                Some(bytes) => (StatusCode::OK, bytes.clone().into()),
                None => (StatusCode::NOT_FOUND, Bytes::new()),
            };
            let mut response = Response::new(Full::new(answer.1));
            *response.status_mut() = answer.0;
            let hangs = served.hangs;
            async move {
                if hangs {
                    std::future::pending::<()>().await;
                }
                response
            }
        });
        let server = started.await.expect("a port");
        let mirror = Self { repository: Repository::new(trusted_root), served: state, server };
        mirror.publish();
        mirror
    }

    /// Serves what the repository is now.
    pub(crate) fn publish(&self) {
        let new = self.repository.files();
        self.served.lock().expect("not poisoned").files.extend(new);
    }

    /// A new version of everything but the root, with this content.
    pub(crate) fn release(&mut self, trusted_root: &str) {
        self.repository.version += 1;
        self.repository.trusted_root = trusted_root.into();
        self.publish();
    }

    pub(crate) fn down(&self, down: bool) {
        self.served.lock().expect("not poisoned").down = down;
    }

    /// Takes requests from now on and answers none.
    pub(crate) fn hang(&self) {
        self.served.lock().expect("not poisoned").hangs = true;
    }

    pub(crate) fn put(&self, path: &str, bytes: impl Into<Vec<u8>>) {
        self.served.lock().expect("not poisoned").files.insert(path.into(), bytes.into());
    }

    pub(crate) fn remove(&self, path: &str) {
        self.served.lock().expect("not poisoned").files.remove(path).expect("it was there");
    }

    pub(crate) fn get(&self, path: &str) -> Vec<u8> {
        self.served.lock().expect("not poisoned").files[path].clone()
    }

    pub(crate) fn asked(&self) -> Vec<(String, HeaderMap)> {
        self.served.lock().expect("not poisoned").asked.clone()
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}/repo", self.server.address())
    }

    /// As a policy names it.
    pub(crate) fn source(&self) -> TufSource {
        TufSource { mirror: Some(self.url().parse().expect("a URL")), root: Some(self.get("1.root.json")) }
    }
}

impl Repository {
    fn new(trusted_root: &str) -> Self {
        let key = || Ed25519KeyPair::generate().expect("a key");
        Self {
            root_key: key(),
            key: key(),
            root_version: 1,
            version: 1,
            expires: [1, 7, 90, 365].map(|days| NOW.0 + days * DAY),
            threshold: 1,
            trusted_root: trusted_root.into(),
        }
    }

    /// A new root, which names another key for all that stands below it.
    pub(crate) fn rotate(&mut self) {
        self.root_version += 1;
        self.key = Ed25519KeyPair::generate().expect("a key");
    }

    pub(crate) fn signed(signed: &Value, keys: &[&Ed25519KeyPair]) -> Vec<u8> {
        let message = to_canonical_bytes(signed).expect("canonical");
        let signature = |key: &&Ed25519KeyPair| json!({ "keyid": id(key), "sig": hex(key.sign(&message).as_ref()) });
        let signatures: Vec<_> = keys.iter().map(signature).collect();
        json!({ "signed": signed, "signatures": signatures }).to_string().into_bytes()
    }

    pub(crate) fn timestamp(&self) -> Value {
        let snapshot = Self::signed(&self.snapshot(), &[&self.key]);
        self.role("timestamp", 0, "meta", &json!({ "snapshot.json": self.pinned(&snapshot) }))
    }

    fn snapshot(&self) -> Value {
        let targets = Self::signed(&self.targets(), &[&self.key]);
        self.role("snapshot", 1, "meta", &json!({ "targets.json": self.pinned(&targets) }))
    }

    fn targets(&self) -> Value {
        let (length, digest) = (self.trusted_root.len(), Digest::of(self.trusted_root.as_bytes()));
        let target = json!({ "length": length, "hashes": { "sha256": digest.hex() } });
        self.role("targets", 2, "targets", &json!({ "trusted_root.json": target }))
    }

    fn root(&self) -> Value {
        let role = |key: &Ed25519KeyPair| json!({ "keyids": [id(key)], "threshold": 1 });
        let below = json!({ "keyids": [id(&self.key)], "threshold": self.threshold });
        let entry = |key: &Ed25519KeyPair| json!({ "keytype": "ed25519", "scheme": "ed25519", "keyval": { "public": hex(key.public_key().as_ref()) } });
        json!({
            "_type": "root", "spec_version": "1.0.31", "version": self.root_version, "consistent_snapshot": true,
            "expires": instant(self.expires[3]),
            "keys": { id(&self.root_key): entry(&self.root_key), id(&self.key): entry(&self.key) },
            "roles": { "root": role(&self.root_key), "timestamp": below, "snapshot": below, "targets": below },
        })
    }

    fn role(&self, kind: &str, expires: usize, key: &str, content: &Value) -> Value {
        let expires = instant(self.expires[expires]);
        json!({ "_type": kind, "spec_version": "1.0.31", "version": self.version, "expires": expires, key: content })
    }

    fn pinned(&self, bytes: &[u8]) -> Value {
        json!({ "version": self.version, "length": bytes.len(), "hashes": { "sha256": Digest::of(bytes).hex() } })
    }

    fn files(&self) -> BTreeMap<String, Vec<u8>> {
        let version = self.version;
        let target = format!("targets/{}.trusted_root.json", Digest::of(self.trusted_root.as_bytes()).hex());
        BTreeMap::from([
            (format!("{}.root.json", self.root_version), Self::signed(&self.root(), &[&self.root_key])),
            ("timestamp.json".into(), Self::signed(&self.timestamp(), &[&self.key])),
            (format!("{version}.snapshot.json"), Self::signed(&self.snapshot(), &[&self.key])),
            (format!("{version}.targets.json"), Self::signed(&self.targets(), &[&self.key])),
            (target, self.trusted_root.clone().into_bytes()),
        ])
    }
}

fn id(key: &Ed25519KeyPair) -> String {
    Digest::of(key.public_key().as_ref()).hex()
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn instant(seconds: u64) -> String {
    let seconds = i64::try_from(seconds).expect("an instant of this age");
    jiff::Timestamp::from_second(seconds).expect("an instant").to_string()
}
