//! Where verdicts, evidence and memberships are kept.

use std::path::Path;
use std::time::Duration;

use super::raw::{RawEmbedded, RawStore};
use super::{Kind, Store, field};
use crate::yaml::At;

/// Judges `store`.
pub(super) fn store(at: &At<'_>, raw: &RawStore, base: &Path) -> Store {
    let kind = match field::word(at, "kind", raw.kind.as_deref(), &["embedded", "memory", "redis"]) {
        "embedded" => embedded(&at.key("embedded"), &raw.embedded, base),
        "memory" => Kind::Memory,
        kind => {
            at.key("kind").problem(format!("`kind: {kind}` is not yet supported"));
            Kind::Memory
        }
    };
    if raw.embedded.is_some() && !matches!(kind, Kind::Embedded { .. }) {
        at.key("embedded").problem("it is for `kind: embedded`");
    }
    if matches!(kind, Kind::Memory) && raw.keys.as_ref().is_some_and(|keys| !keys.is_empty()) {
        at.key("keys").problem("`kind: memory` has a key of its own, which lives as long as the process");
    }
    if let Some(raw) = &raw.redis {
        let at = at.key("redis");
        at.require("url", raw.url.as_ref());
        field::positive(&at, "timeout", raw.timeout.as_deref(), Duration::from_millis(200));
        at.problem("`redis` is not yet supported");
    }
    let days = |days: u64| Duration::from_hours(24 * days);
    Store {
        kind,
        keys: raw.keys.iter().flatten().map(|path| base.join(path)).collect(),
        members: field::positive(at, "members", raw.members.as_deref(), days(30)),
        evidence: field::positive(at, "evidence", raw.evidence.as_deref(), days(7)),
    }
}

fn embedded(at: &At<'_>, raw: &Option<RawEmbedded>, base: &Path) -> Kind {
    let raw = raw.as_ref();
    let path = raw.and_then(|raw| raw.path.as_deref()).unwrap_or("/var/lib/countersign/store.redb");
    let most = field::size(at, "maxSize", raw.and_then(|raw| raw.max_size.as_deref()), 2 << 30);
    if most < LEAST {
        at.key("maxSize").problem("it must be at least `64MiB`");
    }
    Kind::Embedded { path: base.join(path), most }
}

/// Where a few of the largest pieces of evidence still fit.
const LEAST: u64 = 64 << 20;
