//! What is told of one pull, in plain data that serializes; [`mod@super::json`] documents the shape.

use std::collections::BTreeMap;

use serde::Serialize;

use super::advice;
use super::evidence::{self, Piece};
use super::requirement::{self, PolicyReport};
use crate::evidence::printable;
use crate::oci::{Digest, Registry};
use crate::outcome::{Basis, Denial};
use crate::policy::{Authority, Governing, Kind};
use crate::pull::{Explanation, PullError, Sight};
use crate::reason::Reason;
use crate::route::ManifestPull;
use crate::telemetry::outcome_of;

/// Everything that the command tells.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Report {
    pub(super) reference: String,
    pub(super) digest: Option<Digest>,
    /// `image` or `index`.
    pub(super) kind: Option<&'static str>,
    pub(super) outcome: &'static str,
    pub(super) reason: Reason,
    pub(super) cause: Option<Reason>,
    pub(super) policy: Option<String>,
    pub(super) detail: String,
    #[serde(flatten)]
    pub(super) judged: Judged,
    /// What an index lists, where that was judged too.
    pub(super) children: Vec<Judged>,
    pub(super) exemptions: Vec<Exempted>,
    pub(super) authorities: Vec<AuthorityReport>,
    pub(super) next: Vec<String>,
}

/// One manifest: what governs it, and the evidence about it.
#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Judged {
    /// For children; the image's own stands above.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) child: Option<Digest>,
    pub(super) policies: Vec<PolicyReport>,
    /// Whether evidence was asked for at all.
    pub(super) evidence_read: bool,
    pub(super) evidence: Vec<Piece>,
    pub(super) unread: Vec<Unread>,
    /// Whether a limit ended the reading early.
    pub(super) incomplete: bool,
}

/// A source, a piece of one, or an authority's trusted root that could not be read.
#[derive(Debug, Serialize)]
pub(super) struct Unread {
    pub(super) location: String,
    pub(super) reason: Reason,
    pub(super) detail: String,
}

/// An exemption in force.
#[derive(Debug, Serialize)]
pub(super) struct Exempted {
    pub(super) reason: String,
    pub(super) expires: Option<String>,
}

/// Whose evidence is asked for.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct AuthorityReport {
    pub(super) name: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) keys: Vec<Digest>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) issuer: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) identity: Option<String>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) pins: BTreeMap<&'static str, String>,
}

impl Report {
    /// Tells `explanation`; `configured` are the registries to name where another is unknown.
    pub(super) fn of(pull: &ManifestPull, explanation: &Explanation, configured: &[Registry]) -> Self {
        let separator = if pull.reference.to_string().contains(':') { '@' } else { ':' };
        let governing = explanation.governing.as_ref();
        let digest = governing.map(|governing| governing.subject().digest);
        let answer = Answer::of(explanation);
        let (own, others): (Vec<_>, Vec<_>) =
            explanation.sights.iter().partition(|sight| Some(sight.governing().subject().digest) == digest);
        let mut report = Self {
            reference: format!("{}{separator}{}", pull.image, pull.reference),
            digest,
            kind: explanation.manifest.as_ref().map(|one| if one.media_type().is_index() { "index" } else { "image" }),
            outcome: outcome_of(answer.reason),
            reason: answer.reason,
            cause: answer.cause,
            policy: answer.policy,
            detail: printable(&answer.detail),
            judged: Judged::of(governing, own.first().copied()),
            children: others.into_iter().map(Judged::of_child).collect(),
            exemptions: governing.map(exemptions).unwrap_or_default(),
            authorities: explanation.authorities.iter().map(|one| AuthorityReport::of(one)).collect(),
            next: Vec::new(),
        };
        report.next = advice::advice(&report, pull, configured);
        report
    }
}

/// The proxy's answer in the words of a refusal, whichever it is.
pub(in crate::cli) struct Answer {
    pub(in crate::cli) reason: Reason,
    pub(in crate::cli) cause: Option<Reason>,
    pub(in crate::cli) policy: Option<String>,
    pub(in crate::cli) detail: String,
}

impl Answer {
    pub(in crate::cli) fn of(explanation: &Explanation) -> Self {
        let plain = |reason, detail| Self { reason, cause: None, policy: None, detail };
        match &explanation.answer {
            Ok(Basis::Evidence) => plain(
                Reason::Evidence,
                "by its content it is a signature or an attestation, or an index of nothing else: policies are about images"
                    .into(),
            ),
            Ok(Basis::Exempt(why)) => plain(Reason::Exempt, format!("exempt: {why}")),
            Ok(basis @ Basis::Audited(refused)) => Self {
                policy: explanation
                    .would_deny
                    .first()
                    .map(|(policy, _)| policy.clone())
                    .filter(|name| !name.is_empty()),
                cause: Some(*refused),
                ..plain(
                    basis.reason(),
                    format!("served in audit mode only; enforced, it is refused: {}", refused.meaning()),
                )
            },
            Ok(basis) => plain(basis.reason(), basis.reason().meaning().to_string()),
            Err(PullError::Denied(denial) | PullError::Indeterminate(denial)) => {
                let Denial { reason, cause, policy, detail } = denial.clone();
                Self { reason, cause, policy: policy.map(|name| name.to_string()), detail }
            }
            Err(error @ (PullError::Content { .. } | PullError::Upstream(_))) => {
                plain(error.reason(), error.to_string())
            }
        }
    }
}

impl Judged {
    fn of(governing: Option<&Governing>, sight: Option<&Sight>) -> Self {
        let Some(governing) = governing else { return Self::default() };
        let policies = requirement::policies(governing, sight);
        let Some(sight) = sight else { return Self { policies, ..Self::default() } };
        let findings = sight.findings();
        let unread = findings.unread.iter().map(|one| Unread {
            location: one.location.clone(),
            reason: one.reason,
            detail: one.detail.clone(),
        });
        let unjudged = findings.unjudged.iter().map(|one| Unread {
            location: format!("trust root of {}", one.authority),
            reason: one.reason,
            detail: printable(&one.detail),
        });
        Self {
            child: None,
            policies,
            evidence_read: true,
            evidence: evidence::pieces(sight),
            unread: unread.chain(unjudged).collect(),
            incomplete: findings.incomplete,
        }
    }

    fn of_child(sight: &Sight) -> Self {
        Self { child: Some(sight.governing().subject().digest), ..Self::of(Some(sight.governing()), Some(sight)) }
    }
}

impl AuthorityReport {
    fn of(authority: &Authority) -> Self {
        let bare = Self {
            name: authority.name().to_string(),
            keys: authority.keys().iter().map(crate::policy::PublicKey::fingerprint).collect(),
            issuer: None,
            identity: None,
            pins: BTreeMap::new(),
        };
        match authority.kind() {
            Kind::Keys(_) => bare,
            Kind::Keyless(keyless) => Self {
                issuer: Some(keyless.issuer.clone()),
                identity: Some(keyless.identity.to_string()),
                pins: keyless.pins.iter().map(|pin| (pin.extension.key(), pin.value.to_string())).collect(),
                ..bare
            },
        }
    }
}

fn exemptions(governing: &Governing) -> Vec<Exempted> {
    let told = |exemption: &std::sync::Arc<crate::policy::Exemption>| Exempted {
        reason: exemption.reason().to_string(),
        expires: exemption.expires().map(|end| end.to_string()),
    };
    governing.exemptions().iter().map(told).collect()
}
