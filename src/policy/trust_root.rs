//! Where trusted roots come from. Reading them is not the policy's work: that needs a network.

use std::fmt;
use std::path::{Path, PathBuf};

use url::Url;

use crate::oci::Digest;
use crate::yaml::FileError;

/// A trusted root as the policy declares it.
#[derive(Debug)]
pub struct TrustRoot {
    pub(super) source: TrustSource,
    pub(super) skip_transparency_log: bool,
    pub(super) skip_certificate_transparency: bool,
    /// Where it is declared: what is wrong with its content is told there.
    pub(super) at: FileError,
}

/// Where a trusted root comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TrustSource {
    /// A `trusted_root.json`.
    File(PathBuf),
    /// The target `trusted_root.json` of a TUF repository.
    Tuf(TufSource),
}

/// A TUF repository, and where trust in it begins; the public-good instance where nothing is said.
#[derive(Clone, PartialEq, Eq)]
pub struct TufSource {
    /// Its base URL.
    pub mirror: Option<Url>,
    /// The `root.json` to begin with.
    pub root: Option<Vec<u8>>,
}

impl TrustRoot {
    /// Where it comes from.
    pub fn source(&self) -> &TrustSource {
        &self.source
    }

    /// The file that it is, unless it is a TUF repository.
    pub fn file(&self) -> Option<&Path> {
        match &self.source {
            TrustSource::File(path) => Some(path),
            TrustSource::Tuf(_) => None,
        }
    }

    /// What is wrong with it, told where the policy declares it.
    pub fn problem(&self, why: &str) -> FileError {
        FileError { message: [self.at.message.as_str(), why].concat(), ..self.at.clone() }
    }
}

impl fmt::Debug for TufSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mirror = self.mirror.as_ref().map_or("public good", Url::as_str);
        write!(f, "TufSource({mirror}, root {:?})", self.root.as_deref().map(Digest::of))
    }
}
