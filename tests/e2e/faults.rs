//! A registry that is reached over a line on which everything goes wrong, and many clients that ask for this and that:
//! every answer is the right bytes, a 403 or a 503, or visibly breaks off. And memory does not grow.

use std::collections::BTreeMap;
use std::io::{Write, stderr};
use std::net::SocketAddr;
use std::sync::{Mutex, PoisonError};
use std::thread::{self, sleep};
use std::time::{Duration, Instant};
use std::{env, iter};

use crate::support::containerd::Version;
use crate::support::content::{INDEX, MANIFEST};
use crate::support::cosign::Cosign;
use crate::support::dice::Dice;
use crate::support::image::Image;
use crate::support::lab::{Cell, Lab, RELEASE};
use crate::support::proxy::Proxy;
use crate::support::registry::Kind;
use crate::support::strict::ask;
use crate::support::unreliable::{FAULTS, Unreliable};

/// Short patience, and a memory so short that manifests and evidence are read over and over.
const UPSTREAM: &str = "    timeouts: { connect: 500ms, firstByte: 1s, idle: 1s }\n";
const MORE: &str = "cache: { manifests: 1B, allow: 3s, deny: 1s, evidenceMaxAge: 3s }\n";

/// Something to ask for, and the answer to it, if it may be given at all.
struct Target {
    path: String,
    right: Option<Vec<u8>>,
    manifest: bool,
}

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
        let right =
            || judge(proxy.address, target, "GET", None) == if target.right.is_some() { "right" } else { "403" };
        let began = Instant::now();
        // As long as a registry is left alone at most.
        while !right() {
            assert!(began.elapsed() < Duration::from_secs(60), "{} stays wrong", target.path);
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

/// The manifest of an image by tag and by digest, and its blobs.
fn of_image(image: &Image, allowed: bool) -> Vec<Target> {
    let target = |path: String, manifest| Target { right: allowed.then(|| image.get(&path)), path, manifest };
    let document = image.get_json(&image.manifest_path());
    let blobs = iter::once(&document["config"]).chain(document["layers"].as_array().into_iter().flatten());
    let blobs = blobs.filter_map(|blob| Some(image.blob_path(blob["digest"].as_str()?)));
    let blobs: Vec<_> = blobs.map(|path| target(path, false)).collect();
    let mut all = vec![target(image.tag_path(), true), target(image.manifest_path(), true)];
    all.extend(blobs);
    all
}

/// Asks for one thing after the other until the time is over.
fn client(proxy: SocketAddr, targets: &[Target], end: Instant, tally: &Mutex<BTreeMap<String, u64>>) {
    let mut dice = Dice::new();
    while Instant::now() < end {
        let target = &targets[dice.below(targets.len())];
        let length = target.right.as_ref().map_or(100, Vec::len).max(1);
        let (method, range) = match dice.below(10) {
            0..3 => ("HEAD", None),
            3..6 if !target.manifest => {
                let first = dice.below(length);
                ("GET", Some((first, first + dice.below(length - first))))
            }
            _ => ("GET", None),
        };
        let outcome = judge(proxy, target, method, range);
        *tally.lock().unwrap_or_else(PoisonError::into_inner).entry(outcome).or_insert(0) += 1;
    }
}

/// Asks for something or, from the first byte to the last, for a part of it: what the answer is, one of [`OUTCOMES`] or
/// the story of what it should not have been.
fn judge(proxy: SocketAddr, target: &Target, method: &str, range: Option<(usize, usize)>) -> String {
    let more = range.map_or_else(String::new, |(first, last)| format!("Range: bytes={first}-{last}\r\n"));
    let answer = match ask(proxy, method, &target.path, &more) {
        Ok(answer) => answer,
        // The first bytes of a blob did not come, and the answer's head had not been sent before them.
        Err(_) if method == "GET" && !target.manifest && target.right.is_some() => return "broken off".into(),
        Err(error) => return format!("{method} {}: {error}", target.path),
    };
    let part = |right: &Vec<u8>| match (answer.status, range) {
        (206, Some((first, last))) => right[first..=last].to_vec(),
        _ => right.clone(),
    };
    let expected = target.right.as_ref().map(part);
    let length = expected.as_ref().map(|expected| expected.len().to_string());
    match (answer.status, &answer.body, expected) {
        (403 | 503, Some(_), _) => answer.status.to_string(),
        (200 | 206, None, Some(_)) if method == "GET" => "broken off".into(),
        (200, Some(_), Some(_)) if method == "HEAD" && length.as_deref() == Some(answer.header("content-length")) => {
            "right".into()
        }
        (200, Some(body), Some(expected)) if method == "GET" && *body == expected => typed(target, &answer),
        (206, Some(body), Some(expected)) if method == "GET" && range.is_some() && *body == expected => "right".into(),
        (status, body, _) => {
            let came = body.as_ref().map(Vec::len);
            format!(
                "{method} {} {more:?}: {status}, {came:?} bytes: {}",
                target.path,
                answer.header("countersign-reason")
            )
        }
    }
}

/// The right bytes may be called nothing but what they are.
fn typed(target: &Target, answer: &crate::support::strict::Answer) -> String {
    let found = answer.header("content-type");
    let expected: &[&str] =
        if target.manifest { &[MANIFEST, INDEX, DOCKER_INDEX] } else { &["application/octet-stream"] };
    if expected.contains(&found) { "right".into() } else { format!("{}: it is called `{found}`", target.path) }
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
    let minute = Duration::from_secs(60);
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
        let (second, last) = (minutes[1], mean(took - minute));
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
const DOCKER_INDEX: &str = "application/vnd.docker.distribution.manifest.list.v2+json";
