//! The simulation of `benches/scale`, small: a roll-out is one verification an image, whatever answers.

use std::time::Duration;

#[path = "../../benches/scale/simulation.rs"]
mod simulation;

use countersign::store::Shelf;
use simulation::cluster::Cluster;
use simulation::{Balance, Event, Kind, Outcome, Plan, run};

const IMAGES: u32 = 12;
const REPLICAS: usize = 5;
const PLAN: Plan = Plan {
    replicas: REPLICAS,
    balance: Balance::RoundRobin,
    store: Kind::Shared,
    cluster: Cluster { nodes: 60, images: IMAGES, each: 6, waves: 3, over: Duration::from_mins(1) },
    event: Event::Nothing,
    seed: 1,
};

/// Not on a thread that has a runtime already.
fn simulated(plan: Plan) -> Outcome {
    let outcome = run(plan).expect("it runs");
    assert_eq!((outcome.pulls, outcome.refused), (360, 0), "{outcome:?}");
    // Three manifests at most, a config and five layers.
    assert!((8 * 360..=9 * 360).contains(&outcome.requests), "{outcome:?}");
    assert!(outcome.median <= outcome.slowest, "{outcome:?}");
    outcome
}

#[test]
fn one_store_is_one_verification_an_image() {
    for balance in [Balance::Random, Balance::RoundRobin] {
        let outcome = simulated(Plan { balance, ..PLAN });
        assert_eq!(outcome.verifications, u64::from(IMAGES), "{outcome:?}");
        // A referrers list, and a manifest and a blob of evidence at least, once for each.
        assert!(outcome.asked.evidence >= 3 * u64::from(IMAGES), "{outcome:?}");
        assert!(outcome.asked.evidence <= 8 * u64::from(IMAGES), "{outcome:?}");
        let (operations, images) = (&outcome.operations, u64::from(IMAGES));
        // Each replica looks for the record that one of them has left, and all but that one find it.
        assert!(operations.of("get", Shelf::Verdicts) >= images * REPLICAS as u64 / 2, "{outcome:?}");
        assert!(operations.of("put", Shelf::Verdicts) >= images, "{outcome:?}");
        assert!(operations.peak() <= operations.all() && operations.bytes > 0, "{outcome:?}");
        assert!(outcome.held.keys() as u64 >= images && outcome.asked.peak() >= 1, "{outcome:?}");
        assert!(outcome.memory < 256 << 20, "a proxy of {IMAGES} images took {} bytes", outcome.memory);
        assert!(operations.waits <= operations.of("lease", Shelf::Leases), "{outcome:?}");
    }
}

#[test]
fn a_store_each_is_a_verification_an_image_and_replica() {
    let outcome = simulated(Plan { store: Kind::Own, balance: Balance::Sticky, ..PLAN });
    let most = u64::from(IMAGES) * REPLICAS as u64;
    assert!((most / 2..=most).contains(&outcome.verifications), "{outcome:?}");
    assert_eq!(outcome.operations.all(), 0);
}

#[test]
fn a_store_that_goes_costs_verifications_and_no_answer() {
    let outcome = simulated(Plan { event: Event::StoreGoes, ..PLAN });
    let most = u64::from(IMAGES) * REPLICAS as u64;
    assert!((u64::from(IMAGES)..=most).contains(&outcome.verifications), "{outcome:?}");
}

#[test]
fn an_edited_policy_is_one_more_verification_an_image() {
    let outcome = simulated(Plan { event: Event::PolicyChanges, ..PLAN });
    assert!((u64::from(IMAGES)..=2 * u64::from(IMAGES)).contains(&outcome.verifications), "{outcome:?}");
}
