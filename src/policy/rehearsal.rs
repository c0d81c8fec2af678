//! Policies as they are rehearsed: everything as written, but for keys whose private halves nobody has at hand.

use std::sync::Arc;

use super::governing::Remembered;
use super::{Authority, Kind, Policies, PublicKey, Revoked, RevokedIdentity};
use crate::oci::Digest;

impl Policies {
    /// What `policies` say, with the key that `stand_in` gives in the place of each key that has this fingerprint, and
    /// with every refusal only watched if `audit`. Its revisions are others than those of any policy that is in force.
    ///
    /// It takes no `self`, so that nobody can call it whom `tests/architecture.rs` does not know.
    pub(crate) fn for_rehearsal(policies: &Self, audit: bool, stand_in: &dyn Fn(&Digest) -> Option<PublicKey>) -> Self {
        let authorities = policies.authorities.iter();
        let authorities = authorities.map(|(name, one)| (name.clone(), with_stand_ins(one, stand_in))).collect();
        let revoked = &policies.revoked;
        let identity =
            |one: &RevokedIdentity| RevokedIdentity { issuer: one.issuer.clone(), identity: one.identity.clone() };
        let mut revoked = Revoked {
            digests: revoked.digests.clone(),
            keys: revoked.keys.iter().map(|key| stand_in(key).map_or(*key, |key| key.fingerprint())).collect(),
            identities: revoked.identities.iter().map(identity).collect(),
        };
        revoked.settle();
        Self {
            authorities,
            trust_roots: policies.trust_roots.clone(),
            all: policies.all.clone(),
            exemptions: policies.exemptions.clone(),
            revoked_content: Digest::of(format!("rehearsal of {}", revoked.content()).as_bytes()),
            revoked,
            default: policies.default,
            audit,
            remembered: Remembered::default(),
        }
    }
}

/// The same authority, if not every key of it has a stand-in.
fn with_stand_ins(authority: &Arc<Authority>, stand_in: &dyn Fn(&Digest) -> Option<PublicKey>) -> Arc<Authority> {
    let keys: Option<Vec<_>> = authority.keys().iter().map(|key| stand_in(&key.fingerprint())).collect();
    match keys {
        Some(keys) if !keys.is_empty() => Arc::new(Authority {
            name: authority.name.clone(),
            kind: Kind::Keys(keys),
            trust_root: authority.trust_root.clone(),
            skip_transparency_log: authority.skip_transparency_log,
            skip_certificate_transparency: authority.skip_certificate_transparency,
            validity: authority.validity,
        }),
        _ => authority.clone(),
    }
}
