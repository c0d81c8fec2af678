//! Which policy is in force, since when, and how loading another one went.

use std::sync::{Arc, Mutex, PoisonError};

use prometheus::core::GenericCounter;
use prometheus::{IntGauge, IntGaugeVec, Registry};

use super::family::{Counters, counter_vec, gauge, gauge_vec, seconds_since_epoch};

/// What is shown of the policy as a whole.
#[derive(Debug)]
pub struct PolicyMetrics {
    info: IntGaugeVec,
    loaded: IntGauge,
    reloads: Counters<1>,
    reload_failed: IntGauge,
    revision: Mutex<Revision>,
}

#[derive(Debug, Default)]
struct Revision {
    in_force: Option<Arc<str>>,
    shown: Option<Arc<str>>,
}

impl PolicyMetrics {
    pub(super) fn new(r: &Registry) -> Self {
        let info = "Always 1; the label says which policy is in force: no answer begins under another one.";
        let reloads = counter_vec(r, "policy_reloads_total", "Attempts to reload the policy.", &["result"]);
        let failed = "1 while the policy on disk cannot be loaded, and the one before it stays in force.";
        Self {
            info: gauge_vec(r, "policy_info", info, &["revision"]),
            loaded: gauge(r, "policy_loaded_timestamp_seconds", "When the policy in force was loaded."),
            reloads: Counters::new(reloads, ["loaded", "failed"].map(|result| [result])),
            reload_failed: gauge(r, "policy_reload_failed", failed),
            revision: Mutex::default(),
        }
    }

    /// Says that the policy with this fingerprint is in force: no request that begins now is judged under another.
    pub fn in_force(&self, fingerprint: &str) {
        self.revision.lock().unwrap_or_else(PoisonError::into_inner).in_force = Some(fingerprint.into());
        self.loaded.set(seconds_since_epoch());
    }

    /// Counts an attempt to load another policy.
    pub fn reload(&self, ok: bool) {
        self.reloads.at([if ok { "loaded" } else { "failed" }], GenericCounter::inc);
        self.reload_failed.set(i64::from(!ok));
    }

    /// Shows the revision in force, and none that was shown before.
    pub(super) fn show(&self) {
        let mut revision = self.revision.lock().unwrap_or_else(PoisonError::into_inner);
        let Revision { in_force, shown } = &mut *revision;
        if shown != in_force {
            self.info.reset();
            shown.clone_from(in_force);
            if let Some(fingerprint) = shown {
                self.info.with_label_values(&[&**fingerprint]).set(1);
            }
        }
    }
}
