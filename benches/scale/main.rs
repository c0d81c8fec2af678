//! What a roll-out costs a fleet of proxies, its store and its registry, from 3 proxies to 1 000, in virtual time.
//!
//! `cargo bench --bench scale` takes minutes and prints the table of `docs/scale.md`; with `-- --smoke` it only shows
//! that it still runs, and `-- --nodes 10000` simulates another cluster. `-- --replicas 30` simulates that fleet alone, so
//! that what it says of memory is of nothing else; with `--redis ADDRESS` it fills a Redis with what they have stored, and
//! says what memory that takes there.

use std::error::Error;
use std::io::{Write, stderr, stdout};
use std::time::{Duration, Instant};

use countersign::store::Shelf;

// Its modules stand beside it here, as they do where the tests include it.
#[path = "simulation.rs"]
mod simulation;

mod redis;

use simulation::cluster::Cluster;
use simulation::{Balance, Event, Kind, Outcome, Plan, run};

const REPLICAS: [usize; 6] = [3, 10, 30, 100, 300, 1000];

fn main() -> Result<(), Box<dyn Error>> {
    let smoke = std::env::args().any(|argument| argument == "--smoke");
    let named = |name: &str| std::env::args().skip_while(|argument| argument != name).nth(1);
    let nodes = named("--nodes").map_or(Ok(100_000), |nodes| nodes.parse())?;
    let cluster = Cluster { nodes, images: 1_000, each: 3, waves: 20, over: Duration::from_mins(30) };
    let small = Cluster { nodes: 200, images: 20, each: 3, waves: 4, over: Duration::from_mins(1) };
    let replicas: &[usize] = if smoke { &[3, 10] } else { &REPLICAS };
    let plan = Plan {
        replicas: 30,
        balance: Balance::Random,
        store: Kind::Shared,
        cluster: if smoke { small } else { cluster },
        event: Event::Nothing,
        seed: 7,
    };
    writeln!(stdout(), "{plan:?}\n\n{HEAD}")?;
    if let Some(replicas) = named("--replicas") {
        let Outcome { held, memory, .. } = told(&replicas, Plan { replicas: replicas.parse()?, ..plan })?;
        writeln!(stderr(), "each proxy took {} kB", memory / 1_000)?;
        if let Some(address) = named("--redis") {
            let kilobytes = redis::memory(&address, &held)? / 1_000;
            writeln!(stderr(), "Redis took {kilobytes} kB for {held:?}")?;
        }
        return Ok(());
    }
    for replicas in replicas {
        told(&replicas.to_string(), Plan { replicas: *replicas, ..plan })?;
    }
    // What happens to them is seen with fewer.
    let fewer = Cluster { nodes: plan.cluster.nodes.div_ceil(10), ..plan.cluster };
    let plan = if smoke { plan } else { Plan { cluster: fewer, ..plan } };
    writeln!(stdout(), "\n{plan:?}\n\n{HEAD}")?;
    told("30, in turn", Plan { balance: Balance::RoundRobin, ..plan })?;
    told("30, the policy changes", Plan { event: Event::PolicyChanges, ..plan })?;
    let goes = Plan { event: Event::StoreGoes, ..plan };
    told("30, the store goes", goes)?;
    told("30, the store goes, each node has its proxy", Plan { balance: Balance::Sticky, ..goes })?;
    // A blob is asked for where its image was: nobody else knows of it.
    let own = Plan { store: Kind::Own, balance: Balance::Sticky, ..plan };
    told("30, each its own store", own)?;
    told("300, each its own store", Plan { replicas: if smoke { 10 } else { 300 }, ..own })?;
    Ok(())
}

fn told(name: &str, plan: Plan) -> Result<Outcome, Box<dyn Error>> {
    let began = Instant::now();
    let outcome = run(plan)?;
    let mut out = stdout();
    writeln!(out, "{}", row(name, &outcome))?;
    let Outcome { pulls, requests, refused, operations, held, .. } = &outcome;
    let took = began.elapsed().as_secs();
    let mut aside = stderr();
    writeln!(aside, "{name}: {pulls} pulls, {requests} requests, {refused} failed; in {took} s")?;
    writeln!(aside, "{:?}; it holds {held:?}", operations.by_kind)?;
    // Who asks elsewhere for a blob than for its image needs the store.
    let may_fail = plan.event == Event::StoreGoes && plan.balance != Balance::Sticky;
    if *refused > 0 && !may_fail { Err(format!("{refused} pulls failed").into()) } else { Ok(outcome) }
}

const HEAD: &str = "\
| proxies | pulls that failed | verifications | tags | manifests | evidence | a second, at most | store: verdicts | members | other | a second, at most | MB | waits | pull, median | slowest |
| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |";

fn row(name: &str, outcome: &Outcome) -> String {
    let Outcome { refused, verifications, asked, operations, median, slowest, .. } = outcome;
    let on = |shelf: Shelf| {
        ["get", "put", "add", "list"].iter().map(|operation| operations.of(operation, shelf)).sum::<u64>()
    };
    let (verdicts, members) = (on(Shelf::Verdicts), on(Shelf::Members));
    let cells = [
        name.to_string(),
        refused.to_string(),
        verifications.to_string(),
        asked.tags.to_string(),
        asked.manifests.to_string(),
        asked.evidence.to_string(),
        asked.peak().to_string(),
        verdicts.to_string(),
        members.to_string(),
        (operations.all() - verdicts - members).to_string(),
        operations.peak().to_string(),
        (operations.bytes / 1_000_000).to_string(),
        operations.waits.to_string(),
        format!("{} ms", median.as_millis()),
        format!("{} ms", slowest.as_millis()),
    ];
    format!("| {} |", cells.join(" | "))
}
