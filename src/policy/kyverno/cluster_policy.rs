//! A `ClusterPolicy`: its rules, and what holds for all of them.

use super::Made;
use super::authorities::{Authorities, unique, word};
use super::element::{Element, Fields};
use super::item::{self, Item};
use super::resources;

/// What is gathered of all policies.
#[derive(Default)]
pub(super) struct Gathered {
    pub(super) authorities: Authorities,
    pub(super) made: Vec<Made>,
    pub(super) left_out: Vec<String>,
}

impl Gathered {
    /// Translates the policy called `name`, whose fields are `fields`.
    pub(super) fn policy(&mut self, document: &Element<'_>, name: &str, fields: &Fields<'_>) {
        let before = document.notes().refusals();
        let Some(spec) = fields.take("spec") else {
            document.refuse::<()>("`spec` is missing");
            return;
        };
        let Some(fields) = spec.fields() else { return };
        let rules = fields.take("rules");
        let enforce = of_all(&fields);
        let wrong = spec.notes().refusals() > before;
        let rules = rules.and_then(|rules| rules.items());
        let Some(rules) = rules.filter(|rules| !rules.is_empty()) else {
            spec.refuse::<()>("it has no `rules`");
            return;
        };
        for rule in &rules {
            self.rule(rule, &Of { policy: name, enforce, wrong, alone: rules.len() == 1 });
        }
    }

    fn rule(&mut self, rule: &Element<'_>, of: &Of<'_>) {
        let before = rule.notes().refusals();
        let Some(fields) = rule.fields() else { return };
        let name = fields.take("name").and_then(|name| name.text()).unwrap_or("unnamed");
        fields.not_needed(&[
            ("reportProperties", "it is for Kyverno's reports"),
            ("skipBackgroundRequests", "there are no background requests"),
        ]);
        resources::translate(&fields);
        fields.refused(&NOT_ABOUT_PULLS);
        let items = fields.take("verifyImages");
        fields.finish();
        let Some(items) = items else {
            if rule.notes().refusals() == before {
                rule.refuse::<()>("it has no `verifyImages`");
            }
            self.left_out.push(word(&format!("{}.{name}", of.policy)));
            return;
        };
        let wrong = of.wrong || rule.notes().refusals() > before;
        let items = items.items().unwrap_or_default();
        for (index, item) in items.iter().enumerate() {
            let mut own = if of.alone { of.policy.to_string() } else { format!("{}.{name}", of.policy) };
            if items.len() > 1 {
                own = format!("{own}.{}", index + 1);
            }
            let names = self.made.iter().map(|made| made.name.as_str()).chain(self.left_out.iter().map(String::as_str));
            let own = unique(&word(&own), names);
            let before = item.notes().refusals();
            let translated = item::translate(item, of.policy, &mut self.authorities);
            match translated.filter(|_| !wrong && item.notes().refusals() == before) {
                Some(item) => self.made.push(made(own, item, of, name)),
                None => self.left_out.push(own),
            }
        }
    }
}

/// What an item has from its policy.
struct Of<'a> {
    policy: &'a str,
    enforce: bool,
    /// Whether something of it cannot be translated.
    wrong: bool,
    /// Whether the rule is the only one.
    alone: bool,
}

fn made(name: String, item: Item, of: &Of<'_>, rule: &str) -> Made {
    let from = format!("ClusterPolicy {}, rule {rule}", of.policy);
    Made { name, from, enforce: item.enforce.unwrap_or(of.enforce), item }
}

/// What the policy says of all its rules: whether it refuses.
fn of_all(fields: &Fields<'_>) -> bool {
    let action = fields.take("validationFailureAction").map(|action| item::action(&action).unwrap_or(true));
    let overrides = fields.take("validationFailureActionOverrides");
    let (failure, webhook) = (fields.take("failurePolicy"), fields.take("webhookConfiguration"));
    let apply = fields.take("applyRules");
    let admission = fields.take("admission");
    fields.not_needed(&NOT_NEEDED);
    fields.finish();
    if let Some(apply) = apply
        && apply.text() == Some("One")
    {
        apply.stricter("every policy that matches holds; with `One`, Kyverno stops at the first rule that applies");
    }
    if let Some(admission) = admission
        && admission.flag() == Some(false)
    {
        admission.refuse::<()>("a policy that is not applied at admission refuses nothing");
    }
    if let Some(failure) = failure {
        never_open(&failure);
    }
    if let Some(fields) = webhook.and_then(|webhook| webhook.fields()) {
        if let Some(failure) = fields.take("failurePolicy") {
            never_open(&failure);
        }
        fields.not_needed(&[("timeoutSeconds", "the proxy has limits of its own")]);
        fields.refused(&[("matchConditions", "they are about the admission request, which a pull has not")]);
        fields.finish();
    }
    let overridden = overrides.is_some_and(|overrides| self::overrides(&overrides));
    overridden || action.unwrap_or(false)
}

fn never_open(failure: &Element<'_>) {
    match failure.text() {
        Some("Ignore") => {
            failure.stricter("what cannot be verified now is not served (503); `lastKnownGood` bridges outages");
        }
        Some("Fail") => failure.exact("what cannot be verified now is not served (503)"),
        _ => {
            failure.refuse::<()>("it is neither `Fail` nor `Ignore`");
        }
    }
}

/// Other actions in some namespaces: whether one of them refuses.
fn overrides(list: &Element<'_>) -> bool {
    let mut enforce = false;
    for one in list.items().unwrap_or_default() {
        let Some(fields) = one.fields() else { continue };
        let action = fields.take("action").and_then(|action| item::action(&action));
        let _ = (fields.take("namespaces"), fields.take("namespaceSelector"));
        fields.finish();
        enforce |= action == Some(true);
    }
    list.stricter("a pull has no namespace: it is enforced everywhere if it is enforced in one, or for all");
    enforce
}

const NOT_NEEDED: [(&str, &str); 9] = [
    ("background", "every pull is judged, and there is no background scan"),
    ("emitWarning", "a denial says why"),
    ("generateExisting", "nothing is generated"),
    ("generateExistingOnPolicyUpdate", "nothing is generated"),
    ("mutateExistingOnPolicyUpdate", "nothing is mutated"),
    ("schemaValidation", "it is about the policy's own schema"),
    ("skipBackgroundRequests", "there are no background requests"),
    ("useServerSideApply", "nothing is applied"),
    ("webhookTimeoutSeconds", "the proxy has limits of its own"),
];

const NOT_ABOUT_PULLS: [(&str, &str); 7] = [
    ("celPreconditions", "they are about the admission request, which a pull has not"),
    ("context", "the proxy looks nothing up in a cluster: write what it holds into the policy"),
    ("generate", "the proxy judges images, and generates nothing: leave the rule to Kyverno"),
    ("imageExtractors", "the proxy judges every image that is pulled, whatever object names it"),
    ("mutate", "the proxy judges images, and changes nothing: leave the rule to Kyverno"),
    ("preconditions", "they are about the admission request, which a pull has not"),
    ("validate", "it is about Kubernetes objects, not about signatures of images: leave the rule to Kyverno"),
];
