//! Authorities: who is trusted to sign, and by which trusted root it is told.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::super::{Kind, TrustRoot, Validity};
use super::raw::{RawAuthority, RawKey, RawKeyless};
use super::{Authority, Declared, Name, Part, key, keyless, time};
use crate::clock::Timestamp;
use crate::yaml::At;

type Roots = BTreeMap<Name, Arc<TrustRoot>>;

/// The authorities of one file.
pub(super) fn all(part: &Part, declared: &Declared, roots: &Roots) -> BTreeMap<Name, Arc<Authority>> {
    let built = part.raw.authorities.iter().flatten().filter_map(|(name, raw)| {
        let name = Name::new(name)?;
        let authority = authority(&part.at().key("authorities").key(name.as_str()), &name, raw, part, declared)?;
        Some((name, Arc::new(loosened(authority, roots))))
    });
    built.collect()
}

/// What a trust root skips is skipped by all who use it.
fn loosened(mut authority: Authority, roots: &Roots) -> Authority {
    if let Some(root) = authority.trust_root.as_ref().and_then(|name| roots.get(name)) {
        authority.skip_transparency_log |= root.skip_transparency_log;
        authority.skip_certificate_transparency |= root.skip_certificate_transparency;
    }
    authority
}

fn authority(at: &At<'_>, name: &Name, raw: &RawAuthority, part: &Part, declared: &Declared) -> Option<Authority> {
    at.exactly_one(&[("key", raw.key.is_some()), ("keyless", raw.keyless.is_some())])?;
    match (&raw.key, &raw.keyless) {
        (Some(raw), _) => of_keys(&at.key("key"), name, raw, part, declared),
        (None, raw) => of_identity(&at.key("keyless"), name, raw.as_ref()?, declared),
    }
}

fn of_keys(at: &At<'_>, name: &Name, raw: &RawKey, part: &Part, declared: &Declared) -> Option<Authority> {
    let skip = raw.insecure_skip_transparency_log == Some(true);
    let trust_root = raw.trust_root.as_ref().map(|root| declared.trust_root(&at.key("trustRoot"), root));
    if trust_root.is_none() && !skip {
        at.problem(
            "a key needs a `trustRoot`, whose transparency log its signatures are in, or \
             `insecureSkipTransparencyLog: true` spelled out",
        );
    }
    let validity = validity(at, raw);
    let kind = Kind::Keys(key::resolve(at, raw, &part.base));
    let trust_root = match trust_root {
        None => None,
        Some(found) => Some(found?),
    };
    Some(Authority {
        name: name.clone(),
        kind,
        trust_root,
        skip_transparency_log: skip,
        skip_certificate_transparency: false,
        validity: validity?,
    })
}

fn of_identity(at: &At<'_>, name: &Name, raw: &RawKeyless, declared: &Declared) -> Option<Authority> {
    let root = at.require("trustRoot", raw.trust_root.as_ref());
    let root = root.and_then(|name| declared.trust_root(&at.key("trustRoot"), name));
    let keyless = keyless::build(at, raw);
    Some(Authority {
        name: name.clone(),
        kind: Kind::Keyless(keyless?),
        trust_root: Some(root?),
        skip_transparency_log: raw.insecure_skip_transparency_log == Some(true),
        skip_certificate_transparency: raw.insecure_skip_certificate_transparency == Some(true),
        validity: Validity::ALWAYS,
    })
}

fn validity(at: &At<'_>, raw: &RawKey) -> Option<Validity> {
    let instant = |key: &str, text: Option<&String>, open: Timestamp| match text {
        None => Some(open),
        Some(text) => at.key(key).accept(time::instant(text)),
    };
    let not_before = instant("notBefore", raw.not_before.as_ref(), Validity::ALWAYS.not_before);
    let not_after = instant("notAfter", raw.not_after.as_ref(), Validity::ALWAYS.not_after);
    let validity = Validity { not_before: not_before?, not_after: not_after? };
    if validity.not_after <= validity.not_before {
        at.key("notAfter").problem("`notAfter` is not after `notBefore`");
    }
    Some(validity)
}
