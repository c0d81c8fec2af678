//! `countersign policy import kyverno`: Kyverno's policies as a policy of ours, and a report of what became of each element.

use std::io::Write;
use std::path::{Path, PathBuf};

use clap::ValueEnum;

use super::report::CONFIGURATION;
use crate::policy::file;
use crate::policy::file::replace::replace;
use crate::policy::kyverno::{self, Imported, Source};
use crate::yaml::{FileError, FileErrors, read_input, read_text, why};

/// From which system.
#[derive(Debug, clap::Subcommand)]
pub(super) enum Import {
    /// Of Kyverno's `ClusterPolicy` with `verifyImages`: the policy goes to the standard output, a report to the error output.
    Kyverno(Arguments),
}

/// What the command is given.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Files with `ClusterPolicy` objects, as many to a file as you like; `-` is the standard input, for what
    /// `kubectl get clusterpolicies -o yaml` writes.
    #[arg(value_name = "FILE", required = true)]
    files: Vec<PathBuf>,
    /// Where to write the policy, a file that is not there yet; `-` is the standard output.
    #[arg(long, short, value_name = "FILE", default_value = "-")]
    output: PathBuf,
    /// Leave out, by name, what cannot be translated. Nothing checks for it then.
    #[arg(long)]
    allow_partial: bool,
    /// How to print the report, which goes to the standard error.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    report: Format,
}

/// How to print the report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    /// For people.
    Text,
    /// For programs.
    Json,
}

/// Imports the files and returns the exit code: 0, or 1 if something could not be translated.
pub(super) fn run(from: &Import, out: &mut dyn Write, report: &mut dyn Write) -> u8 {
    let Import::Kyverno(arguments) = from;
    let imported = sources(&arguments.files).and_then(|sources| kyverno::import(&sources));
    let imported = match imported {
        Ok(imported) => imported,
        Err(errors) => return complain(report, &errors.to_string(), CONFIGURATION),
    };
    let printed = match arguments.report {
        Format::Text => write!(report, "{}", imported.report),
        Format::Json => serde_json::to_string(&imported.report)
            .map_err(std::io::Error::other)
            .and_then(|text| writeln!(report, "{text}")),
    };
    if printed.is_err() {
        return COULD_NOT;
    }
    let Imported { policy, report: found } = imported;
    if !found.is_complete() && !arguments.allow_partial {
        let why = "Nothing is written, because not all of it can be translated; `--allow-partial` leaves that out";
        return complain(report, why, NO);
    }
    let Some(policy) = policy else { return complain(report, "Nothing is written: nothing is left", NO) };
    // What the loader would refuse is not handed out.
    let base = arguments.output.parent().unwrap_or(Path::new(""));
    if let Err(errors) = file::parse(&policy, "the policy that was made", base) {
        return complain(report, &format!("{errors}\n\nNothing is written: the loader refuses it"), COULD_NOT);
    }
    let output = &arguments.output;
    let written = if output == Path::new("-") {
        out.write_all(policy.as_bytes()).map_err(|error| why(&error))
    } else if output.exists() {
        Err("it is there already, and may have been edited: name another file, or take it away".into())
    } else {
        replace(output, None, &policy)
    };
    match written {
        Ok(()) => 0,
        Err(why) => complain(report, &format!("{} could not be written: {why}", output.display()), COULD_NOT),
    }
}

fn sources(files: &[PathBuf]) -> Result<Vec<Source>, FileErrors> {
    let (mut sources, mut errors) = (Vec::new(), Vec::new());
    for path in files {
        let (name, text) = if path == Path::new("-") {
            ("standard input".to_string(), read_input(std::io::stdin()))
        } else {
            (path.display().to_string(), read_text(path))
        };
        match text {
            Ok(text) => sources.push(Source { name, text }),
            Err(why) => errors.push(FileError::whole(name, why)),
        }
    }
    FileErrors::of(errors).map(|()| sources)
}

fn complain(report: &mut dyn Write, why: &str, code: u8) -> u8 {
    // If even this cannot be printed, the exit code says it.
    let _ = writeln!(report, "{why}");
    code
}

/// It is not what it should be.
const NO: u8 = 1;

/// It could not be told, or done.
const COULD_NOT: u8 = 2;
