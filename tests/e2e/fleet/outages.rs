//! What the shared store can become: empty, silent, full, read-only, something else. Replicas say so, and pulls go on by
//! verifying anew: nobody is denied a signed image, nobody gets an unsigned one.

use std::time::Duration;

use super::lab;
use crate::support::cosign::Cosign;
use crate::support::http::ask;
use crate::support::judged::{Outcome, Target, of_image};
use crate::support::process::{Process, command, poll, tool};
use crate::support::replicas::{Fleet, Replica};

#[test]
fn a_redis_that_has_lost_everything_costs_a_verification_and_nothing_else() {
    let fleet = Fleet::sharing_redis(lab());
    let scene = Scene::new(&fleet);
    fleet.redis().obeys("FLUSHALL");
    for replica in &fleet.replicas {
        scene.old_is_served(replica);
    }
    // Nothing is in memory either.
    fleet.redis().kill();
    fleet.redis().restart_empty();
    for replica in &fleet.replicas {
        replica.start();
    }
    for replica in &fleet.replicas {
        scene.old_is_served(replica);
    }
    assert_eq!(fleet.count("countersign_verifications_total", &["result=\"verified\""]), 1);
}

#[test]
fn a_redis_that_says_nothing_slows_no_pull_down_for_long_and_is_reported() {
    let fleet = Fleet::sharing_redis(lab());
    let scene = Scene::new(&fleet);
    fleet.redis().hold_still();
    let new = scene.goes_on(false);
    fleet.redis().go_on();
    scene.is_over(&new);
}

#[test]
fn a_redis_that_is_gone_is_reported_and_pulls_go_on() {
    let fleet = Fleet::sharing_redis(lab());
    let scene = Scene::new(&fleet);
    fleet.redis().kill();
    let new = scene.goes_on(false);
    fleet.redis().restart();
    scene.is_over(&new);
}

#[test]
fn a_redis_that_is_full_is_reported_and_pulls_go_on() {
    let fleet = Fleet::sharing_redis(lab());
    let scene = Scene::new(&fleet);
    fleet.redis().obeys("CONFIG SET maxmemory 1");
    let new = scene.goes_on(true);
    fleet.redis().obeys("CONFIG SET maxmemory 0");
    scene.is_over(&new);
}

#[test]
fn a_redis_that_only_reads_is_reported_and_pulls_go_on() {
    let fleet = Fleet::sharing_redis(lab());
    let scene = Scene::new(&fleet);
    fleet.redis().obeys("REPLICAOF 127.0.0.1 1");
    let new = scene.goes_on(true);
    fleet.redis().obeys("REPLICAOF NO ONE");
    scene.is_over(&new);
}

#[test]
fn something_that_is_no_redis_is_reported_and_pulls_go_on() {
    let fleet = Fleet::sharing_redis(lab());
    let scene = Scene::new(&fleet);
    fleet.redis().kill();
    let address = fleet.redis().address;
    let registry = Process::start("no-redis", |_| command(tool("bin/registry"), [address.to_string()]));
    let registry = registry.ready(|_| ask(address, "GET", "/v2/").is_ok());
    let new = scene.goes_on(false);
    drop(registry);
    fleet.redis().restart();
    scene.is_over(&new);
}

/// A fleet, and an image that it has served.
struct Scene<'a> {
    fleet: &'a Fleet,
    old: Vec<Target>,
    unsigned: Vec<Target>,
}

impl<'a> Scene<'a> {
    fn new(fleet: &'a Fleet) -> Self {
        let old = of_image(&lab().push_signed("outage", Cosign::Bundle), true);
        let unsigned = of_image(&lab().push("outage-unsigned"), false);
        let scene = Self { fleet, old, unsigned };
        for replica in &fleet.replicas {
            scene.old_is_served(replica);
        }
        scene
    }

    #[track_caller]
    fn old_is_served(&self, replica: &Replica) {
        serves(replica, &self.old);
        for target in &self.unsigned {
            let outcome = target.ask(replica.address, "GET", None);
            assert!(target.is_kept_back(&outcome), "{}: {outcome:?}", target.path);
        }
    }

    /// Something is wrong with the store: each replica serves what it has served, and a new image that it verifies by
    /// itself, refuses what nobody signed, and says what is wrong. The new images.
    #[track_caller]
    fn goes_on(&self, reads: bool) -> Vec<Vec<Target>> {
        let new = self.fleet.replicas.iter().map(|replica| {
            let new = of_image(&lab().push_signed("outage-new", Cosign::Bundle), true);
            serves(replica, &new);
            self.old_is_signed(replica, reads);
            let down = poll(PATIENCE, || {
                serves(replica, &new);
                !replica.reaches_its_store()
            });
            assert!(down, "nothing is reported:\n{}", replica.metrics());
            let obstacle = replica.readiness();
            let said = String::from_utf8_lossy(&obstacle.body).into_owned();
            assert!(obstacle.status == 200 && said.contains("store"), "{} {said}", obstacle.status);
            // Nor does it seem to come and go, whatever it still does.
            let more = of_image(&lab().push_signed("outage-more", Cosign::Bundle), true);
            for _ in 0..5 {
                serves(replica, &more);
                self.old_is_signed(replica, reads);
                assert!(!replica.reaches_its_store(), "{}", replica.metrics());
            }
            new
        });
        new.collect()
    }

    /// The image by itself is served, and nothing of the unsigned one; who lists a blob may be known by the store alone.
    #[track_caller]
    fn old_is_signed(&self, replica: &Replica, reads: bool) {
        for target in &self.old {
            let outcome = target.ask(replica.address, "GET", None);
            let unsure = !target.manifest && !reads && matches!(outcome, Outcome::Unavailable(..));
            assert!(outcome == Outcome::Right || unsure, "{}: {outcome:?}", target.path);
        }
        for target in &self.unsigned {
            let outcome = target.ask(replica.address, "GET", None);
            assert!(matches!(outcome, Outcome::Refused | Outcome::Unavailable(..)), "{}: {outcome:?}", target.path);
        }
    }

    /// The store is back: every replica finds it, and serves what the others served meanwhile; a blob, too, although nobody
    /// asks again for the manifest that another one served.
    #[track_caller]
    fn is_over(&self, new: &[Vec<Target>]) {
        for replica in &self.fleet.replicas {
            let well = poll(PATIENCE, || {
                self.old_is_signed(replica, false);
                replica.reaches_its_store()
            });
            assert!(well, "the store stays away:\n{}", replica.metrics());
            assert_eq!(String::from_utf8_lossy(&replica.readiness().body), "ready\n");
        }
        for replica in &self.fleet.replicas {
            self.old_is_served(replica);
            for new in new {
                for target in new.iter().filter(|target| !target.manifest) {
                    let told = || match target.ask(replica.address, "GET", None) {
                        Outcome::Right => true,
                        outcome => {
                            assert!(matches!(outcome, Outcome::Unavailable(..)), "{}: {outcome:?}", target.path);
                            false
                        }
                    };
                    assert!(poll(PATIENCE, told), "{}: nobody is told of its manifest", target.path);
                }
                serves(replica, new);
            }
            assert_eq!(replica.broken_records(), 0);
        }
    }
}

#[track_caller]
fn serves(replica: &Replica, targets: &[Target]) {
    for target in targets {
        assert_eq!(target.ask(replica.address, "GET", None), Outcome::Right, "{}", target.path);
    }
}

const PATIENCE: Duration = Duration::from_secs(30);
