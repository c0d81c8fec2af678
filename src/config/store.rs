//! Where verdicts, evidence and memberships are kept.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::raw::{RawEmbedded, RawStore};
use super::{Kind, Store, field, redis};
use crate::store::keys;
use crate::yaml::At;

/// Judges `store`.
pub(super) fn store(at: &At<'_>, raw: &RawStore, base: &Path) -> Store {
    let word = field::word(at, "kind", raw.kind.as_deref(), &["embedded", "memory", "redis"]);
    let days = |days: u64| Duration::from_hours(24 * days);
    let members = field::positive(at, "members", raw.members.as_deref(), days(30));
    let evidence = field::positive(at, "evidence", raw.evidence.as_deref(), days(7));
    let in_file = embedded(&at.key("embedded"), raw.embedded.as_ref(), base);
    let shared = raw.redis.as_ref().and_then(|raw| redis::redis(&at.key("redis"), raw, evidence, base));
    let kind = match word {
        "embedded" => in_file,
        "redis" => {
            if raw.redis.is_none() {
                at.problem("`redis` is missing, and says where it is: `redis: { url: \"rediss://HOST:6379\" }`");
            }
            shared.map_or(Kind::Memory, Kind::Shared)
        }
        _ => Kind::Memory,
    };
    for (other, given) in [("embedded", raw.embedded.is_some()), ("redis", raw.redis.is_some())] {
        if given && other != word {
            at.key(other).problem(format!("it is for `kind: {other}`"));
        }
    }
    Store { kind, keys: keys(at, raw, word, base), members, evidence }
}

/// The keys' files. Each is read, so that its mistakes are told with all others.
fn keys(at: &At<'_>, raw: &RawStore, kind: &str, base: &Path) -> Vec<PathBuf> {
    let given = raw.keys.as_deref().unwrap_or_default();
    let paths: Vec<PathBuf> = given.iter().map(|path| base.join(path)).collect();
    match (kind, paths.is_empty()) {
        ("redis", true) => at.problem(
            "`keys` is missing: replicas that share a store need the same one, as `openssl rand -hex 32` prints it",
        ),
        ("memory", false) => {
            at.key("keys").problem("`kind: memory` has a key of its own, which lives as long as the process");
        }
        _ => {}
    }
    for (number, path) in paths.iter().enumerate() {
        at.key("keys").index(number).accept(keys::read(path, &[]));
    }
    paths
}

fn embedded(at: &At<'_>, raw: Option<&RawEmbedded>, base: &Path) -> Kind {
    let path = raw.and_then(|raw| raw.path.as_deref()).unwrap_or("/var/lib/countersign/store.redb");
    let most = field::size(at, "maxSize", raw.and_then(|raw| raw.max_size.as_deref()), 2 << 30);
    if most < LEAST {
        at.key("maxSize").problem("it must be at least `64MiB`");
    }
    Kind::Embedded { path: base.join(path), most }
}

/// Where a few of the largest pieces of evidence still fit.
const LEAST: u64 = 64 << 20;
