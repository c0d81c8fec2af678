//! What each policy demands, and what each of its demands came to.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Serialize;

use super::considered::Considered;
use super::view::View;
use crate::evidence::printable;
use crate::oci::Digest;
use crate::policy::{Attestation, Condition, Governing, Leaf, Mode, Policy, Requirement, Shortfall, Truth};
use crate::pull::Sight;
use crate::reason::Reason;

/// One policy that governs the image.
#[derive(Debug, Serialize)]
pub(super) struct PolicyReport {
    pub(super) name: String,
    /// `enforce` or `audit`.
    pub(super) mode: &'static str,
    /// Whether an exemption takes it away.
    pub(super) exempt: bool,
    /// What all of it comes to.
    #[serde(flatten)]
    pub(super) judgement: Judgement,
    pub(super) require: Node,
    /// The same for each image that an index lists, if it is demanded of each.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) platforms: Vec<PlatformReport>,
}

/// What a policy demands of one image that an index lists.
#[derive(Debug, Serialize)]
pub(super) struct PlatformReport {
    /// Such as `linux/arm64`, as the index says.
    pub(super) platform: String,
    pub(super) digest: Digest,
    pub(super) require: Node,
}

/// A requirement, or a branch of one.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Node {
    #[serde(flatten)]
    pub(super) what: What,
    #[serde(flatten)]
    pub(super) judgement: Judgement,
    /// The pieces of evidence that count for it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) considered: Vec<Considered>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) of: Vec<Self>,
}

/// What a node is.
#[derive(Debug, Serialize)]
#[serde(tag = "kind", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub(super) enum What {
    AllOf,
    AnyOf,
    AtLeast {
        n: usize,
    },
    Attestation {
        by: String,
        predicate_type: String,
        /// `index` or `platform`.
        on: &'static str,
        /// `newest`, `any` or `all`.
        select: &'static str,
        #[serde(skip_serializing_if = "Option::is_none")]
        condition: Option<String>,
        /// Seconds.
        #[serde(skip_serializing_if = "Option::is_none")]
        max_age: Option<u64>,
        #[serde(skip_serializing_if = "Option::is_none")]
        age_from: Option<String>,
    },
    Signature {
        by: String,
        /// `index` or `platform`.
        on: &'static str,
        #[serde(skip_serializing_if = "BTreeMap::is_empty")]
        annotations: BTreeMap<String, String>,
    },
}

/// What a requirement came to.
#[derive(Debug, Default, Serialize)]
pub(super) struct Judgement {
    pub(super) value: Value,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) reason: Option<Reason>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) cause: Option<Reason>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) detail: Option<String>,
    /// On whose word it holds.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) signers: Vec<String>,
}

/// The value of a requirement.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) enum Value {
    Fails,
    Holds,
    /// Something else decided, and nobody looked.
    #[default]
    NotJudged,
    Unknown,
}

impl From<Truth> for Judgement {
    fn from(truth: Truth) -> Self {
        let short = |value, Shortfall { reason, cause, detail }| Self {
            value,
            reason: Some(reason),
            cause,
            detail: Some(printable(&detail)),
            signers: Vec::new(),
        };
        match truth {
            Truth::Fails(why) => short(Value::Fails, why),
            Truth::Unknown(why) => short(Value::Unknown, why),
            Truth::Holds(on) => Self {
                value: Value::Holds,
                signers: on.signers.iter().map(|signer| printable(&signer.0)).collect(),
                ..Self::default()
            },
        }
    }
}

/// Every policy that governs the image, with what it came to on `sight`, if anybody looked.
pub(super) fn policies(governing: &Governing, sight: Option<&Sight>) -> Vec<PolicyReport> {
    let report = |policy: &Arc<Policy>| {
        let exempt = !governing.remaining().any(|other| other.name() == policy.name());
        let view = sight.filter(|_| !exempt).map(|sight| View::of(sight, policy));
        let mode = match policy.mode() {
            Mode::Audit => "audit",
            Mode::Enforce => "enforce",
        };
        let platform = |view: View<'_>| {
            let part = view.part()?;
            let (platform, digest) = (printable(&part.platform), part.image.digest);
            Some(PlatformReport { platform, digest, require: node(policy.require(), Some(view)) })
        };
        PolicyReport {
            name: policy.name().to_string(),
            mode,
            exempt,
            judgement: view.map(|view| view.whole().into()).unwrap_or_default(),
            require: node(policy.require(), view),
            platforms: view.iter().flat_map(View::platforms).filter_map(platform).collect(),
        }
    };
    governing.policies().iter().map(report).collect()
}

fn node(requirement: &Requirement, view: Option<View<'_>>) -> Node {
    let (what, of) = match requirement {
        Requirement::AllOf(of) => (What::AllOf, of.as_slice()),
        Requirement::AnyOf(of) => (What::AnyOf, of.as_slice()),
        Requirement::AtLeast { n, of } => (What::AtLeast { n: *n }, of.as_slice()),
        Requirement::Leaf(leaf) => (What::of(leaf), &[][..]),
    };
    let truth = view.map(|view| requirement.evaluate(&|leaf: &Leaf| view.weigh(leaf)));
    let considered = match (requirement, view) {
        (Requirement::Leaf(leaf), Some(view)) => view.considered(leaf).into_iter().map(Considered::of).collect(),
        _ => Vec::new(),
    };
    let of = of.iter().map(|branch| node(branch, view)).collect();
    Node { what, judgement: truth.map(Judgement::from).unwrap_or_default(), considered, of }
}

impl What {
    fn of(leaf: &Leaf) -> Self {
        match leaf {
            Leaf::Attestation(wanted) => {
                let Attestation { by, predicate_type, on, select, condition, max_age, age_from } = wanted;
                Self::Attestation {
                    by: by.to_string(),
                    predicate_type: predicate_type.clone(),
                    on: on.word(),
                    select: select.word(),
                    condition: condition.as_ref().map(Condition::source).map(str::to_string),
                    max_age: max_age.map(|age| age.as_secs()),
                    age_from: age_from.as_ref().map(ToString::to_string),
                }
            }
            Leaf::Signature { by, on, annotations } => {
                Self::Signature { by: by.to_string(), on: on.word(), annotations: annotations.clone() }
            }
        }
    }
}
