//! `countersign policy schema`: the policy language for editors.

use std::io::Write;

use crate::policy::file::SCHEMA;

/// Prints the schema and returns the exit code.
pub(super) fn run(out: &mut dyn Write) -> u8 {
    if out.write_all(SCHEMA.as_bytes()).is_ok() { 0 } else { 2 }
}
