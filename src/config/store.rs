//! Where verdicts, evidence and memberships are kept.

use std::time::Duration;

use super::raw::RawStore;
use super::{Kind, Store, field};
use crate::yaml::At;

/// Judges `store`: this version remembers in memory.
pub(super) fn store(at: &At<'_>, raw: &RawStore) -> Store {
    let kind = field::word(at, "kind", raw.kind.as_deref(), &["memory", "embedded", "redis"]);
    if kind != "memory" {
        at.key("kind").problem(format!("`kind: {kind}` is not yet supported"));
    }
    field::later(at, "keys", raw.keys.as_ref().is_some_and(|keys| !keys.is_empty()), false);
    if let Some(raw) = &raw.embedded {
        field::size(&at.key("embedded"), "maxSize", raw.max_size.as_deref(), 2 << 30);
        at.unsupported("embedded");
    }
    if let Some(raw) = &raw.redis {
        let at = at.key("redis");
        at.require("url", raw.url.as_ref());
        field::positive(&at, "timeout", raw.timeout.as_deref(), Duration::from_millis(200));
        at.problem("`redis` is not yet supported");
    }
    let days = |days: u64| Duration::from_hours(24 * days);
    Store {
        kind: Kind::Memory,
        members: field::positive(at, "members", raw.members.as_deref(), days(30)),
        evidence: field::positive(at, "evidence", raw.evidence.as_deref(), days(7)),
    }
}
