//! What can be seen from outside: metrics and one log line a request.

pub mod answer;

pub mod log;

pub mod metrics;

pub use answer::Answer;
pub use log::{Facts, Request};
pub use metrics::{
    CertificateMetrics, CredentialMetrics, Flag, ListenerMetrics, Metrics, PendingWrites, StoreMetrics, TrustMetrics,
    VerdictMetrics, outcome_of,
};
