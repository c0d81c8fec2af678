//! What a verdict takes in memory, at a million of them, a hundred to a repository: an Allow, and a Deny in words of its own.
//! Above what the configuration says of them it fails.
//!
//! `cargo bench --bench memory` measures; `-- --smoke` keeps a tenth as many, under the same bounds.
//!
//! The figure is the growth of the process (proportional set size), so that nothing is left out, whatever the allocator.

use std::error::Error;
use std::io::Write;
use std::path::Path;
use std::time::Duration;

use countersign::cache::Verdicts;
use countersign::clock::Timestamp;
use countersign::decide::{Verdict, decide, ungoverned};
use countersign::demo::proxy::policy;
use countersign::demo::signer::Signer;
use countersign::examined::{Children, Examined, Part};
use countersign::oci::{Digest, Image, Subject};
use countersign::outcome::{Key, Terms};
use countersign::policy::condition::facts::ImageFacts;
use countersign::policy::file::parse;
use countersign::policy::{Format, Governing, Name, Policies};
use countersign::reason::Reason;
use countersign::trust::Trust;
use countersign::verify::{Findings, Rejected};

const REGISTRY: &str = "registry.company.com";
const NOW: Timestamp = Timestamp(1_000_000);
const LASTS: Duration = Duration::from_hours(6);

fn main() -> Result<(), Box<dyn Error>> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let count = if std::env::args().any(|argument| argument == "--smoke") { 100_000 } else { 1_000_000 };
    // Both stay until the end: neither is to use what the other gave back.
    let allows = runtime.block_on(fill(count, &exempting()?, allow))?;
    let denials = runtime.block_on(fill(count, &demanding()?, deny))?;
    let mut too_much = false;
    for (what, (bytes, _), at_most) in [("an Allow", &allows, AN_ALLOW), ("a Deny", &denials, A_DENY)] {
        writeln!(std::io::stdout(), "{bytes} bytes {what}, of {count}; at most {at_most}")?;
        too_much |= *bytes > at_most;
    }
    if too_much { Err("verdicts take more memory than they may".into()) } else { Ok(()) }
}

/// Keeps that many verdicts, and says how many bytes each of them takes.
async fn fill(
    count: u64,
    policies: &Policies,
    verdict: fn(&Governing) -> Result<Verdict, Box<dyn Error>>,
) -> Result<(u64, Verdicts), Box<dyn Error>> {
    let verdicts = Verdicts::new(2 * count);
    let subject = |number: u64| -> Result<Subject, Box<dyn Error>> {
        // Names of their own, as each request has them.
        let repository = format!("team-{}/service-{}", number % 100, number % (count / 100));
        Ok(Image::parse(REGISTRY.parse()?, &repository)?.at(Digest::of(&number.to_be_bytes())))
    };
    let before = memory()?;
    for number in 0..count {
        let verdict = verdict(&policies.governing(&subject(number)?, NOW))?;
        let key = Key::clone(verdict.key());
        verdicts.decide_once(key, NOW, async { Ok(verdict) }).await.map_err(|_| "undecided")?;
    }
    let bytes = memory()?.saturating_sub(before) / count;
    // All of them are there, and not only their traces.
    let governing = policies.governing(&subject(0)?, NOW);
    let first = verdicts.fresh(&Key::new(&governing, Trust::none().revision(&governing)), NOW).await;
    first.map(|_| (bytes, verdicts)).ok_or_else(|| "a verdict was forgotten".into())
}

fn exempting() -> Result<Policies, Box<dyn Error>> {
    let text = format!("policies: []\nexemptions: [ {{ match: [ \"{REGISTRY}/**\" ], reason: INC-1 }} ]\n");
    Ok(parse(&text, "policy.yaml", Path::new("."))?)
}

fn allow(governing: &Governing) -> Result<Verdict, Box<dyn Error>> {
    Ok(ungoverned(governing, Trust::none().revision(governing), &terms()).ok_or("a policy governs it")?)
}

/// A key has to sign the image of each platform.
fn demanding() -> Result<Policies, Box<dyn Error>> {
    let text = policy(REGISTRY, &Signer::generate()?.public_key_pem());
    Ok(parse(&text.replace("by: release-key", "by: release-key, on: platform"), "policy.yaml", Path::new("."))?)
}

/// An index of which another key has signed an image: what is said of it names that one.
fn deny(governing: &Governing) -> Result<Verdict, Box<dyn Error>> {
    let part = |platform: &str, digest, rejected| Part {
        image: ImageFacts {
            registry: REGISTRY.into(),
            repository: governing.subject().image.repository.to_string(),
            digest,
            annotations: std::collections::BTreeMap::new(),
        },
        platform: platform.into(),
        findings: Findings {
            verified: Vec::new(),
            rejected,
            unjudged: Vec::new(),
            unread: Vec::new(),
            incomplete: false,
            read_at: NOW,
        },
    };
    let digest = governing.subject().digest;
    let rejected = Rejected {
        authority: Name::new("release-key").ok_or("no name")?,
        format: Format::Bundle,
        location: "referrer".into(),
        reason: Reason::KeyMismatch,
        detail: "signed by another key".into(),
    };
    let child = part("linux/arm64", Digest::of(digest.as_bytes()), vec![rejected]);
    let examined = Examined { own: part("", digest, Vec::new()), children: Children::Read(vec![child]) };
    decide(governing, Trust::none().revision(governing), &examined, &terms()).map_err(|unsure| unsure.0.detail.into())
}

fn terms() -> Terms {
    let last_known_good = Duration::ZERO;
    Terms { now: NOW, allow: LASTS, deny: LASTS, evidence_max_age: LASTS * 4, last_known_good }
}

/// The proportional set size of this process, in bytes.
fn memory() -> Result<u64, Box<dyn Error>> {
    let text = std::fs::read_to_string("/proc/self/smaps_rollup")?;
    let line = text.lines().find_map(|line| line.strip_prefix("Pss:")).ok_or("no Pss")?;
    Ok(line.trim().trim_end_matches(" kB").parse::<u64>()? << 10)
}

const AN_ALLOW: u64 = 512;
const A_DENY: u64 = 1024;
