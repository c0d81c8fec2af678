//! Authorities and trust roots: unused, weakened, ended.

use std::collections::BTreeSet;

use super::super::raw::{RawAuthority, RawTrustRoot};
use super::{Authority, Code, Lint, Place, identity};
use crate::policy::{Kind, Leaf, Pattern};

pub(super) fn lint<'a>(lint: &'a Lint<'a>) {
    trust_roots(lint);
    let policies = lint.policies().all();
    let used: BTreeSet<_> = policies.iter().flat_map(|policy| policy.require.leaves()).map(Leaf::by).collect();
    for (place, raw, authority) in lint.authorities() {
        if used.contains(authority.name()) {
            one(&place, raw, authority);
        } else {
            let help = "name it in a `signature` or an `attestation` (`by`), or take it away";
            place.warn(Code::UnusedAuthority, "no policy asks for it", help);
        }
    }
    revoked(lint);
}

fn one(place: &Place<'_>, raw: &RawAuthority, authority: &Authority) {
    if let (Kind::Keyless(keyless), Some(raw)) = (authority.kind(), &raw.keyless) {
        let place = place.key("keyless");
        insecure(&place, raw.insecure_skip_transparency_log, raw.insecure_skip_certificate_transparency);
        identity::lint(&place, keyless);
    }
    if let Some(raw) = &raw.key {
        let place = place.key("key");
        insecure(&place, raw.insecure_skip_transparency_log, None);
        if authority.validity().not_after < place.lint.now() {
            place.key("notAfter").warn(
                Code::KeyEnded,
                "its keys have ended: what counts are signatures whose log entry or time stamp is from before",
                "take the authority away when no image that it signed is needed any more",
            );
        }
    }
}

fn insecure(place: &Place<'_>, log: Option<bool>, certificate_log: Option<bool>) {
    if log == Some(true) {
        place.key("insecureSkipTransparencyLog").warn(
            Code::Insecure,
            "no entry in a transparency log is demanded: who steals the key or the identity signs unseen",
            "have signatures logged in a log that a trust root names, and take this away",
        );
    }
    if certificate_log == Some(true) {
        place.key("insecureSkipCertificateTransparency").warn(
            Code::Insecure,
            "certificates need not have been logged: one that was issued by mistake or by force counts unseen",
            "take this away if the certificate authority writes to a log, as Sigstore's does",
        );
    }
}

fn trust_roots<'a>(lint: &'a Lint<'a>) {
    let used: BTreeSet<_> = lint.policies().authorities().filter_map(|authority| authority.trust_root()).collect();
    for part in &lint.written.parts {
        for (name, raw) in part.raw.trust_roots.iter().flatten() {
            let place = lint.place(part).key("trustRoots").key(name);
            if used.iter().any(|used| used.as_str() == name) {
                trust_root(&place, raw);
            } else {
                let help = "name it in an authority (`trustRoot`), or take it away";
                place.warn(Code::UnusedTrustRoot, "no authority uses it", help);
            }
        }
    }
}

fn trust_root(place: &Place<'_>, raw: &RawTrustRoot) {
    insecure(place, raw.insecure_skip_transparency_log, raw.insecure_skip_certificate_transparency);
    let mirror = raw.tuf.as_ref().and_then(|tuf| tuf.mirror.as_deref());
    if mirror.is_some_and(|mirror| mirror.to_ascii_lowercase().starts_with("http:")) {
        place.key("tuf").key("mirror").warn(
            Code::PlainHttp,
            "it comes over plain HTTP: it cannot be forged, but anyone between can hold news back",
            "write `https://`",
        );
    }
}

fn revoked<'a>(lint: &'a Lint<'a>) {
    use super::super::raw::RawRevokedIdentity::{Anywhere, Of};
    for part in &lint.written.parts {
        let identities = part.raw.revoked.iter().flat_map(|revoked| revoked.identities.iter().flatten());
        for (index, raw) in identities.enumerate() {
            let place = lint.place(part).key("revoked").key("identities").index(index);
            let (place, issuer, identity) = match raw {
                Anywhere(identity) => (place, None, Some(identity)),
                Of(raw) => (place.key("identity"), raw.issuer.as_deref(), raw.identity.as_ref()),
            };
            if let Some(Ok(pattern)) = identity.map(|identity| Pattern::glob(identity)) {
                identity::revoked(&place, issuer, &pattern);
            }
        }
    }
}
