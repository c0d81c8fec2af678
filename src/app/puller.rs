//! What pulls, put together: for `serve`, `verify` and `warm`.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use super::{Memory, StartError};
use crate::cache::{Leases, Refresh, Verdicts};
use crate::clock::Clock;
use crate::config::Config;
use crate::discovery::{Backoff, InFlight};
use crate::membership::Membership;
use crate::oci::{Digest, Registry};
use crate::pull::judge::Lasting;
use crate::pull::{Artifacts, Fetch, Judge, Nested, PullError, Puller, Search, Witness};
use crate::record::Seal;
use crate::route::ManifestPull;
use crate::snapshot::Current;
use crate::store::Store;
use crate::telemetry::Metrics;
use crate::upstream::Upstream;
use crate::verify::Pool;

/// Makes what explains pulls as the proxy that `config` describes would answer them, with a memory of its own.
///
/// # Errors
/// If the policy is wrong, a trusted root cannot be had, or an upstream's client cannot be made.
pub async fn explainer(config: &Config) -> Result<Puller, StartError> {
    let (clock, metrics) = (Arc::new(Clock::default()), Arc::new(Metrics::new()));
    let current = super::reloader(config, &clock, &metrics).await?.current();
    puller(config, current, clock, &metrics, Some(Arc::default()), None)
}

/// Makes what pulls as the proxy that `config` describes, with its store.
///
/// # Errors
/// If the policy is wrong, a trusted root or the store cannot be had, or an upstream's client cannot be made.
pub async fn warmer(config: &Config) -> Result<Puller, StartError> {
    let (clock, metrics) = (Arc::new(Clock::default()), Arc::new(Metrics::new()));
    let current = super::reloader(config, &clock, &metrics).await?.current();
    puller(config, current, clock, &metrics, None, None)
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

pub(super) fn puller(
    config: &Config,
    current: Arc<Current>,
    clock: Arc<Clock>,
    metrics: &Arc<Metrics>,
    witness: Option<Arc<Witness>>,
    given: Option<Memory>,
) -> Result<Puller, StartError> {
    let upstreams = upstreams(config, metrics)?;
    // What explains is not the proxy, and has nothing to do with what that remembers.
    let (store, seal) = match (given, &witness) {
        (Some(given), _) => given,
        (None, Some(_)) => super::store::in_memory(metrics)?,
        (None, None) => super::store::open(&config.store, &clock, metrics)?,
    };
    let metrics = metrics.clone();
    Ok(assemble(config, Parts { upstreams, store, seal, current, clock, metrics, witness }))
}

/// What pulls are made with, besides the numbers of a configuration.
pub struct Parts {
    /// The registries behind the proxy, by name.
    pub upstreams: Arc<BTreeMap<Registry, Arc<Upstream>>>,
    /// What outlives a request.
    pub store: Arc<dyn Store>,
    /// What the store's records are sealed with.
    pub seal: Arc<Seal>,
    /// Policies and trust.
    pub current: Arc<Current>,
    /// The time.
    pub clock: Arc<Clock>,
    /// Where everything is counted.
    pub metrics: Arc<Metrics>,
    /// Who keeps what was seen, where it is to be explained.
    pub witness: Option<Arc<Witness>>,
}

/// Makes what pulls from `parts`, as `config` has it.
pub fn assemble(config: &Config, parts: Parts) -> Puller {
    let Parts { upstreams, store, seal, current, clock, metrics, witness } = parts;
    let (keep, counted) = (config.store.members, metrics.store().clone());
    let membership = Membership::new(store.clone(), seal.clone(), keep, counted);
    let lasting = Lasting {
        allow: config.cache.allow,
        deny: config.cache.deny,
        evidence: config.cache.evidence_max_age,
        last_known_good: config.cache.last_known_good,
    };
    let held = super::store::held(config, &store, &seal, &metrics);
    let fetch = Arc::new(Fetch::new(upstreams.clone(), config.limits, config.cache.manifests, config.cache.tag_ttl));
    let in_flight = InFlight::new(EVIDENCE_IN_FLIGHT);
    let judge = Judge {
        upstreams: upstreams.clone(),
        fetch: fetch.clone(),
        artifacts: Artifacts::new(upstreams.clone(), fetch.clone(), in_flight.clone(), config.limits),
        verdicts: Verdicts::new(config.cache.verdicts),
        // What is to last for a short time only is given again as well, in the first half of it.
        refresh: Refresh::new(config.cache.refresh_before.min(config.cache.allow / 2)),
        leases: Leases::shared(&store, &metrics),
        store,
        seal,
        held,
        backoff: Backoff::new(),
        in_flight,
        pool: Pool::new(config.limits.verification),
        limits: config.limits,
        lasting,
        metrics,
        witness,
    };
    Puller {
        nested: Nested::new(fetch.clone(), config.limits),
        search: Search::new(upstreams.clone(), fetch.clone(), config.limits, lasting.deny),
        fetch,
        upstreams,
        current,
        judge: Arc::new(judge),
        membership,
        recorded: moka::future::Cache::new(100_000),
        expanded: moka::future::Cache::builder().max_capacity(100_000).time_to_live(EXPAND_AGAIN).build(),
        limits: config.limits,
        clock,
    }
}

/// What evidence may take that is being read or judged; that of one index may take half of it.
const EVIDENCE_IN_FLIGHT: usize = 512 << 20;

/// How often the images that an index lists are looked through for what they list.
const EXPAND_AGAIN: Duration = Duration::from_mins(1);
