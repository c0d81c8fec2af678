//! What a warm pull costs within the process, without a network, and that it does not grow: with a policy of a thousand
//! scopes and two hundred authorities beside one of one, and with a million verdicts in memory beside a thousand.
//!
//! `cargo bench --bench warm` measures; with `-- --test` it only shows that it still runs. Time is that of this thread's
//! CPU, and small and large take turns within each sample, so that a noisy machine disturbs both alike: the ratio is the
//! figure to look at, and one above [`MOST`] is an error.

use std::error::Error;
use std::hint::black_box;
use std::io::{Write, stdout};
use std::time::Duration;

use countersign::clock::Timestamp;
use countersign::route;
use criterion::Criterion;
use rustix::time::{ClockId, clock_gettime};

#[path = "warm/world.rs"]
mod world;

use world::{Size, World};

/// What "does not grow" may come to on a noisy machine. What is gone through once for each scope, or each verdict, would
/// be hundreds.
const MOST: f64 = 1.5;

fn main() -> Result<(), Box<dyn Error>> {
    let only_test = std::env::args().any(|argument| argument == "--test");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let small = runtime.block_on(World::new(Size { scopes: 1, authorities: 1, verdicts: 1_000 }))?;
    let verdicts = if only_test { 10_000 } else { 1_000_000 };
    let large = runtime.block_on(World::new(Size { scopes: 1_000, authorities: 200, verdicts }))?;
    let mut criterion = Criterion::default()
        .sample_size(20)
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(3))
        .configure_from_args();
    let mut rows = Vec::new();
    rows.push(compare(&mut criterion, "the request is parsed", |rounds, large_one| {
        let world = if large_one { &large } else { &small };
        took(rounds, || route::parse(&world.request, &world.proxy.registries).is_ok())
    }));
    rows.push(compare(&mut criterion, "what governs is found", |rounds, large_one| {
        let world = if large_one { &large } else { &small };
        let policies = &world.proxy.puller.current.load().policies;
        took(rounds, || policies.governing(&world.subject, Timestamp(1)))
    }));
    rows.push(compare(&mut criterion, "the verdict is found", |rounds, large_one| {
        let world = if large_one { &large } else { &small };
        let began = cpu_time();
        runtime.block_on(async {
            for _ in 0..rounds {
                black_box(world.verdict().await);
            }
        });
        cpu_time().saturating_sub(began)
    }));
    rows.push(compare(&mut criterion, "the whole answer to a GET", |rounds, large_one| {
        let world = if large_one { &large } else { &small };
        let began = cpu_time();
        runtime.block_on(async {
            for _ in 0..rounds {
                black_box(world.proxy.answer(&world.request).await);
            }
        });
        cpu_time().saturating_sub(began)
    }));
    rows.push(compare(&mut criterion, "the answer that is ready", |rounds, large_one| {
        let world = if large_one { &large } else { &small };
        took(rounds, || world.proxy.at_once(&world.asking).is_some_and(|answer| answer.response.status() == 200))
    }));
    criterion.final_summary();
    let mut out = stdout();
    writeln!(out, "\n| step | small, ns | large, ns | ratio |\n| --- | --- | --- | --- |")?;
    let mut grown = Vec::new();
    for row in rows.iter().filter(|row| !row.samples.is_empty()) {
        let median = |of: fn(&Sample) -> f64| median(row.samples.iter().map(of).collect());
        let (few, many, ratio) = (median(|one| one.few), median(|one| one.many), median(|one| one.many / one.few));
        writeln!(out, "| {} | {:.0} | {:.0} | {ratio:.2} |", row.name, few * 1e9, many * 1e9)?;
        // A single sample, as of `--test`, says nothing.
        if row.samples.len() > 10 && ratio > MOST {
            grown.push(format!("{}: {ratio:.2} times as long", row.name));
        }
    }
    if grown.is_empty() { Ok(()) } else { Err(grown.join("; ").into()) }
}

struct Row {
    name: &'static str,
    samples: Vec<Sample>,
}

/// Seconds of CPU for one round in the small world and in the large one, measured right after each other.
struct Sample {
    few: f64,
    many: f64,
}

fn compare(criterion: &mut Criterion, name: &'static str, run: impl Fn(u64, bool) -> Duration) -> Row {
    let mut samples = Vec::new();
    criterion.bench_function(name, |bencher| {
        bencher.iter_custom(|rounds| {
            let (few, many) = (run(rounds, false), run(rounds, true));
            samples.push(Sample { few: per(few, rounds), many: per(many, rounds) });
            many
        });
    });
    Row { name, samples }
}

fn took<T>(rounds: u64, work: impl Fn() -> T) -> Duration {
    let began = cpu_time();
    for _ in 0..rounds {
        black_box(work());
    }
    cpu_time().saturating_sub(began)
}

fn cpu_time() -> Duration {
    Duration::try_from(clock_gettime(ClockId::ThreadCPUTime)).unwrap_or_default()
}

fn per(time: Duration, rounds: u64) -> f64 {
    time.as_secs_f64() / Duration::from_secs(rounds).as_secs_f64()
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    values[values.len() / 2]
}
