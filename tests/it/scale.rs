//! The simulation of `benches/scale`, small: a roll-out is one verification an image, whatever answers.

use std::time::Duration;

#[path = "../../benches/scale/simulation.rs"]
mod simulation;

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
        assert!(outcome.operations.all() > 0);
    }
}

#[test]
fn a_store_each_is_a_verification_an_image_and_replica() {
    let outcome = simulated(Plan { store: Kind::Own, ..PLAN });
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
