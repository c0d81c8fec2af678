//! Certificate extensions that Kyverno can demand: GitHub's first ones, which say the same as newer ones do.

use super::element::Element;
use super::wildcard::{Token, Wildcard};

/// The pins that say the same of `issuer`'s certificates.
pub(super) fn pins(element: &Element<'_>, issuer: &str) -> Option<Vec<(&'static str, String)>> {
    let fields = element.fields()?;
    let pins: Vec<_> = fields.all().map(|(key, value)| pin(&value, key, issuer)).collect();
    let mut pins: Vec<(&'static str, String)> = pins.into_iter().collect::<Option<Vec<_>>>()?.concat();
    pins.sort();
    Some(pins)
}

fn pin(element: &Element<'_>, key: &str, issuer: &str) -> Option<Vec<(&'static str, String)>> {
    let text = element.text()?;
    let wildcard = Wildcard::parse(text);
    if matches!(key, "oidcIssuer" | "1.3.6.1.4.1.57264.1.1") {
        return if wildcard.matches(issuer) {
            element.exact("the issuer fulfils it");
            Some(Vec::new())
        } else {
            element.refuse(format!("the issuer {issuer} does not fulfil it: it accepts nobody"))
        };
    }
    let Some((_, _, pin)) = SAME.iter().find(|(name, number, _)| key == *name || key == *number) else {
        return element.refuse("no pin here says the same");
    };
    if issuer != GITHUB {
        return element.refuse("only GitHub's certificates have it");
    }
    if wildcard.tokens().contains(&Token::One) {
        return element.refuse("a pin here has no wildcard for one character");
    }
    let value = wildcard.glob();
    let value = if *pin == "sourceRepository" { format!("https://github.com/{value}") } else { value };
    let said = format!("pin {pin}: `{value}`, which Fulcio writes from the same claim");
    if wildcard.literal().is_some() {
        element.exact(said);
    } else {
        element.stricter(format!("{said}; `**` is at least one character"));
    }
    Some(vec![(*pin, value)])
}

const GITHUB: &str = "https://token.actions.githubusercontent.com";

/// Kyverno's names and numbers, and the pins.
const SAME: [(&str, &str, &str); 4] = [
    ("githubWorkflowTrigger", "1.3.6.1.4.1.57264.1.2", "trigger"),
    ("githubWorkflowSha", "1.3.6.1.4.1.57264.1.3", "sourceDigest"),
    ("githubWorkflowRepository", "1.3.6.1.4.1.57264.1.5", "sourceRepository"),
    ("githubWorkflowRef", "1.3.6.1.4.1.57264.1.6", "sourceRef"),
];
