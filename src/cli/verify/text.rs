//! The report for people. What a piece says of itself is marked `claims`; only what follows a ✔ was verified.

use std::io::{self, Write};

use super::evidence::{Piece, Proof, Said};
use super::report::{AuthorityReport, Judged, Report};
use super::requirement::{Node, PolicyReport, Value, What};
use crate::reason::Reason;

mod claims;

/// Writes the report, in colour if `colour`.
pub(super) fn write(report: &Report, colour: bool, out: &mut dyn Write) -> io::Result<()> {
    let mut page = Page { text: String::new(), colour, report };
    page.head();
    page.judged(&report.judged);
    for child in &report.children {
        page.line(&format!("\nIt lists {}", child.child.map_or_else(String::new, |digest| digest.to_string())));
        page.judged(child);
    }
    if !report.next.is_empty() {
        page.title("Next");
        report.next.iter().for_each(|sentence| page.line(&format!("  {sentence}")));
    }
    out.write_all(page.text.as_bytes())
}

struct Page<'a> {
    text: String,
    colour: bool,
    report: &'a Report,
}

impl Page<'_> {
    fn head(&mut self) {
        let report = self.report;
        self.line(&report.reference);
        if let Some(digest) = report.digest {
            let kind = report.kind.map_or(String::new(), |kind| format!("  {kind}"));
            self.line(&format!("{digest}{kind}"));
        }
        let word = match report.outcome {
            "allow" => self.paint("✔ allowed", GREEN),
            "deny" => self.paint("✘ denied", RED),
            "request" => self.paint("? nothing to judge", YELLOW),
            _ => self.paint("? could not tell", YELLOW),
        };
        self.line(&format!("\n{word}: {}", codes(report.reason, report.cause)));
        let policy = report.policy.as_ref().map_or(String::new(), |policy| format!("policy \"{policy}\": "));
        self.line(&format!("  {policy}{}", report.detail));
        for exemption in &report.exemptions {
            let end = exemption.expires.as_ref().map_or(String::new(), |end| format!(", until {end}"));
            self.line(&format!("  exemption in force: {}{end}", exemption.reason));
        }
    }

    fn judged(&mut self, judged: &Judged) {
        if !judged.policies.is_empty() {
            self.title("Policies");
        }
        let width = widest(judged.policies.iter().map(|policy| policy.name.as_str()));
        judged.policies.iter().for_each(|policy| self.policy(policy, width));
        if judged.evidence_read {
            self.title(if judged.evidence.is_empty() { "No evidence was found" } else { "Evidence" });
        }
        for (number, piece) in judged.evidence.iter().enumerate() {
            self.piece(number + 1, piece);
        }
        if !judged.unread.is_empty() || judged.incomplete {
            self.title("Could not be read");
        }
        let width = widest(judged.unread.iter().map(|unread| unread.location.as_str()));
        for unread in &judged.unread {
            self.line(&format!("  {:width$}  {}: {}", unread.location, unread.reason, unread.detail));
        }
        if judged.incomplete {
            self.line("  There is more than the limits allow to read.");
        }
    }

    fn policy(&mut self, policy: &PolicyReport, width: usize) {
        let exempt = if policy.exempt { "  taken away by an exemption" } else { "" };
        self.line(&format!("  {:width$}  {}{exempt}", policy.name, policy.mode));
        if !policy.exempt {
            self.node(&policy.require, 4);
        }
    }

    /// A requirement and its branches; the sentence that stands in the head is not said again.
    fn node(&mut self, node: &Node, indent: usize) {
        let mark = self.mark(node.judgement.value);
        let (what, by) = match &node.what {
            What::AllOf => ("all of".into(), None),
            What::AnyOf => ("any of".into(), None),
            What::AtLeast { n } => (format!("at least {n} of, by distinct signers"), None),
            What::Attestation { by, predicate_type } => (format!("attestation {predicate_type} by {by}"), Some(by)),
            What::Signature { by } => (format!("signature by {by}"), Some(by)),
        };
        let why = match (node.judgement.reason, by) {
            (Some(reason), Some(_)) => format!(": {}", codes(reason, node.judgement.cause)),
            _ => String::new(),
        };
        self.line(&format!("{:indent$}{mark} {what}{why}", ""));
        if let Some(by) = by.filter(|_| node.judgement.reason.is_some()) {
            let detail = node.judgement.detail.iter().filter(|detail| **detail != self.report.detail);
            let wanted = self.report.authorities.iter().filter(|authority| authority.name == *by).flat_map(wants);
            let lines: Vec<_> = detail.cloned().chain(wanted).collect();
            for line in lines {
                self.line(&format!("{:indent$}  {line}", ""));
            }
        }
        node.of.iter().for_each(|branch| self.node(branch, indent + 2));
    }

    fn piece(&mut self, number: usize, piece: &Piece) {
        self.line(&format!("  {number}. {} ({})", piece.location, piece.format));
        for claim in piece.claimed.iter().flat_map(claims::lines) {
            let text = self.paint(&format!("claims {claim}"), FAINT);
            self.line(&format!("     {text}"));
        }
        if piece.said.is_empty() {
            self.line("     not examined: a limit came first");
        }
        let width = widest(piece.said.iter().map(|said| said.authority.as_str()));
        for said in &piece.said {
            let mark = self.mark(if said.verified { Value::Holds } else { Value::Fails });
            self.line(&format!("     {mark} {:width$}  {}", said.authority, verdict(said)));
        }
    }

    fn mark(&self, value: Value) -> String {
        match value {
            Value::Fails => self.paint("✘", RED),
            Value::Holds => self.paint("✔", GREEN),
            Value::NotJudged => "-".into(),
            Value::Unknown => self.paint("?", YELLOW),
        }
    }

    fn title(&mut self, title: &str) {
        let title = self.paint(title, BOLD);
        self.line(&format!("\n{title}"));
    }

    fn line(&mut self, line: &str) {
        self.text.push_str(line);
        self.text.push('\n');
    }

    fn paint(&self, text: &str, colour: &str) -> String {
        if self.colour { format!("\x1b[{colour}m{text}\x1b[0m") } else { text.to_string() }
    }
}

fn widest<'a>(texts: impl Iterator<Item = &'a str>) -> usize {
    texts.map(|text| text.chars().count()).max().unwrap_or(0)
}

fn codes(reason: Reason, cause: Option<Reason>) -> String {
    cause.map_or_else(|| reason.to_string(), |cause| format!("{reason} ({cause})"))
}

/// What an authority demands of who signs.
fn wants(authority: &AuthorityReport) -> Vec<String> {
    let keys = authority.keys.iter().map(|key| format!("wants key {key}"));
    let identity = authority.identity.iter().map(|identity| format!("wants identity {identity}"));
    let issuer = authority.issuer.iter().map(|issuer| format!("wants issuer {issuer}"));
    let pins = authority.pins.iter().map(|(extension, value)| format!("wants {extension} {value}"));
    keys.chain(identity).chain(issuer).chain(pins).collect()
}

fn verdict(said: &Said) -> String {
    match (&said.proof, said.reason) {
        (Some(proof), _) => {
            let Proof { statement, signer, identity, issuer, time, log_index, .. } = proof;
            let who = match (identity, issuer) {
                (Some(identity), Some(issuer)) => format!("{identity} of {issuer}"),
                _ => signer.replacen("key:", "key ", 1),
            };
            let when = time.as_ref().map_or(String::new(), |time| format!(", signed at {time}"));
            let entry = log_index.map_or(String::new(), |index| format!(", log entry {index}"));
            format!("verified: {statement} by {who}{when}{entry}")
        }
        (None, Some(reason)) => format!("{reason}: {}", said.detail.as_deref().unwrap_or(reason.meaning())),
        (None, None) => "nothing".into(),
    }
}

const BOLD: &str = "1";
const FAINT: &str = "2";
const GREEN: &str = "32";
const RED: &str = "31";
const YELLOW: &str = "33";

#[cfg(test)]
mod tests;
