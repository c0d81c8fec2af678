//! What each policy demands, and what each of its demands came to.

use std::sync::Arc;

use serde::Serialize;

use crate::policy::{Governing, Leaf, Mode, Policy, Requirement, Shortfall, Truth};
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
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) of: Vec<Self>,
}

/// What a node is.
#[derive(Debug, Serialize)]
#[serde(tag = "kind", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub(super) enum What {
    AllOf,
    AnyOf,
    AtLeast { n: usize },
    Attestation { by: String, predicate_type: String },
    Signature { by: String },
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
            detail: Some(detail),
            signers: Vec::new(),
        };
        match truth {
            Truth::Fails(why) => short(Value::Fails, why),
            Truth::Unknown(why) => short(Value::Unknown, why),
            Truth::Holds(on) => Self {
                value: Value::Holds,
                signers: on.signers.iter().map(|signer| signer.0.to_string()).collect(),
                ..Self::default()
            },
        }
    }
}

/// How one demand of a policy comes out.
type Weigh<'a> = &'a dyn Fn(&Leaf) -> Truth;

/// Every policy that governs the image, with what it came to on `sight`, if anybody looked.
pub(super) fn policies(governing: &Governing, sight: Option<&Sight>) -> Vec<PolicyReport> {
    let report = |policy: &Arc<Policy>| {
        let exempt = !governing.remaining().any(|other| other.name() == policy.name());
        let weigh =
            sight.filter(|_| !exempt).map(|sight| |leaf: &Leaf| sight.weigh(policy, leaf, &sight.examined().own));
        let mode = match policy.mode() {
            Mode::Audit => "audit",
            Mode::Enforce => "enforce",
        };
        let require = node(policy.require(), weigh.as_ref().map(|weigh| weigh as Weigh<'_>));
        PolicyReport { name: policy.name().to_string(), mode, exempt, require }
    };
    governing.policies().iter().map(report).collect()
}

fn node(requirement: &Requirement, ask: Option<Weigh<'_>>) -> Node {
    let (what, of) = match requirement {
        Requirement::AllOf(of) => (What::AllOf, of.as_slice()),
        Requirement::AnyOf(of) => (What::AnyOf, of.as_slice()),
        Requirement::AtLeast { n, of } => (What::AtLeast { n: *n }, of.as_slice()),
        Requirement::Leaf(leaf) => (What::of(leaf), &[][..]),
    };
    let truth = ask.map(|ask| requirement.evaluate(&|leaf: &Leaf| ask(leaf)));
    let of = of.iter().map(|branch| node(branch, ask)).collect();
    Node { what, judgement: truth.map(Judgement::from).unwrap_or_default(), of }
}

impl What {
    fn of(leaf: &Leaf) -> Self {
        match leaf {
            Leaf::Attestation(wanted) => {
                Self::Attestation { by: wanted.by.to_string(), predicate_type: wanted.predicate_type.clone() }
            }
            Leaf::Signature { by, .. } => Self::Signature { by: by.to_string() },
        }
    }
}
