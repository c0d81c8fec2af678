//! Verdicts that outlive memory. What the store says is believed as far as its seal and its bounds go; what is not is
//! counted, and judged anew.

use super::Judge;
use crate::decide::Verdict;
use crate::outcome::{Indeterminate, Key, Outcome, Terms, Unbelieved};
use crate::record::VerdictRecord;
use crate::store::{Place, Shelf};

impl Judge {
    /// The verdict under `key` that the store gives back: fresh, or if it comes to `unsure`, the last known good.
    pub(super) async fn stored(&self, key: &Key, terms: &Terms, unsure: Option<&Indeterminate>) -> Option<Verdict> {
        let place = place(key);
        // A store that is down costs a verification, and has been counted.
        let sealed = self.store.get(&place).await.ok()??;
        let Some(record) = self.seal.open::<VerdictRecord>(&place, &sealed) else {
            let ours = self.seal.open_bytes(&place, &sealed).is_some();
            self.reject(if ours { "form" } else { "seal" });
            return None;
        };
        let mut verdict = Verdict::restore(&record, key, terms, unsure);
        // Where the clock was set back, what memory knows of the time counts too: what ended there has not begun again.
        if verdict.is_ok()
            && let Some((_, judged)) = self.verdicts.last(key, terms.now).await
            && judged > terms.now
        {
            verdict = Verdict::restore(&record, key, &self.terms(judged), unsure);
        }
        match verdict {
            Ok(verdict) => return Some(verdict),
            Err(Unbelieved::Elsewhere) => self.reject("place"),
            // It is kept for longer than it is fresh, where it may be the last known good.
            Err(Unbelieved::Expired) if !self.lasting.last_known_good.is_zero() => {}
            Err(Unbelieved::Expired | Unbelieved::Future) => self.reject("time"),
        }
        None
    }

    fn reject(&self, cause: &'static str) {
        self.metrics.store().rejected(Shelf::Verdicts.label(), cause);
    }

    /// Stores a verdict, where it can be found again for as long as it may be of use.
    pub(super) async fn keep(&self, verdict: &Verdict) {
        let place = place(verdict.key());
        if let Some(Ok(sealed)) = VerdictRecord::of(verdict).map(|record| self.seal.close(&place, &record)) {
            let end = match verdict.outcome() {
                Outcome::Allow(_) => verdict.fresh_until().plus(self.lasting.last_known_good),
                Outcome::Deny(_) => verdict.fresh_until(),
            };
            let keep = end.min(verdict.valid_until()).since(verdict.decided_at());
            let _ = self.store.put(&place, sealed.into(), keep).await;
        }
    }
}

/// Where the record of a verdict is kept: its whole key.
pub(super) fn place(key: &Key) -> Place {
    Place::new(Shelf::Verdicts, key.text())
}
