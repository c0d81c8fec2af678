//! What a verdict says, in plain data: it proves nothing by itself.

use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::clock::Timestamp;
use crate::evidence::Unread;
use crate::oci::{Digest, Image};
use crate::policy::{Exemption, Governing, Leaf, Name, Policy, Shortfall};
use crate::reason::{Class, Reason};
use crate::verify::{Findings, Rejected};

mod ruling;

pub(crate) use ruling::{Decided, Told};
pub use ruling::{Key, Ruling, Scope, Unbelieved};

/// Whether something may be served.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// It may be served.
    Allow(Basis),
    /// It may not.
    Deny(Denial),
}

/// On what grounds content is served.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Basis {
    /// Audit mode serves what would have been refused for this reason. Made at each use, never stored.
    Audited(Reason),
    /// It is a signature or an attestation itself, by its content; or an index of nothing else, which lets through
    /// nothing that it lists.
    Evidence,
    /// An exemption, for its reason.
    Exempt(Arc<str>),
    /// An admitted manifest lists it. Made at each use, never stored.
    Member {
        /// The manifest that lists it.
        of: Digest,
    },
    /// The requirements hold on its evidence.
    Signed,
}

/// The policy's no.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Denial {
    /// The reason.
    pub reason: Reason,
    /// Why the nearest candidate did not count; after an exemption, why it was needed.
    pub cause: Option<Reason>,
    /// The policy that said it.
    pub policy: Option<Name>,
    /// The same for people.
    pub detail: String,
}

/// No verdict could be reached: a 503, never cached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Indeterminate(
    /// What is missing, in the terms of a denial.
    pub Denial,
);

/// How long verdicts last.
#[derive(Debug, Clone, Copy)]
pub struct Terms {
    /// The present.
    pub now: Timestamp,
    /// An Allow is judged again after this.
    pub allow: Duration,
    /// A Deny is judged again after this: somebody may just have signed it.
    pub deny: Duration,
    /// Evidence decides for this long after it was read.
    pub evidence_max_age: Duration,
    /// For how long an Allow outlives its freshness while what it would be judged on anew is away.
    pub last_known_good: Duration,
}

impl Indeterminate {
    /// Whether nothing stands in the way but a registry or a TUF repository that cannot be asked now.
    pub fn is_outage(&self) -> bool {
        let Denial { reason, cause, .. } = &self.0;
        (reason.is_outage() || *reason == Reason::EvidenceUnreadable) && cause.is_some_and(Reason::is_outage)
    }
}

impl Basis {
    /// The basis as a reason code.
    pub fn reason(&self) -> Reason {
        match self {
            Self::Audited(_) => Reason::Audited,
            Self::Evidence => Reason::Evidence,
            Self::Exempt(_) => Reason::Exempt,
            Self::Member { .. } => Reason::Member,
            Self::Signed => Reason::Signed,
        }
    }

    /// The reason of the exemption that it rests on, if it does.
    pub fn exemption(&self) -> Option<&Arc<str>> {
        match self {
            Self::Exempt(reason) => Some(reason),
            _ => None,
        }
    }
}

impl Denial {
    /// A denial that no policy in particular made.
    pub fn new(reason: Reason, detail: impl Into<String>) -> Self {
        Self { reason, cause: None, policy: None, detail: detail.into() }
    }

    /// The denial of `policy`, for what it lacks.
    pub(crate) fn by(policy: &Policy, why: Shortfall, governing: &Governing) -> Self {
        let Shortfall { reason, cause, detail } = why;
        let denial = Self { reason, cause, policy: Some(policy.name().clone()), detail };
        denial.after(governing.expired(Some(policy.name())))
    }

    /// The same where an exemption would have helped, had it not expired. It is absent, and so nothing but this text
    /// depends on it; whoever relied on it reads that this is what has changed, and the policy's own reason as the cause.
    fn after(self, expired: Option<&Arc<Exemption>>) -> Self {
        let (Some(exemption), Class::Deny) = (expired, self.reason.class()) else { return self };
        let end = exemption.expires().map_or(String::new(), |end| format!(" at {end}"));
        let detail = format!("{}; the exemption `{}` has expired{end}", self.detail, exemption.reason());
        Self { reason: Reason::ExemptionExpired, cause: Some(self.reason), detail, ..self }
    }
}

/// What to say of an image that no enforced policy covers.
pub(crate) fn without_policy(governing: &Governing) -> Denial {
    let detail = "no enforced policy covers this repository; add one, or see `default`";
    Denial::new(Reason::NoPolicy, detail).after(governing.expired(None))
}

/// What to say of a leaf on which nothing counts: what could not be read beside the image or
/// `elsewhere`, if anything.
pub(crate) fn unread(
    leaf: &Leaf,
    elsewhere: Option<&Image>,
    cause: Option<Reason>,
    findings: &Findings,
) -> Option<Shortfall> {
    let elsewhere = elsewhere.map(ToString::to_string);
    let looks = |unread: &&Unread| unread.elsewhere.is_none() || unread.elsewhere.as_deref() == elsewhere.as_deref();
    let failed = findings.unread.iter().find(looks).map(|unread| match unread.reason {
        reason @ Reason::EvidenceIncomplete => (reason, unread.detail.as_str()),
        _ => (Reason::EvidenceUnreadable, unread.detail.as_str()),
    });
    let cut_off = findings.incomplete.then_some((Reason::EvidenceIncomplete, "a limit ended the reading"));
    let unjudged = findings.unjudged.iter().find(|unjudged| unjudged.authority == *leaf.by());
    let unjudged = unjudged.map(|unjudged| (unjudged.reason, unjudged.detail.as_str()));
    let (reason, why) = unjudged.or(failed).or(cut_off)?;
    Some(Shortfall { reason, cause, detail: format!("evidence by `{}` could not be judged: {why}", leaf.by()) })
}

/// What to say of a leaf for which everything of its type matters, if a piece was too large to be read.
pub(crate) fn too_large(leaf: &Leaf, findings: &Findings) -> Option<Shortfall> {
    let of_it = |one: &&Rejected| one.authority == *leaf.by() && one.reason == Reason::EvidenceTooLarge;
    let piece = findings.rejected.iter().find(of_it)?;
    let detail = format!("evidence for `{}` could not be judged: {}: {}", leaf.by(), piece.location, piece.detail);
    Some(Shortfall { reason: Reason::EvidenceIncomplete, cause: Some(Reason::EvidenceTooLarge), detail })
}

/// What to say of a leaf on which nothing counts though everything was read; `cause` is why the nearest piece does not.
pub(crate) fn absent(leaf: &Leaf, cause: Option<Reason>, findings: &Findings) -> Shortfall {
    let rejected = findings.rejected.iter().filter(|rejected| rejected.authority == *leaf.by());
    let cause = rejected.map(|rejected| rejected.reason).chain(cause).max_by_key(|reason| nearness(*reason));
    let (reason, what) = match leaf {
        Leaf::Attestation(wanted) => (Reason::AttestationMissing, format!("attestation {}", wanted.predicate_type)),
        Leaf::Signature { .. } if cause.is_none() => (Reason::Unsigned, "signature".to_string()),
        Leaf::Signature { .. } => (Reason::SignatureMissing, "signature".to_string()),
    };
    let why = cause.map_or(String::new(), |cause| format!(", the nearest candidate: {}", cause.meaning()));
    Shortfall { reason, cause, detail: format!("no {what} by `{}`{why}", leaf.by()) }
}

/// How far a candidate came before it was found not to count.
fn nearness(reason: Reason) -> usize {
    const ORDER: [Reason; 23] = [
        Reason::EvidenceTooLarge,
        Reason::EvidenceMalformed,
        Reason::EvidenceUnsupported,
        Reason::KeyMismatch,
        Reason::IdentityMismatch,
        Reason::SubjectMismatch,
        // From here on the evidence names whom the policy wants.
        Reason::IssuerMismatch,
        Reason::ExtensionMismatch,
        Reason::CertificateInvalid,
        Reason::SignatureInvalid,
        Reason::LogEntryMissing,
        Reason::LogProofMissing,
        Reason::LogEntryInvalid,
        Reason::LogEntryMismatch,
        Reason::SctMissing,
        Reason::SctInvalid,
        Reason::TimestampMissing,
        Reason::TimestampInvalid,
        Reason::CertificateExpired,
        Reason::PredicateTypeMismatch,
        Reason::Revoked,
        Reason::FormatNotAccepted,
        Reason::ConditionFalse,
    ];
    ORDER.iter().position(|known| *known == reason).map_or(0, |at| at + 1)
}

/// How far the clocks of replicas may be apart.
pub(crate) const AHEAD: Duration = Duration::from_mins(1);

#[cfg(test)]
mod tests;
