//! What is shown of trusted roots.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use prometheus::{IntCounterVec, IntGaugeVec, Registry};

use super::family::{counter_vec, gauge_vec};

/// Ages and refreshes of trusted roots, by their names in the policy.
#[derive(Debug, Clone)]
pub struct TrustMetrics {
    age: IntGaugeVec,
    expiry: IntGaugeVec,
    failed: IntGaugeVec,
    refreshes: IntCounterVec,
    known: Arc<Mutex<BTreeSet<String>>>,
}

impl TrustMetrics {
    pub(super) fn new(r: &Registry) -> Self {
        let root = &["trust_root"];
        Self {
            age: gauge_vec(
                r,
                "trust_root_age_seconds",
                "Time since the trusted root in force was last confirmed by its file or TUF repository.",
                root,
            ),
            expiry: gauge_vec(
                r,
                "trust_root_expiry_timestamp_seconds",
                "When the TUF metadata that vouches for the trusted root expires.",
                root,
            ),
            failed: gauge_vec(
                r,
                "trust_root_refresh_failed",
                "1 while the trusted root could not be read anew, and the last good one is in force.",
                root,
            ),
            refreshes: counter_vec(
                r,
                "trust_root_refreshes_total",
                "Attempts to read a trusted root from its TUF repository.",
                &["trust_root", "result"],
            ),
            known: Arc::default(),
        }
    }

    /// Creates the series of these roots; those of others go.
    pub fn announce<'a>(&self, names: impl Iterator<Item = &'a str>) {
        let names: BTreeSet<_> = names.take(MAX_ROOTS).map(str::to_string).collect();
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        for gone in known.difference(&names) {
            for gauge in [&self.age, &self.expiry, &self.failed] {
                // One that was never set is not there.
                let _ = gauge.remove_label_values(&[gone]);
            }
        }
        for name in &names {
            self.failed.with_label_values(&[name]);
            for result in ["refreshed", "failed"] {
                self.refreshes.with_label_values(&[name.as_str(), result]);
            }
        }
        *known = names;
    }

    /// Shows how old a root is, and when its metadata expires if it has some.
    pub fn show(&self, name: &str, age: u64, expires: Option<u64>) {
        if !self.knows(name) {
            return;
        }
        self.age.with_label_values(&[name]).set(gauge(age));
        if let Some(expires) = expires {
            self.expiry.with_label_values(&[name]).set(gauge(expires));
        }
    }

    /// Shows whether the last reading of a root failed.
    pub fn last_failed(&self, name: &str, failed: bool) {
        if self.knows(name) {
            self.failed.with_label_values(&[name]).set(i64::from(failed));
        }
    }

    /// Counts an attempt to refresh a root.
    pub fn refreshed(&self, name: &str, ok: bool) {
        if self.knows(name) {
            self.refreshes.with_label_values(&[name, if ok { "refreshed" } else { "failed" }]).inc();
        }
    }

    fn knows(&self, name: &str) -> bool {
        self.known.lock().unwrap_or_else(PoisonError::into_inner).contains(name)
    }
}

fn gauge(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

/// Trusted roots that have series of their own.
const MAX_ROOTS: usize = 50;
