//! Two hundred nodes at once that want an image which no replica has seen: the fleet verifies once.

use std::collections::BTreeMap;
use std::thread;
use std::time::Duration;

use super::lab;
use crate::support::cosign::Cosign;
use crate::support::image::Image;
use crate::support::judged::{Outcome, of_image};
use crate::support::process::poll;
use crate::support::replicas::Fleet;

#[test]
fn o69_two_hundred_pulls_of_a_new_image_are_one_verification_in_the_fleet() {
    let fleet = Fleet::sharing_redis(lab());
    let image = lab().push_signed("herd", Cosign::Bundle);
    let outcomes = herd(&fleet, &image, true);
    all_are(&outcomes, &Outcome::Right);
    assert_eq!(fleet.count("countersign_verifications_total", &[]), 1, "{}", fleet.leases());
    let asked = asked(&fleet, &image);
    // Evidence for all; the tag and the manifest's own bytes for each replica.
    for (request, times) in &asked {
        let own = request.ends_with(image.tag()) || request.ends_with(&format!("/manifests/{}", image.digest));
        assert!(*times <= if own { fleet.replicas.len() } else { 1 }, "{asked:#?}");
    }
}

#[test]
fn o69_two_hundred_pulls_of_an_unsigned_image_are_all_refused_and_cost_each_replica_one_look() {
    let fleet = Fleet::sharing_redis(lab());
    let image = lab().push("unsigned-herd");
    let outcomes = herd(&fleet, &image, false);
    all_are(&outcomes, &Outcome::Refused);
    let asked = asked(&fleet, &image);
    // A digest that is denied by itself may be listed by an index: each replica looks once what the tags name.
    for (request, times) in &asked {
        let looks = if request.ends_with(image.tag()) { 2 } else { 1 };
        assert!(*times <= looks * fleet.replicas.len(), "{asked:#?}");
    }
    assert!(fleet.count("countersign_verifications_total", &[]) <= fleet.replicas.len());
}

/// Asks through nginx, by tag and by digest, for the whole and the head, so many times that all wait for the registry
/// at once; what came of it.
fn herd(fleet: &Fleet, image: &Image, allowed: bool) -> Vec<Outcome> {
    let targets = of_image(image, allowed);
    let ways: Vec<_> = targets[..2].iter().flat_map(|target| [(target, "GET"), (target, "HEAD")]).collect();
    fleet.wire.hold(image);
    thread::scope(|scope| {
        let nodes: Vec<_> = ways.iter().cycle().take(NODES).collect();
        let nodes = nodes.into_iter().map(|(target, method)| scope.spawn(|| target.ask(fleet.address(), method, None)));
        let nodes: Vec<_> = nodes.collect();
        let waiting = || fleet.count("countersign_requests_in_flight", &[]) == NODES;
        let all_wait = poll(Duration::from_secs(30), waiting);
        fleet.wire.release();
        assert!(all_wait, "not all of them came: {}", fleet.count("countersign_requests_in_flight", &[]));
        nodes.into_iter().map(|node| node.join().expect("it asks")).collect()
    })
}

#[track_caller]
fn all_are(outcomes: &[Outcome], expected: &Outcome) {
    let others: Vec<_> = outcomes.iter().filter(|outcome| *outcome != expected).collect();
    assert!(others.is_empty(), "{} of {NODES}: {:?}", others.len(), others[0]);
}

/// How often the registry was asked for what.
fn asked(fleet: &Fleet, image: &Image) -> BTreeMap<String, usize> {
    let mut asked = BTreeMap::new();
    for seen in fleet.wire.seen(image) {
        *asked.entry(format!("{} {}", seen.method, seen.path)).or_insert(0) += 1;
    }
    assert!(!asked.is_empty(), "nothing is counted here");
    asked
}

const NODES: usize = 200;
