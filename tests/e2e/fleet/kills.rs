//! Parts of a fleet are killed while clients pull and records are written, over and over. No answer is wrong meanwhile;
//! afterwards everything that was allowed is allowed again, without verifying again what the store had taken and gives
//! back, and no record is broken.

use std::collections::BTreeMap;
use std::io::{Write, stderr};
use std::time::Duration;
use std::{env, thread};

use super::lab;
use crate::support::cosign::Cosign;
use crate::support::crowd::{Crowd, Goods};
use crate::support::dice::Dice;
use crate::support::image::Image;
use crate::support::lab::RELEASE;
use crate::support::process::poll;
use crate::support::replicas::{Fleet, Replica};

/// What is killed in one round.
#[derive(Debug, Clone, Copy)]
struct Victims {
    replicas: &'static [usize],
    redis: bool,
}

const TURNS: [Victims; 5] = [
    Victims { replicas: &[0], redis: false },
    Victims { replicas: &[], redis: true },
    Victims { replicas: &[1], redis: true },
    Victims { replicas: &[0, 1], redis: false },
    Victims { replicas: &[0, 1], redis: true },
];

#[test]
fn whatever_is_killed_of_replicas_and_their_redis_no_answer_is_wrong() {
    let fleet = Fleet::sharing_redis(lab());
    survives(&fleet, &TURNS);
}

#[test]
fn whenever_a_replica_with_a_store_of_its_own_is_killed_no_answer_is_wrong() {
    let fleet = Fleet::embedded(lab());
    survives(&fleet, &[Victims { replicas: &[0], redis: false }]);
}

fn survives(fleet: &Fleet, turns: &[Victims]) {
    let rounds = env::var("COUNTERSIGN_KILL_ROUNDS").map_or(5, |text| text.parse().expect("a number of rounds"));
    let crowd = Crowd::default();
    for goods in first_goods() {
        let goods = crowd.offer(goods);
        goods.is_served_whole(fleet.address());
        goods.settle();
    }
    thread::scope(|scope| {
        let clients: Vec<_> = (0..CLIENTS).map(|_| scope.spawn(|| crowd.pull(fleet.address()))).collect();
        // They must go home also when this panics.
        let home = GoHome(&crowd);
        // Images that may not be in the store: what was verified while it was away, or did not answer, is in memory only.
        let mut unstored = 0;
        for (round, victims) in turns.iter().cycle().take(rounds).enumerate() {
            unstored += kill(fleet, &crowd, *victims, unstored + 1);
            unstored += usize::from(victims.redis);
            let wrong = crowd.wrong();
            assert!(wrong.is_empty(), "round {round}, {victims:?}: {wrong:#?}");
        }
        drop(home);
        for client in clients {
            client.join().expect("it pulls");
        }
    });
    let tally = crowd.tally();
    writeln!(stderr(), "{rounds} rounds, answers: {tally:?}").ok();
    assert_eq!(crowd.wrong(), Vec::<String>::new());
    assert!(["right", "403"].iter().all(|outcome| tally.contains_key(*outcome)), "{tally:?}");
}

/// An image signed by either cosign, an index whose images only it vouches for, and an image that nobody signed.
fn first_goods() -> Vec<Goods> {
    let signed = [Cosign::Legacy, Cosign::Bundle].map(|cosign| lab().push_signed("kills", cosign));
    let image = lab().push("kills");
    let (index, other) = image.index();
    lab().sign(Cosign::Bundle, RELEASE, &index);
    let mut goods: Vec<_> = signed.iter().map(|image| Goods::image(image, true)).collect();
    goods.push(Goods::index(&index, &[&image, &other]));
    goods.push(Goods::image(&lab().push("kills-unsigned"), false));
    goods
}

/// One round: in the midst of what an image causes that nobody has seen, something is killed, and started again. So many
/// images at most, the new one among them, may have to be verified again; and one for each time that the store, though
/// nobody killed it, did not answer. How many verdicts it did not take.
fn kill(fleet: &Fleet, crowd: &Crowd, victims: Victims, may: usize) -> usize {
    let image = lab().push_signed("kills-new", Cosign::Bundle);
    let (new, before) = (Goods::image(&image, true), crowd.goods());
    let already: Vec<_> = fleet.replicas.iter().map(Work::of).collect();
    let new = crowd.offer(new);
    wait_for_a_moment(fleet, &image, &new);
    crowd.storm();
    let killed =
        victims.replicas.iter().map(|number| Work::of(&fleet.replicas[*number]).unstored - already[*number].unstored);
    let mut unstored: usize = killed.sum();
    if victims.redis {
        fleet.redis().kill();
    }
    for number in victims.replicas {
        fleet.replicas[*number].kill();
    }
    // Clients meet what is missing.
    let met = total(&crowd.tally()) + u64::try_from(4 * CLIENTS).expect("a few");
    assert!(poll(PATIENCE, || total(&crowd.tally()) >= met), "nobody is answered: {:?}", crowd.tally());
    if victims.redis {
        fleet.redis().restart();
    }
    for number in victims.replicas {
        fleet.replicas[*number].start();
    }
    fleet.is_well();
    crowd.calm();
    assert!(poll(PATIENCE, || new.is_pulled()), "the new image never came: {:?}", crowd.wrong());

    for replica in &fleet.replicas {
        for goods in before.iter().chain([&new]) {
            goods.is_served_whole(replica.address);
        }
    }
    new.settle();
    for (number, replica) in fleet.replicas.iter().enumerate() {
        let already = if victims.replicas.contains(&number) { Work::default() } else { already[number] };
        let work = Work::of(replica);
        let (again, unread) = (work.verified - already.verified, work.unread - already.unread);
        // All others were in the store, which forgets nothing that it has said it has.
        let story = || format!("{victims:?}: replica {number} verified {again} images again, {unread} of them unread");
        assert!(again <= may + unstored + unread, "{}, {may} and {unstored} may be:\n{}", story(), replica.metrics());
        assert_eq!(replica.broken_records(), 0, "{victims:?}");
        unstored += work.unstored - already.unstored;
    }
    unstored
}

/// What a replica has done since it started.
#[derive(Debug, Clone, Copy, Default)]
struct Work {
    verified: usize,
    /// How often it could not know that an image was verified already: the store did not answer, or whoever verified it
    /// took too long.
    unread: usize,
    /// How many verdicts the store did not take.
    unstored: usize,
}

impl Work {
    fn of(replica: &Replica) -> Self {
        let down = |operation| {
            let labels = [operation, "shelf=\"verdicts\"", "result=\"down\""];
            replica.count("countersign_store_operations_total", &labels)
        };
        Self {
            verified: replica.count("countersign_verifications_total", VERIFIED),
            unread: down("operation=\"get\"") + replica.count("countersign_leases_total", &["result=\"timed_out\""]),
            unstored: down("operation=\"put\""),
        }
    }
}

/// Waits until the registry was asked so many times about the image, or until somebody had it.
fn wait_for_a_moment(fleet: &Fleet, image: &Image, new: &Goods) {
    let requests = Dice::new().below(8);
    let came = poll(PATIENCE, || fleet.wire.seen(image).len() >= requests || (requests > 4 && new.is_pulled()));
    assert!(came, "nobody pulls the new image");
}

fn total(tally: &BTreeMap<String, u64>) -> u64 {
    tally.values().sum()
}

/// Sends the clients home when it is dropped.
struct GoHome<'a>(&'a Crowd);

impl Drop for GoHome<'_> {
    fn drop(&mut self) {
        self.0.disperse();
    }
}

const CLIENTS: usize = 8;
const PATIENCE: Duration = Duration::from_secs(30);
const VERIFIED: &[&str] = &["result=\"verified\""];
