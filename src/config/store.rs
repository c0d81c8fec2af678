//! Where verdicts, evidence and memberships are kept.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::raw::RawStore;
use super::{Kind, Store, field, redis};
use crate::store::keys;
use crate::yaml::At;

/// Judges `store`.
pub(super) fn store(at: &At<'_>, raw: &RawStore, base: &Path) -> Store {
    let kind = field::word(at, "kind", raw.kind.as_deref(), &["memory", "embedded", "redis"]);
    if kind == "embedded" {
        at.key("kind").problem(format!("`kind: {kind}` is not yet supported"));
    }
    if let Some(raw) = &raw.embedded {
        field::size(&at.key("embedded"), "maxSize", raw.max_size.as_deref(), 2 << 30);
        at.unsupported("embedded");
    }
    let days = |days: u64| Duration::from_hours(24 * days);
    let members = field::positive(at, "members", raw.members.as_deref(), days(30));
    let evidence = field::positive(at, "evidence", raw.evidence.as_deref(), days(7));
    let shared = match (&raw.redis, kind) {
        (Some(raw), _) => redis::redis(&at.key("redis"), raw, evidence, base).map(Kind::Shared),
        (None, "redis") => {
            at.problem("`redis` is missing, and says where it is: `redis: { url: \"rediss://HOST:6379\" }`");
            None
        }
        (None, _) => None,
    };
    let given = raw.keys.as_deref().unwrap_or_default();
    let paths: Vec<PathBuf> = given.iter().map(|path| base.join(path)).collect();
    if kind == "redis" && paths.is_empty() {
        at.problem(
            "`keys` is missing: replicas that share a store need the same one, as `openssl rand -hex 32` prints it",
        );
    }
    for (number, path) in paths.iter().enumerate() {
        at.key("keys").index(number).accept(keys::read(path, &[]));
    }
    let kind = shared.filter(|_| kind == "redis").unwrap_or(Kind::Memory);
    Store { kind, keys: paths, members, evidence }
}
