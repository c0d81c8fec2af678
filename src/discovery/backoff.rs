//! Evidence that could not be read is left alone for some seconds, so that a 503 does not become a storm.
//!
//! What is remembered is only that something is missing: it can keep an answer at 503, never make it a 403 or an Allow.

use std::time::Duration;

use moka::future::Cache;
use moka::policy::EvictionPolicy;

use crate::clock::Timestamp;
use crate::evidence::{EvidenceSet, Unread};
use crate::oci::Subject;
use crate::policy::governing::Revision;

/// Readings that fell short a moment ago, by what they were about. A policy that was edited is a new question.
#[derive(Debug)]
pub struct Backoff {
    held: Cache<(Subject, Revision), Failure>,
}

/// How the last reading fell short, how many did one after another, and until when nothing is read again.
#[derive(Debug, Clone)]
struct Failure {
    unread: Vec<Unread>,
    incomplete: bool,
    times: u32,
    until: Timestamp,
}

impl Backoff {
    /// Nothing has failed yet.
    pub fn new() -> Self {
        let held = Cache::builder().eviction_policy(EvictionPolicy::lru());
        Self { held: held.max_capacity(AT_MOST).time_to_live(FORGOTTEN_AFTER).build() }
    }

    /// What a reading would give that is not made, because one fell short a moment ago: nothing, and what it lacked.
    pub async fn resting(&self, subject: &Subject, revision: Revision, now: Timestamp) -> Option<EvidenceSet> {
        let failure = self.failure(subject, revision).await?;
        // A clock that was set back is no reason to rest for longer.
        if now >= failure.until || now.plus(LONGEST) < failure.until {
            return None;
        }
        let incomplete = failure.incomplete;
        Some(EvidenceSet {
            candidates: Vec::new(),
            // Nothing at all is read, so it matters to everybody, wherever they look.
            unread: failure.unread.into_iter().map(|unread| Unread { elsewhere: None, ..unread }).collect(),
            unusable: Vec::new(),
            incomplete,
            read_at: now,
        })
    }

    /// Nothing could be decided on what was read: the next reading waits, longer each time.
    pub async fn failed(
        &self,
        subject: &Subject,
        revision: Revision,
        unread: &[Unread],
        incomplete: bool,
        now: Timestamp,
    ) {
        if unread.is_empty() && !incomplete {
            return;
        }
        let key = (subject.clone(), revision);
        let times = self.held.get(&key).await.map_or(0, |failure| failure.times).saturating_add(1);
        let until = now.plus(LONGEST.min(SHORTEST * 2_u32.saturating_pow(times - 1)));
        self.held.insert(key, Failure { unread: unread.to_vec(), incomplete, times, until }).await;
    }

    /// How long nothing is read of it yet.
    pub async fn rest(&self, subject: &Subject, revision: Revision, now: Timestamp) -> Option<Duration> {
        let failure = self.failure(subject, revision).await?;
        Some(failure.until.since(now)).filter(|rest| (Duration::from_secs(1)..=LONGEST).contains(rest))
    }

    /// What was read sufficed for a decision.
    pub async fn succeeded(&self, subject: &Subject, revision: Revision) {
        let key = (subject.clone(), revision);
        if self.held.contains_key(&key) {
            self.held.invalidate(&key).await;
        }
    }

    /// Nothing, mostly, which costs less than what a cache does to note that it was asked.
    async fn failure(&self, subject: &Subject, revision: Revision) -> Option<Failure> {
        let key = (subject.clone(), revision);
        if self.held.contains_key(&key) { self.held.get(&key).await } else { None }
    }
}

impl Default for Backoff {
    fn default() -> Self {
        Self::new()
    }
}

/// After the first failure.
const SHORTEST: Duration = Duration::from_secs(1);
/// After many.
const LONGEST: Duration = Duration::from_secs(30);
/// Failures so far apart are each the first.
const FORGOTTEN_AFTER: Duration = Duration::from_secs(90);
/// Digests with failures, each of less than a KiB.
const AT_MOST: u64 = 10_000;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oci::Digest;
    use crate::reason::Reason;
    use crate::test_support::subject;

    const POLICY: fn(&[u8]) -> Revision = |text| Revision(Digest::of(text));

    #[tokio::test]
    async fn each_failure_doubles_the_rest_up_to_half_a_minute_and_success_ends_it() {
        let (backoff, subject, policy) = (Backoff::new(), subject(), POLICY(b"1"));
        let unread = [Unread::new("referrers", Reason::EvidenceUnreadable, "500")];
        let mut now = 1_000;
        for rest in [1, 2, 4, 8, 16, 30, 30] {
            assert!(backoff.resting(&subject, policy, Timestamp(now)).await.is_none(), "{now}");
            backoff.failed(&subject, policy, &unread, false, Timestamp(now)).await;
            let set = backoff.resting(&subject, policy, Timestamp(now + rest - 1)).await.expect("it rests");
            assert_eq!((&set.unread[..], set.incomplete, set.candidates.len()), (&unread[..], false, 0));
            let asked = backoff.rest(&subject, policy, Timestamp(now)).await;
            assert_eq!(asked, Some(Duration::from_secs(rest)));
            now += rest;
        }
        backoff.failed(&subject, policy, &unread, false, Timestamp(now)).await;
        assert!(backoff.resting(&subject, policy, Timestamp(1)).await.is_none(), "the clock was set back");
        assert!(backoff.resting(&subject, policy, Timestamp(now)).await.is_some());
        backoff.succeeded(&subject, policy).await;
        assert!(backoff.resting(&subject, policy, Timestamp(now)).await.is_none());
        backoff.failed(&subject, policy, &[], true, Timestamp(now)).await;
        let set = backoff.resting(&subject, policy, Timestamp(now)).await.expect("it rests");
        assert_eq!((set.unread.len(), set.incomplete), (0, true));
        assert!(backoff.resting(&subject, policy, Timestamp(now + 1)).await.is_none(), "it began anew");
    }

    /// While it rests nothing is read anywhere: a policy that looks only beside the image must not take that for absence.
    #[tokio::test]
    async fn what_failed_in_one_place_leaves_it_open_for_those_who_look_elsewhere() {
        let backoff = Backoff::new();
        let unread = Unread::new("referrers", Reason::EvidenceUnreadable, "500").within("r.io/signatures");
        assert!(unread.elsewhere.is_some());
        backoff.failed(&subject(), POLICY(b"1"), &[unread], false, Timestamp(1)).await;
        let set = backoff.resting(&subject(), POLICY(b"1"), Timestamp(1)).await.expect("it rests");
        assert_eq!(set.unread.iter().map(|unread| unread.elsewhere.as_deref()).collect::<Vec<_>>(), [None]);
    }

    #[tokio::test]
    async fn only_the_same_digest_under_the_same_policy_rests() {
        let backoff = Backoff::new();
        let unread = [Unread::new("referrers", Reason::EvidenceUnreadable, "500")];
        backoff.failed(&subject(), POLICY(b"1"), &unread, false, Timestamp(1)).await;
        let other = subject().image.at(Digest::of(b"other"));
        assert!(backoff.resting(&other, POLICY(b"1"), Timestamp(1)).await.is_none());
        assert!(backoff.resting(&subject(), POLICY(b"2"), Timestamp(1)).await.is_none());
        assert!(backoff.resting(&subject(), POLICY(b"1"), Timestamp(1)).await.is_some());
        backoff.failed(&other, POLICY(b"1"), &[], false, Timestamp(1)).await;
        assert!(backoff.resting(&other, POLICY(b"1"), Timestamp(1)).await.is_none(), "nothing was missing");
    }
}
