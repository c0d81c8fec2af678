//! A registry that records what it is asked and misbehaves as a test tells it.
//!
//! It answers as the demo's registry does, except where a [`Fault`] stands in the way. Several faults on one request
//! all apply, in the order in which they were set.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use countersign::demo::registry::{Options, Registry};
use countersign::demo::server::{self, Running};
use http::{HeaderMap, Method, Request, Response};
use tokio::sync::watch;

pub(crate) mod flow;

mod spoil;

use flow::Flow;
use spoil::{Body, spoil, whole};

/// A registry double that listens until it is dropped.
pub(crate) struct Double {
    state: Arc<State>,
    running: Running,
}

/// One request that came.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    pub(crate) method: Method,
    /// With its query.
    pub(crate) path: String,
    pub(crate) headers: HeaderMap,
}

/// What a request asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// `GET` or `HEAD` of a blob.
    Blob,
    /// `GET` of a manifest.
    Manifest,
    /// Anything else, `/v2/` among it.
    Other,
    Referrers,
    /// `HEAD` of a manifest.
    Resolve,
    Tags,
}

/// How an answer goes wrong.
#[derive(Clone)]
pub(crate) enum Fault {
    /// Something happens before the request is answered: a tag moves, an image is signed.
    Before(Arc<dyn Fn(&Registry) + Send + Sync>),
    /// Other bytes, under the headers of the good answer but for the length.
    Body(Bytes),
    /// So many bytes without a length before them; `u64::MAX` never ends.
    Endless(u64),
    /// This, and its length, in the place of the answer.
    Flow(Flow),
    /// The answer waits until the gate opens.
    Gate(Gate),
    /// A header is set or replaced: a lying digest, a type, a redirect's target.
    Header(&'static str, String),
    /// A header is missing.
    NoHeader(&'static str),
    /// The connection breaks after so many bytes of the body.
    Reset(usize),
    /// Nothing more comes after so many bytes of the body.
    Stall(usize),
    /// This status and an OCI error in place of the answer; a `Header` after it adds to it.
    Status(u16),
}

/// Holds answers back until a test opens it, once and for all.
#[derive(Clone)]
pub(crate) struct Gate(watch::Sender<bool>);

struct State {
    registry: Registry,
    seen: Mutex<Vec<Seen>>,
    rules: Mutex<Vec<Rule>>,
    arrivals: watch::Sender<usize>,
}

struct Rule {
    method: Method,
    prefix: String,
    fault: Fault,
    times: usize,
}

impl Double {
    /// Starts an empty one.
    pub(crate) async fn start(options: Options) -> Self {
        let registry = Registry::new(options);
        let state = Arc::new(State {
            registry,
            seen: Mutex::default(),
            rules: Mutex::default(),
            arrivals: watch::Sender::new(0),
        });
        let shared = state.clone();
        let handler = move |request: Request<_>| {
            let (state, (parts, _)) = (shared.clone(), request.into_parts());
            async move { state.answer(&parts).await }
        };
        Self { state, running: server::serve(handler).await.expect("a free port") }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.running.address()
    }

    /// Its content, to be filled and changed.
    pub(crate) fn registry(&self) -> &Registry {
        &self.state.registry
    }

    /// Lets every `method` request whose path begins with `prefix` go wrong, until [`Double::heal`].
    pub(crate) fn fault(&self, method: Method, prefix: &str, fault: Fault) {
        self.fault_times(usize::MAX, method, prefix, fault);
    }

    /// [`Double::fault`] for the next `times` such requests only.
    pub(crate) fn fault_times(&self, times: usize, method: Method, prefix: &str, fault: Fault) {
        lock(&self.state.rules).push(Rule { method, prefix: prefix.into(), fault, times });
    }

    /// Takes every fault away.
    pub(crate) fn heal(&self) {
        lock(&self.state.rules).clear();
    }

    /// Everything that was asked, in the order in which it came.
    pub(crate) fn seen(&self) -> Vec<Seen> {
        lock(&self.state.seen).clone()
    }

    /// Forgets what was asked.
    pub(crate) fn forget(&self) {
        lock(&self.state.seen).clear();
    }

    /// How many requests of this kind came.
    pub(crate) fn count(&self, kind: Kind) -> usize {
        lock(&self.state.seen).iter().filter(|seen| seen.kind() == kind).count()
    }

    /// How many `method` requests came whose path begins with `prefix`.
    pub(crate) fn count_of(&self, method: &Method, prefix: &str) -> usize {
        lock(&self.state.seen).iter().filter(|seen| seen.method == *method && seen.path.starts_with(prefix)).count()
    }

    /// Waits until `count` requests of this kind came; panics after ten seconds.
    pub(crate) async fn arrived(&self, kind: Kind, count: usize) {
        let mut arrivals = self.state.arrivals.subscribe();
        let enough = arrivals.wait_for(|_| self.count(kind) >= count);
        let waited = tokio::time::timeout(Duration::from_secs(10), enough).await.is_ok();
        assert!(waited, "{} of {count} requests {kind:?} came", self.count(kind));
    }
}

impl Seen {
    pub(crate) fn kind(&self) -> Kind {
        let path = self.path.split('?').next().unwrap_or_default();
        let mut parts = path.rsplit('/').skip(1);
        match (parts.next(), self.method == Method::HEAD) {
            (Some("manifests"), true) => Kind::Resolve,
            (Some("manifests"), false) => Kind::Manifest,
            (Some("blobs"), _) => Kind::Blob,
            (Some("referrers"), _) => Kind::Referrers,
            (Some("tags"), _) => Kind::Tags,
            _ => Kind::Other,
        }
    }
}

impl Fault {
    /// [`Fault::Before`], without its wrapping.
    pub(crate) fn before(act: impl Fn(&Registry) + Send + Sync + 'static) -> Self {
        Self::Before(Arc::new(act))
    }
}

impl Gate {
    /// A closed one.
    pub(crate) fn closed() -> Self {
        Self(watch::Sender::new(false))
    }

    /// Lets pass who waits and who comes later.
    pub(crate) fn open(&self) {
        self.0.send_replace(true);
    }

    async fn pass(&self) {
        // The sender is in `self`, so waiting cannot fail.
        let _ = self.0.subscribe().wait_for(|open| *open).await;
    }
}

impl State {
    async fn answer(&self, request: &http::request::Parts) -> Response<Body> {
        let path = request.uri.path_and_query().map_or("", |path| path.as_str()).to_string();
        let faults = self.faults(&request.method, &path);
        lock(&self.seen).push(Seen { method: request.method.clone(), path, headers: request.headers.clone() });
        self.arrivals.send_modify(|count| *count += 1);
        for fault in &faults {
            match fault {
                Fault::Before(act) => act(&self.registry),
                Fault::Gate(gate) => gate.pass().await,
                _ => {}
            }
        }
        let mut answer = self.registry.handle(&request.method, &request.uri, &request.headers).map(whole);
        for fault in faults {
            answer = spoil(answer, fault).await;
        }
        answer
    }

    /// The faults of this request; each is used up by one.
    fn faults(&self, method: &Method, path: &str) -> Vec<Fault> {
        let mut rules = lock(&self.rules);
        let matching = rules.iter_mut().filter(|rule| rule.method == method && path.starts_with(&rule.prefix));
        let faults = matching.map(|rule| {
            rule.times = rule.times.saturating_sub(1);
            rule.fault.clone()
        });
        let faults = faults.collect();
        rules.retain(|rule| rule.times > 0);
        faults
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
