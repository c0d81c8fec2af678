//! The bounds on everything that comes from outside.

use std::time::Duration;

/// How much of anything the proxy reads before it gives up; a limit that is hit never allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of a manifest or an index.
    pub manifest: u64,
    /// Bytes of a Sigstore bundle or a simple-signing payload.
    pub bundle: u64,
    /// Bytes of an attestation's envelope.
    pub attestation: u64,
    /// Pieces of evidence listed for one digest.
    pub listed: usize,
    /// Pieces of evidence fetched and verified for one digest.
    pub examined: usize,
    /// Transparency log entries of one bundle.
    pub log_entries: usize,
    /// Signed time stamps of one bundle.
    pub timestamps: usize,
    /// Subjects of one statement.
    pub subjects: usize,
    /// Certificates from the one that signed up to its anchor.
    pub chain: usize,
    /// Manifests listed by an index, and by all indexes within it.
    pub index_children: usize,
    /// Indexes within each other, the outermost counted.
    pub index_depth: usize,
    /// Parents judged anew for one request.
    pub parents: usize,
    /// What verification may take of this machine.
    pub verification: Verification,
}

/// How much verification goes on at once, and for how long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Verification {
    /// Verifications under way at once.
    pub threads: usize,
    /// Verifications that wait; one more is told to come again.
    pub queue: usize,
    /// How long the evidence of one digest is worked on.
    pub time: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            manifest: 4 << 20,
            bundle: 1 << 20,
            attestation: 16 << 20,
            listed: 1000,
            examined: 64,
            log_entries: 32,
            timestamps: 32,
            subjects: 1024,
            chain: 8,
            index_children: 10_000,
            index_depth: 4,
            parents: 16,
            verification: Verification { threads: 2, queue: 256, time: Duration::from_secs(2) },
        }
    }
}
