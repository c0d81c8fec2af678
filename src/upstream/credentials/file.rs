//! Files that hold credentials: read whole, bounded, and told apart by their content.
//!
//! Kubernetes swaps the link that leads to a mounted secret: neither the file's time nor its size says for certain that
//! it is still the same.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use super::{Credentials, CredentialsError, SecretSource};

/// The file that these credentials are read from, if there is one.
pub(super) fn of(credentials: &Credentials) -> Option<&Path> {
    match credentials {
        Credentials::DockerConfig(path)
        | Credentials::Bearer(SecretSource::File(path))
        | Credentials::Basic { password: SecretSource::File(path), .. } => Some(path),
        Credentials::None | Credentials::Basic { .. } | Credentials::Bearer(_) => None,
    }
}

/// The content of the file at `path`.
pub(super) fn read(path: &Path) -> Result<Vec<u8>, CredentialsError> {
    bounded(path).map_err(|source| CredentialsError::Io { path: path.to_owned(), source })
}

fn bounded(path: &Path) -> io::Result<Vec<u8>> {
    let mut content = Vec::new();
    File::open(path)?.take(MAX_LENGTH + 1).read_to_end(&mut content)?;
    if content.len() as u64 > MAX_LENGTH {
        return Err(io::Error::other(format!("longer than {MAX_LENGTH} bytes")));
    }
    Ok(content)
}

/// Longer than such a file ever is, in bytes.
const MAX_LENGTH: u64 = 1 << 20;
