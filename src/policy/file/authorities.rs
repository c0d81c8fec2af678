//! Authorities and trust roots.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::super::{Kind, Validity};
use super::raw::{RawAuthority, RawKey, RawKeyless, RawTrustRoot};
use super::{Authority, Declared, Name, Part, key, time};
use crate::yaml::At;

/// The authorities of one file.
pub(super) fn all(part: &Part, declared: &Declared) -> BTreeMap<Name, Arc<Authority>> {
    for (name, raw) in part.raw.trust_roots.iter().flatten() {
        trust_root(&part.at().key("trustRoots").key(name), raw);
    }
    if part.raw.trust_roots.as_ref().is_some_and(|roots| !roots.is_empty()) {
        part.at().unsupported("trustRoots");
    }
    let built = part.raw.authorities.iter().flatten().filter_map(|(name, raw)| {
        let name = Name::new(name)?;
        let authority = authority(&part.at().key("authorities").key(name.as_str()), &name, raw, part, declared)?;
        Some((name, Arc::new(authority)))
    });
    built.collect()
}

fn authority(at: &At<'_>, name: &Name, raw: &RawAuthority, part: &Part, declared: &Declared) -> Option<Authority> {
    at.exactly_one(&[("key", raw.key.is_some()), ("keyless", raw.keyless.is_some())])?;
    if let Some(raw) = &raw.keyless {
        keyless(&at.key("keyless"), raw, declared);
        at.unsupported("keyless");
    }
    let raw = raw.key.as_ref()?;
    let at = at.key("key");
    transparency(&at, raw, declared);
    validity(&at, raw);
    let kind = Kind::Keys(key::resolve(&at, raw, &part.base));
    Some(Authority {
        name: name.clone(),
        kind,
        trust_root: None,
        skip_transparency_log: true,
        skip_certificate_transparency: false,
        validity: Validity::ALWAYS,
    })
}

fn transparency(at: &At<'_>, raw: &RawKey, declared: &Declared) {
    let skip = raw.insecure_skip_transparency_log == Some(true);
    match &raw.trust_root {
        Some(_) if skip => {
            at.key("trustRoot").problem("`trustRoot` and `insecureSkipTransparencyLog: true` exclude each other");
        }
        Some(name) if declared.trust_root(&at.key("trustRoot"), name).is_some() => at.unsupported("trustRoot"),
        Some(_) => {}
        None if skip => {}
        None => at.problem(
            "a key needs a `trustRoot`, which is not yet supported, or `insecureSkipTransparencyLog: true` spelled out",
        ),
    }
}

fn validity(at: &At<'_>, raw: &RawKey) {
    let mut ends = Vec::new();
    for (key, text) in [("notBefore", &raw.not_before), ("notAfter", &raw.not_after)] {
        if let Some(text) = text {
            ends.extend(at.key(key).accept(time::instant(text)));
            at.unsupported(key);
        }
    }
    if let [from, to] = ends[..]
        && to <= from
    {
        at.key("notAfter").problem("`notAfter` is not after `notBefore`");
    }
}

fn keyless(at: &At<'_>, raw: &RawKeyless, declared: &Declared) {
    if let Some(name) = at.require("trustRoot", raw.trust_root.as_ref()) {
        declared.trust_root(&at.key("trustRoot"), name);
    }
    at.require("issuer", raw.issuer.as_ref());
    at.exactly_one(&[("identity", raw.identity.is_some()), ("identityRegex", raw.identity_regex.is_some())]);
    for (key, text) in [
        ("issuer", &raw.issuer),
        ("identity", &raw.identity),
        ("identityRegex", &raw.identity_regex),
        ("sourceRepository", &raw.source_repository),
        ("sourceRepositoryOwner", &raw.source_repository_owner),
        ("sourceRepositoryRef", &raw.source_repository_ref),
        ("buildTrigger", &raw.build_trigger),
        ("runnerEnvironment", &raw.runner_environment),
    ] {
        if text.as_ref().is_some_and(String::is_empty) {
            at.key(key).problem("it is empty, and would match nothing");
        }
    }
    for (key, skip) in [
        ("insecureSkipTransparencyLog", raw.insecure_skip_transparency_log),
        ("insecureSkipCertificateTransparency", raw.insecure_skip_certificate_transparency),
    ] {
        if skip == Some(true) {
            at.unsupported(key);
        }
    }
}

fn trust_root(at: &At<'_>, raw: &RawTrustRoot) {
    at.exactly_one(&[("tuf", raw.tuf.is_some()), ("file", raw.file.is_some())]);
    let Some(tuf) = &raw.tuf else { return };
    if let Some(mirror) = &tuf.mirror {
        at.key("tuf").key("mirror").accept(url::Url::parse(mirror).map_err(|_| format!("`{mirror}` is not a URL")));
        at.key("tuf").require("root", tuf.root.as_ref());
    }
}
