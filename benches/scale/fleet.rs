//! The proxies: each the program's own pulls with memories of its own, put together as `serve` does it.

use std::collections::BTreeMap;
use std::error::Error;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use countersign::app::{self, Parts};
use countersign::clock::{Clock, Timestamp};
use countersign::config::Config;
use countersign::demo::proxy::policy;
use countersign::demo::signer::Signer;
use countersign::policy::file;
use countersign::pull::Puller;
use countersign::record::Seal;
use countersign::snapshot::{Current, Snapshot};
use countersign::store::{MemoryStore, Store};
use countersign::telemetry::Metrics;
use countersign::trust::Trust;
use countersign::upstream;
use serde_json::json;
use tokio::time::{Instant, sleep};

use super::dice::Dice;
use super::registry::{NAME, Upstream};
use super::store::Counting;
use super::{Balance, Kind, Plan};

/// All proxies.
pub(crate) struct Fleet {
    replicas: Vec<Replica>,
    balance: Balance,
    next: AtomicUsize,
    clock: Arc<Clock>,
    began: Instant,
    /// Of all together.
    metrics: Arc<Metrics>,
    policy: String,
}

struct Replica {
    puller: Puller,
    current: Arc<Current>,
}

impl Fleet {
    /// Makes those of `plan`, which trust `signer`.
    pub(crate) fn new(
        plan: Plan,
        signer: &Signer,
        registry: &Upstream,
        shared: &Arc<Counting>,
    ) -> Result<Self, Box<dyn Error>> {
        let text = json!({
            "upstreams": { NAME: {
                "dial": format!("http://{}", registry.running.address()), "tls": { "insecurePlainHttp": true }
            } },
            "policy": { "path": "policy.yaml" },
            "store": { "kind": "memory" },
        });
        let config = Config::parse(&text.to_string(), "the simulation", Path::new(""), std::iter::empty())?;
        let (metrics, clock) = (Arc::new(Metrics::new()), Arc::new(Clock::fixed(BEGINNING)));
        let seal = Arc::new(Seal::random().map_err(|_| "no randomness")?);
        let settings = config.upstreams.first().ok_or("no registry")?.settings();
        // One for all: connections are not what is looked at.
        let client = Arc::new(upstream::Upstream::new(settings, metrics.clone())?);
        let upstreams = Arc::new(BTreeMap::from([(NAME.parse()?, client)]));
        let policy = policy(NAME, &signer.public_key_pem());
        let replicas: Result<_, Box<dyn Error>> = (0..plan.replicas)
            .map(|_| {
                let current = Arc::new(Current::new(snapshot(&policy)?));
                let store: Arc<dyn Store> = match plan.store {
                    Kind::Shared => shared.clone(),
                    Kind::Own => Arc::new(MemoryStore::new(64 << 20)),
                };
                let parts = Parts {
                    upstreams: upstreams.clone(),
                    store,
                    seal: seal.clone(),
                    current: current.clone(),
                    clock: clock.clone(),
                    metrics: metrics.clone(),
                    witness: None,
                };
                Ok(Replica { puller: app::assemble(&config, parts), current })
            })
            .collect();
        let (balance, next, began) = (plan.balance, AtomicUsize::new(0), Instant::now());
        Ok(Self { replicas: replicas?, balance, next, clock, began, metrics, policy })
    }

    /// Who answers the next request of a node.
    pub(crate) fn pick(&self, node: usize, dice: &mut Dice) -> &Puller {
        let number = match self.balance {
            Balance::Random => dice.below(self.replicas.len()),
            Balance::Sticky => node % self.replicas.len(),
            Balance::RoundRobin => self.next.fetch_add(1, Ordering::Relaxed) % self.replicas.len(),
        };
        &self.replicas[number].puller
    }

    /// Lets the proxies' clock follow the virtual time, for ever.
    pub(crate) async fn tick(self: Arc<Self>) {
        loop {
            self.clock.set(BEGINNING.plus(self.began.elapsed()));
            sleep(Duration::from_secs(1)).await;
        }
    }

    /// Edits the policy: its revision is another, and every image is allowed as before.
    pub(crate) async fn change_policy(&self, seed: u64) {
        let edited = self.policy.replace("name: demo", "name: edited");
        let mut dice = Dice::seeded(seed);
        let mut order: Vec<_> = self.replicas.iter().collect();
        while !order.is_empty() {
            let replica = order.swap_remove(dice.below(order.len()));
            if let Ok(snapshot) = snapshot(&edited) {
                replica.current.swap(snapshot);
            }
            sleep(NOTICED / u32::try_from(self.replicas.len()).unwrap_or(u32::MAX)).await;
        }
    }

    /// How often a proxy verified something.
    pub(crate) fn verifications(&self) -> u64 {
        let text = self.metrics.render();
        let counts = text.lines().filter_map(|line| line.strip_prefix("countersign_verifications_total{"));
        counts.filter_map(|line| line.rsplit_once(' ')?.1.parse::<u64>().ok()).sum()
    }
}

fn snapshot(policy: &str) -> Result<Snapshot, Box<dyn Error>> {
    let policies = file::parse(policy, "policy.yaml", Path::new(""))?;
    Ok(Snapshot { policies: Arc::new(policies), trust: Trust::none() })
}

const BEGINNING: Timestamp = Timestamp(1_800_000_000);
/// How long the slowest proxy takes to notice a policy.
const NOTICED: Duration = Duration::from_secs(5);
