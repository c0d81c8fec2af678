//! How a check of a file is reported: mistakes with their places, or what the file says and what deserves a look.

use std::io::{self, Write};

use serde::Serialize;

use crate::yaml::{FileError, FileErrors};

/// What is known of a file that has no mistakes.
pub(super) struct Sound {
    /// What it says, in a few lines.
    pub(super) summary: String,
    /// What deserves a look.
    pub(super) warnings: Vec<String>,
}

#[derive(Serialize)]
struct Json<'a> {
    ok: bool,
    errors: &'a [FileError],
    warnings: &'a [String],
}

/// Writes the report of the file called `name` and returns the exit code: 0, or 78 for mistakes.
pub(super) fn write(name: &str, checked: &Result<Sound, FileErrors>, json: bool, out: &mut dyn Write) -> u8 {
    let code = if checked.is_ok() { 0 } else { CONFIGURATION };
    let written = if json { write_json(checked, out) } else { write_text(name, checked, out) };
    if written.is_ok() { code } else { 2 }
}

fn write_json(checked: &Result<Sound, FileErrors>, out: &mut dyn Write) -> io::Result<()> {
    let report = match checked {
        Ok(sound) => Json { ok: true, errors: &[], warnings: &sound.warnings },
        Err(errors) => Json { ok: false, errors: errors.all(), warnings: &[] },
    };
    writeln!(out, "{}", serde_json::to_string(&report)?)
}

fn write_text(name: &str, checked: &Result<Sound, FileErrors>, out: &mut dyn Write) -> io::Result<()> {
    match checked {
        Ok(Sound { summary, warnings }) => {
            writeln!(out, "{name} is right: {summary}")?;
            warnings.iter().try_for_each(|warning| writeln!(out, "warning: {warning}"))
        }
        Err(errors) => {
            let count = errors.all().len();
            writeln!(out, "{errors}\n\n{count} {} in {name}", if count == 1 { "mistake" } else { "mistakes" })
        }
    }
}

/// `EX_CONFIG` of sysexits.h.
pub(super) const CONFIGURATION: u8 = 78;

#[cfg(test)]
mod tests;
