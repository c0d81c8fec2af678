//! The report as `JUnit` XML, which CI systems show: a suite for each file.

use std::fmt::Write;

use super::report::{CaseReport, FileReport, Report};
use super::text::differences;

/// The document.
pub(super) fn document(report: &Report<'_>) -> String {
    let mut xml = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    let (tests, failures) = (report.passed + report.failed, report.failed);
    line(&mut xml, 0, &format!("<testsuites tests=\"{tests}\" failures=\"{failures}\" errors=\"0\">"));
    report.files.iter().for_each(|file| suite(&mut xml, file));
    line(&mut xml, 0, "</testsuites>");
    xml
}

fn suite(xml: &mut String, file: &FileReport<'_>) {
    let failures = file.cases.iter().filter(|case| !case.passed).count();
    let (name, tests) = (escaped(file.file), file.cases.len());
    line(
        xml,
        1,
        &format!("<testsuite name=\"{name}\" tests=\"{tests}\" failures=\"{failures}\" errors=\"0\" skipped=\"0\">"),
    );
    file.cases.iter().for_each(|case| test(xml, file, case));
    line(xml, 1, "</testsuite>");
}

fn test(xml: &mut String, file: &FileReport<'_>, case: &CaseReport<'_>) {
    let head = format!("<testcase classname=\"{}\" name=\"{}\"", escaped(file.file), escaped(case.name));
    if case.passed {
        return line(xml, 2, &format!("{head}/>"));
    }
    line(xml, 2, &format!("{head}>"));
    let (expected, got) = (case.expected.verdict.word(), format!("{} {}", case.got.verdict.word(), case.got.reason));
    let text = format!("{}\n{}", case.place, differences(case).join("\n"));
    let message = format!("expected {expected}, got {got}");
    line(
        xml,
        3,
        &format!("<failure type=\"expectation\" message=\"{}\">{}</failure>", escaped(&message), escaped(&text)),
    );
    line(xml, 2, "</testcase>");
}

fn line(xml: &mut String, depth: usize, text: &str) {
    // Writing to a string cannot fail.
    let _ = writeln!(xml, "{:1$}{text}", "", depth * 2);
}

/// `text` as content or as a value in double quotes; characters that XML 1.0 has no place for are replaced.
fn escaped(text: &str) -> String {
    let mut escaped = String::new();
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\n' | '\t' => escaped.push(c),
            '\u{fffe}' | '\u{ffff}' => escaped.push('\u{fffd}'),
            c if c.is_control() => escaped.push('\u{fffd}'),
            c => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_in_a_text_ends_it() {
        assert_eq!(escaped("a<b>&\"c\" 'd'"), "a&lt;b&gt;&amp;&quot;c&quot; 'd'");
        assert_eq!(escaped("]]>\u{0}\u{1b}[31m\u{ffff}\n"), "]]&gt;\u{fffd}\u{fffd}[31m\u{fffd}\n");
    }
}
