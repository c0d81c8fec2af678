//! Where in a document something stands, by its keys; and the problems found there.

use std::cell::RefCell;
use std::fmt;

/// The way to a value: `policies[0].require.signature`.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct KeyPath(Vec<Step>);

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Step {
    Index(usize),
    Key(String),
}

impl KeyPath {
    /// The value of `key` in this mapping.
    #[must_use]
    pub fn key(&self, key: &str) -> Self {
        self.with(Step::Key(key.into()))
    }

    /// The item `index` of this list.
    #[must_use]
    pub fn index(&self, index: usize) -> Self {
        self.with(Step::Index(index))
    }

    /// What contains it; the root contains itself.
    #[must_use]
    pub fn parent(&self) -> Self {
        Self(self.0[..self.0.len().saturating_sub(1)].to_vec())
    }

    /// Whether it is the whole document.
    pub fn is_root(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether `self` is `other` or contains it.
    pub fn contains(&self, other: &Self) -> bool {
        other.0.starts_with(&self.0)
    }

    /// The same way with another name for its key at `depth`.
    #[must_use]
    pub fn renamed(mut self, depth: usize, name: &str) -> Self {
        if let Some(Step::Key(key)) = self.0.get_mut(depth) {
            *key = name.into();
        }
        self
    }

    fn with(&self, step: Step) -> Self {
        let mut steps = self.0.clone();
        steps.push(step);
        Self(steps)
    }
}

impl fmt::Display for KeyPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, step) in self.0.iter().enumerate() {
            match step {
                Step::Index(index) => write!(f, "[{index}]")?,
                Step::Key(key) => {
                    f.write_str(if at > 0 { "." } else { "" })?;
                    let plain = |b: u8| b.is_ascii_alphanumeric() || b == b'_' || b == b'-';
                    if key.bytes().all(plain) && !key.is_empty() {
                        f.write_str(key)?;
                    } else {
                        write!(f, "{key:?}")?;
                    }
                }
            }
        }
        Ok(())
    }
}

/// What was found wrong while a document was judged: all of it, not only the first.
#[derive(Debug, Default)]
pub struct Problems(RefCell<Vec<(KeyPath, String)>>);

impl Problems {
    /// Notes a problem.
    pub fn add(&self, path: KeyPath, message: impl Into<String>) {
        self.0.borrow_mut().push((path, message.into()));
    }
}

impl IntoIterator for Problems {
    type Item = (KeyPath, String);
    type IntoIter = std::vec::IntoIter<Self::Item>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_inner().into_iter()
    }
}

/// A place in a document that is being judged.
#[derive(Debug, Clone)]
pub struct At<'a> {
    path: KeyPath,
    problems: &'a Problems,
}

impl<'a> At<'a> {
    /// The whole document.
    pub fn root(problems: &'a Problems) -> Self {
        Self { path: KeyPath::default(), problems }
    }

    /// The value of `key` in this mapping.
    #[must_use]
    pub fn key(&self, key: &str) -> Self {
        Self { path: self.path.key(key), problems: self.problems }
    }

    /// The item `index` of this list.
    #[must_use]
    pub fn index(&self, index: usize) -> Self {
        Self { path: self.path.index(index), problems: self.problems }
    }

    /// Its path.
    pub fn path(&self) -> &KeyPath {
        &self.path
    }

    /// Notes a problem here.
    pub fn problem(&self, message: impl Into<String>) {
        self.problems.add(self.path.clone(), message);
    }

    /// Notes that `key` is understood and will be honoured by a later version.
    pub fn unsupported(&self, key: &str) {
        self.key(key).problem(format!("`{key}` is not yet supported"));
    }

    /// The value, or a problem here.
    pub fn accept<T, E: fmt::Display>(&self, result: Result<T, E>) -> Option<T> {
        result.map_err(|error| self.problem(error.to_string())).ok()
    }

    /// The value of `key`, or the problem that it is missing.
    pub fn require<'v, T>(&self, key: &str, value: Option<&'v T>) -> Option<&'v T> {
        if value.is_none() {
            self.problem(format!("`{key}` is missing"));
        }
        value
    }

    /// The one key that is given of those that exclude each other; a problem if it is none or several.
    pub fn exactly_one(&self, keys: &[(&'static str, bool)]) -> Option<&'static str> {
        let given: Vec<_> = keys.iter().filter(|(_, given)| *given).map(|(key, _)| *key).collect();
        match given[..] {
            [one] => Some(one),
            [] => {
                let all: Vec<_> = keys.iter().map(|(key, _)| format!("`{key}`")).collect();
                self.problem(format!("one of {} is needed", all.join(", ")));
                None
            }
            [first, second, ..] => {
                self.key(second).problem(format!("`{first}` and `{second}` exclude each other"));
                None
            }
        }
    }
}
