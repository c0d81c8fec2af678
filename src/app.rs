//! The composition root: from a configuration to a running proxy. The only file that names every module.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::admin;
use crate::cache::Verdicts;
use crate::client::Clients;
use crate::clock::Clock;
use crate::config::Config;
use crate::discovery::{Backoff, InFlight};
use crate::listener;
use crate::membership::Membership;
use crate::middleware;
use crate::oci::{Digest, Registry};
use crate::policy;
use crate::proxy::Proxy;
use crate::pull::judge::Lasting;
use crate::pull::{Artifacts, Fetch, Held, Judge, Nested, PullError, Puller, Search, Witness};
use crate::route::{ManifestPull, Registries};
use crate::snapshot::Current;
use crate::telemetry::Metrics;
use crate::trust;
use crate::upstream::Upstream;
use crate::verify::Pool;
use crate::yaml::FileErrors;

mod reload;

mod store;

pub use reload::Reloader;

/// A proxy that is serving.
#[derive(Debug)]
pub struct Running {
    /// Where clients connect.
    pub address: SocketAddr,
    /// Where metrics and health are.
    pub admin: SocketAddr,
    reloader: Reloader,
    /// Keeps trusted roots and certificates up to date.
    keeper: JoinHandle<()>,
    readiness: Arc<admin::Readiness>,
    /// The pulls, then the operator's listener: it says that pulls drain until they have.
    listeners: [(watch::Sender<bool>, JoinHandle<()>); 2],
}

/// Why a proxy could not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// An address could not be listened on.
    #[error("cannot listen on {address}: {error}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// What the system said.
        error: std::io::Error,
    },
    /// The policy file is wrong.
    #[error("{0}")]
    Policy(#[from] policy::file::PolicyErrors),
    /// A trusted root could not be had.
    #[error("{0}")]
    TrustRoots(FileErrors),
    /// The system has no randomness to give.
    #[error("no randomness for the store's key")]
    Randomness,
    /// The client of an upstream could not be made.
    #[error("upstream `{registry}`: {why}")]
    Upstream {
        /// Which one.
        registry: Registry,
        /// Why.
        why: String,
    },
}

/// Starts the proxy that `config` describes.
///
/// # Errors
/// If the policy is wrong, an address is taken, or an upstream's client cannot be made.
pub async fn start(config: Config) -> Result<Running, StartError> {
    let metrics = Arc::new(Metrics::new());
    let clock = Arc::new(Clock::default());
    let reloader = reloader(&config, &clock, &metrics).await?;
    let (tcp, address) = bind(config.listen.address).await?;
    let (admin_tcp, admin_address) = bind(config.admin).await?;
    let proxy = Arc::new(proxy(&config, reloader.current(), clock, &metrics)?);
    let upstreams = proxy.puller.upstreams.clone();
    let options = listener::Options {
        max_connections: config.listen.max_connections,
        header_timeout: config.listen.header_timeout,
        drain: config.listen.drain,
    };
    let answer = tower::service_fn(move |request: http::Request<hyper::body::Incoming>| {
        let proxy = proxy.clone();
        // Boxed here, where it is made: it is large, and every layer would move it.
        Box::pin(async move { Ok(proxy.answer(&request.into_parts().0).await) })
    });
    let service = middleware::stack(answer, metrics.clone());
    let readiness = Arc::new(admin::Readiness::ready());
    let (stop, stopped) = watch::channel(false);
    let pulls = tokio::spawn(listener::serve(tcp, service, options, metrics.clone(), stopped));
    let (admin_stop, stopped) = watch::channel(false);
    let operator = tokio::spawn(admin::serve(admin_tcp, metrics.clone(), readiness.clone(), stopped));
    let kept = reloader.clone();
    let keeper = tokio::spawn(async move {
        tokio::join!(kept.keep(), join_all(upstreams.values().map(|upstream| upstream.keep())));
    });
    let listeners = [(stop, pulls), (admin_stop, operator)];
    Ok(Running { address, admin: admin_address, reloader, keeper, readiness, listeners })
}

async fn bind(address: SocketAddr) -> Result<(TcpListener, SocketAddr), StartError> {
    let listen = |error| StartError::Listen { address, error };
    let tcp = TcpListener::bind(address).await.map_err(listen)?;
    let bound = tcp.local_addr().map_err(listen)?;
    Ok((tcp, bound))
}

/// Reads everything that can change while the proxy runs.
async fn reloader(config: &Config, clock: &Arc<Clock>, metrics: &Arc<Metrics>) -> Result<Reloader, StartError> {
    let trust = trust::Upkeep { settings: config.trust.clone(), clock: clock.clone(), metrics: metrics.trust() };
    let registries = config.upstreams.iter().map(|upstream| upstream.registry.clone()).collect();
    Reloader::start(config.policy_path.clone(), config.audit, registries, metrics.clone(), trust).await
}

/// Makes what explains pulls as the proxy that `config` describes would answer them, with a memory of its own.
///
/// # Errors
/// If the policy is wrong, a trusted root cannot be had, or an upstream's client cannot be made.
pub async fn explainer(config: &Config) -> Result<Puller, StartError> {
    let (clock, metrics) = (Arc::new(Clock::default()), Arc::new(Metrics::new()));
    let current = reloader(config, &clock, &metrics).await?.current();
    puller(config, current, clock, &metrics, Some(Arc::default()))
}

/// The digest that a reference names now, as the proxy that `config` describes would ask its registry.
///
/// # Errors
/// If an upstream's client cannot be made; within, if the registry does not tell.
pub async fn resolve(config: &Config, pull: &ManifestPull) -> Result<Result<Digest, PullError>, StartError> {
    let upstreams = upstreams(config, &Arc::new(Metrics::new()))?;
    let fetch = Fetch::new(upstreams, config.limits, config.cache.manifests, config.cache.tag_ttl);
    Ok(fetch.resolve(&pull.image, &pull.reference).await)
}

fn proxy(
    config: &Config,
    current: Arc<Current>,
    clock: Arc<Clock>,
    metrics: &Arc<Metrics>,
) -> Result<Proxy, StartError> {
    let puller = puller(config, current, clock, metrics, None)?;
    let clients = Clients::anonymous(config.clients.iter().flat_map(|client| client.may.clone()).collect());
    let public_url = config.listen.public_url.as_ref().map_or("", |url| url.as_str());
    let public_origin = public_url.trim_end_matches('/').to_string();
    let (registries, metrics) = (registries(config), metrics.clone());
    let catalogs =
        config.upstreams.iter().filter(|upstream| upstream.catalog).map(|one| one.registry.clone()).collect();
    Ok(Proxy { registries, catalogs, clients, public_origin, puller, metrics })
}

/// The registries of `config`, by name and alias.
pub fn registries(config: &Config) -> Registries {
    Registries::new(config.upstreams.iter().map(|upstream| (upstream.registry.clone(), upstream.aliases.clone())))
}

/// The registries behind the proxy, by name.
type Upstreams = Arc<BTreeMap<Registry, Arc<Upstream>>>;

fn upstreams(config: &Config, metrics: &Arc<Metrics>) -> Result<Upstreams, StartError> {
    let each = config.upstreams.iter().map(|configured| {
        let registry = configured.registry.clone();
        match Upstream::new(configured.settings(), metrics.clone()) {
            Ok(upstream) => Ok((registry, Arc::new(upstream))),
            Err(error) => Err(StartError::Upstream { registry, why: error.to_string() }),
        }
    });
    each.collect::<Result<_, _>>().map(Arc::new)
}

fn puller(
    config: &Config,
    current: Arc<Current>,
    clock: Arc<Clock>,
    metrics: &Arc<Metrics>,
    witness: Option<Arc<Witness>>,
) -> Result<Puller, StartError> {
    let upstreams = upstreams(config, metrics)?;
    let (store, seal) = store::open(&config.store, metrics)?;
    let (keep, counted) = (config.store.members, metrics.store().clone());
    let membership = Membership::new(store.clone(), seal.clone(), keep, counted);
    let lasting =
        Lasting { allow: config.cache.allow, deny: config.cache.deny, evidence: config.cache.evidence_max_age };
    let fetch = Arc::new(Fetch::new(upstreams.clone(), config.limits, config.cache.manifests, config.cache.tag_ttl));
    let in_flight = InFlight::new(EVIDENCE_IN_FLIGHT);
    let judge = Judge {
        upstreams: upstreams.clone(),
        fetch: fetch.clone(),
        artifacts: Artifacts::new(upstreams.clone(), fetch.clone(), in_flight.clone(), config.limits),
        verdicts: Verdicts::new(config.cache.verdicts),
        store,
        seal,
        held: Held::new(HELD_BYTES, lasting.evidence),
        backoff: Backoff::new(),
        in_flight,
        pool: Pool::new(config.limits.verification),
        limits: config.limits,
        lasting,
        metrics: metrics.clone(),
        witness,
    };
    Ok(Puller {
        nested: Nested::new(fetch.clone(), config.limits),
        search: Search::new(upstreams.clone(), fetch.clone(), config.limits, lasting.deny),
        fetch,
        upstreams,
        current,
        judge,
        membership,
        recorded: moka::future::Cache::builder().max_capacity(100_000).time_to_live(RECORD_AGAIN).build(),
        expanded: moka::future::Cache::builder().max_capacity(100_000).time_to_live(RECORD_AGAIN).build(),
        limits: config.limits,
        clock,
    })
}

impl Running {
    /// What SIGHUP does.
    pub fn reloader(&self) -> Reloader {
        self.reloader.clone()
    }

    /// Stops accepting, lets what is in flight finish, and returns when it has.
    pub async fn shutdown(self) {
        self.readiness.draining();
        self.keeper.abort();
        for (stop, task) in self.listeners {
            // Nobody listening any more means that it has stopped already.
            let _ = stop.send(true);
            if let Err(error) = task.await {
                tracing::error!(%error, "a listener ended badly");
            }
        }
    }
}

/// What evidence in memory may take.
const HELD_BYTES: u64 = 64 << 20;

/// What evidence may take that is being read or judged; that of one index may take half of it.
const EVIDENCE_IN_FLIGHT: usize = 512 << 20;

/// How often the members of a manifest are recorded while it is pulled.
const RECORD_AGAIN: Duration = Duration::from_mins(1);
