//! Replacing a file as one: whoever reads it sees the old text or the new one, never half of either.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt, fchown};
use std::path::{Path, PathBuf};

use crate::yaml;

/// Gives the file at `path` the text `new`, if it still has the text `old`; without one it must not be there yet.
///
/// Mode and owner stay. Of a symbolic link, what it leads to is replaced.
///
/// # Errors
/// What went wrong; the file is as it was.
pub fn replace(path: &Path, old: Option<&str>, new: &str) -> Result<(), String> {
    let (path, was) = match old {
        Some(_) => {
            let path = fs::canonicalize(path).map_err(|error| yaml::why(&error))?;
            let was = fs::metadata(&path).map_err(|error| yaml::why(&error))?;
            (path, Some(was))
        }
        None => (path.to_owned(), None),
    };
    let beside = beside(&path)?;
    let written = write(&beside, was.as_ref(), new).map_err(|error| yaml::why(&error));
    let replaced = written.and_then(|()| unchanged(&path, old)).and_then(|()| swap(&beside, &path));
    if replaced.is_err() {
        // Hidden and of another extension, it is no part of a policy even where it cannot be removed.
        let _ = fs::remove_file(&beside);
    }
    replaced
}

/// A name in the same directory, which no policy is read from.
fn beside(path: &Path) -> Result<PathBuf, String> {
    let name = path.file_name().ok_or("it is not a file")?;
    let mut hidden = std::ffi::OsString::from(".");
    hidden.push(name);
    hidden.push(format!(".{}.new", std::process::id()));
    Ok(path.with_file_name(hidden))
}

fn write(beside: &Path, was: Option<&fs::Metadata>, text: &str) -> io::Result<()> {
    let mode = if was.is_some() { 0o600 } else { 0o644 };
    let mut file = OpenOptions::new().write(true).create_new(true).mode(mode).open(beside)?;
    file.write_all(text.as_bytes())?;
    if let Some(was) = was {
        let is = file.metadata()?;
        if (is.uid(), is.gid()) != (was.uid(), was.gid()) {
            fchown(&file, Some(was.uid()), Some(was.gid()))?;
        }
        file.set_permissions(fs::Permissions::from_mode(was.mode() & 0o7777))?;
    }
    file.sync_all()
}

/// Somebody else may have edited it since it was read.
fn unchanged(path: &Path, old: Option<&str>) -> Result<(), String> {
    let unchanged = match old {
        Some(old) => yaml::read_text(path)? == old,
        None => !path.exists(),
    };
    if unchanged { Ok(()) } else { Err("it has just been changed by somebody else; try again".into()) }
}

fn swap(beside: &Path, path: &Path) -> Result<(), String> {
    fs::rename(beside, path).map_err(|error| yaml::why(&error))?;
    // The name is on the disk only when its directory is; a system that cannot say so has renamed it all the same.
    let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let _ = File::open(directory).and_then(|directory| directory.sync_all());
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn a_file_is_replaced_with_its_mode_and_behind_its_link() {
        let folder = tempfile::tempdir().expect("a folder");
        let (file, link) = (folder.path().join("policy.yaml"), folder.path().join("link.yaml"));
        fs::write(&file, "old").expect("a file");
        fs::set_permissions(&file, fs::Permissions::from_mode(0o640)).expect("a mode");
        symlink("policy.yaml", &link).expect("a link");
        assert_eq!(replace(&link, Some("old"), "new"), Ok(()));
        assert_eq!(fs::read_to_string(&file).expect("text"), "new");
        assert_eq!(fs::metadata(&file).expect("a file").mode() & 0o7777, 0o640);
        assert!(fs::symlink_metadata(&link).expect("a link").is_symlink());
        assert_eq!(fs::read_dir(folder.path()).expect("a folder").count(), 2, "nothing is left behind");
    }

    #[test]
    fn what_somebody_else_has_changed_or_made_stays() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("policy.yaml");
        assert_eq!(replace(&file, None, "made"), Ok(()));
        for old in [Some("old"), None] {
            let error = replace(&file, old, "new").expect_err("changed");
            assert!(error.contains("changed by somebody else"), "{error}");
        }
        assert_eq!(fs::read_to_string(&file).expect("text"), "made");
        assert_eq!(fs::read_dir(folder.path()).expect("a folder").count(), 1, "nothing is left behind");
        assert!(replace(&folder.path().join("gone.yaml"), Some("old"), "new").is_err());
    }
}
