//! The report for people. What a piece says of itself is marked `claims`; only what follows a ✔ was verified.

use std::io::{self, Write};

use super::evidence::{Claims, Piece, Said};
use super::report::{Judged, Report};
use super::requirement::{Node, PolicyReport, Value, What};
use crate::reason::Reason;

/// Writes the report, in colour if `colour`.
pub(super) fn write(report: &Report, colour: bool, out: &mut dyn Write) -> io::Result<()> {
    let mut page = Page { text: String::new(), colour };
    page.head(report);
    page.judged(&report.judged, &report.detail);
    for child in &report.children {
        page.line(&format!("\nIt lists {}", child.child.map_or_else(String::new, |digest| digest.to_string())));
        page.judged(child, &report.detail);
    }
    if !report.next.is_empty() {
        page.title("Next");
        report.next.iter().for_each(|sentence| page.line(&format!("  {sentence}")));
    }
    out.write_all(page.text.as_bytes())
}

struct Page {
    text: String,
    colour: bool,
}

impl Page {
    fn head(&mut self, report: &Report) {
        self.line(&report.reference);
        if let Some(digest) = report.digest {
            let kind = report.kind.map_or(String::new(), |kind| format!("  {kind}"));
            self.line(&format!("{digest}{kind}"));
        }
        let word = match report.outcome {
            "allow" => self.paint("✔ allowed", GREEN),
            "deny" => self.paint("✘ denied", RED),
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

    fn judged(&mut self, judged: &Judged, said: &str) {
        if !judged.policies.is_empty() {
            self.title("Policies");
        }
        let width = judged.policies.iter().map(|policy| policy.name.chars().count()).max().unwrap_or(0);
        for policy in &judged.policies {
            self.policy(policy, width, said);
        }
        if judged.evidence_read {
            self.title(match judged.evidence.len() {
                0 => "No evidence was found",
                _ => "Evidence",
            });
        }
        for (number, piece) in judged.evidence.iter().enumerate() {
            self.piece(number + 1, piece);
        }
        if !judged.unread.is_empty() || judged.incomplete {
            self.title("Could not be read");
        }
        let width = judged.unread.iter().map(|unread| unread.location.chars().count()).max().unwrap_or(0);
        for unread in &judged.unread {
            self.line(&format!("  {:width$}  {}: {}", unread.location, unread.reason, unread.detail));
        }
        if judged.incomplete {
            self.line("  There is more than the limits allow to read.");
        }
    }

    fn policy(&mut self, policy: &PolicyReport, width: usize, said: &str) {
        let exempt = if policy.exempt { "  taken away by an exemption" } else { "" };
        self.line(&format!("  {:width$}  {}{exempt}", policy.name, policy.mode));
        if !policy.exempt {
            self.node(&policy.require, 4, said);
        }
    }

    /// A requirement and its branches; a sentence that was `said` already is not said again.
    fn node(&mut self, node: &Node, indent: usize, said: &str) {
        let mark = self.mark(node.judgement.value);
        let what = match &node.what {
            What::AllOf => "all of".into(),
            What::AnyOf => "any of".into(),
            What::AtLeast { n } => format!("at least {n} of, by distinct signers"),
            What::Attestation { by, predicate_type } => format!("attestation {predicate_type} by {by}"),
            What::Signature { by } => format!("signature by {by}"),
        };
        let leaf = node.of.is_empty();
        let why = match node.judgement.reason {
            Some(reason) if leaf => format!(": {}", codes(reason, node.judgement.cause)),
            _ => String::new(),
        };
        self.line(&format!("{:indent$}{mark} {what}{why}", ""));
        if let Some(detail) = node.judgement.detail.as_ref().filter(|detail| leaf && *detail != said) {
            self.line(&format!("{:indent$}  {detail}", ""));
        }
        node.of.iter().for_each(|branch| self.node(branch, indent + 2, said));
    }

    fn piece(&mut self, number: usize, piece: &Piece) {
        self.line(&format!("  {number}. {} ({})", piece.location, piece.format));
        for claim in piece.claimed.iter().flat_map(claims) {
            let text = self.paint(&format!("claims {claim}"), FAINT);
            self.line(&format!("     {text}"));
        }
        if piece.said.is_empty() {
            self.line("     not examined: a limit came first");
        }
        let width = piece.said.iter().map(|said| said.authority.chars().count()).max().unwrap_or(0);
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

fn codes(reason: Reason, cause: Option<Reason>) -> String {
    cause.map_or_else(|| reason.to_string(), |cause| format!("{reason} ({cause})"))
}

/// One line for each thing that a piece says of itself.
fn claims(claimed: &Claims) -> Vec<String> {
    let what = match (claimed.statement, &claimed.predicate_type) {
        (Some(statement), Some(predicate_type)) => format!("{statement} {predicate_type}"),
        (Some(statement), None) => statement.to_string(),
        (None, _) => "nothing that can be read".into(),
    };
    let mut lines = vec![format!("{what}, {}", size(claimed.size))];
    lines.extend(claimed.key_hint.iter().map(|hint| format!("key {hint}")));
    if let Some(certificate) = &claimed.certificate {
        let or_none = |text: &Option<String>| text.clone().unwrap_or_else(|| "none".into());
        lines.push(format!("identity {}", or_none(&certificate.identity)));
        lines.push(format!("issuer {}", or_none(&certificate.issuer)));
        if let Some(repository) = &certificate.source_repository {
            let at = certificate.source_ref.as_ref().map_or(String::new(), |at| format!(" at {at}"));
            lines.push(format!("source {repository}{at}"));
        }
        lines.push(format!("certificate valid {} to {}", certificate.not_before, certificate.not_after));
    }
    lines.extend(claimed.log_entries.iter().map(|entry| {
        let at = entry.integrated_time.as_ref().map_or(String::new(), |time| format!(", logged at {time}"));
        format!("log entry {}{at}", entry.index)
    }));
    match claimed.timestamps {
        0 => {}
        1 => lines.push("a signed time stamp".into()),
        many => lines.push(format!("{many} signed time stamps")),
    }
    lines
}

fn verdict(said: &Said) -> String {
    match (&said.signer, said.reason) {
        (Some(signer), _) => format!("verified: signed by {signer}"),
        (None, Some(reason)) => format!("{reason}: {}", said.detail.as_deref().unwrap_or(reason.meaning())),
        (None, None) => "nothing".into(),
    }
}

fn size(bytes: usize) -> String {
    match bytes {
        0..1024 => format!("{bytes} bytes"),
        1024..1_048_576 => format!("{} KiB", bytes.div_ceil(1024)),
        _ => format!("{} MiB", bytes.div_ceil(1024 * 1024)),
    }
}

const BOLD: &str = "1";
const FAINT: &str = "2";
const GREEN: &str = "32";
const RED: &str = "31";
const YELLOW: &str = "33";
