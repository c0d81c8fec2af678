//! `countersign policy check`: whether a policy file, or a directory of them, is right, and what in it deserves a look.
//! It asks no registry and no TUF repository.

use std::io::Write;
use std::path::{Path, PathBuf};

use super::Output;
use super::report::{self, Sound};
use crate::clock::Clock;
use crate::config::{self, Config};
use crate::oci::Registry;
use crate::policy::file::{Surroundings, Upstream, Written};
use crate::trust;
use crate::yaml::FileErrors;

/// What the command may be told.
#[derive(Debug, clap::Args)]
#[command(after_help = AFTER_HELP)]
pub(super) struct Arguments {
    /// The policy: a file, or a directory of them. With `--config`, in the place of the configured one.
    #[arg(value_name = "FILE", required_unless_present = "config")]
    path: Option<PathBuf>,
    /// The configuration of `serve`: which registries there are, and the policy if FILE is not given.
    #[arg(long, value_name = "FILE", conflicts_with = "registry")]
    config: Option<PathBuf>,
    /// A registry that is configured, by its canonical name; once for each.
    #[arg(long, value_name = "NAME")]
    registry: Vec<Registry>,
    /// Exit with 1 if there are warnings. Notes do not count.
    #[arg(long)]
    strict: bool,
    /// How to print the result.
    #[arg(long, value_enum, default_value_t = Output::Text)]
    output: Output,
}

const AFTER_HELP: &str = "\
Exit codes: 0 the policy is right, 1 there are warnings and --strict was given, 78 it is wrong.

--output json prints one object on one line. Members are added, never changed or taken away:
  ok        whether the exit code is 0
  summary   what the policy says, in a few lines; null if it is wrong
  errors    what is wrong; nothing else is told then
  warnings  what is weak, useless or about to surprise
  notes     what is worth knowing; --strict does not count them
each of them a list of
  severity  error | warning | note
  code      one word for the kind of thing: invalid for every error, scope_unreachable, insecure, …
  file, line, column   where; line and column, from 1, are null for a file as a whole
  message   what there is to say, beginning with the keys that lead there
  help      what to do; null for errors";

/// Checks the policy and returns the exit code.
pub(super) fn run(arguments: &Arguments, out: &mut dyn Write) -> u8 {
    let (name, checked) = check(arguments);
    report::write(&name, &checked, arguments.output == Output::Json, arguments.strict, out)
}

/// What the policy is called, and what is to be said of it.
fn check(arguments: &Arguments) -> (String, Result<Sound, FileErrors>) {
    let config = arguments.config.as_deref().map(|path| Config::load(path, config::environment()));
    let config = match config.transpose() {
        Ok(config) => config,
        Err(errors) => {
            let name = arguments.config.as_ref().map(|path| path.display().to_string());
            return (name.unwrap_or_default(), Err(errors));
        }
    };
    let configured = config.as_ref().map(|config| config.policy_path.as_path());
    let path = arguments.path.as_deref().or(configured).unwrap_or(Path::new(""));
    let upstreams = match &config {
        Some(config) => Some(of_config(config)),
        None if arguments.registry.is_empty() => None,
        None => {
            let named = |registry: &Registry| Upstream { registry: registry.clone(), aliases: Vec::new() };
            Some(arguments.registry.iter().map(named).collect())
        }
    };
    (path.display().to_string(), sound(path, upstreams))
}

fn sound(path: &Path, upstreams: Option<Vec<Upstream>>) -> Result<Sound, FileErrors> {
    let written = Written::load(path)?;
    trust::files(written.policies())?;
    if let Some(upstreams) = &upstreams {
        let registries: Vec<_> = upstreams.iter().map(|upstream| upstream.registry.clone()).collect();
        written.evidence_within(&registries)?;
    }
    let around = Surroundings { now: Clock::default().now(), upstreams };
    Ok(Sound { summary: written.policies().summary(), diagnostics: written.diagnostics(&around) })
}

fn of_config(config: &Config) -> Vec<Upstream> {
    let all = config.upstreams.iter();
    all.map(|one| Upstream { registry: one.registry.clone(), aliases: one.aliases.clone() }).collect()
}
