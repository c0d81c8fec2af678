//! A registry that is reached over a line on which everything goes wrong, and many clients that ask for this and that:
//! every answer is the right bytes, a 403 or a 503, or visibly breaks off. And memory does not grow.

use std::collections::BTreeMap;
use std::env;
use std::io::{Write, stderr};
use std::net::SocketAddr;
use std::sync::{Mutex, PoisonError};
use std::thread::{self, sleep};
use std::time::{Duration, Instant};

use crate::support::containerd::Version;
use crate::support::cosign::Cosign;
use crate::support::dice::Dice;
use crate::support::judged::{Outcome, Target, of_image};
use crate::support::lab::{Cell, Lab, RELEASE};
use crate::support::proxy::Proxy;
use crate::support::registry::Kind;
use crate::support::unreliable::{FAULTS, Unreliable};

/// Short patience, and a memory so short that manifests and evidence are read over and over.
const UPSTREAM: &str = "    timeouts: { connect: 500ms, firstByte: 1s, idle: 1s }\n";
const MORE: &str = "cache: { manifests: 1B, allow: 3s, deny: 1s, evidenceMaxAge: 3s }\n";

#[test]
fn c25_on_an_unreliable_line_every_answer_is_right_or_none() {
    let cell = Cell { containerd: Version::V2, registry: Kind::Referrers, cosign: Cosign::Bundle };
    let time = env::var("COUNTERSIGN_FAULTS_SECONDS").map_or(20, |text| text.parse().expect("a number of seconds"));
    let lab = cell.lab();
    let targets = targets(lab);
    let relay = Unreliable::before(lab.registry.address);
    let proxy = lab.proxy_through(relay.address, UPSTREAM, MORE);
    let tally = Mutex::new(BTreeMap::new());
    let end = Instant::now() + Duration::from_secs(time);
    let memory = thread::scope(|scope| {
        for _ in 0..CLIENTS {
            scope.spawn(|| client(proxy.address, &targets, end, &tally));
        }
        watch(&proxy, end)
    });
    let tally = tally.into_inner().unwrap_or_else(PoisonError::into_inner);
    say(&format!("answers: {tally:?}"));
    say(&format!("faults: {:?}", FAULTS.map(|fault| (fault, relay.played(fault)))));
    let grew = growth(&memory);
    let wrong: Vec<_> = tally.keys().filter(|outcome| !OUTCOMES.contains(&outcome.as_str())).collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(OUTCOMES.iter().all(|outcome| tally.contains_key(*outcome)), "some outcome never came");
    assert!(FAULTS.iter().all(|fault| relay.played(*fault) > 0), "some fault was never played");
    assert!(grew.is_none_or(|percent| percent <= 110), "memory grew to {grew:?} % of what it was");

    relay.heal();
    for target in &targets {
        let right = || {
            let expected = if target.right.is_some() { Outcome::Right } else { Outcome::Refused };
            target.ask(proxy.address, "GET", None) == expected
        };
        let began = Instant::now();
        // As long as a registry is left alone at most.
        while !right() {
            assert!(began.elapsed() < Duration::from_mins(1), "{} stays wrong", target.path);
            sleep(Duration::from_millis(100));
        }
    }
}

/// Images signed by either cosign and an index, with all that they list; and an image that nobody signed.
fn targets(lab: &Lab) -> Vec<Target> {
    let signed = [Cosign::Legacy, Cosign::Bundle].map(|cosign| lab.push_signed("faults", cosign));
    let (index, other) = lab.push_signed("faults", Cosign::Bundle).index();
    lab.sign(Cosign::Bundle, RELEASE, &index);
    let unsigned = lab.push("faults");
    let mut targets = Vec::new();
    for image in signed.iter().chain([&index, &other]) {
        targets.extend(of_image(image, true));
    }
    targets.extend(of_image(&unsigned, false));
    targets
}

/// Asks for one thing after the other until the time is over.
fn client(proxy: SocketAddr, targets: &[Target], end: Instant, tally: &Mutex<BTreeMap<String, u64>>) {
    let mut dice = Dice::new();
    while Instant::now() < end {
        let target = &targets[dice.below(targets.len())];
        let outcome = told(target, target.ask_somehow(proxy, &mut dice));
        *tally.lock().unwrap_or_else(PoisonError::into_inner).entry(outcome).or_insert(0) += 1;
    }
}

/// What the answer is: one of [`OUTCOMES`], or the story of what it should not have been.
fn told(target: &Target, outcome: Outcome) -> String {
    match outcome {
        Outcome::Right => "right".into(),
        Outcome::Refused => "403".into(),
        Outcome::Unavailable(status, _) => status.to_string(),
        Outcome::BrokenOff => "broken off".into(),
        // The first bytes of a blob did not come, and the answer's head had not been sent before them.
        Outcome::Nothing(story) if story.starts_with("GET") && !target.manifest && target.right.is_some() => {
            "broken off".into()
        }
        Outcome::Nothing(story) | Outcome::Wrong(story) => story,
    }
}

/// Measures the proxy's memory every few seconds until the time is over: when, and KiB.
fn watch(proxy: &Proxy, end: Instant) -> Vec<(Duration, u64)> {
    let (began, mut memory) = (Instant::now(), Vec::new());
    while Instant::now() < end {
        sleep(Duration::from_secs(2));
        memory.push((began.elapsed(), proxy.memory()));
    }
    memory
}

/// In a run of minutes: the memory of the last one, in percent of that of the second.
fn growth(memory: &[(Duration, u64)]) -> Option<u64> {
    let minute = Duration::from_mins(1);
    let mean = |from: Duration| {
        let within = memory.iter().filter(|(at, _)| *at >= from && *at < from + minute).map(|(_, kib)| *kib);
        let within: Vec<_> = within.collect();
        within.iter().sum::<u64>() / (within.len() as u64).max(1)
    };
    let took = memory.last().map_or(Duration::ZERO, |(at, _)| *at);
    let minutes: Vec<_> =
        (0..took.as_secs() / 60).map(|number| mean(minute * u32::try_from(number).unwrap_or(0))).collect();
    let end = memory.last().map(|(_, kib)| kib);
    say(&format!("PSS in KiB: mean of each minute {minutes:?}, at the end {end:?}"));
    (took >= 3 * minute).then(|| {
        let (second, last) = (minutes[1], mean(took.saturating_sub(minute)));
        say(&format!("PSS of the last minute {last} KiB, of the second {second} KiB: {} %", last * 100 / second));
        last * 100 / second
    })
}

/// Shows a figure, whether the test succeeds or not.
fn say(text: &str) {
    writeln!(stderr(), "{text}").ok();
}

const CLIENTS: usize = 16;
const OUTCOMES: [&str; 4] = ["right", "403", "503", "broken off"];
