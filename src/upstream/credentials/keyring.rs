//! The credentials in use for one registry, and how they are renewed: from a file that has changed, from a helper that is
//! asked again.
//!
//! One renewal at a time, and it goes on if whoever waited for it has gone. What goes wrong leaves the credentials as they
//! are, and is told once.

use std::sync::Arc;
use std::time::Instant;

use arc_swap::ArcSwap;
use tokio::sync::Mutex;
use tokio::time::timeout;

use super::source::{Bounds, Plan, Source};
use super::{Credentials, CredentialsError};
use crate::oci::{Digest, Registry};
use crate::telemetry::CredentialMetrics;
use crate::upstream::UpstreamError;
use crate::upstream::auth::session::Session;

/// Credentials for one registry.
#[derive(Debug)]
pub(in crate::upstream) struct Keyring {
    source: Source,
    metrics: CredentialMetrics,
    state: ArcSwap<State>,
    renewing: Mutex<()>,
}

/// What is known now.
#[derive(Debug, Clone)]
struct State {
    /// The session to use; none before a helper has answered for the first time.
    session: Option<Arc<Session>>,
    /// What the file held when it was read last; nothing if it could not be read.
    content: Option<Digest>,
    /// When it was looked at last.
    looked: Option<Instant>,
    /// Whether helpers know more than the file.
    helpers: bool,
    /// When they were asked last.
    asked: Option<Instant>,
    /// Why the last renewal failed.
    failure: Option<Failure>,
}

/// A failure for the log, and for those who may not know what the proxy's files are called.
#[derive(Debug, Clone)]
struct Failure {
    told: String,
    summary: String,
}

/// Why credentials are renewed: their time has come, or the registry rejects them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Why {
    Due,
    Rejected,
}

impl Keyring {
    /// Reads what can be read at once; helpers are asked when somebody needs them.
    pub(in crate::upstream) fn new(
        credentials: Credentials,
        names: Vec<Registry>,
        bounds: Bounds,
        metrics: CredentialMetrics,
    ) -> Result<Self, CredentialsError> {
        let source = Source { credentials, names, bounds };
        let content = source.read()?;
        let Plan { ask, login } = source.plan(content.as_deref())?;
        let helpers = !ask.is_empty();
        let session = login.filter(|_| !helpers).map(|login| Arc::new(Session::new(login)));
        let looked = (!helpers).then(Instant::now);
        let content = content.map(|content| Digest::of(&content));
        let state = State { session, content, looked, helpers, asked: None, failure: None };
        Ok(Self { source, metrics, state: ArcSwap::from_pointee(state), renewing: Mutex::default() })
    }

    /// The session to use now.
    pub(in crate::upstream) async fn session(self: &Arc<Self>) -> Result<Arc<Session>, UpstreamError> {
        let mut state = self.state.load_full();
        if self.source.can_change() && state.looked.is_none_or(|at| at.elapsed() >= self.source.bounds.look) {
            let renewed = self.renewed(Why::Due);
            // What works goes on working while a helper thinks.
            let renewed = match &state.session {
                None => Some(renewed.await),
                Some(_) => timeout(self.source.bounds.patience, renewed).await.ok(),
            };
            state = renewed.unwrap_or(state);
        }
        state.session.clone().ok_or_else(|| {
            let why = state.failure.as_ref().map_or("no helper has given them yet", |failure| &failure.summary);
            UpstreamError::CredentialsUnavailable { why: why.to_string() }
        })
    }

    /// The session to use in the place of one that the registry rejects, if there is another.
    pub(in crate::upstream) async fn replaced(self: &Arc<Self>, rejected: &Arc<Session>) -> Option<Arc<Session>> {
        let another = |state: Arc<State>| state.session.clone().filter(|session| !Arc::ptr_eq(session, rejected));
        match another(self.state.load_full()) {
            None if self.source.can_change() => another(self.renewed(Why::Rejected).await),
            found => found,
        }
    }

    async fn renewed(self: &Arc<Self>, why: Why) -> Arc<State> {
        let (keyring, since) = (Arc::clone(self), Instant::now());
        let renewal = tokio::spawn(async move { keyring.renew(why, since).await });
        renewal.await.unwrap_or_else(|_| self.state.load_full())
    }

    /// Looks at the file, unless somebody has `since`; asks helpers if that is called for.
    async fn renew(&self, why: Why, since: Instant) -> Arc<State> {
        let _one_by_one = self.renewing.lock().await;
        let state = self.state.load_full();
        if state.looked.is_some_and(|at| at >= since) {
            return state;
        }
        let looked = Some(Instant::now());
        let content = self.source.read_aside().await;
        let digest = content.as_ref().ok().and_then(|content| content.as_deref().map(Digest::of));
        if digest.is_some() && digest == state.content && !self.asks(&state, why) {
            self.state.store(Arc::new(State { looked, ..State::clone(&state) }));
            return self.state.load_full();
        }
        let plan = content.and_then(|content| self.source.plan(content.as_deref()));
        let helpers = plan.as_ref().is_ok_and(|plan| !plan.ask.is_empty());
        let login = match plan {
            Ok(plan) => self.source.carry_out(plan).await,
            Err(error) => Err(error),
        };
        let asked = helpers.then(Instant::now);
        let mut next = State { session: state.session.clone(), content: digest, looked, helpers, asked, failure: None };
        match login {
            Ok(login) => {
                if state.session.as_ref().is_none_or(|session| *session.login() != login) {
                    next.session = Some(Arc::new(Session::new(login)));
                    tracing::info!(registry = self.source.registry(), "the registry's credentials are new");
                }
            }
            Err(error) => next.failure = Some(self.tell(&error, &state)),
        }
        self.metrics.reloaded(next.failure.is_some(), state.failure.is_some());
        self.state.store(Arc::new(next));
        self.state.load_full()
    }

    /// Whether helpers are to be asked though the file is the same.
    fn asks(&self, state: &State, why: Why) -> bool {
        let bounds = &self.source.bounds;
        let soon = why == Why::Rejected || state.failure.is_some();
        let after = if soon { bounds.ask_again } else { bounds.remember };
        state.helpers && state.asked.is_none_or(|at| at.elapsed() >= after)
    }

    fn tell(&self, error: &CredentialsError, state: &State) -> Failure {
        let failure = Failure { told: error.to_string(), summary: error.summary() };
        if state.failure.as_ref().is_none_or(|before| before.told != failure.told) {
            let stay = if state.session.is_some() { "the former stay in use" } else { "there are none" };
            let registry = self.source.registry();
            tracing::warn!(registry, %error, "the registry's credentials cannot be renewed; {stay}");
        }
        failure
    }
}

#[cfg(test)]
mod tests;
