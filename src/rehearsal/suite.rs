//! The cases of one file, judged one by one.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use super::case::Case;
use super::scene::{Content, Scene};
use super::stage::Stage;
use super::{Answer, Difference};
use crate::limits::Limits;
use crate::outcome::Terms;
use crate::policy::Policies;
use crate::pull;
use crate::snapshot::Snapshot;
use crate::trust::Trust;

/// The cases of one file, and the policy that they are about.
#[derive(Debug)]
pub struct Suite {
    /// The file.
    pub name: String,
    /// The file or directory of the policy.
    pub policy: String,
    /// The cases.
    pub cases: Vec<Case>,
    pub(super) policies: Policies,
    /// What real evidence is judged by.
    pub(super) trust: Trust,
}

/// What one case came to.
#[derive(Debug)]
pub struct Outcome<'a> {
    /// The case.
    pub case: &'a Case,
    /// What the proxy would answer.
    pub answer: Answer,
    /// In what that is something else than it must be.
    pub differences: Vec<Difference>,
}

impl Outcome<'_> {
    /// Whether the case came to what it must.
    pub fn passed(&self) -> bool {
        self.differences.is_empty()
    }
}

impl Suite {
    /// Judges every case.
    ///
    /// # Errors
    /// If the system has no randomness to give: without it nobody can sign.
    pub fn run(&self) -> io::Result<Vec<Outcome<'_>>> {
        let stage = Stage::new(&self.policies)?;
        let outcome = |case| {
            let answer = self.judge(case, &stage)?;
            Ok(Outcome { case, differences: case.expect.differences(&answer), answer })
        };
        self.cases.iter().map(outcome).collect()
    }

    fn judge(&self, case: &Case, stage: &Stage) -> io::Result<Answer> {
        let (policies, trust) = if case.is_real() {
            (Stage::as_written(&self.policies, case.audit), self.trust.clone())
        } else {
            (stage.policies(&self.policies, case.audit), stage.trust().clone())
        };
        let Scene { content, subject, evidence } = Scene::of(case, stage)?;
        let snapshot = Arc::new(Snapshot { policies: Arc::new(policies), trust });
        let judged = pull::Case {
            governing: snapshot.policies.governing(&subject, case.now),
            snapshot,
            evidence,
            limits: Limits::default(),
            terms: Terms {
                now: case.now,
                allow: LASTING,
                deny: LASTING,
                evidence_max_age: LASTING,
                last_known_good: Duration::ZERO,
            },
        };
        Ok(Answer::of(match content {
            Content::Known(blob) => judged.rehearse(blob, case.tag.as_ref()),
            Content::MadeUp(manifest) => judged.rehearse(manifest, case.tag.as_ref()),
        }))
    }
}

/// How long a verdict lasts, which is asked for at once.
const LASTING: Duration = Duration::from_hours(1);
