//! The report for people. What a piece says of itself is marked `claims`; only what follows a ✔ was verified.

use std::io::{self, Write};

use super::evidence::{Piece, Proof, Said};
use super::report::{Judged, Report};
use super::requirement::{PolicyReport, Value};
use super::tree::{Tree, codes, mark};
use crate::cli::colour::{Colour, Paint};

mod claims;

/// Writes the report.
pub(super) fn write(report: &Report, paint: Paint, out: &mut dyn Write) -> io::Result<()> {
    let mut page = Page { text: String::new(), paint, report };
    for line in head(report, paint) {
        page.line(&line);
    }
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

/// The answer, and what it is about.
pub(super) fn head(report: &Report, paint: Paint) -> Vec<String> {
    let mut lines = vec![report.reference.clone()];
    if let Some(digest) = report.digest {
        let kind = report.kind.map_or(String::new(), |kind| format!("  {kind}"));
        lines.push(format!("{digest}{kind}"));
    }
    let word = match report.outcome {
        "allow" => paint.with("✔ allowed", Colour::Green),
        "deny" => paint.with("✘ denied", Colour::Red),
        "request" => paint.with("? nothing to judge", Colour::Yellow),
        _ => paint.with("? could not tell", Colour::Yellow),
    };
    lines.push(format!("\n{word}: {}", codes(report.reason, report.cause)));
    let policy = report.policy.as_ref().map_or(String::new(), |policy| format!("policy \"{policy}\": "));
    lines.push(format!("  {policy}{}", report.detail));
    for exemption in &report.exemptions {
        let end = exemption.expires.as_ref().map_or(String::new(), |end| format!(", until {end}"));
        lines.push(format!("  exemption in force: {}{end}", exemption.reason));
    }
    lines
}

struct Page<'a> {
    text: String,
    paint: Paint,
    report: &'a Report,
}

impl Page<'_> {
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
        if policy.exempt {
            return;
        }
        let (authorities, said) = (self.report.authorities.as_slice(), self.report.detail.as_str());
        let tree = Tree { paint: self.paint, authorities, said, pieces: false };
        tree.lines(&policy.require, 4).iter().for_each(|line| self.line(line));
        for platform in &policy.platforms {
            self.line(&format!("    {} ({})", platform.platform, platform.digest));
            tree.lines(&platform.require, 6).iter().for_each(|line| self.line(line));
        }
    }

    fn piece(&mut self, number: usize, piece: &Piece) {
        self.line(&format!("  {number}. {} ({})", piece.location, piece.format));
        for claim in piece.claimed.iter().flat_map(claims::lines) {
            let text = self.paint.with(&format!("claims {claim}"), Colour::Faint);
            self.line(&format!("     {text}"));
        }
        if piece.said.is_empty() {
            self.line("     not examined: a limit came first");
        }
        let width = widest(piece.said.iter().map(|said| said.authority.as_str()));
        for said in &piece.said {
            let mark = mark(self.paint, if said.verified { Value::Holds } else { Value::Fails });
            self.line(&format!("     {mark} {:width$}  {}", said.authority, verdict(said)));
        }
    }

    fn title(&mut self, title: &str) {
        let title = self.paint.with(title, Colour::Bold);
        self.line(&format!("\n{title}"));
    }

    fn line(&mut self, line: &str) {
        self.text.push_str(line);
        self.text.push('\n');
    }
}

fn widest<'a>(texts: impl Iterator<Item = &'a str>) -> usize {
    texts.map(|text| text.chars().count()).max().unwrap_or(0)
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

#[cfg(test)]
mod tests;
