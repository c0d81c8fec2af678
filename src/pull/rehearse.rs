//! Rehearsing a pull: the steps that follow the reading of evidence, without a registry and without a client. Nothing
//! leaves it but the answer.

use super::parents::Budget;
use super::{Ask, Case, PullError, audited, on_verdict, refused_tag};
use crate::admission::{Addressed, Admitted};
use crate::oci::Tag;
use crate::outcome::Basis;
use crate::reason::Reason;
use crate::telemetry::Facts;

/// What a client would be answered.
#[derive(Debug)]
pub struct Rehearsed {
    /// On what grounds it would be served, or why not.
    pub answer: Result<Basis, PullError>,
    /// What would be refused, were all obeyed that is only watched: the policy's name, or nothing, and the reason.
    pub would_deny: Vec<(String, Reason)>,
}

impl Case {
    /// The answer to a client that asks for `content`, whose case this is, by `tag` or by its digest.
    pub fn rehearse<T: Addressed + Clone>(&self, content: T, tag: Option<&Tag>) -> Rehearsed {
        let facts = Facts::default();
        let (snapshot, now) = (self.snapshot.clone(), self.terms.now);
        let mut ask = Ask { snapshot, now, judged: None, budget: Budget::default(), sought: None, facts };
        let governing = &self.governing;
        let admitted = match refused_tag(&mut ask, governing, tag) {
            Some(denial) => Err(PullError::Denied(denial)),
            None => self.on_its_evidence(&mut ask, content.clone()),
        };
        let admitted = admitted.or_else(|refused| audited(&mut ask, content, governing, refused));
        let would_deny = ask.facts.would_deny.iter().map(|(policy, reason)| (policy.to_string(), *reason)).collect();
        Rehearsed { answer: admitted.map(|admitted| admitted.basis().clone()), would_deny }
    }

    fn on_its_evidence<T: Addressed>(&self, ask: &mut Ask, content: T) -> Result<Admitted<T>, PullError> {
        let (_, verdict) = self.deliberate();
        on_verdict(ask, content, &self.governing, &verdict?).map_err(PullError::Denied)
    }
}
