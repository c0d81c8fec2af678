//! One connection to the shared store, kept up in the background, and the breaker before it.
//!
//! No operation ever waits for a connection: while there is none it ends at once. What an operation finds out about the
//! connection (no answer in time, an answer that only another server would give) counts for all.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use arc_swap::ArcSwap;
use redis::aio::MultiplexedConnection;
use redis::{Pipeline, ServerErrorKind, Value};
use tokio::sync::{Notify, watch};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, timeout};

use super::dial::{Dialled, dial, refusal, takes_nothing};
use super::lasting::Lasting;
use super::settings::Settings;
use crate::store::StoreDown;
use crate::telemetry::StoreMetrics;

/// The connection; it is given up when this is dropped.
#[derive(Debug)]
pub(super) struct Link {
    shared: Arc<Shared>,
    keeper: JoinHandle<()>,
}

struct Shared {
    settings: Settings,
    /// Bytes that a reply may have.
    most: usize,
    state: ArcSwap<State>,
    /// A connection was tried once.
    tried: watch::Sender<bool>,
    /// The connection is of no use any more.
    broken: Notify,
    /// Where it is shown how the store stands, if this connection is to tell.
    metrics: Option<Arc<StoreMetrics>>,
    lasting: Lasting,
}

enum State {
    /// None was tried yet.
    New,
    /// Beside the connection: why reading from it came to a bad end, once it has.
    Up(MultiplexedConnection, Arc<OnceLock<String>>),
    Down(String),
}

impl Link {
    /// Begins to keep a connection on which a reply may have `most` bytes.
    pub(super) fn start(settings: Settings, most: usize, metrics: Option<Arc<StoreMetrics>>) -> Self {
        let state = ArcSwap::from_pointee(State::New);
        let shared = Arc::new(Shared {
            settings,
            most,
            state,
            tried: watch::Sender::new(false),
            broken: Notify::new(),
            metrics,
            lasting: Lasting::new(),
        });
        let keeper = tokio::spawn(keep(shared.clone()));
        Self { shared, keeper }
    }

    /// The replies to `commands`, one each, sent together. A reply may be an error that concerns its command only.
    pub(super) async fn ask(&self, commands: &Pipeline) -> Result<Vec<Value>, StoreDown> {
        self.shared.ask(commands).await
    }

    /// When the server may last have forgotten what it had taken.
    pub(super) fn forgot(&self) -> Option<Instant> {
        self.shared.lasting.forgot()
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        self.keeper.abort();
    }
}

impl Shared {
    async fn ask(&self, commands: &Pipeline) -> Result<Vec<Value>, StoreDown> {
        let state = self.known().await;
        let (mut connection, broke) = match &*state {
            State::New => return Err(StoreDown(NOT_YET.into())),
            State::Up(connection, broke) => (connection.clone(), broke),
            State::Down(why) => return Err(StoreDown(why.clone())),
        };
        let replies = connection.send_packed_commands(commands, 0, commands.len());
        let why = match timeout(self.settings.timeout, replies).await {
            Ok(Ok(replies)) => match replies.iter().find_map(unfit) {
                None => return Ok(replies),
                Some(why) => why,
            },
            Ok(Err(error)) => broke.get().cloned().unwrap_or_else(|| error.to_string()),
            Err(_) => format!("no answer within {:?}", self.settings.timeout),
        };
        self.fail(&state, &why);
        Err(StoreDown(why))
    }

    /// How the connection stands; a first one is waited for once, as long as an operation may take.
    async fn known(&self) -> Arc<State> {
        let state = self.state.load_full();
        if !matches!(&*state, State::New) {
            return state;
        }
        if timeout(self.settings.timeout, self.tried.subscribe().wait_for(|tried| *tried)).await.is_err() {
            self.state.compare_and_swap(&state, Arc::new(State::Down(NOT_YET.into())));
        }
        self.state.load_full()
    }

    /// Ends `state`, if it is still the one that holds.
    fn fail(&self, state: &Arc<State>, why: &str) {
        let before = self.state.compare_and_swap(state, Arc::new(State::Down(why.to_string())));
        if Arc::ptr_eq(&before, state) {
            self.broken.notify_one();
        }
    }

    /// Returns when the connection is of no use any more, and says why. It is tried now and then, so that no pull has to
    /// find out.
    async fn last(&self, state: &Arc<State>, driver: impl Future<Output = ()>, broke: &OnceLock<String>) -> String {
        let probes = async {
            loop {
                self.probe().await;
                sleep(PROBE).await;
            }
        };
        let broken = async {
            while matches!(&**self.state.load(), State::Up(..)) {
                self.broken.notified().await;
            }
        };
        tokio::select! {
            () = driver => self.fail(state, broke.get().map_or("the connection was closed", String::as_str)),
            () = broken => {}
            () = probes => {}
        }
        match &**self.state.load() {
            State::Down(why) => why.clone(),
            State::New | State::Up(..) => String::new(),
        }
    }

    /// Writes something that nobody reads, and shows how that went.
    async fn probe(&self) {
        let trouble = match self.ask(&self.lasting.probe()).await {
            Ok(replies) => self.lasting.learn(&replies).iter().find_map(refusal).map(|why| takes_nothing(&why)),
            Err(StoreDown(why)) => Some(why),
        };
        if let Some(metrics) = &self.metrics {
            metrics.standing(true, trouble.as_deref());
        }
    }
}

impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.settings.fmt(f)
    }
}

/// Dials again and again, with rests in between that grow while no connection lasts.
async fn keep(shared: Arc<Shared>) {
    let mut rest = SHORTEST_REST;
    loop {
        let since = Instant::now();
        let why = match dial(&shared.settings, shared.most).await {
            Ok(Dialled { connection, driver, broke }) => {
                let state = Arc::new(State::Up(connection, broke.clone()));
                shared.lasting.begins();
                shared.state.store(state.clone());
                shared.tried.send_replace(true);
                shared.last(&state, driver, &broke).await
            }
            Err(why) => {
                shared.state.store(Arc::new(State::Down(why.clone())));
                shared.tried.send_replace(true);
                why
            }
        };
        if let Some(metrics) = &shared.metrics {
            metrics.standing(true, Some(&why));
        }
        if since.elapsed() >= STEADY {
            rest = SHORTEST_REST;
        }
        sleep(rest).await;
        rest = (rest * 2).min(LONGEST_REST);
    }
}

/// What `reply` says of the server itself, where it is not one that can be used.
fn unfit(reply: &Value) -> Option<String> {
    let Value::ServerError(error) = reply else { return None };
    let what = match error.kind() {
        Some(ServerErrorKind::ReadOnly) => "it is a replica",
        Some(ServerErrorKind::BusyLoading | ServerErrorKind::MasterDown) => "it is not ready",
        Some(
            ServerErrorKind::Ask
            | ServerErrorKind::ClusterDown
            | ServerErrorKind::CrossSlot
            | ServerErrorKind::Moved
            | ServerErrorKind::TryAgain,
        ) => "it is a Redis Cluster, which cannot be the store",
        _ if error.code() == "NOAUTH" => "it does not know the proxy any more",
        _ => return None,
    };
    Some(format!("{what}: {}", refusal(reply).unwrap_or_default()))
}

const NOT_YET: &str = "no connection has been made yet";
/// Between a failure and the next try; it doubles while no connection lasts.
const SHORTEST_REST: Duration = Duration::from_millis(100);
const LONGEST_REST: Duration = Duration::from_secs(5);
/// A connection that lived so long was a good one.
const STEADY: Duration = Duration::from_secs(10);
/// How often a connection that nobody uses is tried.
const PROBE: Duration = Duration::from_secs(2);
