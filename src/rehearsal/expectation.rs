//! What a case must come to, and what it came to.
//!
//! | key of `expect` | must be |
//! |---|---|
//! | `verdict` | `allow`, `deny` or `unknown` (503); `expect: allow` is short for it alone |
//! | `reason` | the reason code; of an allow `signed`, `exempt` or `audited` |
//! | `cause` | why the nearest piece of evidence does not count; in audit what would have been the reason |
//! | `policy` | the policy that says no, or that could not tell |
//! | `detail` | a text that the sentence for people contains |
//! | `wouldDeny` | the policies, all of them, which would deny and are only watched |
//!
//! What is not given may be anything.

use std::collections::BTreeSet;

use serde::Serialize;

use super::raw::{RawExpect, TextOr};
use crate::outcome::{Basis, Denial};
use crate::policy::Policies;
use crate::pull::{PullError, Rehearsed};
use crate::reason::{Class, Reason};
use crate::yaml::{At, did_you_mean};

/// What a client would be answered, in one word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Verdict {
    /// The image.
    Allow,
    /// 403.
    Deny,
    /// 503.
    Unknown,
}

/// What a case must come to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Expectation {
    /// The verdict.
    pub verdict: Verdict,
    /// The reason.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<Reason>,
    /// Why the nearest piece of evidence does not count.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cause: Option<Reason>,
    /// The policy that decides.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub policy: Option<String>,
    /// What the detail contains.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// The policies that are only watched and would deny.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub would_deny: Option<BTreeSet<String>>,
}

/// What a case came to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Answer {
    /// The verdict.
    pub verdict: Verdict,
    /// The reason.
    pub reason: Reason,
    /// Why the nearest piece of evidence does not count.
    pub cause: Option<Reason>,
    /// The policy that decided.
    pub policy: Option<String>,
    /// The same for people.
    pub detail: String,
    /// The policies that are only watched and would deny.
    pub would_deny: BTreeSet<String>,
}

/// One respect in which a case came to something else.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// The key of the expectation.
    pub what: &'static str,
    /// What must be.
    pub expected: String,
    /// What is.
    pub got: String,
}

impl Verdict {
    /// Its word.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Allow => "allow",
            Self::Deny => "deny",
            Self::Unknown => "unknown",
        }
    }

    fn of(reason: Reason) -> Self {
        match reason.class() {
            Class::Allow => Self::Allow,
            Class::Deny => Self::Deny,
            Class::Unavailable | Class::Request(_) => Self::Unknown,
        }
    }

    fn parse(text: &str) -> Result<Self, String> {
        let known = [Self::Allow, Self::Deny, Self::Unknown];
        let found = known.into_iter().find(|verdict| verdict.word() == text);
        found.ok_or_else(|| format!("`{text}` is not one of `allow`, `deny`, `unknown`"))
    }
}

impl Answer {
    pub(super) fn of(rehearsed: Rehearsed) -> Self {
        let plain = |reason: Reason| Denial::new(reason, reason.meaning());
        let (mut policy, told) = match rehearsed.answer {
            Ok(Basis::Exempt(why)) => (None, Denial::new(Reason::Exempt, format!("exempt: {why}"))),
            Ok(basis @ Basis::Audited(refused)) => {
                let watched = rehearsed.would_deny.first().map(|(policy, _)| policy.clone());
                (watched, Denial { cause: Some(refused), ..plain(basis.reason()) })
            }
            Ok(basis) => (None, plain(basis.reason())),
            Err(PullError::Denied(denial) | PullError::Indeterminate(denial)) => {
                (denial.policy.as_ref().map(ToString::to_string), denial)
            }
            Err(error @ (PullError::Content { .. } | PullError::Upstream(_))) => {
                (None, Denial::new(error.reason(), error.to_string()))
            }
        };
        policy = policy.filter(|name| !name.is_empty());
        let would_deny = rehearsed.would_deny.into_iter().map(|(policy, _)| policy);
        Self {
            verdict: Verdict::of(told.reason),
            reason: told.reason,
            cause: told.cause,
            policy,
            detail: told.detail,
            would_deny: would_deny.filter(|policy| !policy.is_empty()).collect(),
        }
    }
}

impl Expectation {
    /// In what `answer` is something else.
    pub fn differences(&self, answer: &Answer) -> Vec<Difference> {
        let code = |reason: Option<Reason>| reason.map_or("none", Reason::code).to_string();
        let policy = answer.policy.as_deref().unwrap_or("none");
        let list = |names: &BTreeSet<String>| match names.len() {
            0 => "none".to_string(),
            _ => names.iter().map(String::as_str).collect::<Vec<_>>().join(", "),
        };
        let pairs = [
            ("verdict", Some(self.verdict.word().to_string()), answer.verdict.word().to_string()),
            ("reason", self.reason.map(|reason| reason.to_string()), answer.reason.to_string()),
            ("cause", self.cause.map(|cause| cause.to_string()), code(answer.cause)),
            ("policy", self.policy.clone(), policy.to_string()),
            ("wouldDeny", self.would_deny.as_ref().map(list), list(&answer.would_deny)),
        ];
        let mut all: Vec<_> = pairs
            .into_iter()
            .filter_map(|(what, expected, got)| Some(Difference { what, expected: expected?, got }))
            .filter(|difference| difference.expected != difference.got)
            .collect();
        let text = self.detail.as_ref().filter(|text| !answer.detail.contains(text.as_str()));
        all.extend(text.map(|text| Difference {
            what: "detail",
            expected: format!("… {text} …"),
            got: answer.detail.clone(),
        }));
        all
    }
}

/// The expectation that `raw` describes; problems if it can never be.
pub(super) fn build(at: &At<'_>, raw: &TextOr<RawExpect>, policies: &Policies) -> Option<Expectation> {
    let short;
    let raw = match raw {
        TextOr::Mapping(raw) => raw,
        TextOr::Text(verdict) => {
            let verdict = at.accept(Verdict::parse(verdict))?;
            short = RawExpect { verdict: Some(verdict.word().into()), ..RawExpect::default() };
            &short
        }
    };
    let verdict = at.require("verdict", raw.verdict.as_ref());
    let verdict = verdict.and_then(|text| at.key("verdict").accept(Verdict::parse(text)));
    let reason = raw.reason.as_ref().and_then(|code| at.key("reason").accept(reason(code)));
    if let (Some(verdict), Some(reason)) = (verdict, reason)
        && Verdict::of(reason) != verdict
    {
        let other = Verdict::of(reason).word();
        at.key("reason").problem(format!("`{reason}` goes with `{other}`, never with `{}`", verdict.word()));
    }
    let cause = raw.cause.as_ref().and_then(|code| at.key("cause").accept(reason_code(code)));
    let known = |at: &At<'_>, name: &String| {
        let names = || policies.all().iter().map(|policy| policy.name().as_str());
        if !names().any(|known| known == name) {
            at.problem(format!("there is no policy `{name}`{}", did_you_mean(name, names())));
        }
    };
    raw.policy.iter().for_each(|name| known(&at.key("policy"), name));
    for (index, name) in raw.would_deny.iter().flatten().enumerate() {
        known(&at.key("wouldDeny").index(index), name);
    }
    Some(Expectation {
        verdict: verdict?,
        reason,
        cause,
        policy: raw.policy.clone(),
        detail: raw.detail.clone(),
        would_deny: raw.would_deny.as_ref().map(|names| names.iter().cloned().collect()),
    })
}

fn reason(code: &str) -> Result<Reason, String> {
    let reason = reason_code(code)?;
    if matches!(reason.class(), Class::Request(_)) {
        return Err(format!("`{code}` answers a request that no policy is asked about"));
    }
    Ok(reason)
}

fn reason_code(code: &str) -> Result<Reason, String> {
    let known = Reason::ALL.iter().find(|reason| reason.code() == code).copied();
    known.ok_or_else(|| {
        let hint = did_you_mean(code, Reason::ALL.iter().map(|reason| reason.code()));
        format!("`{code}` is not a reason code{hint}")
    })
}
