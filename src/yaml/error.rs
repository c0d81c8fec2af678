//! Mistakes in a file, as people and programs read them.

use std::fmt;

use serde::Serialize;

use super::KeyPath;

/// One mistake, and where it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FileError {
    /// The file, or the environment variable.
    pub path: String,
    /// The line, from 1, if it has one.
    pub line: Option<u64>,
    /// The column in characters, from 1, if it has one.
    pub column: Option<u64>,
    /// What is wrong, beginning with the keys that lead there.
    pub message: String,
    /// The line of the file, with a caret under the column.
    #[serde(skip)]
    pub snippet: Option<String>,
}

/// Every mistake that was found, by position; at least one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct FileErrors(Vec<FileError>);

impl FileError {
    /// A mistake of a file or variable as a whole.
    pub fn whole(path: impl Into<String>, message: impl Into<String>) -> Self {
        Self { path: path.into(), line: None, column: None, message: message.into(), snippet: None }
    }

    /// A mistake at `spot` of `text`, which is known as `name`.
    pub fn new(name: &str, spot: Option<(u64, u64)>, text: Option<&str>, keys: &KeyPath, message: String) -> Self {
        let message = if keys.is_root() { message } else { format!("{keys}: {message}") };
        let snippet = spot.zip(text).and_then(|(spot, text)| snippet(text, spot));
        Self { path: name.into(), line: spot.map(|s| s.0), column: spot.map(|s| s.1), message, snippet }
    }
}

impl fmt::Display for FileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.path)?;
        if let (Some(line), Some(column)) = (self.line, self.column) {
            write!(f, ":{line}:{column}")?;
        }
        write!(f, ": {}", self.message)?;
        self.snippet.as_ref().map_or(Ok(()), |snippet| write!(f, "\n{snippet}"))
    }
}

impl FileErrors {
    /// Collects mistakes: `Ok` if there are none.
    pub fn of(errors: impl IntoIterator<Item = FileError>) -> Result<(), Self> {
        let mut errors: Vec<_> = errors.into_iter().collect();
        errors.sort_by(|a, b| (&a.path, a.line, a.column).cmp(&(&b.path, b.line, b.column)));
        errors.dedup();
        if errors.is_empty() { Ok(()) } else { Err(Self(errors)) }
    }

    /// The mistakes.
    pub fn all(&self) -> &[FileError] {
        &self.0
    }
}

impl From<FileError> for FileErrors {
    fn from(error: FileError) -> Self {
        Self(vec![error])
    }
}

impl IntoIterator for FileErrors {
    type Item = FileError;
    type IntoIter = std::vec::IntoIter<FileError>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl fmt::Display for FileErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, error) in self.0.iter().enumerate() {
            write!(f, "{}{error}", if at > 0 { "\n" } else { "" })?;
        }
        Ok(())
    }
}

/// The line of `text` with a caret under the column; nothing of a line that may hold a secret.
fn snippet(text: &str, (line, column): (u64, u64)) -> Option<String> {
    let source = text.lines().nth(usize::try_from(line).ok()?.checked_sub(1)?)?;
    if source.split("://").skip(1).any(has_credentials) || SECRETS.iter().any(|key| source.contains(key)) {
        return None;
    }
    let column = usize::try_from(column).ok()?.saturating_sub(1);
    let from = column.saturating_sub(WIDTH / 2);
    let printable = |c: char| if c.is_control() { ' ' } else { c };
    let shown: String = source.chars().skip(from).take(WIDTH).map(printable).collect();
    let number = line.to_string();
    let (blank, indent) = (" ".repeat(number.len()), " ".repeat(column - from));
    Some(format!("  {number} | {}\n  {blank} | {indent}^", shown.trim_end()))
}

/// Whether a URL, after its scheme, may have credentials in it: an `@` that does not stand behind a host and a path.
fn has_credentials(rest: &str) -> bool {
    let url = rest.split([' ', '"', '\'', ',', '}']).next().unwrap_or_default();
    let host_and_path = |before: &str| before.split_once('/').is_some_and(|(host, _)| host.contains('.'));
    url.split_once('@').is_some_and(|(before, _)| before.contains(':') || !host_and_path(before))
}

/// Keys whose values are secret.
const SECRETS: [&str; 4] = ["password:", "token:", "password\":", "token\":"];

/// How many characters of a line are shown at most.
const WIDTH: usize = 120;
