//! Rehearsals of a policy: cases in a file, each an image with evidence and what the proxy must make of it.
//!
//! ```yaml
//! policy: ../policy.yaml              # or a directory; relative to this file
//! now: 2026-11-01T12:00:00Z           # the present; without it, the time of the run
//! signers:                            # names for `by`, which takes such a mapping too
//!   ci: { gitlab: myorg/app }         # all that Fulcio writes for a pipeline of this project, run by a push to main
//!   release: { key: release-key }     # whoever holds the private key of this authority
//! cases:
//!   - name: a stale scan
//!     image: registry.company.com/app:1.2
//!     evidence:
//!       - signature: { by: ci }
//!       - attestation: { by: release, type: vuln, predicateFile: clean-scan.json, signedAt: -8d }
//!     expect: { verdict: deny, reason: too_old, policy: company-images }
//! ```
//!
//! | key | says |
//! |---|---|
//! | `policy` | the policy; the command line may name another |
//! | `now` | the present: an instant, in a case also relative to the file's (`+8d`) |
//! | `signers` | [`signer`]s by name |
//! | `trustRoots` | for real evidence: a `trusted_root.json` in the place of a trust root, which else is read only if it is a file |
//! | `cases[]` | `name`, `image`, `annotations`, `audit` (as `serve --audit`), `now`, `evidence`, `children`, `expect` |
//! | `evidence[]` | one of `signature`, `attestation`, `file`, `legacy`, `unread`, `incomplete`: see [`evidence`] |
//! | `children[]` | what an index lists: `platform`, `digest`, `annotations`, `evidence` |
//! | `expect` | see [`expectation`] |
//!
//! A signer is virtual: a whole Sigstore in memory signs, logs and stamps for it, so that nothing of verification is
//! left out. In a case with virtual signers every trusted root is that Sigstore's, and every key of the policy has a
//! stand-in. The judgement is the one by which the proxy serves. Nothing is asked of a network.

use std::path::{Path, PathBuf};

use crate::clock::Timestamp;
use crate::route::ManifestPull;
use crate::yaml::{self, FileError, FileErrors};

pub mod case;

pub mod evidence;

pub mod expectation;

mod file;

mod instant;

mod raw;

mod scene;

pub mod signer;

mod stage;

pub mod suite;

#[cfg(test)]
mod tests;

pub use expectation::{Answer, Difference, Expectation, Verdict};
pub use suite::{Outcome, Suite};

/// What a file does not say itself.
#[derive(Debug, Clone, Copy)]
pub struct Setting<'a> {
    /// The policy to test in the place of the one that a file names.
    pub policy: Option<&'a Path>,
    /// This machine's clock: the present, for files that do not say another.
    pub now: Timestamp,
    /// How an image is named.
    pub image: fn(&str) -> Result<ManifestPull, String>,
}

/// Reads the file `path`, or every `*.yaml` and `*.yml` in the directory `path`, in the order of their names.
///
/// # Errors
/// Every mistake in them, and in the policies that they name.
pub fn load(path: &Path, setting: &Setting<'_>) -> Result<Vec<Suite>, FileErrors> {
    let whole = |why: String| FileErrors::from(FileError::whole(path.display().to_string(), why));
    let files =
        if path.is_dir() { files_of(path).map_err(|error| whole(yaml::why(&error)))? } else { vec![path.into()] };
    if files.is_empty() {
        return Err(whole("the directory holds no `*.yaml` or `*.yml`".into()));
    }
    let (mut suites, mut errors) = (Vec::new(), Vec::new());
    for file in files {
        match file::load(&file, setting) {
            Ok(suite) => suites.push(suite),
            Err(more) => errors.extend(more),
        }
    }
    FileErrors::of(errors).map(|()| suites)
}

fn files_of(directory: &Path) -> std::io::Result<Vec<PathBuf>> {
    let wanted = |path: &PathBuf| {
        let hidden = path.file_name().is_none_or(|name| name.as_encoded_bytes().starts_with(b"."));
        !hidden && path.extension().is_some_and(|extension| extension == "yaml" || extension == "yml")
    };
    let entries: Result<Vec<_>, _> = directory.read_dir()?.map(|entry| entry.map(|entry| entry.path())).collect();
    let mut files: Vec<_> = entries?.into_iter().filter(wanted).collect();
    files.sort();
    Ok(files)
}
