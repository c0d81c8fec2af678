//! What must never be served or believed again.

use aws_lc_rs::digest::{Context, SHA256};

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
    /// Identities of certificates, in order.
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
    /// Revoked keys without a policy text, for tests of verification.
    #[cfg(test)]
    pub(crate) fn of_keys(keys: Vec<Digest>) -> Self {
        Self { keys, ..Self::default() }
    }

    /// Brings each list into its one order, so that the order of a file is no revision of its own.
    pub(super) fn settle(&mut self) {
        for digests in [&mut self.digests, &mut self.keys] {
            digests.sort_unstable();
            digests.dedup();
        }
        self.identities.sort_by_cached_key(|revoked| format!("{revoked:?}"));
        self.identities.dedup();
    }

    /// A revoked identity without a policy text, for tests of verification.
    #[cfg(test)]
    pub(crate) fn of_identity(issuer: Option<&str>, identity: &str) -> Self {
        let identity = Pattern::glob(identity).expect("a pattern");
        let identities = vec![RevokedIdentity { issuer: issuer.map(str::to_string), identity }];
        Self { identities, ..Self::default() }
    }

    /// The revoked manifests, in order.
    pub fn digests(&self) -> &[Digest] {
        &self.digests
    }

    /// The identity of all of it, for policy revisions: whatever is revoked, every image is judged again.
    pub(super) fn content(&self) -> Digest {
        let mut hash = Context::new(&SHA256);
        for (label, digests) in [(&b"revoked"[..], &self.digests), (b"revoked keys", &self.keys)] {
            hash.update(label);
            for digest in digests {
                hash.update(digest.as_bytes());
            }
        }
        hash.update(b"revoked identities");
        for RevokedIdentity { issuer, identity } in &self.identities {
            // Each text by its digest, so that no two lists share one sequence of bytes.
            let issuer = issuer.as_ref().map(|issuer| Digest::of(issuer.as_bytes()));
            hash.update(issuer.as_ref().map_or(&[0; 32][..], |digest| digest.as_bytes()));
            hash.update(Digest::of(format!("{identity:?}").as_bytes()).as_bytes());
        }
        let mut bytes = [0; 32];
        bytes.copy_from_slice(hash.finish().as_ref());
        Digest::from_bytes(bytes)
    }

    /// Whether `digest` is revoked.
    pub(super) fn digest(&self, digest: &Digest) -> bool {
        self.digests.binary_search(digest).is_ok()
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_identity_is_revoked_whole_and_for_its_issuer() {
        let everywhere = Revoked::of_identity(None, "https://gitlab.com/gone/*");
        assert!(everywhere.identity("https://any.test", "https://gitlab.com/gone/app"));
        assert!(!everywhere.identity("https://any.test", "https://gitlab.com/gone-not/app"));
        let one = Revoked::of_identity(Some("https://gitlab.com"), "a");
        assert!(one.identity("https://gitlab.com", "a"));
        assert!(!one.identity("https://gitlab.com.evil", "a"));
    }

    #[test]
    fn every_revocation_changes_the_revision() {
        let digest = Digest::of(b"x");
        let all = [
            Revoked::default(),
            Revoked { digests: vec![digest], ..Revoked::default() },
            Revoked::of_keys(vec![digest]),
            Revoked::of_identity(None, "x"),
            Revoked::of_identity(None, "y"),
            Revoked::of_identity(Some("i"), "x"),
        ];
        let hashes: std::collections::BTreeSet<_> = all.iter().map(Revoked::content).collect();
        assert_eq!(hashes.len(), all.len());
    }
}
