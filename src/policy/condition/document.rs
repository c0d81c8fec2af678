//! A statement as conditions see it.

use super::Failure;
use crate::policy::FieldPath;
use crate::reason::Reason;

/// A statement, parsed once.
#[derive(Debug)]
pub struct Document(serde_json::Value);

impl Document {
    /// Parses a statement that verification has read strictly before.
    ///
    /// # Errors
    /// If it is no JSON.
    pub fn parse(json: &[u8]) -> Result<Self, Failure> {
        let failed = |error: serde_json::Error| Failure { reason: Reason::ConditionError, detail: error.to_string() };
        serde_json::from_slice(json).map(Self).map_err(failed)
    }

    /// The text at `path` within the predicate.
    pub fn text(&self, path: &FieldPath) -> Option<&str> {
        let predicate = self.0.get("predicate")?;
        path.names().iter().try_fold(predicate, |value, name| value.get(name))?.as_str()
    }
}
