//! `countersign config check`: whether the configuration is right, and the policy that it names.

use std::io::Write;
use std::path::Path;

use super::report::{self, Sound};
use crate::config::{self, Config};
use crate::policy;
use crate::trust;
use crate::yaml::{Diagnostic, FileError, Severity};

/// Checks the configuration at `path`, with the environment over it, and returns the exit code.
pub(super) fn run(path: &Path, json: bool, out: &mut dyn Write) -> u8 {
    let name = path.display().to_string();
    let warning = |(code, message): (&'static str, String)| {
        Diagnostic::new(Severity::Warning, code, FileError::whole(&name, message), None)
    };
    let checked = Config::load(path, config::environment()).and_then(|config| {
        let policies = policy::file::load(&config.policy_path)?;
        trust::files(&policies)?;
        let diagnostics = config.warnings().into_iter().map(warning).collect();
        Ok(Sound { summary: config.summary(), diagnostics })
    });
    report::write(&name, &checked, json, false, out)
}
