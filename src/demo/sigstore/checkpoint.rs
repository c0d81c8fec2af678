//! Checkpoints: a log's size and root as a signed note (C2SP `tlog-checkpoint`).

use std::io;

use super::key::{Key, sha256};

/// A log in its checkpoints.
#[derive(Debug, Clone)]
pub struct Signatory {
    /// The first line.
    pub origin: String,
    /// The name beside the signature.
    pub name: String,
    /// The log's identity; the first four bytes stand beside the signature.
    pub id: Vec<u8>,
    /// With which it signs.
    pub key: Key,
}

impl Signatory {
    /// A Rekor v1 log: its identity is the hash of its key.
    pub(super) fn v1(key: Key, host: &str) -> Self {
        Self { origin: format!("{host} - 1193050959916656506"), name: host.into(), id: key.id(), key }
    }

    /// A Rekor v2 log: its identity hashes its name and its Ed25519 key together.
    pub(super) fn v2(key: Key, host: &str) -> Self {
        let spki = key.spki();
        let raw = &spki[spki.len().saturating_sub(32)..];
        let id = sha256(&[host.as_bytes(), b"\n\x01", raw].concat());
        Self { origin: host.into(), name: host.into(), id, key }
    }

    /// The checkpoint over `size` leaves under `root`.
    ///
    /// # Errors
    /// If signing fails.
    pub fn checkpoint(&self, size: usize, root: &[u8]) -> io::Result<String> {
        let text = format!("{}\n{size}\n{}\n", self.origin, super::base64(root));
        let line = self.line(&text)?;
        Ok(format!("{text}\n{line}"))
    }

    /// The line that signs `text`, to be put below it.
    ///
    /// # Errors
    /// If signing fails.
    pub fn line(&self, text: &str) -> io::Result<String> {
        let signature = self.key.sign(text.as_bytes())?;
        let hint = &self.id[..self.id.len().min(4)];
        Ok(format!("\u{2014} {} {}\n", self.name, super::base64(&[hint, &signature].concat())))
    }
}
