//! How a check of a file is reported: mistakes with their places, or what the file says and what deserves a look.

use std::io::{self, Write};

use serde::Serialize;

use crate::yaml::{Diagnostic, FileErrors, Severity};

/// What is known of a file that has no mistakes.
pub(super) struct Sound {
    /// What it says, in a few lines.
    pub(super) summary: String,
    /// What deserves a look, or is worth knowing.
    pub(super) diagnostics: Vec<Diagnostic>,
}

impl Sound {
    fn of(&self, severity: Severity) -> impl Iterator<Item = &Diagnostic> {
        self.diagnostics.iter().filter(move |one| one.severity == severity)
    }
}

#[derive(Serialize)]
struct Json<'a> {
    ok: bool,
    summary: Option<&'a str>,
    errors: Vec<Diagnostic>,
    warnings: Vec<&'a Diagnostic>,
    notes: Vec<&'a Diagnostic>,
}

/// Writes the report of the file called `name` and returns the exit code: 0, 78 for mistakes, or 1 if it is to be
/// `strict` and there are warnings.
pub(super) fn write(
    name: &str,
    checked: &Result<Sound, FileErrors>,
    json: bool,
    strict: bool,
    out: &mut dyn Write,
) -> u8 {
    let code = match checked {
        Err(_) => CONFIGURATION,
        Ok(sound) => u8::from(strict && sound.of(Severity::Warning).next().is_some()),
    };
    let written = if json { write_json(code == 0, checked, out) } else { write_text(name, checked, out) };
    if written.is_ok() { code } else { 2 }
}

fn write_json(ok: bool, checked: &Result<Sound, FileErrors>, out: &mut dyn Write) -> io::Result<()> {
    let report = match checked {
        Ok(sound) => Json {
            ok,
            summary: Some(&sound.summary),
            errors: Vec::new(),
            warnings: sound.of(Severity::Warning).collect(),
            notes: sound.of(Severity::Note).collect(),
        },
        Err(errors) => {
            let errors = errors.all().iter().cloned().map(Diagnostic::error).collect();
            Json { ok, summary: None, errors, warnings: Vec::new(), notes: Vec::new() }
        }
    };
    writeln!(out, "{}", serde_json::to_string(&report)?)
}

fn write_text(name: &str, checked: &Result<Sound, FileErrors>, out: &mut dyn Write) -> io::Result<()> {
    match checked {
        Ok(sound) => {
            writeln!(out, "{name} is right: {}", sound.summary)?;
            sound.diagnostics.iter().try_for_each(|one| writeln!(out, "\n{one}"))?;
            let warnings = counted(sound.of(Severity::Warning).count(), "warning");
            if sound.diagnostics.is_empty() { Ok(()) } else { writeln!(out, "\n{warnings} in {name}") }
        }
        Err(errors) => writeln!(out, "{errors}\n\n{} in {name}", counted(errors.all().len(), "mistake")),
    }
}

fn counted(count: usize, one: &str) -> String {
    format!("{count} {one}{}", if count == 1 { "" } else { "s" })
}

/// `EX_CONFIG` of sysexits.h.
pub(super) const CONFIGURATION: u8 = 78;

#[cfg(test)]
mod tests;
