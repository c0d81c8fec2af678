//! The bounds on everything that comes from outside.

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
    /// Subjects of one statement.
    pub subjects: usize,
    /// Manifests listed by an index.
    pub index_children: usize,
    /// Indexes within indexes.
    pub index_depth: usize,
    /// Parents judged anew for one request.
    pub parents: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            manifest: 4 << 20,
            bundle: 1 << 20,
            attestation: 16 << 20,
            listed: 1000,
            examined: 64,
            subjects: 1024,
            index_children: 10_000,
            index_depth: 4,
            parents: 16,
        }
    }
}
