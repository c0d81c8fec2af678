//! `countersign config check`: whether the configuration is right, and the policy that it names.

use std::io::Write;
use std::path::Path;

use super::report::{self, Sound};
use crate::config::{self, Config};
use crate::policy;
use crate::trust;

/// Checks the configuration at `path`, with the environment over it, and returns the exit code.
pub fn run(path: &Path, json: bool, out: &mut dyn Write) -> u8 {
    let checked = Config::load(path, config::environment()).and_then(|config| {
        let policies = policy::file::load(&config.policy_path)?;
        trust::files(&policies)?;
        Ok(Sound { summary: config.summary(), warnings: config.warnings() })
    });
    report::write(&path.display().to_string(), &checked, json, out)
}
