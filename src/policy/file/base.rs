//! Where the paths in a policy file begin, and which paths it names.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// The directory that a file's paths are relative to. It remembers them: whoever watches the policy watches those, too.
#[derive(Debug)]
pub(super) struct Base {
    directory: PathBuf,
    named: RefCell<BTreeSet<PathBuf>>,
}

impl Base {
    /// Paths begin in `directory`.
    pub(super) fn new(directory: &Path) -> Self {
        Self { directory: directory.to_owned(), named: RefCell::default() }
    }

    /// Paths begin where `file` is.
    pub(super) fn beside(file: &Path) -> Self {
        Self::new(file.parent().unwrap_or(Path::new("")))
    }

    /// What the file means by `path`.
    pub(super) fn join(&self, path: &str) -> PathBuf {
        let path = self.directory.join(path);
        self.named.borrow_mut().insert(path.clone());
        path
    }

    /// Every path that was asked for.
    pub(super) fn named(&self) -> BTreeSet<PathBuf> {
        self.named.borrow().clone()
    }
}
