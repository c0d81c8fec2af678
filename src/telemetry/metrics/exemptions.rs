//! What is shown of exemptions: until when they hold, how many have ended, and which are still relied on.
//!
//! An exemption is known by its reason, cut to a length. The policy's author writes it, so the values are few, and bounded
//! here all the same. Those that share a reason share a series: what ends first among those in force, or has ended last.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

use arc_swap::ArcSwap;
use prometheus::{IntCounter, IntCounterVec, IntGaugeVec, Registry};

use super::family::{counter_vec, gauge_vec};

/// The exemptions of the policy in force.
#[derive(Debug, Clone)]
pub struct ExemptionMetrics {
    expires: IntGaugeVec,
    count: IntGaugeVec,
    answers: IntCounterVec,
    /// When each ends, under the label of its reason.
    ends: Arc<Mutex<BTreeMap<String, Vec<Option<u64>>>>>,
    /// The counter for each reason, in full.
    counters: Arc<ArcSwap<HashMap<String, IntCounter>>>,
}

impl ExemptionMetrics {
    pub(super) fn new(r: &Registry) -> Self {
        let label = &["exemption"];
        let new = Self {
            expires: gauge_vec(
                r,
                "exemption_expires_timestamp_seconds",
                "When an exemption ends, or has ended. Those that never end have no series.",
                label,
            ),
            count: gauge_vec(
                r,
                "exemptions",
                "Exemptions of the policy: active until an instant, active forever, or expired.",
                &["state"],
            ),
            answers: counter_vec(r, "exempt_total", "Manifests that only an exemption let through.", label),
            ends: Arc::default(),
            counters: Arc::default(),
        };
        new.show(0);
        new
    }

    /// Says which exemptions the policy in force has, by reason and end; the series of others go.
    pub fn announce<'a>(&self, exemptions: impl Iterator<Item = (&'a str, Option<u64>)>) {
        let (mut ends, mut counters) = (BTreeMap::<_, Vec<_>>::new(), HashMap::new());
        for (reason, end) in exemptions {
            let mut label = label(reason);
            if !ends.contains_key(&label) && ends.len() >= MAX_EXEMPTIONS {
                label = OTHER.into();
            }
            counters.insert(reason.to_string(), self.answers.with_label_values(&[label.as_str()]));
            ends.entry(label).or_default().push(end);
        }
        let mut known = self.ends.lock().unwrap_or_else(PoisonError::into_inner);
        self.counters.store(Arc::new(counters));
        for gone in known.keys().filter(|label| !ends.contains_key(*label)) {
            // One that never ends has no gauge.
            let _ = self.expires.remove_label_values(&[gone]);
            let _ = self.answers.remove_label_values(&[gone]);
        }
        *known = ends;
    }

    /// Counts a manifest that is served because of the exemption with this reason. One that has just left the policy is
    /// not counted any more.
    pub fn answered(&self, reason: &str) {
        if let Some(counter) = self.counters.load().get(reason) {
            counter.inc();
        }
    }

    /// Shows what holds at `now`, in seconds since the epoch.
    pub(super) fn show(&self, now: u64) {
        let known = self.ends.lock().unwrap_or_else(PoisonError::into_inner);
        let (mut active, mut forever, mut expired) = (0, 0, 0);
        for (label, ends) in &*known {
            for end in ends {
                match end {
                    None => forever += 1,
                    Some(end) if now < *end => active += 1,
                    Some(_) => expired += 1,
                }
            }
            let all = || ends.iter().flatten().copied();
            match all().filter(|end| now < *end).min().or_else(|| all().max()) {
                Some(end) => {
                    let end = i64::try_from(end).unwrap_or(i64::MAX);
                    self.expires.with_label_values(&[label]).set(end);
                }
                // What has no end any more after a reload has no gauge any more.
                None => {
                    let _ = self.expires.remove_label_values(&[label]);
                }
            }
        }
        for (state, count) in [("active", active), ("forever", forever), ("expired", expired)] {
            self.count.with_label_values(&[state]).set(count);
        }
    }
}

/// A reason as a label: one line of at most [`LONGEST`] characters, all of them visible.
fn label(reason: &str) -> String {
    let hides = |c: char| {
        c.is_control()
            || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
    };
    let mut shown = reason.trim().chars().map(|c| if hides(c) { ' ' } else { c });
    let mut label: String = shown.by_ref().take(LONGEST - 1).collect();
    match (shown.next(), shown.next()) {
        (Some(last), None) => label.push(last),
        (Some(_), Some(_)) => label.push('…'),
        (None, _) => {}
    }
    label
}

/// Characters of a label.
const LONGEST: usize = 64;

/// Reasons that have series of their own.
const MAX_EXEMPTIONS: usize = 100;

/// The label of all other reasons.
const OTHER: &str = "other";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_is_short_and_visible() {
        assert_eq!(label(" INC-1234 "), "INC-1234");
        assert_eq!(label("two\nlines\u{202e}"), "two lines ");
        assert_eq!(label(&"é".repeat(64)), "é".repeat(64));
        assert_eq!(label(&"é".repeat(65)), "é".repeat(63) + "…");
    }
}
