//! What is shown of the certificate that clients see.

use prometheus::{IntCounter, IntCounterVec, IntGauge, Registry};

use super::Metrics;
use super::family::{counter_vec, gauge};

/// The certificate of the listener for pulls, and handshakes with it.
#[derive(Debug, Clone)]
pub struct CertificateMetrics {
    reloads: IntCounterVec,
    failed: IntGauge,
    expiry: IntGauge,
    handshakes_failed: IntCounter,
}

impl Metrics {
    /// What is shown of the certificate that clients see.
    pub fn certificate(&self) -> CertificateMetrics {
        self.certificate.clone()
    }
}

impl CertificateMetrics {
    pub(super) fn new(r: &Registry) -> Self {
        let help = "Attempts to take a certificate or key that was replaced on disk.";
        let reloads = counter_vec(r, "certificate_reloads_total", help, &["result"]);
        for result in ["loaded", "failed"] {
            reloads.with_label_values(&[result]);
        }
        let failed = "1 while the certificate or key on disk cannot be used, and those before them stay in force.";
        let help = "Connections that ended before TLS was agreed upon.";
        let handshakes = counter_vec(r, "tls_handshakes_failed_total", help, &["listener"]);
        let expiry = "When the certificate that clients see expires; 0 without TLS.";
        Self {
            reloads,
            failed: gauge(r, "certificate_reload_failed", failed),
            expiry: gauge(r, "certificate_expiry_timestamp_seconds", expiry),
            handshakes_failed: handshakes.with_label_values(&["pull"]),
        }
    }

    /// Shows when the certificate in force expires, in seconds since 1970.
    pub fn in_force(&self, expiry: i64) {
        self.expiry.set(expiry);
    }

    /// Counts an attempt to take what is new on disk.
    pub fn reloaded(&self, ok: bool) {
        self.reloads.with_label_values(&[if ok { "loaded" } else { "failed" }]).inc();
        self.wrong(!ok);
    }

    /// Shows whether what is on disk cannot be used.
    pub fn wrong(&self, wrong: bool) {
        self.failed.set(i64::from(wrong));
    }

    /// Counts a connection on which no TLS came about.
    pub fn handshake_failed(&self) {
        self.handshakes_failed.inc();
    }
}
