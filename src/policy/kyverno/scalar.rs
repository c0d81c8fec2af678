//! Texts in YAML, quoted wherever they could mean something else.

use std::fmt::Write;

/// A text on one line.
pub(super) fn text(text: &str) -> String {
    if is_plain(text) {
        return text.to_string();
    }
    let mut quoted = String::from("\"");
    for c in text.chars() {
        match c {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            '\t' => quoted.push_str("\\t"),
            c if is_printable(c) => quoted.push(c),
            // Writing to a string cannot fail.
            c => drop(write!(quoted, "\\U{:08x}", u32::from(c))),
        }
    }
    quoted + "\""
}

/// A text that may have several lines, as a block where that is possible, its lines indented by `indent`.
pub(super) fn block(text: &str, indent: usize) -> String {
    let fits = |line: &str| !line.is_empty() && line.chars().all(is_printable) && line.trim() == line;
    if !text.lines().all(fits) || text.is_empty() || text.ends_with('\n') || text.contains('\r') {
        return self::text(text);
    }
    if !text.contains('\n') && is_plain(text) {
        return text.to_string();
    }
    let blank = " ".repeat(indent);
    let lines: Vec<String> = text.lines().map(|line| format!("{blank}{line}")).collect();
    format!("|-\n{}", lines.join("\n"))
}

/// A text that may stand in a comment: on one line, and without what a terminal obeys.
pub(super) fn comment(text: &str) -> String {
    text.chars().map(|c| if is_printable(c) { c } else { ' ' }).collect()
}

/// Whether it is what it is without quotes, for every reader of YAML.
fn is_plain(text: &str) -> bool {
    let fits = |b: u8| b.is_ascii_alphanumeric() || b"-._/:".contains(&b);
    let word = text.bytes().all(fits) && text.starts_with(|c: char| c.is_ascii_alphabetic());
    let reserved = ["true", "false", "null", "yes", "no", "on", "off", "y", "n"];
    word && !text.ends_with(':') && !text.contains(": ") && !reserved.contains(&text.to_ascii_lowercase().as_str())
}

fn is_printable(c: char) -> bool {
    // Line and paragraph separators, byte order marks and directions are not.
    !c.is_control()
        && !matches!(c, '\u{85}' | '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
        && u32::from(c) < 0xfffe
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_text_is_read_back_as_it_is() {
        for text in [
            "",
            " ",
            "a",
            "true",
            "No",
            "y",
            "null",
            "~",
            "1",
            "1e3",
            "0x1f",
            "1:30",
            "a: b",
            "a:",
            "- a",
            "#",
            "a #b",
            "*a",
            "&a",
            "!a",
            "%a",
            "@a",
            "`a",
            "'a'",
            "\"a\"",
            "\\",
            "[a]",
            "{a: b}",
            "a\nb",
            "a\n",
            "\na",
            "  a",
            "a  ",
            "\ta",
            "é",
            "\u{85}",
            "\u{2028}",
            "\u{feff}a",
            "\0",
            "\u{7}",
            "https://gitlab.com/myorg/**",
            "?",
            ":",
            "-",
            "---",
            "...",
            "<<",
            "=",
            "|",
            ">",
            "2026-12-02",
            "a\r\nb",
            "\u{10000}",
            "\u{202e}x",
            ".inf",
            "a\\nb",
            "{{ x }}",
            "\u{ffff}",
        ] {
            let one = format!("a: {}\n", self::text(text));
            let several = format!("a: {}\nb: c\n", block(text, 2));
            for yaml in [one, several] {
                let read: std::collections::BTreeMap<String, String> =
                    serde_saphyr::from_str(&yaml).unwrap_or_else(|error| panic!("{yaml:?}: {error}"));
                assert_eq!(read.get("a").map(String::as_str), Some(text), "{yaml:?}");
            }
        }
    }
}
