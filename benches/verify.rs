//! What a cold verification costs beside the bare cryptography that it needs, in one run.
//!
//! `cargo bench --bench verify` measures; with `-- --test` it only shows that it still runs. The evidence is made by the
//! virtual Sigstore, stored in a registry and found again by the proxy's own discovery; what is measured is
//! [`verify_all`] on it, as a pull calls it, without I/O. Time is that of this thread's CPU, and both sides take turns
//! within each sample, so that a noisy machine disturbs both alike; the ratio is the figure to look at.

use std::error::Error;
use std::hint::black_box;
use std::io::{Write, stdout};
use std::time::Duration;

use countersign::limits::Limits;
use countersign::policy::Revoked;
use countersign::verify::{Against, verify_all};
use criterion::Criterion;
use rustix::time::{ClockId, clock_gettime};

#[path = "verify/bare.rs"]
mod bare;

#[path = "verify/evidence.rs"]
mod evidence;

#[path = "verify/formats.rs"]
mod formats;

use evidence::Case;

fn main() -> Result<(), Box<dyn Error>> {
    let cases = tokio::runtime::Runtime::new()?.block_on(formats::cases())?;
    let mut criterion = Criterion::default()
        .sample_size(20)
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(3))
        .configure_from_args();
    let mut rows = Vec::new();
    for case in &cases {
        let samples = measure(&mut criterion, case)?;
        // Nothing was asked for, as with a filter on the command line.
        if !samples.is_empty() {
            rows.push((case, samples));
        }
    }
    criterion.final_summary();
    let mut out = stdout();
    writeln!(
        out,
        "\n| evidence | signatures | verification, µs | bare, µs | ratio |\n| --- | --- | --- | --- | --- |"
    )?;
    for (case, samples) in rows {
        let median = |of: fn(&Sample) -> f64| median(samples.iter().map(of).collect());
        let (whole, bare, ratio) = (median(|one| one.whole), median(|one| one.bare), median(Sample::ratio));
        let kinds = case.bare.kinds();
        writeln!(out, "| {} | {kinds} | {:.0} | {:.0} | {ratio:.2} |", case.name, whole * 1e6, bare * 1e6)?;
    }
    Ok(())
}

/// Seconds per verification, and per the cryptography of one, measured right after each other.
struct Sample {
    whole: f64,
    bare: f64,
}

impl Sample {
    fn ratio(&self) -> f64 {
        self.whole / self.bare
    }
}

fn measure(criterion: &mut Criterion, case: &Case) -> Result<Vec<Sample>, Box<dyn Error>> {
    let (revoked, limits) = (Revoked::default(), Limits::default());
    let against = Against { trust: &case.trust, revoked: &revoked, limits: &limits, now: case.now };
    let verify = || verify_all(black_box(&case.evidence), &case.subject, &case.authorities, against);
    let findings = verify();
    if findings.verified.len() != 1 || !findings.rejected.is_empty() || !case.bare.verifies() {
        return Err(format!("{}: {:?}, bare {}", case.name, findings.rejected, case.bare.verifies()).into());
    }
    let mut samples = Vec::new();
    criterion.bench_function(case.name, |bencher| {
        bencher.iter_custom(|rounds| {
            let whole = took(rounds, verify);
            let bare = took(rounds, || case.bare.verifies());
            samples.push(Sample { whole: per(whole, rounds), bare: per(bare, rounds) });
            whole
        });
    });
    Ok(samples)
}

/// The CPU time that this thread takes for `rounds` of `work`.
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
