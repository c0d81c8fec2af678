//! What is shown of the proxy's own credentials.

use prometheus::{IntCounterVec, IntGauge, Registry};

use super::family::{counter_vec, gauge};

/// Renewals of credentials, of all registries together.
#[derive(Debug, Clone)]
pub struct CredentialMetrics {
    reloads: IntCounterVec,
    failed: IntGauge,
}

impl CredentialMetrics {
    pub(super) fn new(r: &Registry) -> Self {
        let reloads = counter_vec(
            r,
            "credentials_reloads_total",
            "Attempts to renew credentials from a file that has changed, or from a credential helper.",
            &["result"],
        );
        for result in ["loaded", "failed"] {
            reloads.with_label_values(&[result]);
        }
        let help = "Registries whose credentials could not be renewed; those before them, if any, stay in use.";
        Self { reloads, failed: gauge(r, "credentials_reload_failed", help) }
    }

    /// Counts an attempt for one registry, and keeps count of those where the last one `failed`.
    pub fn reloaded(&self, failed: bool, failed_before: bool) {
        self.reloads.with_label_values(&[if failed { "failed" } else { "loaded" }]).inc();
        self.failed.add(i64::from(failed) - i64::from(failed_before));
    }
}
