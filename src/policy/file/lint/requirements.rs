//! Requirements: branches that repeat one another, and fields that there are not.

use super::super::raw::RawRequirement;
use super::{Code, Lint, Place};

pub(super) fn lint<'a>(lint: &'a Lint<'a>) {
    for (place, raw, _) in lint.each_policy() {
        if let Some(require) = &raw.require {
            requirement(&place.key("require"), require);
        }
    }
}

fn requirement(place: &Place<'_>, raw: &RawRequirement) {
    if let Some(of) = &raw.all_of {
        branches(&place.key("allOf"), of, "it adds nothing");
    }
    if let Some(of) = &raw.any_of {
        branches(&place.key("anyOf"), of, "it adds nothing");
    }
    if let Some(of) = raw.at_least.as_ref().and_then(|raw| raw.of.as_ref()) {
        branches(&place.key("atLeast").key("of"), of, "the same signer counts once, however often it is named");
    }
}

fn branches(place: &Place<'_>, of: &[RawRequirement], why: &str) {
    // Nothing of a requirement is hidden from its debugging text.
    let texts: Vec<String> = of.iter().map(|raw| format!("{raw:?}")).collect();
    for (index, raw) in of.iter().enumerate() {
        let place = place.index(index);
        if let Some(first) = texts[..index].iter().position(|text| *text == texts[index]) {
            let help = "take it away, or correct it";
            place.warn(Code::DuplicateBranch, format!("it repeats branch {first} (counted from 0): {why}"), help);
        }
        requirement(&place, raw);
    }
}
