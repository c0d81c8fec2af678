//! What a proxy's refusal says, taken apart: `reason (cause): policy "P": what happened: to what; next: what to do`.

/// The parts of a refusal.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Said {
    pub(super) cause: Option<String>,
    pub(super) policy: Option<String>,
    pub(super) detail: String,
}

impl Said {
    /// Takes apart the message of a refusal for `reason`, to whoever asked for what is called `.../name`. Parts that are
    /// not there, or not as they are written today, stay in the detail.
    pub(super) fn of(message: &str, reason: &str, name: &str) -> Self {
        let rest = message.strip_prefix(reason).unwrap_or(message);
        let (cause, rest) = match rest.strip_prefix(" (").and_then(|rest| rest.split_once("): ")) {
            Some((cause, rest)) => (Some(cause.to_string()), rest),
            None => (None, rest.strip_prefix(": ").unwrap_or(rest)),
        };
        let (policy, rest) = match rest.strip_prefix("policy \"").and_then(|rest| rest.split_once("\": ")) {
            Some((policy, rest)) => (Some(policy.to_string()), rest),
            None => (None, rest),
        };
        let rest = rest.rsplit_once("; next: ").map_or(rest, |(before, _)| before);
        let detail = match rest.rsplit_once(": ") {
            Some((before, what)) if what.ends_with(&format!("/{name}")) => before,
            _ => rest,
        };
        Self { cause, policy, detail: detail.to_string() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::outcome::Denial;
    use crate::policy::Name;
    use crate::pull::PullError;
    use crate::reason::Reason;
    use crate::respond::Refusal;

    #[test]
    fn a_refusal_comes_apart_as_it_was_put_together() {
        for detail in ["no signature by `a`", "x: y; next: not yet: z (a): \"b\"", ""] {
            for cause in [None, Some(Reason::KeyMismatch)] {
                for policy in [None, Some("company")] {
                    let (name, reason) =
                        (policy.map(|name| Name::new(name).expect("a name")), Reason::SignatureMissing);
                    let denial = Denial { reason, cause, policy: name, detail: detail.into() };
                    let mut refusal = Refusal::of(&PullError::Denied(denial));
                    refusal.what = "registry.company.com/team/app:1".into();
                    let said = Said::of(&refusal.message(), reason.code(), "team/app:1");
                    let cause = cause.map(|cause| cause.code().to_string());
                    let expected = Said { cause, policy: policy.map(Into::into), detail: detail.into() };
                    assert_eq!(said, expected, "{}", refusal.message());
                }
            }
        }
    }

    #[test]
    fn what_is_written_otherwise_stays_whole() {
        let said = Said::of("something else", "unsigned", "team/app:1");
        assert_eq!(said, Said { cause: None, policy: None, detail: "something else".into() });
    }
}
