//! Which file an exemption goes to, and its new text: judged with the whole policy before anything is written.

use std::path::{Path, PathBuf};

use super::super::report::CONFIGURATION;
use super::{Refused, UNKNOWN};
use crate::policy::Policies;
use crate::policy::file::load_edited;
use crate::policy::file::replace::replace;
use crate::policy::file::write::{self, NewExemption, WriteError};
use crate::yaml::read_text;

/// A file and what it is going to say.
pub(super) struct Edit {
    file: PathBuf,
    old: Option<String>,
    new: String,
    item: String,
    policies: Policies,
}

/// The whole policy, and the file of it that is written to.
///
/// # Errors
/// If `--file` names what is no part of the policy that is configured: nothing would obey it.
pub(super) fn place(file: Option<&Path>, configured: Option<&Path>) -> Result<(PathBuf, PathBuf), String> {
    match (file, configured) {
        (Some(file), Some(configured)) if !same(file, configured) => match file.file_name() {
            Some(name) if part(file, configured) => Ok((configured.to_owned(), configured.join(name))),
            _ => {
                let (file, configured) = (file.display(), configured.display());
                Err(format!("`{file}` is no part of the policy that is configured, `{configured}`"))
            }
        },
        (_, Some(whole)) | (Some(whole), None) => Ok((whole.to_owned(), in_directory(whole))),
        (None, None) => Err("give `--file` or `--config`".into()),
    }
}

/// The file itself, or the one for exemptions in a directory.
fn in_directory(path: &Path) -> PathBuf {
    if !path.is_dir() {
        return path.to_owned();
    }
    let [usual, other] = ["exemptions.yaml", "exemptions.yml"].map(|name| path.join(name));
    if other.exists() && !usual.exists() { other } else { usual }
}

fn same(a: &Path, b: &Path) -> bool {
    a == b || matches!((a.canonicalize(), b.canonicalize()), (Ok(a), Ok(b)) if a == b)
}

/// Whether `path` is a file of the directory that policies are read from, or will be.
fn part(path: &Path, directory: &Path) -> bool {
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let named = path.extension().is_some_and(|end| end == "yaml" || end == "yml");
    let hidden = path.file_name().is_none_or(|name| name.as_encoded_bytes().starts_with(b"."));
    directory.is_dir() && same(parent, directory) && named && !hidden
}

impl Edit {
    /// Makes the new text, and reads the whole policy with it.
    pub(super) fn make(whole: &Path, file: &Path, exemption: &NewExemption) -> Result<Self, Refused> {
        let name = file.display().to_string();
        let by_hand = |why: &str| {
            let item = exemption.item(2, "\n");
            format!("{name}: {why}. It is as it was; to add by hand:\n\nexemptions:\n{item}")
        };
        let (old, new) = if file.exists() {
            let old = read_text(file).map_err(|why| Refused(format!("{name}: {why}"), UNKNOWN))?;
            let new = write::with_exemption(&old, &name, exemption).map_err(|error| match error {
                WriteError::Wrong(errors) => Refused(errors.to_string(), CONFIGURATION),
                WriteError::Unusual => Refused(by_hand(&error.to_string()), 1),
            })?;
            (Some(old), new)
        } else {
            (None, write::alone(exemption))
        };
        let policies = load_edited(whole, (file, &new))
            .map_err(|errors| Refused(by_hand(&format!("with it the policy would be wrong: {errors}")), 1))?;
        Ok(Self { file: file.to_owned(), old, new, item: exemption.item(2, "\n"), policies })
    }

    /// Replaces the file.
    pub(super) fn write(&self) -> Result<(), Refused> {
        let name = self.file.display();
        replace(&self.file, self.old.as_deref(), &self.new).map_err(|why| {
            let item = &self.item;
            Refused(format!("{name} cannot be written: {why}. To add by hand:\n\nexemptions:\n{item}"), UNKNOWN)
        })
    }

    pub(super) fn file(&self) -> &Path {
        &self.file
    }

    /// The lines of the exemption.
    pub(super) fn item(&self) -> &str {
        &self.item
    }

    /// The policy with it.
    pub(super) fn policies(&self) -> &Policies {
        &self.policies
    }
}
