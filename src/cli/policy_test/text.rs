//! The report for people: a line for each case, and for those that fail what differs.

use std::io::{self, Write};

use super::report::{CaseReport, Report};
use crate::cli::colour::{Colour, Paint};

/// Writes the report.
pub(super) fn write(report: &Report<'_>, paint: Paint, out: &mut dyn Write) -> io::Result<()> {
    for file in &report.files {
        writeln!(out, "{}  policy {}", paint.with(file.file, Colour::Bold), file.policy)?;
        for case in &file.cases {
            if case.passed {
                writeln!(out, "  {} {}", paint.with("✔", Colour::Green), case.name)?;
            } else {
                failed(case, paint, out)?;
            }
        }
        writeln!(out)?;
    }
    let colour = if report.failed > 0 { Colour::Red } else { Colour::Green };
    writeln!(out, "{}", paint.with(&format!("{} passed, {} failed", report.passed, report.failed), colour))
}

fn failed(case: &CaseReport<'_>, paint: Paint, out: &mut dyn Write) -> io::Result<()> {
    let (cross, place) = (paint.with("✘", Colour::Red), paint.with(case.place, Colour::Faint));
    writeln!(out, "  {cross} {}  {place}", case.name)?;
    for line in differences(case) {
        let colour = match line.as_bytes().first() {
            Some(b'-') => Colour::Red,
            Some(b'+') => Colour::Green,
            _ => Colour::Faint,
        };
        writeln!(out, "      {}", paint.with(&line, colour))?;
    }
    Ok(())
}

/// What was expected (`-`), what came of it (`+`), and what else came of it.
pub(super) fn differences(case: &CaseReport<'_>) -> Vec<String> {
    let mut lines = Vec::new();
    for difference in &case.differences {
        lines.push(format!("- {}: {}", difference.what, difference.expected));
        lines.push(format!("+ {}: {}", difference.what, difference.got));
    }
    let told = |what: &str| case.differences.iter().any(|difference| difference.what == what);
    let got = &case.got;
    let rest = [
        ("reason", Some(got.reason.to_string())),
        ("cause", got.cause.map(|cause| cause.to_string())),
        ("policy", got.policy.clone()),
        ("detail", Some(got.detail.clone())),
    ];
    let rest = rest.into_iter().filter(|(what, _)| !told(what));
    lines.extend(rest.filter_map(|(what, text)| Some(format!("  {what}: {}", text?))));
    lines
}
