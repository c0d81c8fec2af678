//! What a file revokes: digests, keys, identities.

use super::base::Base;
use super::raw::RawRevokedIdentity;
use super::{Digest, Part, key};
use crate::policy::{Pattern, Revoked, RevokedIdentity};
use crate::yaml::At;

/// Adds the revocations of one file.
pub(super) fn add(revoked: &mut Revoked, part: &Part) {
    let Some(raw) = &part.raw.revoked else { return };
    let at = part.at().key("revoked");
    for (index, text) in raw.digests.iter().flatten().enumerate() {
        revoked.digests.extend(at.key("digests").index(index).accept(text.parse::<Digest>()));
    }
    for (index, text) in raw.keys.iter().flatten().enumerate() {
        revoked.keys.extend(at.key("keys").index(index).accept(fingerprint(text, &part.base)));
    }
    for (index, raw) in raw.identities.iter().flatten().enumerate() {
        revoked.identities.extend(identity(&at.key("identities").index(index), raw));
    }
}

/// A fingerprint, or the key itself: its text or its file.
fn fingerprint(text: &str, base: &Base) -> Result<Digest, String> {
    if text.starts_with("sha256:") {
        return text.parse().map_err(|error| format!("{error}"));
    }
    let key = if text.contains("-----BEGIN ") {
        key::from_text(text)
    } else {
        key::from_file(&base.join(text)).map_err(|why| format!("key file `{text}`: {why}"))
    };
    key.map(|key| key.fingerprint())
}

fn identity(at: &At<'_>, raw: &RawRevokedIdentity) -> Option<RevokedIdentity> {
    let (at, issuer, identity) = match raw {
        RawRevokedIdentity::Anywhere(identity) => (at.clone(), None, identity),
        RawRevokedIdentity::Of(raw) => {
            (at.key("identity"), raw.issuer.clone(), at.require("identity", raw.identity.as_ref())?)
        }
    };
    Some(RevokedIdentity { issuer, identity: at.accept(Pattern::glob(identity))? })
}
