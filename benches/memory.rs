//! What a verdict takes in memory, at a million of them, a hundred to a repository; above 512 bytes it fails.
//!
//! `cargo bench --bench memory` measures; `-- --smoke` keeps a tenth as many, under the same bound.
//!
//! The figure is the growth of the process (proportional set size), so that nothing is left out, whatever the allocator.

use std::error::Error;
use std::io::Write;
use std::path::Path;
use std::time::Duration;

use countersign::cache::Verdicts;
use countersign::clock::Timestamp;
use countersign::decide::ungoverned;
use countersign::oci::{Digest, Image};
use countersign::outcome::{Key, Terms};
use countersign::policy::file::parse;
use countersign::trust::Trust;

fn main() -> Result<(), Box<dyn Error>> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let verdicts = if std::env::args().any(|argument| argument == "--smoke") { 100_000 } else { 1_000_000 };
    let bytes = runtime.block_on(fill(verdicts))?;
    writeln!(std::io::stdout(), "{bytes} bytes a verdict, of {verdicts}; at most {AT_MOST}")?;
    if bytes <= AT_MOST { Ok(()) } else { Err("verdicts take more memory than they may".into()) }
}

/// Keeps that many verdicts, and says how many bytes each of them takes.
async fn fill(count: u64) -> Result<u64, Box<dyn Error>> {
    let text = "policies: []\nexemptions: [ { match: [ \"registry.company.com/**\" ], reason: INC-1 } ]\n";
    let policies = parse(text, "policy.yaml", Path::new("."))?;
    let (now, trust) = (Timestamp(1_000_000), Trust::none());
    let hours = Duration::from_hours;
    let terms = Terms { now, allow: hours(6), deny: hours(0), evidence_max_age: hours(24), last_known_good: hours(0) };
    let verdicts = Verdicts::new(2 * count);
    let before = memory()?;
    for number in 0..count {
        // Names of their own, as each request has them.
        let repository = format!("team-{}/service-{}", number % 100, number % (count / 100));
        let image = Image::parse("registry.company.com".parse()?, &repository)?;
        let governing = policies.governing(&image.at(Digest::of(&number.to_be_bytes())), now);
        let verdict = ungoverned(&governing, trust.revision(&governing), &terms).ok_or("no policy governs it")?;
        let key = Key::clone(verdict.key());
        verdicts.decide_once(key, now, async { Ok(verdict) }).await.map_err(|_| "undecided")?;
    }
    let bytes = memory()?.saturating_sub(before) / count;
    // All of them are there, and not only their traces.
    let image = Image::parse("registry.company.com".parse()?, "team-0/service-0")?;
    let governing = policies.governing(&image.at(Digest::of(&0_u64.to_be_bytes())), now);
    let first = verdicts.fresh(&Key::new(&governing, trust.revision(&governing)), now).await;
    first.map(|_| bytes).ok_or_else(|| "a verdict was forgotten".into())
}

/// The proportional set size of this process, in bytes.
fn memory() -> Result<u64, Box<dyn Error>> {
    let text = std::fs::read_to_string("/proc/self/smaps_rollup")?;
    let line = text.lines().find_map(|line| line.strip_prefix("Pss:")).ok_or("no Pss")?;
    Ok(line.trim().trim_end_matches(" kB").parse::<u64>()? << 10)
}

const AT_MOST: u64 = 512;
