//! `countersign policy check`: whether a policy file, or a directory of them, is right. It asks no TUF repository.

use std::io::Write;
use std::path::Path;

use super::report::{self, Sound};
use crate::clock::Clock;
use crate::policy;
use crate::trust;

/// Checks the policy at `path` and returns the exit code.
pub fn run(path: &Path, json: bool, out: &mut dyn Write) -> u8 {
    let now = Clock::default().now();
    let checked = policy::file::load(path)
        .and_then(|policies| trust::files(&policies).map(|()| policies))
        .map(|policies| Sound { summary: policies.summary(), warnings: policies.warnings(now) });
    report::write(&path.display().to_string(), &checked, json, out)
}
