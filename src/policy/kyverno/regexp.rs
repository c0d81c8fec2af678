//! Kyverno's regular expressions, which are Go's: not anchored, and of ASCII where ours are of Unicode.

use std::iter::Peekable;
use std::str::Chars;

use crate::policy::Pattern;

/// A regular expression, in our syntax.
#[derive(Debug)]
pub(super) struct Regexp {
    /// All of it.
    pub(super) source: String,
    /// What stands between its anchors.
    pub(super) text: String,
    /// The only text that it means, if its dots mean dots.
    pub(super) literal: Option<String>,
    /// Whether it has the first.
    pub(super) starts: bool,
    ends: bool,
    alternates: bool,
}

/// Reads a regular expression of Go.
pub(super) fn read(source: &str) -> Result<Regexp, String> {
    let mut scan = Scan::default();
    let mut chars = source.chars().peekable();
    while let Some(c) = chars.next() {
        scan.one(c, &mut chars)?;
    }
    let Scan { text, alternates, literal, ends, .. } = scan;
    let starts = source.starts_with('^') && !alternates;
    let ends = ends && !alternates;
    let rewritten = text;
    let text = rewritten.strip_prefix('^').filter(|_| starts).unwrap_or(&rewritten);
    let text = text.strip_suffix('$').filter(|_| ends).unwrap_or(text).to_string();
    let regexp = Regexp { text, source: rewritten, literal: literal.filter(|_| !alternates), starts, ends, alternates };
    Pattern::regex(&regexp.whole()).map_err(|_| "it is no regular expression that is known here")?;
    Ok(regexp)
}

impl Regexp {
    /// The same for the whole of a text, as patterns are here.
    pub(super) fn whole(&self) -> String {
        let text = if self.alternates { format!("(?:{})", self.text) } else { self.text.clone() };
        let before = if self.starts || text.starts_with(".*") { "" } else { ".*" };
        let open = text.strip_suffix(".*").map_or(text.is_empty() && !self.starts, |rest| !rest.ends_with('\\'));
        let after = if self.ends || open { "" } else { ".*" };
        format!("{before}{text}{after}")
    }

    /// Whether it means its literal text, and no other.
    pub(super) fn is_exact(&self) -> bool {
        self.literal.is_some() && self.starts && self.ends && !self.text.replace(r"\.", "").contains('.')
    }

    /// Whether it matches somewhere in `text`.
    pub(super) fn matches(&self, text: &str) -> bool {
        Pattern::regex(&self.whole()).is_ok_and(|pattern| pattern.matches(text))
    }
}

struct Scan {
    text: String,
    depth: usize,
    alternates: bool,
    ends: bool,
    literal: Option<String>,
}

impl Default for Scan {
    fn default() -> Self {
        let literal = Some(String::new());
        Self { text: String::new(), depth: 0, alternates: false, ends: false, literal }
    }
}

impl Scan {
    fn one(&mut self, c: char, rest: &mut Peekable<Chars<'_>>) -> Result<(), String> {
        self.ends = c == '$';
        match c {
            '\\' => return self.escape(rest),
            '[' => {
                self.literal = None;
                return self.class(rest);
            }
            '(' => self.group(rest)?,
            ')' => self.depth = self.depth.saturating_sub(1),
            '|' => self.alternates |= self.depth == 0,
            '{' if !rest.peek().is_some_and(char::is_ascii_digit) => return Err("a `{` that repeats nothing".into()),
            _ => {}
        }
        match c {
            // As anchors they mean no text; elsewhere nothing matches them.
            '^' if self.text.is_empty() => {}
            '$' if rest.peek().is_none() => {}
            '(' | ')' | '|' | '*' | '+' | '?' | '{' | '}' | '^' | '$' => self.literal = None,
            _ => self.mean(c),
        }
        self.text.push(c);
        Ok(())
    }

    fn mean(&mut self, c: char) {
        if let Some(literal) = &mut self.literal {
            literal.push(c);
        }
    }

    fn escape(&mut self, rest: &mut Peekable<Chars<'_>>) -> Result<(), String> {
        let c = rest.next().ok_or("it ends with a backslash")?;
        if c.is_ascii_punctuation() {
            self.mean(c);
            self.text.push_str(&regex::escape(c.encode_utf8(&mut [0; 4])));
            return Ok(());
        }
        self.literal = None;
        let class = ascii(c.to_ascii_lowercase());
        match (c, class) {
            ('d' | 'w' | 's', Some(class)) => self.text.extend(["[", class, "]"]),
            ('D' | 'W' | 'S', Some(class)) => self.text.extend(["[^", class, "]"]),
            ('b', _) => self.text.push_str(r"(?-u:\b)"),
            ('A' | 'z' | 'a' | 'f' | 'n' | 'r' | 't' | 'v' | 'x' | 'p' | 'P', _) => self.text.extend(['\\', c]),
            _ => return Err(format!("`\\{c}` has no counterpart here")),
        }
        Ok(())
    }

    /// A class in brackets, in which ours have operators that Go's have not.
    fn class(&mut self, rest: &mut Peekable<Chars<'_>>) -> Result<(), String> {
        self.text.push('[');
        if rest.next_if_eq(&'^').is_some() {
            self.text.push('^');
        }
        let mut first = true;
        while let Some(c) = rest.next() {
            match c {
                ']' if first => self.text.push_str(r"\]"),
                ']' => {
                    self.text.push(']');
                    return Ok(());
                }
                '[' if rest.peek() == Some(&':') => {
                    self.text.push('[');
                    self.text.extend(rest.by_ref().take_while(|c| *c != ']'));
                    self.text.push(']');
                }
                '\\' => {
                    let c = rest.next().ok_or("it ends with a backslash")?;
                    match ascii(c) {
                        Some(class) => self.text.push_str(class),
                        None if c.is_ascii_punctuation() || "afnrtvxpP".contains(c) => self.text.extend(['\\', c]),
                        None => return Err(format!("`\\{c}` has no counterpart here within brackets")),
                    }
                }
                '-' if !first && rest.peek() == Some(&'-') => return Err("`--` within brackets is unclear".into()),
                '[' | '&' | '~' => self.text.extend(['\\', c]),
                c => self.text.push(c),
            }
            first = false;
        }
        Err("a bracket is not closed".into())
    }

    /// What stands behind `(?`.
    fn group(&mut self, rest: &mut Peekable<Chars<'_>>) -> Result<(), String> {
        self.depth += 1;
        let mut ahead = rest.clone();
        if ahead.next_if_eq(&'?').is_none() {
            return Ok(());
        }
        for c in ahead {
            match c {
                ':' | ')' | '<' => return Ok(()),
                'i' | 's' | 'U' | '-' | 'P' => {}
                other => return Err(format!("`(?{other}` has no counterpart here")),
            }
        }
        Err("a group is not closed".into())
    }
}

fn ascii(class: char) -> Option<&'static str> {
    match class {
        'd' => Some("0-9"),
        'w' => Some("0-9A-Za-z_"),
        's' => Some(r"\t\n\f\r "),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_matches_anywhere_unless_it_is_anchored() {
        for (source, whole, text, expected) in [
            ("github.com/org/app", ".*github.com/org/app.*", "https://evil/github.com/org/app-evil", true),
            ("^https://github\\.com/org/.*", "https://github\\.com/org/.*", "https://github.com/org/a", true),
            ("^https://github\\.com/org/.*", "https://github\\.com/org/.*", "x https://github.com/org/a", false),
            ("^a$", "a", "ab", false),
            ("^a|b$", ".*(?:^a|b$).*", "a-", true),
            ("^a|b$", ".*(?:^a|b$).*", "-b", true),
            ("^a|b$", ".*(?:^a|b$).*", "-a", false),
            ("^(a|b)$", "(a|b)", "b", true),
            ("a\\$", ".*a\\$.*", "a$b", true),
            ("a\\.*", ".*a\\.*.*", "ab", true),
            ("", ".*", "anything", true),
            ("v[0-9]+.[0-9]", ".*v[0-9]+.[0-9].*", "v1.2", true),
            ("^[[:alpha:]]+$", "[[:alpha:]]+", "ab", true),
            ("^[]a]$", "[\\]a]", "]", true),
            ("^[a[]$", "[a\\[]", "[", true),
            ("^[a&&b]$", "[a\\&\\&b]", "&", true),
            ("^\\d$", "[0-9]", "\u{0663}", false),
            ("^\\w\\b$", "[0-9A-Za-z_](?-u:\\b)", "ä", false),
            ("^(?i)abc$", "(?i)abc", "ABC", true),
            ("^(?P<name>a)$", "(?P<name>a)", "a", true),
            ("\\<a", ".*<a.*", "<a", true),
        ] {
            let regexp = read(source).expect(source);
            assert_eq!(regexp.whole(), whole, "{source}");
            assert_eq!(regexp.matches(text), expected, "{source} {text}");
        }
    }

    #[test]
    fn a_single_text_is_seen() {
        let literal = |source: &str| read(source).expect(source).literal;
        assert_eq!(literal(r"^https://gitlab\.com$").as_deref(), Some("https://gitlab.com"));
        assert_eq!(literal("https://gitlab.com").as_deref(), Some("https://gitlab.com"));
        for several in ["^a|b$", "a+", "a?", "(a)", "[a]", "\\d", "a{2}"] {
            assert_eq!(literal(several), None, "{several}");
        }
    }

    #[test]
    fn what_means_something_else_here_is_refused() {
        for source in [
            "(",
            "a\\",
            "[a",
            "[a--b]",
            "\\Qa.b\\E",
            "\\B",
            "\\1",
            "(?x)a",
            "(?m)^a$",
            "(?=a)",
            "[\\D]",
            "\\h",
            "a{,3}",
            "a{b}",
        ] {
            assert!(read(source).is_err(), "{source}");
        }
    }
}
