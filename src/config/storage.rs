//! What is remembered and how much of anything is read: cache, trust, limits; the audit log, to come.

use std::path::Path;
use std::time::Duration;

use super::raw::{RawAudit, RawCache, RawLimits, RawTrust};
use super::{Cache, field};
use crate::limits::{Limits, Verification};
use crate::trust;
use crate::yaml::At;

/// Judges `cache`.
pub(super) fn cache(at: &At<'_>, raw: &RawCache) -> Cache {
    let tag_ttl = field::duration(at, "tagTtl", raw.tag_ttl.as_deref(), Duration::ZERO);
    if tag_ttl > LONGEST_TAG_TTL {
        at.key("tagTtl").problem("it is longer than 5m, and as long a tag that was moved would name the old image");
    }
    Cache {
        verdicts: field::count(at, "verdicts", raw.verdicts, 1_000_000),
        allow: field::positive(at, "allow", raw.allow.as_deref(), Duration::from_hours(6)),
        deny: field::duration(at, "deny", raw.deny.as_deref(), Duration::from_secs(15)),
        refresh_before: field::duration(at, "refreshBefore", raw.refresh_before.as_deref(), Duration::from_mins(30)),
        last_known_good: field::duration(at, "lastKnownGood", raw.last_known_good.as_deref(), Duration::ZERO),
        evidence_max_age: field::positive(
            at,
            "evidenceMaxAge",
            raw.evidence_max_age.as_deref(),
            Duration::from_hours(24),
        ),
        manifests: field::size(at, "manifests", raw.manifests.as_deref(), 64 << 20),
        tag_ttl,
    }
}

/// Who moves a tag waits for this long at most, everywhere.
const LONGEST_TAG_TTL: Duration = Duration::from_mins(5);

/// Judges `limits`.
pub(super) fn limits(at: &At<'_>, raw: &RawLimits) -> Limits {
    let default = Limits::default();
    let verification = {
        let (at, raw) = (at.key("verification"), raw.verification.as_ref());
        let default = default.verification;
        Verification {
            threads: field::count(&at, "threads", raw.and_then(|raw| raw.threads), default.threads),
            queue: field::count(&at, "queue", raw.and_then(|raw| raw.queue), default.queue),
            time: field::positive(&at, "time", raw.and_then(|raw| raw.time.as_deref()), default.time),
        }
    };
    Limits {
        manifest: field::size(at, "manifest", raw.manifest.as_deref(), default.manifest),
        bundle: field::size(at, "bundle", raw.bundle.as_deref(), default.bundle),
        attestation: field::size(at, "attestation", raw.attestation.as_deref(), default.attestation),
        listed: field::count(at, "listed", raw.listed, default.listed),
        examined: field::count(at, "examined", raw.examined, default.examined),
        log_entries: field::count(at, "logEntries", raw.log_entries, default.log_entries),
        timestamps: field::count(at, "timestamps", raw.timestamps, default.timestamps),
        subjects: field::count(at, "subjects", raw.subjects, default.subjects),
        chain: field::count(at, "chain", raw.chain, default.chain),
        index_children: field::count(at, "indexChildren", raw.index_children, default.index_children),
        index_depth: field::count(at, "indexDepth", raw.index_depth, default.index_depth),
        parents: field::count(at, "parents", raw.parents, default.parents),
        verification,
    }
}

/// Judges `trust`.
pub(super) fn trust(at: &At<'_>, raw: &RawTrust, base: &Path) -> trust::Settings {
    let default = trust::Settings::default();
    trust::Settings {
        cache: raw.cache.as_ref().map(|path| base.join(path)),
        refresh: field::positive(at, "refresh", raw.refresh.as_deref(), default.refresh),
        max_stale: field::duration(at, "maxStale", raw.max_stale.as_deref(), default.max_stale),
    }
}

/// Judges `audit`: this version has the log only.
pub(super) fn audit(at: &At<'_>, raw: &RawAudit) {
    let minute = Duration::from_mins(1);
    field::later_if_given(at, "path", raw.path.as_ref());
    field::later_if_given(at, "checkpointKey", raw.checkpoint_key.as_ref());
    let every = field::positive(at, "checkpointEvery", raw.checkpoint_every.as_deref(), minute);
    field::later(at, "checkpointEvery", every, minute);
    field::later(at, "rotate", field::size(at, "rotate", raw.rotate.as_deref(), 100 << 20), 100 << 20);
    let on_failure = field::word(at, "onFailure", raw.on_failure.as_deref(), &["refuse", "continue"]);
    field::later(at, "onFailure", on_failure, "refuse");
}
