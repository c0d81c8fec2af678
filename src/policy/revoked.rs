//! What must never be served or believed again.

use super::{Pattern, PublicKey};
use crate::oci::Digest;

/// The revocations of a policy text. A revoked digest is refused in every mode; evidence by a revoked key or identity
/// does not count, and vetoes nothing.
#[derive(Debug, Default)]
pub struct Revoked {
    /// Manifests, in order.
    pub(super) digests: Vec<Digest>,
    /// Keys by fingerprint, in order.
    pub(super) keys: Vec<Digest>,
    /// Identities of certificates.
    pub(super) identities: Vec<RevokedIdentity>,
}

/// The identities that one entry revokes.
#[derive(Debug, PartialEq, Eq)]
pub struct RevokedIdentity {
    /// The issuer, exactly; any if absent.
    pub issuer: Option<String>,
    /// The subject alternative name.
    pub identity: Pattern,
}

impl Revoked {
    /// The revoked manifests, in order.
    pub fn digests(&self) -> &[Digest] {
        &self.digests
    }

    /// Whether evidence by `key` no longer counts.
    pub fn key(&self, key: &PublicKey) -> bool {
        self.keys.contains(&key.fingerprint())
    }

    /// Whether evidence by `identity`, as `issuer` vouches for it, no longer counts.
    pub fn identity(&self, issuer: &str, identity: &str) -> bool {
        let by = |revoked: &RevokedIdentity| revoked.issuer.as_ref().is_none_or(|one| one == issuer);
        self.identities.iter().any(|revoked| by(revoked) && revoked.identity.matches(identity))
    }
}
