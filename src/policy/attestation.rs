//! What a policy may ask of an attestation.

use std::fmt;
use std::time::Duration;

use super::{Condition, Name};

/// An attestation that must exist: by whom, of which type, and what must be true of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attestation {
    /// Who must have made it.
    pub by: Name,
    /// What it must be, exactly.
    pub predicate_type: String,
    /// What it must be about.
    pub on: On,
    /// Of several, which must satisfy the rest.
    pub select: Select,
    /// What its content must say.
    pub condition: Option<Condition>,
    /// How old it may be.
    pub max_age: Option<Duration>,
    /// The field of its predicate that says how old it is, and orders; else the verified time of signing does.
    pub age_from: Option<FieldPath>,
}

/// Which manifest of a multi-platform image a requirement is about.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum On {
    /// The manifest itself, or an admitted index that lists it.
    #[default]
    Index,
    /// Each platform's own manifest.
    Platform,
}

/// Of several attestations that verify, which must satisfy condition and age.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Select {
    /// All of them.
    All,
    /// One of them.
    Any,
    /// The newest, or all of the newest.
    #[default]
    Newest,
}

/// The way to a field within a predicate, such as `metadata.scanFinishedOn`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldPath(Vec<String>);

impl FieldPath {
    /// Parses names that dots separate.
    ///
    /// # Errors
    /// If a name is empty, or has characters that names of fields do not have.
    pub fn parse(text: &str) -> Result<Self, String> {
        let fits = |name: &str| {
            !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '@' | '$'))
        };
        let names: Vec<_> = text.split('.').map(str::to_string).collect();
        if text.len() > MAX_PATH || !names.iter().all(|name| fits(name)) {
            return Err(format!(
                "`{text}` is not a path to a field of the predicate, such as `metadata.scanFinishedOn`"
            ));
        }
        Ok(Self(names))
    }

    /// The names on the way.
    pub fn names(&self) -> &[String] {
        &self.0
    }
}

impl fmt::Display for FieldPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join("."))
    }
}

impl On {
    /// Its word in the policy file.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Index => "index",
            Self::Platform => "platform",
        }
    }
}

impl Select {
    /// Its word in the policy file.
    pub const fn word(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Any => "any",
            Self::Newest => "newest",
        }
    }
}

const MAX_PATH: usize = 256;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_has_a_name_between_dots() {
        assert_eq!(
            FieldPath::parse("metadata.scanFinishedOn").map(|path| path.to_string()).as_deref(),
            Ok("metadata.scanFinishedOn")
        );
        for bad in ["", ".", "a.", ".a", "a..b", "a[0]", "a b"] {
            assert!(FieldPath::parse(bad).is_err(), "{bad}");
        }
    }
}
