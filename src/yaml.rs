//! YAML files, parsed into serde types: every mistake is told with file, line, column and key.
//!
//! It refuses what YAML makes easy to get wrong: unknown and duplicate keys, keys without a value, `yes` for `true`,
//! merge keys, several documents in one file.

use serde::de::DeserializeOwned;

mod diagnostic;

mod error;

mod explain;

mod index;

mod nearest;

mod path;

mod read;

/// Declares mappings of a file as it is written: every key may be absent, and no other may be there. Nothing is judged yet.
macro_rules! raw {
    ($($(#[doc = $doc:literal])* $name:ident { $($field:ident: $type:ty),* $(,)? })*) => {$(
        $(#[doc = $doc])*
        #[derive(Debug, Default, serde::Deserialize)]
        #[serde(deny_unknown_fields, rename_all = "camelCase", expecting = "a mapping")]
        pub(super) struct $name {
            $(pub(super) $field: Option<$type>,)*
        }
    )*};
}

pub(crate) use raw;

#[cfg(test)]
mod tests;

pub use diagnostic::{Diagnostic, Severity};
pub use error::{FileError, FileErrors};
pub use explain::explain;
pub use nearest::{did_you_mean, one_of};
pub use path::{At, KeyPath, Problems};
pub use read::{read, read_input, read_text, why};

use index::Index;

/// A parsed text, kept to say where in it a later mistake stands.
#[derive(Debug)]
pub struct Document {
    name: String,
    text: String,
    index: Index,
}

/// Parses `text`, known to the reader as `name`.
///
/// The type must use `deny_unknown_fields` throughout.
pub fn parse<T: DeserializeOwned>(name: &str, text: &str) -> Result<(Document, T), FileErrors> {
    let (index, failed) = match serde_saphyr::from_str_with_options(text, lenient()) {
        Ok(index) => (index, None),
        Err(error) => (Index::default(), Some(error)),
    };
    let document = Document { name: name.into(), text: text.into(), index };
    if document.index.is_empty() {
        return Err(FileError::whole(name, "the file says nothing").into());
    }
    let value = serde_saphyr::from_str_with_options(text, strict()).map_err(|error| document.explained(&error))?;
    if let Some(error) = failed {
        return Err(document.explained(&error).into());
    }
    let problems = Problems::default();
    for path in document.index.empty() {
        problems.add(path.clone(), "the key has no value; give it one or take it away");
    }
    document.settle(problems).map(|()| (document, value))
}

impl Document {
    /// The name that its errors begin with.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Ends the judging of this document: an error if there were problems.
    pub fn settle(&self, problems: Problems) -> Result<(), FileErrors> {
        FileErrors::of(problems.into_iter().map(|(path, message)| self.error(&path, message)))
    }

    /// A problem at `path` as an error of this document.
    pub fn error(&self, path: &KeyPath, message: String) -> FileError {
        let spot = self.index.spot(path);
        FileError::new(&self.name, spot, Some(&self.text), path, message)
    }

    /// Whether the document itself says anything at exactly `path`.
    pub fn says(&self, path: &KeyPath) -> bool {
        self.index.has(path)
    }

    /// A mistake that the parser found.
    fn explained(&self, error: &serde_saphyr::Error) -> FileError {
        let message = explain(error);
        let spot = error.location().map(|location| (location.line(), location.column()));
        let path = spot.map(|spot| self.index.path_at(spot, message.about_key)).unwrap_or_default();
        FileError::new(&self.name, spot, Some(&self.text), &path, message.text)
    }
}

/// How every YAML text of ours is read.
pub fn strict() -> serde_saphyr::Options {
    serde_saphyr::options! {
        budget: serde_saphyr::budget! { max_depth: DEPTH },
        alias_limits: serde_saphyr::alias_limits! { max_total_replayed_events: 100_000 },
        merge_keys: serde_saphyr::MergeKeyPolicy::Error,
        reject_unsupported_tags: true,
        strict_booleans: true,
        with_snippet: false,
    }
}

/// For the index: positions are wanted even where the strict reading finds a duplicate.
fn lenient() -> serde_saphyr::Options {
    let mut options = strict();
    options.duplicate_keys = serde_saphyr::DuplicateKeyPolicy::LastWins;
    options
}

/// How deep lists and mappings may stand in one another. The parser recurses: unoptimised, a level takes 45 KiB of a
/// thread's 2 MiB of stack.
const DEPTH: usize = 24;
