//! Trust roots as declared: what they are called, and where their content is to be read.

use std::collections::BTreeMap;
use std::sync::Arc;

use url::Url;

use super::base::Base;
use super::raw::{RawTrustRoot, RawTuf};
use super::{Name, Part};
use crate::policy::trust_root::{TrustRoot, TrustSource, TufSource};
use crate::yaml::{At, read};

/// The trust roots of one file.
pub(super) fn all(part: &Part) -> BTreeMap<Name, Arc<TrustRoot>> {
    let built = part.raw.trust_roots.iter().flatten().filter_map(|(name, raw)| {
        let at = part.at().key("trustRoots").key(name);
        Some((Name::new(name)?, Arc::new(trust_root(&at, raw, part)?)))
    });
    built.collect()
}

fn trust_root(at: &At<'_>, raw: &RawTrustRoot, part: &Part) -> Option<TrustRoot> {
    at.exactly_one(&[("tuf", raw.tuf.is_some()), ("file", raw.file.is_some())])?;
    let (key, source) = match (&raw.file, &raw.tuf) {
        (Some(path), _) => ("file", TrustSource::File(part.base.join(path))),
        (None, Some(raw)) => ("tuf", TrustSource::Tuf(tuf(&at.key("tuf"), raw, &part.base)?)),
        (None, None) => return None,
    };
    Some(TrustRoot {
        source,
        skip_transparency_log: raw.insecure_skip_transparency_log == Some(true),
        skip_certificate_transparency: raw.insecure_skip_certificate_transparency == Some(true),
        at: part.document.error(at.key(key).path(), String::new()),
    })
}

fn tuf(at: &At<'_>, raw: &RawTuf, base: &Base) -> Option<TufSource> {
    let mirror = match &raw.mirror {
        None => None,
        Some(text) => Some(at.key("mirror").accept(mirror(text))?),
    };
    if mirror.is_some() {
        // The public instance's root would not sign for anybody else's repository.
        at.require("root", raw.root.as_ref())?;
    }
    let root = match &raw.root {
        None => None,
        Some(path) => {
            let read = read(&base.join(path), LARGEST_ROOT).map_err(|why| format!("TUF root `{path}`: {why}"));
            Some(at.key("root").accept(read)?)
        }
    };
    Some(TufSource { mirror, root })
}

fn mirror(text: &str) -> Result<Url, String> {
    let url = Url::parse(text).map_err(|_| format!("`{text}` is not a URL"))?;
    let plain = url.query().is_none() && url.fragment().is_none() && url.username().is_empty();
    if ["https", "http"].contains(&url.scheme()) && url.host().is_some() && plain && url.password().is_none() {
        return Ok(url);
    }
    Err("a mirror is `https://` or `http://`, a host and a path, without credentials, query or fragment".into())
}

/// A TUF `root.json`; those in use have a few KiB.
const LARGEST_ROOT: u64 = 512_000;
