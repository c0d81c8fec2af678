//! When an answer that could not be given now may be worth asking for again.

use std::time::Duration;

use super::{Ask, PullError, Puller};
use crate::reason::Reason;

impl Puller {
    /// How long the evidence of what was asked for is left alone, if that is why there was no answer.
    pub async fn rest(&self, ask: &Ask, error: &PullError) -> Option<Duration> {
        if !matches!(error.reason(), Reason::EvidenceUnreadable | Reason::EvidenceIncomplete) {
            return None;
        }
        let subject = ask.facts.image.as_ref()?.at(ask.facts.digest?);
        let governing = ask.snapshot.policies.governing(&subject, ask.now);
        self.judge.backoff.rest(&subject, governing.revision(), ask.now).await
    }
}
