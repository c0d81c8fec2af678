//! The last good state of a TUF repository: all of its files in one, replaced as one.
//!
//! Separate files, each written as soon as it is verified, could be left half new by a mirror that dies midway, and a
//! restart without a network would then find nothing good. What is read back is verified anew, from the pinned root.

use std::collections::BTreeMap;
use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use sigstore_tuf::{MetadataStore, Result};

use crate::clock::Timestamp;
use crate::yaml::{read, why};

/// Files by name, as the TUF client stores them.
#[derive(Debug, Clone, Default)]
pub(super) struct Shelf(Arc<Mutex<BTreeMap<String, Vec<u8>>>>);

/// A shelf on disk.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Stored {
    /// When the repository last confirmed it. Nothing is decided by it.
    refreshed: Timestamp,
    files: BTreeMap<String, String>,
}

impl Shelf {
    /// Reads it, and when it was last confirmed; nothing if there is no such file.
    pub(super) fn load(path: &Path) -> std::result::Result<Option<(Self, Timestamp)>, String> {
        if !path.exists() {
            return Ok(None);
        }
        let bytes = read(path, LARGEST)?;
        let stored: Stored = serde_json::from_slice(&bytes).map_err(|error| error.to_string())?;
        let decoded = stored.files.into_iter().map(|(name, text)| Some((name, STANDARD.decode(text).ok()?)));
        let files: Option<BTreeMap<_, _>> = decoded.collect();
        let files = files.ok_or("it is damaged")?;
        Ok(Some((Self(Arc::new(Mutex::new(files))), stored.refreshed)))
    }

    /// Writes it to `path` in one step.
    pub(super) fn save(&self, path: &Path, refreshed: Timestamp) -> std::result::Result<(), String> {
        let files = self.files().iter().map(|(name, bytes)| (name.clone(), STANDARD.encode(bytes))).collect();
        let text = serde_json::to_vec(&Stored { refreshed, files }).map_err(|error| error.to_string())?;
        let beside = path.with_extension("new");
        let directory = path.parent().unwrap_or(Path::new("."));
        let written = fs::create_dir_all(directory).and_then(|()| write_anew(&beside, &text));
        written.and_then(|()| fs::rename(&beside, path)).map_err(|error| why(&error))
    }

    /// One of its own with the same files.
    pub(super) fn copy(&self) -> Self {
        Self(Arc::new(Mutex::new(self.files().clone())))
    }

    fn files(&self) -> std::sync::MutexGuard<'_, BTreeMap<String, Vec<u8>>> {
        // A map of whole files is good however its last user ended.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl MetadataStore for Shelf {
    fn load(&self, name: &str) -> Result<Option<Vec<u8>>> {
        Ok(self.files().get(name).cloned())
    }

    fn store(&self, name: &str, bytes: &[u8]) -> Result<()> {
        self.files().insert(name.into(), bytes.into());
        Ok(())
    }
}

/// Writes a file that was not there before, so that nobody's link is followed, and waits until it is on the disk.
fn write_anew(path: &Path, bytes: &[u8]) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

/// Far more than any repository of trusted roots has.
const LARGEST: u64 = 32 << 20;
