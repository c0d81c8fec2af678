//! Every metric that the program exports.

use std::time::Duration;

use crate::reason::Reason;

/// The metrics, as handles that modules are given.
#[derive(Debug, Default)]
pub struct Metrics {}

impl Metrics {
    /// Counts a decision about a manifest or blob. `outcome` is `allow`, `deny` or `unavailable`.
    pub fn decision(&self, _outcome: &'static str, _reason: Reason, _policy: &str) {}

    /// Counts what an audited policy, or audit mode, would have refused.
    pub fn would_deny(&self, _reason: Reason, _policy: &str) {}

    /// Times a manifest request from its parsing to its answer.
    pub fn pull(&self, _outcome: &'static str, _cache: &'static str, _took: Duration) {}

    /// Counts a look-up of the verdict cache: `hit`, `miss` or `joined`.
    pub fn verdict_cache(&self, _result: &'static str) {}

    /// Counts and times one verification of a digest's evidence: `verified`, `rejected` or `unread`.
    pub fn verification(&self, _result: &'static str, _took: Duration) {}

    /// Counts and times one upstream request; `status` is a number or `error`/`timeout`.
    pub fn upstream(&self, _operation: &'static str, _status: &str, _took: Duration) {}

    /// Counts an attempt to reload the policy.
    pub fn policy_reload(&self, _ok: bool) {}
}
