//! `countersign policy exempt REF`: writes an exemption for one image into the policy, so that nobody edits YAML by hand
//! at three in the morning. A running proxy needs no restart.

use std::io::Write;
use std::path::PathBuf;
use std::time::Duration;

use super::report::CONFIGURATION;
use super::serve::{block_on, complain};
use super::verify::reference;
use crate::app;
use crate::clock::{Clock, Timestamp};
use crate::config::{self, Config};
use crate::oci::{Digest, Reference, Subject};
use crate::policy::file::write::NewExemption;
use crate::policy::{self, Mode, Policies};
use crate::route::ManifestPull;
use crate::yaml::did_you_mean;

mod edit;

mod lasting;

use edit::Edit;

/// What the command may be told.
#[derive(Debug, clap::Args)]
#[command(group = clap::ArgGroup::new("where").args(["file", "config"]).required(true).multiple(true))]
#[command(group = clap::ArgGroup::new("until").args(["lasting", "forever"]).required(true))]
pub(super) struct Arguments {
    /// The image: `registry.company.com/app@sha256:…`, or with `--config` by a tag, which is resolved once, now.
    #[arg(value_name = "REF")]
    reference: String,
    /// Why, in one line: a ticket, say. It stands in logs, metrics and answers.
    #[arg(long, value_parser = reason)]
    reason: String,
    /// How long from now, such as `30m`, `4h`, `7d`.
    #[arg(long = "for", value_name = "DURATION", value_parser = lasting::parse)]
    lasting: Option<Duration>,
    /// Without an end: until somebody takes it out of the policy.
    #[arg(long)]
    forever: bool,
    /// The policy that it is an exemption from, by its name; may be given again. Without it: from all.
    #[arg(long = "policy", value_name = "NAME")]
    policies: Vec<String>,
    /// The policy file to write to, or a directory of them, which gets an `exemptions.yaml`. Default: what `--config`
    /// says.
    #[arg(long, value_name = "FILE")]
    file: Option<PathBuf>,
    /// The configuration of `serve`: where the policy is, and the registry, if REF has a tag.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Print what would be written, and leave the policy alone.
    #[arg(long)]
    dry_run: bool,
}

/// Why there is no exemption, and the exit code that says so.
struct Refused(String, u8);

/// Writes the exemption and returns the exit code: 0 written, 1 refused, 2 it could not be done, 64 or 78.
pub(super) fn run(arguments: &Arguments, out: &mut impl Write) -> u8 {
    match exempt(arguments, Clock::default().now(), out) {
        Ok(()) => 0,
        Err(Refused(why, code)) => complain(&why, code),
    }
}

fn exempt(arguments: &Arguments, now: Timestamp, out: &mut impl Write) -> Result<(), Refused> {
    let config = match &arguments.config {
        Some(path) => {
            Some(Config::load(path, config::environment()).map_err(|e| Refused(e.to_string(), CONFIGURATION))?)
        }
        None => None,
    };
    let configured = config.as_ref().map(|config| config.policy_path.as_path());
    let (whole, file) = edit::place(arguments.file.as_deref(), configured).map_err(|why| Refused(why, super::USAGE))?;
    let policies = policy::file::load(&whole).map_err(|errors| Refused(errors.to_string(), CONFIGURATION))?;
    known(&arguments.policies, &policies)?;
    let (subject, remark) = subject(&arguments.reference, config.as_ref(), now)?;
    if policies.revokes(&subject.digest) {
        let why = format!("`{subject}` is revoked, and no exemption lifts that: take it off `revoked` first");
        return Err(Refused(why, 1));
    }
    let expires = arguments.lasting.map(|lasting| now.plus(lasting));
    let (names, reason) = (arguments.policies.clone(), arguments.reason.trim().to_string());
    let exemption = NewExemption { subject, policies: names, reason, expires, remark };
    let edit = Edit::make(&whole, &file, &exemption)?;
    if !arguments.dry_run {
        edit.write()?;
    }
    tell(&edit, &exemption, now, arguments.dry_run, out)
        .map_err(|error| Refused(format!("cannot print the result: {error}"), UNKNOWN))
}

/// The image by digest, and the tag that led there.
fn subject(text: &str, config: Option<&Config>, now: Timestamp) -> Result<(Subject, Option<String>), Refused> {
    let registries = config.map(app::registries).unwrap_or_default();
    let pull = reference::parse(text, &registries).map_err(|why| Refused(why, super::USAGE))?;
    match (&pull.reference, config) {
        (Reference::Digest(digest), _) => Ok((pull.image.at(*digest), None)),
        (Reference::Tag(tag), None) => {
            let why = format!(
                "an exemption is for one digest, and the tag `{tag}` may lead to another tomorrow: give \
                 `{}@sha256:…`, or `--config FILE`, with which the registry is asked for it",
                pull.image
            );
            Err(Refused(why, super::USAGE))
        }
        (Reference::Tag(tag), Some(config)) => {
            let digest = resolve(config, &pull)?;
            Ok((pull.image.at(digest), Some(format!("{}:{tag} at {now}", pull.image))))
        }
    }
}

fn resolve(config: &Config, pull: &ManifestPull) -> Result<Digest, Refused> {
    let resolved = block_on(app::resolve(config, pull));
    let resolved = resolved.map_err(|error| Refused(format!("cannot run: {error}"), UNKNOWN))?;
    let resolved = resolved.map_err(|error| Refused(error.to_string(), CONFIGURATION))?;
    resolved.map_err(|error| {
        Refused(format!("`{}:{}` has no digest now: {}: {error}", pull.image, pull.reference, error.reason()), UNKNOWN)
    })
}

/// That the policies are there: a misspelt one would be reported in lines that the reader has not written.
fn known(names: &[String], policies: &Policies) -> Result<(), Refused> {
    let known = || policies.all().iter().map(|policy| policy.name().as_str());
    match names.iter().find(|name| !known().any(|known| known == *name)) {
        None => Ok(()),
        Some(name) => Err(Refused(format!("there is no policy `{name}`{}", did_you_mean(name, known())), super::USAGE)),
    }
}

fn tell(
    edit: &Edit,
    exemption: &NewExemption,
    now: Timestamp,
    dry_run: bool,
    out: &mut impl Write,
) -> std::io::Result<()> {
    let file = edit.file().display();
    if dry_run {
        writeln!(out, "nothing is written; {file} would get\n\n{}", edit.item())?;
    } else {
        writeln!(out, "written to {file}:\n\n{}", edit.item())?;
    }
    let until =
        exemption.expires.map_or_else(|| "until it is taken out of the policy".into(), |end| format!("until {end}"));
    let governing = edit.policies().governing(&exemption.subject, now);
    let obeyed: Vec<_> = governing.remaining().filter(|policy| policy.mode() == Mode::Enforce).collect();
    match (obeyed.as_slice(), governing.exempting()) {
        ([], Some(_)) => writeln!(out, "It is served whatever its evidence, {until}.")?,
        ([], None) => writeln!(
            out,
            "It changes nothing now: no policy that is enforced and named here covers `{}`.",
            exemption.subject.image
        )?,
        (left, _) => {
            let names: Vec<_> = left.iter().map(|policy| format!("`{}`", policy.name())).collect();
            writeln!(out, "The exemption holds {until}; what still judges the image: {}.", names.join(", "))?;
        }
    }
    if !dry_run {
        writeln!(out, "A running proxy notices by itself within seconds, or at once on SIGHUP.")?;
    }
    Ok(())
}

/// A reason is one line that can be shown.
fn reason(text: &str) -> Result<String, String> {
    if text.trim().is_empty() {
        return Err("an exemption without a reason is a hole; say why".into());
    }
    if text.chars().any(char::is_control) || text.chars().count() > LONGEST {
        return Err(format!("it is one line of at most {LONGEST} characters"));
    }
    Ok(text.to_string())
}

/// Characters of a reason.
const LONGEST: usize = 500;

const UNKNOWN: u8 = 2;
