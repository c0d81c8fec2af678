//! Gauges of what is in use, and the counters of a listener.

use prometheus::{IntCounter, IntGauge};

use super::Metrics;

/// What one listener counts.
#[derive(Debug, Clone)]
pub struct ListenerMetrics {
    connections: IntGauge,
    turned_away: IntCounter,
    accept_errors: IntCounter,
}

/// Something that is so or is not: 1 or 0.
#[derive(Debug, Clone)]
pub struct Flag(pub(super) IntGauge);

/// Something in use, counted as long as this value lives.
#[derive(Debug)]
pub struct InUse(IntGauge);

impl Metrics {
    /// Counts a request as in flight until the answer is dropped.
    pub fn request(&self) -> InUse {
        InUse::new(&self.in_flight)
    }

    /// Counts a verification as running or waiting until the answer is dropped.
    pub fn verifying(&self) -> InUse {
        InUse::new(&self.verifying)
    }

    /// What the listener called `name` counts: `pull` or `admin`.
    pub fn listener(&self, name: &'static str) -> ListenerMetrics {
        ListenerMetrics {
            connections: self.connections.with_label_values(&[name]),
            turned_away: self.turned_away.with_label_values(&[name]),
            accept_errors: self.accept_errors.with_label_values(&[name]),
        }
    }
}

impl ListenerMetrics {
    /// Counts a connection until the answer is dropped.
    pub fn connection(&self) -> InUse {
        InUse::new(&self.connections)
    }

    /// Counts a connection above the limit.
    pub fn turned_away(&self) {
        self.turned_away.inc();
    }

    /// Counts a connection that could not be accepted.
    pub fn accept_error(&self) {
        self.accept_errors.inc();
    }
}

impl Flag {
    /// Shows whether it is so.
    pub fn set(&self, so: bool) {
        self.0.set(i64::from(so));
    }
}

impl InUse {
    pub(super) fn new(gauge: &IntGauge) -> Self {
        gauge.inc();
        Self(gauge.clone())
    }
}

impl Drop for InUse {
    fn drop(&mut self) {
        self.0.dec();
    }
}
