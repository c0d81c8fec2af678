//! A statement as conditions see it.

use super::json::{Json, read};
use super::{Failure, printable};
use crate::policy::FieldPath;
use crate::reason::Reason;

/// A statement, parsed once for every condition that is asked about it.
pub struct Document {
    statement: Json,
}

impl Document {
    /// Parses a statement.
    ///
    /// # Errors
    /// If it is no JSON that can be read in one way only, or holds more values than any document needs.
    pub fn parse(json: &[u8]) -> Result<Self, Failure> {
        let failed = |error: serde_json::Error| Failure {
            reason: Reason::ConditionError,
            detail: printable(&format!("the statement cannot be read: {error}")),
        };
        read::read(json).map(|statement| Self { statement }).map_err(failed)
    }

    /// The text at `path` within the predicate.
    pub fn text(&self, path: &FieldPath) -> Option<&str> {
        let predicate = self.predicate()?;
        path.names().iter().try_fold(predicate, |value, name| value.as_object()?.get(name))?.as_text()
    }

    pub(super) fn statement(&self) -> &Json {
        &self.statement
    }

    pub(super) fn predicate(&self) -> Option<&Json> {
        self.statement.as_object()?.get("predicate")
    }
}

impl std::fmt::Debug for Document {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "a statement of {}", self.statement.weight())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_found_by_its_path() {
        let json = br#"{"predicate":{"metadata":{"scanFinishedOn":"2026-01-01T00:00:00Z","tools":[]},"n":1}}"#;
        let document = Document::parse(json).expect("a statement");
        let text = |path: &str| document.text(&FieldPath::parse(path).expect("a path"));
        assert_eq!(text("metadata.scanFinishedOn"), Some("2026-01-01T00:00:00Z"));
        for nothing in ["metadata", "metadata.tools", "metadata.other", "n", "n.x", "predicate"] {
            assert_eq!(text(nothing), None, "{nothing}");
        }
    }

    #[test]
    fn only_json_that_can_be_read_in_one_way_is_a_statement() {
        let deep = format!("{}{}", "[".repeat(200), "]".repeat(200));
        for (bad, why) in [
            (r#"{"a":1,"b":2,"a":3}"#, "duplicate member `a`"),
            (r#"{"a":[{"x":1,"\u0078":2}]}"#, "duplicate member `x`"),
            ("{} {}", "trailing"),
            ("", "EOF"),
            (r#"{"a":1e400}"#, "number out of range"),
            (deep.as_str(), "recursion limit"),
        ] {
            let failure = Document::parse(bad.as_bytes()).expect_err(bad);
            assert_eq!(failure.reason, Reason::ConditionError);
            assert!(failure.detail.contains(why), "{bad}: {}", failure.detail);
        }
        let many = format!("[{}0]", "0,".repeat(2_000_000));
        let failure = Document::parse(many.as_bytes()).expect_err("too many");
        assert!(failure.detail.contains("more than 2000000 values"), "{}", failure.detail);
    }
}
