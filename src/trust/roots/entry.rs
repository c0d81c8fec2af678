//! One trusted root: where it comes from, what was last read of it, and when it is looked at again.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use crate::clock::Timestamp;
use crate::policy::{Name, Policies, TrustSource};
use crate::reason::Reason;
use crate::trust::tuf::{Repository, TufError, Vouched};
use crate::trust::{Root, Unusable, Upkeep, demands, file};

/// One trusted root. Its content changes in place, so that all who hold it see the same.
#[derive(Debug)]
pub(super) struct Entry {
    source: TrustSource,
    repository: Option<Repository>,
    max_stale: Duration,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    /// Nothing, if all that there is has expired.
    root: Option<Arc<Root>>,
    expires: Option<Timestamp>,
    refreshed: Timestamp,
    due: Instant,
    /// The last complaint, so that it is not repeated every few seconds.
    failed: Option<String>,
}

impl Entry {
    /// Reads the file, or takes what is there of the repository.
    pub(super) async fn load(
        name: &Name,
        source: &TrustSource,
        known: Option<&Arc<Self>>,
        upkeep: &Upkeep,
    ) -> Result<Arc<Self>, String> {
        let now = upkeep.clock.now();
        let entry = |repository, root, expires, refreshed| Self {
            source: source.clone(),
            repository,
            max_stale: upkeep.settings.max_stale,
            state: Mutex::new(State { root, expires, refreshed, due: Instant::now(), failed: None }),
        };
        let tuf = match (source, known) {
            (TrustSource::File(path), _) => {
                return file::read(path).map(|root| Arc::new(entry(None, Some(Arc::new(root)), None, now)));
            }
            (TrustSource::Tuf(_), Some(known)) => return Ok(known.clone()),
            (TrustSource::Tuf(tuf), None) => tuf,
        };
        let repository = Repository::new(tuf, &upkeep.settings);
        let mut expired = false;
        match repository.kept(now).await {
            Ok(Some(Vouched { root, expires, refreshed })) => {
                return Ok(Arc::new(entry(Some(repository), Some(root), Some(expires), refreshed)));
            }
            Ok(None) => {}
            Err(error) => {
                tracing::warn!(trust.root = %name, %error, "what was kept of the TUF repository is no good now");
                expired = error.expired;
            }
        }
        match repository.refresh(now).await {
            Ok(Vouched { root, expires, refreshed }) => {
                let entry = entry(Some(repository), Some(root), Some(expires), refreshed);
                entry.state().due = Instant::now() + upkeep.settings.refresh;
                Ok(Arc::new(entry))
            }
            // It has been good: until the repository answers, what needs it is a 503, and all else goes on.
            Err(error) if expired => {
                let why = unreachable(&repository, &error);
                let entry = entry(Some(repository), None, None, Timestamp(0));
                entry.state().complain(name, why);
                Ok(Arc::new(entry))
            }
            Err(error) => Err(format!("{}; {}", unreachable(&repository, &error), repository.way_out())),
        }
    }

    /// Where it comes from.
    pub(super) fn source(&self) -> &TrustSource {
        &self.source
    }

    /// Its content, however old.
    pub(super) fn root(&self) -> Option<Arc<Root>> {
        self.state().root.clone()
    }

    /// Its content, if it may decide.
    pub(super) fn usable(&self, name: &Name, now: Timestamp) -> Result<Arc<Root>, Unusable> {
        let state = self.state();
        let ended = state.expires.is_some_and(|end| end.plus(self.max_stale) < now);
        match &state.root {
            Some(root) if !ended => Ok(root.clone()),
            _ => Err(Unusable {
                reason: Reason::TrustRootExpired,
                detail: format!(
                    "the trust root `{name}` has expired and could not be refreshed{}",
                    state.failed.as_ref().map(|why| format!(": {why}")).unwrap_or_default()
                ),
            }),
        }
    }

    /// Whether it is to be looked at again.
    pub(super) fn due(&self) -> bool {
        self.state().due <= Instant::now()
    }

    /// When it was last confirmed, and when its metadata expires if it has some.
    pub(super) fn times(&self) -> (Timestamp, Option<Timestamp>) {
        let state = self.state();
        (state.refreshed, state.expires)
    }

    /// Looks again; takes what is new if it has what `policies` demand of it.
    pub(super) async fn renew(&self, name: &Name, policies: &Policies, upkeep: &Upkeep) {
        let now = upkeep.clock.now();
        let found = match (&self.source, &self.repository) {
            (TrustSource::File(path), _) => from_file(path.clone()).await,
            (TrustSource::Tuf(_), Some(repository)) => {
                let asked = repository.refresh(now).await;
                asked.map(|one| (one.root, Some(one.expires))).map_err(|error| unreachable(repository, &error))
            }
            (TrustSource::Tuf(_), None) => Err("it has no repository".into()),
        };
        let found = found.and_then(|(root, expires)| match demands::unmet(policies, name, &root).into_iter().next() {
            None => Ok((root, expires)),
            Some(why) => Err(why),
        });
        let tuf = self.repository.is_some();
        upkeep.metrics.last_failed(name.as_str(), found.is_err());
        if tuf {
            upkeep.metrics.refreshed(name.as_str(), found.is_ok());
        }
        let mut state = self.state();
        let again = if found.is_ok() { upkeep.settings.refresh } else { upkeep.settings.refresh.min(RETRY) };
        state.due = if tuf { Instant::now() + again } else { Instant::now() };
        match found {
            Ok((root, expires)) => state.take(name, root, expires, now),
            Err(why) => state.complain(name, why),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Fields are only ever set together, at the end.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn take(&mut self, name: &Name, root: Arc<Root>, expires: Option<Timestamp>, now: Timestamp) {
        let same = self.root.as_ref().is_some_and(|old| old.digest() == root.digest());
        if !same {
            tracing::info!(trust.root = %name, trust.digest = %root.digest(), "the trusted root has changed");
            self.root = Some(root);
        } else if self.failed.is_some() {
            tracing::info!(trust.root = %name, "the trusted root can be read again");
        }
        (self.expires, self.refreshed, self.failed) = (expires, now, None);
    }

    fn complain(&mut self, name: &Name, why: String) {
        if self.failed.as_ref() != Some(&why) {
            tracing::error!(trust.root = %name, why, "the trusted root cannot be read anew; the last good one stays");
        }
        self.failed = Some(why);
    }
}

async fn from_file(path: PathBuf) -> Result<(Arc<Root>, Option<Timestamp>), String> {
    let read = tokio::task::spawn_blocking(move || file::read(&path));
    let root = read.await.map_err(|_| "reading it did not finish".to_string())?;
    root.map(|root| (Arc::new(root), None))
}

fn unreachable(repository: &Repository, error: &TufError) -> String {
    format!("the TUF repository {}: {error}", repository.url())
}

/// How soon a repository is asked again that could not be read.
const RETRY: Duration = Duration::from_mins(1);
