//! Answers that are ready: a manifest that was pulled a moment ago, as by one node after another in a rollout, is
//! answered again without the steps of a pull, as long as these would come to the same.
//!
//! Each request has one place, by a hash that nobody outside can foresee; who comes later takes it. So looking takes
//! no lock, nothing has to be cleared away, and what is held is bounded.

use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;

use arc_swap::{ArcSwapOption, Guard};
use http::header::HOST;
use http::{HeaderMap, Method, Request, Uri};

use crate::pull::Standing;
use crate::respond::Prepared;
use crate::telemetry::Facts;

/// The answers, by request.
pub struct Ready {
    hasher: RandomState,
    places: Box<[ArcSwapOption<Answered>]>,
}

/// One of them. Of a request nothing counts but the method, the target and `Host`: see [`crate::route`]. What is held of
/// it is a copy: what hyper gives out is a part of all that it has read.
pub(super) struct Answered {
    target: Box<str>,
    host: Box<[u8]>,
    pub(super) standing: Standing,
    pub(super) prepared: Prepared,
    /// What is noted of it each time.
    pub(super) facts: Arc<Facts>,
}

impl Ready {
    /// Has `answer` made of what was answered to the same request, whether that may still be given or not.
    pub(super) fn find<B, T>(&self, request: &Request<B>, answer: impl FnOnce(&Answered) -> Option<T>) -> Option<T> {
        if request.method() != Method::GET && request.method() != Method::HEAD {
            return None;
        }
        let (target, host) = asked(request.uri(), request.headers())?;
        let held: Guard<Option<Arc<Answered>>> = self.place(target, host).load();
        let same = held.as_ref().filter(|held| *held.target == *target && *held.host == *host);
        answer(same?)
    }

    /// Holds an answer that has just been given, if it is not too large.
    pub(super) fn keep(&self, uri: &Uri, headers: &HeaderMap, answer: (Prepared, Standing), facts: Arc<Facts>) {
        let (prepared, standing) = answer;
        let size = prepared.admitted().content().bytes().len();
        if let Some((target, host)) = asked(uri, headers).filter(|_| size <= LARGEST) {
            let answered = Answered { target: target.into(), host: host.into(), standing, prepared, facts };
            self.place(target, host).store(Some(Arc::new(answered)));
        }
    }

    fn place(&self, target: &str, host: &[u8]) -> &ArcSwapOption<Answered> {
        let hash = self.hasher.hash_one((target, host));
        // There is one for each remainder.
        &self.places[usize::try_from(hash % PLACES as u64).unwrap_or_default()]
    }
}

/// What a request says of what it asks for; none if it may be read in two ways, or says more than clients do.
fn asked<'r>(uri: &'r Uri, headers: &'r HeaderMap) -> Option<(&'r str, &'r [u8])> {
    // With a scheme or an authority it would be another request.
    let target = uri.path_and_query().filter(|_| uri.scheme().is_none() && uri.authority().is_none())?;
    // Else whoever may pull something could ask for it in any number of ways, and have others' answers forgotten.
    let usual = target.query().is_none_or(|query| query.starts_with("ns=") && !query.contains('&'));
    let mut hosts = headers.get_all(HOST).iter();
    let (host, second) = (hosts.next()?, hosts.next());
    let short = target.as_str().len() + host.len() <= LONGEST;
    (usual && second.is_none() && short).then(|| (target.as_str(), host.as_bytes()))
}

impl Default for Ready {
    fn default() -> Self {
        let places = std::iter::repeat_with(ArcSwapOption::empty).take(PLACES).collect();
        Self { hasher: RandomState::new(), places }
    }
}

impl std::fmt::Debug for Ready {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Ready")
    }
}

/// How many there are at most: a thousand images, by tag and by digest, as an index and as what it lists.
const PLACES: usize = 4096;

/// Bytes of a target and a host: a name may have 255 and a digest 71.
const LONGEST: usize = 1 << 10;

/// Bytes of a manifest that is held here.
const LARGEST: usize = 8 << 10;
