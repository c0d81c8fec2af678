//! What is said of a file: a mistake, or something that deserves a look; where it stands, and what to do.

use std::fmt;

use serde::Serialize;

use super::FileError;

/// One thing to be said of a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Diagnostic {
    /// How much it matters.
    pub severity: Severity,
    /// What kind of thing it is: one word that does not change when the message does.
    pub code: &'static str,
    /// The file, or the environment variable.
    pub file: String,
    /// The line, from 1, if it has one.
    pub line: Option<u64>,
    /// The column in characters, from 1, if it has one.
    pub column: Option<u64>,
    /// What there is to say, beginning with the keys that lead there.
    pub message: String,
    /// What to do.
    pub help: Option<String>,
    /// The line of the file, with a caret under the column.
    #[serde(skip)]
    pub snippet: Option<String>,
}

/// How much a diagnostic matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// The file means nothing.
    Error,
    /// It is allowed, and weak, useless or about to surprise.
    Warning,
    /// Worth knowing; nothing is to be done.
    Note,
}

impl Diagnostic {
    /// Something said where `at` points; its message is that of `at`.
    pub fn new(severity: Severity, code: &'static str, at: FileError, help: Option<String>) -> Self {
        let FileError { path, line, column, message, snippet } = at;
        Self { severity, code, file: path, line, column, message, help, snippet }
    }

    /// A mistake.
    pub fn error(at: FileError) -> Self {
        Self::new(Severity::Error, INVALID, at, None)
    }

    /// Brings diagnostics into the order of the files; what stands nowhere in a file comes before the rest of it.
    pub fn sort(all: &mut [Self]) {
        all.sort_by(|a, b| (&a.file, a.line, a.column, a.severity).cmp(&(&b.file, b.line, b.column, b.severity)));
    }
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.file)?;
        if let (Some(line), Some(column)) = (self.line, self.column) {
            write!(f, ":{line}:{column}")?;
        }
        write!(f, ": {}: {} [{}]", self.severity, self.message, self.code)?;
        if let Some(snippet) = &self.snippet {
            write!(f, "\n{snippet}")?;
        }
        self.help.as_ref().map_or(Ok(()), |help| write!(f, "\n  help: {help}"))
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Error => "error",
            Self::Note => "note",
            Self::Warning => "warning",
        })
    }
}

/// The code of every mistake: what is wrong is told by its message.
const INVALID: &str = "invalid";
