//! `countersign policy explain REF`: the tree of each policy that governs an image, with what each node came to and which
//! pieces of evidence decided.

use std::io::{self, Write};

use serde::Serialize;

use super::report::{Exempted, Judged, Report};
use super::requirement::PolicyReport;
use super::text;
use super::tree::{Tree, codes, mark};
use crate::cli::colour::{Colour, Paint};
use crate::oci::Digest;
use crate::reason::Reason;

/// The document for programs: that of `verify`, without the evidence itself and what to do next.
#[derive(Serialize)]
struct Explained<'a> {
    reference: &'a str,
    digest: Option<Digest>,
    kind: Option<&'static str>,
    outcome: &'static str,
    reason: Reason,
    cause: Option<Reason>,
    policy: Option<&'a str>,
    detail: &'a str,
    policies: &'a [PolicyReport],
    exemptions: &'a [Exempted],
}

/// Writes the trees as one JSON document on one line.
pub(super) fn json(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    let document = Explained {
        reference: &report.reference,
        digest: report.digest,
        kind: report.kind,
        outcome: report.outcome,
        reason: report.reason,
        cause: report.cause,
        policy: report.policy.as_deref(),
        detail: &report.detail,
        policies: &report.judged.policies,
        exemptions: &report.exemptions,
    };
    writeln!(out, "{}", serde_json::to_string(&document)?)
}

/// Writes the trees for people.
pub(super) fn text(report: &Report, paint: Paint, out: &mut dyn Write) -> io::Result<()> {
    let mut page = text::head(report, paint);
    page.extend(judged(&report.judged, report, paint));
    for child in &report.children {
        page.push(format!("\nIt lists {}", child.child.map_or_else(String::new, |digest| digest.to_string())));
        page.extend(judged(child, report, paint));
    }
    page.iter().try_for_each(|line| writeln!(out, "{line}"))
}

fn judged(judged: &Judged, report: &Report, paint: Paint) -> Vec<String> {
    if judged.policies.is_empty() {
        return vec!["\nNo policy governs it.".into()];
    }
    judged.policies.iter().flat_map(|one| policy(one, report, paint)).collect()
}

fn policy(policy: &PolicyReport, report: &Report, paint: Paint) -> Vec<String> {
    let PolicyReport { name, mode, exempt, judgement, require, platforms } = policy;
    let why = match judgement.reason {
        Some(reason) => format!(": {}", codes(reason, judgement.cause)),
        None if *exempt => ": taken away by an exemption".into(),
        None => String::new(),
    };
    let name = paint.with(name, Colour::Bold);
    let mut lines = vec![String::new(), format!("{} {name}  {mode}{why}", mark(paint, judgement.value))];
    let tree = Tree { paint, authorities: &report.authorities, said: &report.detail, pieces: true };
    if platforms.is_empty() {
        lines.extend(tree.lines(require, 2));
    }
    for platform in platforms {
        lines.push(format!("  {} ({})", platform.platform, platform.digest));
        lines.extend(tree.lines(&platform.require, 4));
    }
    lines
}

#[cfg(test)]
mod tests;
