//! `countersign config check`: whether the configuration is right. The policy that it names has a check of its own.

use std::io::Write;
use std::path::Path;

use super::report::{self, Sound};
use crate::config::{self, Config};

/// Checks the configuration at `path`, with the environment over it, and returns the exit code.
pub fn run(path: &Path, json: bool, out: &mut dyn Write) -> u8 {
    let checked = Config::load(path, config::environment())
        .map(|config| Sound { summary: config.summary(), warnings: config.warnings() });
    report::write(&path.display().to_string(), &checked, json, out)
}
