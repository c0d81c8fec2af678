//! A cluster that rolls out, the proxies that it pulls through, their store and their registry, in virtual time.
//!
//! The proxies are the program's own pulls, each with memories of its own: resolving, reading, verdict cache, flights,
//! leases, discovery, verification of real signatures, decision, membership. Simulated are the nodes, who pulls what when
//! ([`cluster`]), and the time that the network, the registry ([`registry`]) and the store ([`store`]) take. Only they
//! take time: what the proxies compute costs none, so a figure in seconds says what waiting alone makes of it.

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use countersign::demo::signer::Signer;
use tokio::time::Instant;

pub(crate) mod cluster;

pub(crate) mod dice;

pub(crate) mod fleet;

pub(crate) mod registry;

pub(crate) mod store;

use cluster::Cluster;
use fleet::Fleet;
use registry::{Asked, Upstream};
use store::{Counting, Held, Operations};

/// What is simulated.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Plan {
    /// Proxies, between which every request is balanced.
    pub(crate) replicas: usize,
    pub(crate) balance: Balance,
    pub(crate) store: Kind,
    /// What the cluster looks like, and how it rolls out.
    pub(crate) cluster: Cluster,
    pub(crate) event: Event,
    pub(crate) seed: u64,
}

/// Who answers the next request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Balance {
    Random,
    RoundRobin,
    /// Always the same one for a node.
    Sticky,
}

/// Where the proxies keep what outlives a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Each for itself.
    Own,
    /// All in one.
    Shared,
}

/// What happens in the middle of the roll-out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Event {
    Nothing,
    /// The policy is edited, so that every image is judged anew; each proxy notices within five seconds.
    PolicyChanges,
    /// The store stops answering, and does not come back.
    StoreGoes,
}

/// What came of it.
#[derive(Debug, Clone)]
pub(crate) struct Outcome {
    /// Pulls, each of which is several requests.
    pub(crate) pulls: usize,
    /// Requests to the proxies.
    pub(crate) requests: usize,
    /// Pulls that did not get everything.
    pub(crate) refused: usize,
    pub(crate) verifications: u64,
    pub(crate) asked: Asked,
    pub(crate) operations: Operations,
    /// What the store holds at the end, if it is one for all.
    pub(crate) held: Held,
    /// By how many bytes this process grew, for each proxy: what their memories hold, and what nodes and store left behind.
    pub(crate) memory: u64,
    /// From the first request of a pull to the end of the last, without the transfer of blobs.
    pub(crate) median: Duration,
    pub(crate) slowest: Duration,
}

/// Runs it. The same plan gives the same cluster; how answers interleave is left to the machine.
pub(crate) fn run(plan: Plan) -> Result<Outcome, Box<dyn Error>> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build()?;
    runtime.block_on(simulate(plan))
}

async fn simulate(plan: Plan) -> Result<Outcome, Box<dyn Error>> {
    let began = Instant::now();
    let signer = Signer::generate()?;
    let upstream = Upstream::start(plan.cluster.images, &signer).await?;
    let counting = Arc::new(Counting::new(began));
    let fleet = Arc::new(Fleet::new(plan, &signer, &upstream, &counting)?);
    let memory = resident()?;
    let ticking = tokio::spawn(fleet.clone().tick());
    let event = tokio::spawn(happen(plan, fleet.clone(), counting.clone()));
    let pulls = cluster::roll_out(plan, fleet.clone(), Arc::new(upstream.images.clone())).await;
    ticking.abort();
    event.abort();
    let memory = resident()?.saturating_sub(memory) / plan.replicas as u64;
    let mut took: Vec<_> = pulls.iter().map(|pull| pull.took).collect();
    took.sort_unstable();
    Ok(Outcome {
        pulls: pulls.len(),
        requests: pulls.iter().map(|pull| pull.requests).sum(),
        refused: pulls.iter().filter(|pull| !pull.served).count(),
        verifications: fleet.verifications(),
        asked: upstream.asked(),
        operations: counting.operations(),
        held: counting.held().await?,
        memory,
        median: took.get(took.len() / 2).copied().unwrap_or_default(),
        slowest: took.last().copied().unwrap_or_default(),
    })
}

/// Lets the plan's event happen.
async fn happen(plan: Plan, fleet: Arc<Fleet>, store: Arc<Counting>) {
    tokio::time::sleep(plan.cluster.over / 2).await;
    match plan.event {
        Event::Nothing => {}
        Event::PolicyChanges => fleet.change_policy(plan.seed).await,
        Event::StoreGoes => store.go(),
    }
}

/// The proportional set size of this process, in bytes.
fn resident() -> Result<u64, Box<dyn Error>> {
    let text = std::fs::read_to_string("/proc/self/smaps_rollup")?;
    let line = text.lines().find_map(|line| line.strip_prefix("Pss:")).ok_or("no Pss")?;
    Ok(line.trim().trim_end_matches(" kB").parse::<u64>()? << 10)
}
