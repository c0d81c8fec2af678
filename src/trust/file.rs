//! A trusted root in a file.

use std::path::Path;

use super::Root;
use crate::yaml::read_text;

/// Reads and parses `trusted_root.json`.
///
/// The whole file is read each time: some tens of kilobytes, and neither its time nor its size says for certain that it
/// is still the same.
pub(super) fn read(path: &Path) -> Result<Root, String> {
    let wrong = |why: &dyn std::fmt::Display| format!("`{}`: {why}", path.display());
    let text = read_text(path).map_err(|why| wrong(&why))?;
    Root::parse(&text).map_err(|error| {
        wrong(&format_args!("not a trusted root: {error} (expected is the `trusted_root.json` of a Sigstore instance)"))
    })
}
