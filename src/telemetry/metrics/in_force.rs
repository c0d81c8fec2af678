//! Which policy is in force.

use std::sync::{Arc, Mutex, PoisonError};

use prometheus::{IntGaugeVec, Registry};

use super::family::gauge_vec;

/// The revision of the policy in force: one series, whatever was in force before.
#[derive(Debug, Clone)]
pub struct PolicyMetrics {
    info: IntGaugeVec,
    revision: Arc<Mutex<Revision>>,
}

#[derive(Debug, Default)]
struct Revision {
    in_force: Option<String>,
    shown: Option<String>,
}

impl PolicyMetrics {
    pub(super) fn new(r: &Registry) -> Self {
        let help = "Always 1; the label says which policy is in force: every answer that begins now is under it.";
        Self { info: gauge_vec(r, "policy_info", help, &["revision"]), revision: Arc::default() }
    }

    /// Says that the policy with this fingerprint is in force: no request that begins now is judged under another.
    pub fn in_force(&self, fingerprint: String) {
        self.revision.lock().unwrap_or_else(PoisonError::into_inner).in_force = Some(fingerprint);
    }

    /// Shows it, and nothing that was shown before.
    pub(super) fn show(&self) {
        let mut revision = self.revision.lock().unwrap_or_else(PoisonError::into_inner);
        let Revision { in_force, shown } = &mut *revision;
        if shown != in_force {
            self.info.reset();
            shown.clone_from(in_force);
            if let Some(fingerprint) = shown {
                self.info.with_label_values(&[fingerprint]).set(1);
            }
        }
    }
}
