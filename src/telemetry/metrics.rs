//! Every metric that the program exports.
//!
//! Labels are bounded: a repository, tag or digest is never one, and what comes from outside (a policy's name, the
//! status of the registry) is mapped to values known beforehand. Those series exist from the start, at 0: a counter
//! that first appears with its first denial shows no increase. They are also held as handles, so that counting on the
//! way of a cached pull takes no lock.

use std::sync::Arc;
use std::time::Duration;

use prometheus::core::GenericCounter;
use prometheus::{Histogram, IntCounterVec, IntGauge, IntGaugeVec, Registry, TextEncoder};

use crate::reason::Reason;

mod certificate;

mod credentials;
mod exemptions;
mod family;
mod in_use;
mod labels;
mod policy;
mod store;
mod trust;

mod verdicts;

#[cfg(test)]
mod tests;

pub use certificate::CertificateMetrics;
pub use credentials::CredentialMetrics;
pub use exemptions::ExemptionMetrics;
use family::{
    ByPolicy, Counters, Histograms, counter_vec, gauge, gauge_vec, histogram, histogram_vec, seconds_since_epoch,
};
pub use in_use::{Flag, InUse, ListenerMetrics};
pub use labels::outcome_of;
pub use policy::PolicyMetrics;
pub use store::{PendingWrites, StoreMetrics};
pub use trust::TrustMetrics;
pub use verdicts::VerdictMetrics;

/// The metrics, as handles that modules are given.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    decisions: ByPolicy,
    decided: IntCounterVec,
    would_deny: ByPolicy,
    pulls: Histograms<2>,
    verdicts: VerdictMetrics,
    evidence_cache: Counters<1>,
    verifications: Counters<1>,
    verification_duration: Histogram,
    verifying: IntGauge,
    upstream: Counters<2>,
    upstream_duration: Histograms<1>,
    upstream_unreachable: IntGaugeVec,
    blobs_cut: Counters<1>,
    in_flight: IntGauge,
    connections: IntGaugeVec,
    turned_away: IntCounterVec,
    accept_errors: IntCounterVec,
    trust: TrustMetrics,
    store: Arc<StoreMetrics>,
    certificate: CertificateMetrics,
    credentials: CredentialMetrics,
    exemptions: ExemptionMetrics,
    policy: PolicyMetrics,
}

impl Metrics {
    /// All metrics, with every series whose labels are known now.
    pub fn new() -> Self {
        let r = &Registry::new();
        let decided =
            counter_vec(r, "decisions_total", "Decisions about manifests and blobs.", &["outcome", "reason", "policy"]);
        let audited = counter_vec(
            r,
            "would_deny_total",
            "What audited policies, or audit mode, would have refused.",
            &["reason", "policy"],
        );
        gauge_vec(r, "build_info", "Always 1; the labels say what is running.", &["version"])
            .with_label_values(&[env!("CARGO_PKG_VERSION")])
            .set(1);
        let listeners = &["listener"];
        let metrics = Self {
            decisions: ByPolicy::new(decided.clone(), labels::decision, Reason::ALL),
            decided,
            would_deny: ByPolicy::new(audited, labels::would_deny, Reason::ALL),
            pulls: Histograms::new(
                histogram_vec(
                    r,
                    "pull_duration_seconds",
                    "Time from a manifest or blob request to the head of its answer.",
                    &["outcome", "cache"],
                ),
                labels::pairs(&labels::OUTCOMES, &labels::VERDICTS),
            ),
            verdicts: VerdictMetrics::new(r),
            evidence_cache: Counters::new(
                counter_vec(r, "evidence_cache_requests_total", "Look-ups of evidence that was read.", &["result"]),
                labels::EVIDENCE.map(|result| [result]),
            ),
            verifications: Counters::new(
                counter_vec(r, "verifications_total", "Verifications of all evidence of one digest.", &["result"]),
                ["verified", "rejected", "unread", "busy", "broken"].map(|result| [result]),
            ),
            verification_duration: histogram(
                r,
                "verification_duration_seconds",
                "Time to read and verify all evidence of one digest.",
            ),
            verifying: gauge(r, "verifications_in_progress", "Verifications that run or wait for a thread."),
            upstream: Counters::new(
                counter_vec(r, "upstream_requests_total", "Requests to registries.", &["operation", "status"]),
                labels::pairs(&labels::OPERATIONS, &labels::STATUSES),
            ),
            upstream_duration: Histograms::new(
                histogram_vec(
                    r,
                    "upstream_request_duration_seconds",
                    "Time from a request to a registry to the head of its answer.",
                    &["operation"],
                ),
                labels::OPERATIONS.map(|operation| [operation]),
            ),
            upstream_unreachable: gauge_vec(
                r,
                "upstream_unreachable",
                "1 while a registry or its token server cannot be reached, and requests are refused without asking it.",
                &["registry", "server"],
            ),
            blobs_cut: Counters::new(
                counter_vec(r, "blobs_cut_total", "Blobs cut off before their end, and why.", &["cause"]),
                ["corrupt", "timeout", "broken"].map(|cause| [cause]),
            ),
            in_flight: gauge(r, "requests_in_flight", "Requests whose answer has not been sent completely."),
            connections: gauge_vec(r, "connections", "Connections in use.", listeners),
            turned_away: counter_vec(
                r,
                "connections_turned_away_total",
                "Connections above the limit, answered with 503.",
                listeners,
            ),
            accept_errors: counter_vec(r, "accept_errors_total", "Connections that could not be accepted.", listeners),
            trust: TrustMetrics::new(r),
            store: Arc::new(StoreMetrics::new(r)),
            certificate: CertificateMetrics::new(r),
            credentials: CredentialMetrics::new(r),
            exemptions: ExemptionMetrics::new(r),
            policy: PolicyMetrics::new(r),
            registry: r.clone(),
        };
        for name in labels::LISTENERS {
            metrics.listener(name);
        }
        metrics
    }

    /// Says that a policy file with these policies is in force now, and creates their series.
    ///
    /// At most 200 policies have series of their own; the others, and names never announced, are counted as `other`.
    pub fn announce_policies<'a>(&self, names: impl Iterator<Item = &'a str>) {
        for name in names {
            self.decisions.announce(name, labels::BY_POLICY);
            self.would_deny.announce(name, labels::BY_POLICY);
        }
    }

    /// Counts a decision about a manifest or blob. `outcome` is `allow`, `deny`, `unavailable` or `request`.
    pub fn decision(&self, outcome: &'static str, reason: Reason, policy: &str) {
        if outcome == outcome_of(reason) {
            self.decisions.count(reason, policy);
        } else {
            let policy = self.decisions.bounded(policy);
            self.decided.with_label_values(&[outcome, reason.code(), &policy]).inc();
        }
    }

    /// Counts what an audited policy, or audit mode, would have refused.
    pub fn would_deny(&self, reason: Reason, policy: &str) {
        self.would_deny.count(reason, policy);
    }

    /// Times a manifest request from its parsing to its answer.
    pub fn pull(&self, outcome: &'static str, cache: &'static str, took: Duration) {
        self.pulls.at([outcome, cache], |histogram| histogram.observe(took.as_secs_f64()));
    }

    /// What is shown of verdicts.
    pub fn verdicts(&self) -> &VerdictMetrics {
        &self.verdicts
    }

    /// Counts a look-up of evidence: in memory (`hit`), `stored`, asked of the registry (`miss`), or `joined`.
    pub fn evidence_cache(&self, result: &'static str) {
        self.evidence_cache.at([result], GenericCounter::inc);
    }

    /// Counts and times one verification of a digest's evidence: `verified`, `rejected` or `unread`.
    pub fn verification(&self, result: &'static str, took: Duration) {
        self.verifications.at([result], GenericCounter::inc);
        self.verification_duration.observe(took.as_secs_f64());
    }

    /// Counts a verification that did not come to an end: none was begun because the queue was full, or it broke.
    pub fn verification_unfinished(&self, busy: bool) {
        self.verifications.at([if busy { "busy" } else { "broken" }], GenericCounter::inc);
    }

    /// Counts and times one upstream request; `status` is a number or `error`/`timeout`.
    pub fn upstream(&self, operation: &'static str, status: &str, took: Duration) {
        self.upstream.at([operation, labels::status(status)], GenericCounter::inc);
        self.upstream_duration.at([operation], |histogram| histogram.observe(took.as_secs_f64()));
    }

    /// Whether the `server` of a configured registry is left alone: the `registry` itself, or its `token` server.
    pub fn upstream_unreachable(&self, registry: &str, server: &'static str) -> Flag {
        let flag = Flag(self.upstream_unreachable.with_label_values(&[registry, server]));
        flag.set(false);
        flag
    }

    /// Counts a blob that was cut off before its end: `corrupt`, or because of a `timeout` or a `broken` connection.
    pub fn blob_cut(&self, cause: &'static str) {
        self.blobs_cut.at([cause], GenericCounter::inc);
    }

    /// What is shown of the store.
    pub fn store(&self) -> &Arc<StoreMetrics> {
        &self.store
    }

    /// What is shown of trusted roots.
    pub fn trust(&self) -> TrustMetrics {
        self.trust.clone()
    }

    /// What is shown of the proxy's own credentials.
    pub fn credentials(&self) -> CredentialMetrics {
        self.credentials.clone()
    }

    /// What is shown of exemptions.
    pub fn exemptions(&self) -> &ExemptionMetrics {
        &self.exemptions
    }

    /// What is shown of the policy in force.
    pub fn policy(&self) -> &PolicyMetrics {
        &self.policy
    }

    /// Everything, in the text format 0.0.4.
    pub fn render(&self) -> String {
        // What is shown is true at the moment of the scrape.
        self.policy.show();
        self.store.show();
        self.exemptions.show(u64::try_from(seconds_since_epoch()).unwrap_or(0));
        TextEncoder::new().encode_to_string(&self.registry.gather()).unwrap_or_else(|error| {
            tracing::error!(%error, "metrics could not be written");
            String::new()
        })
    }
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}
