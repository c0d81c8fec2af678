//! Kyverno's wildcards: `*` is any run of characters, none and `/` among them, and `?` is one character.

use crate::policy::scope::Glob;

/// A pattern over a whole text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Wildcard(Vec<Token>);

/// One part of a pattern.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Token {
    Any,
    Literal(char),
    One,
}

/// How the same is said of an identity here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Identity {
    /// As `identity`.
    Glob(String),
    /// As `identityRegex`.
    Regex(String),
}

impl Identity {
    /// The text that every identity begins with which it covers, as far as that is plain to see.
    pub(super) fn start(&self) -> String {
        let regex = match self {
            Self::Glob(glob) => return glob.split('*').next().unwrap_or_default().to_string(),
            Self::Regex(regex) => regex,
        };
        let (mut start, mut chars) = (String::new(), regex.chars());
        while let Some(c) = chars.next() {
            match c {
                '\\' => start.extend(chars.next().filter(char::is_ascii_punctuation)),
                '*' | '+' | '?' | '{' => {
                    // What is repeated may be there, or not.
                    start.pop();
                    break;
                }
                '(' | '[' | '^' | '$' => break,
                '|' => return String::new(),
                c => start.push(c),
            }
        }
        start
    }
}

impl Wildcard {
    /// Every text is a pattern; `**` says no more than `*`.
    pub(super) fn parse(text: &str) -> Self {
        let mut tokens: Vec<Token> = text.chars().map(Token::of).collect();
        tokens.dedup_by(|a, b| *a == Token::Any && *b == Token::Any);
        Self(tokens)
    }

    pub(super) fn of(tokens: &[Token]) -> Self {
        Self(tokens.to_vec())
    }

    pub(super) fn tokens(&self) -> &[Token] {
        &self.0
    }

    /// The only text that it covers, if it has no wildcards.
    pub(super) fn literal(&self) -> Option<String> {
        self.0.iter().map(|token| token.literal()).collect()
    }

    /// Whether it covers the whole of `text`.
    pub(super) fn matches(&self, text: &str) -> bool {
        let mut here = vec![false; self.0.len() + 1];
        here[0] = true;
        self.skip(&mut here);
        for c in text.chars() {
            let mut next = vec![false; self.0.len() + 1];
            for (at, token) in self.0.iter().enumerate().filter(|(at, _)| here[*at]) {
                match token {
                    Token::Any => next[at] = true,
                    Token::Literal(literal) => next[at + 1] |= *literal == c,
                    Token::One => next[at + 1] = true,
                }
            }
            self.skip(&mut next);
            here = next;
        }
        here[self.0.len()]
    }

    /// A `*` may be nothing.
    fn skip(&self, states: &mut [bool]) {
        for (at, token) in self.0.iter().enumerate() {
            states[at + 1] |= states[at] && *token == Token::Any;
        }
    }

    /// The same as a pattern for identities. A glob reads best, and says the same where a `*` that is nothing would leave a
    /// text that no certificate names: one that is empty, or ends with `/`.
    pub(super) fn identity(&self) -> Identity {
        let all = self.0.iter().enumerate();
        let glob = all.clone().all(|(at, token)| match token {
            Token::Any => at + 1 == self.0.len() && (at == 0 || self.0[at - 1] == Token::Literal('/')),
            Token::Literal(_) => true,
            Token::One => false,
        });
        if glob {
            return Identity::Glob(self.glob());
        }
        Identity::Regex(self.regex())
    }

    /// The glob whose wildcards are at least one character.
    pub(super) fn glob(&self) -> String {
        let part = |token: &Token| match token {
            Token::Any | Token::One => "**".to_string(),
            Token::Literal(literal) => literal.to_string(),
        };
        self.0.iter().map(part).collect()
    }

    /// A regular expression that covers what it covers, line breaks apart, which no identity has.
    pub(super) fn regex(&self) -> String {
        let part = |token: &Token| match token {
            Token::Any => ".*".to_string(),
            Token::Literal(literal) => regex::escape(literal.encode_utf8(&mut [0; 4])),
            Token::One => ".".to_string(),
        };
        self.0.iter().map(part).collect()
    }
}

impl Token {
    const fn of(c: char) -> Self {
        match c {
            '*' => Self::Any,
            '?' => Self::One,
            literal => Self::Literal(literal),
        }
    }

    pub(super) fn literal(self) -> Option<char> {
        match self {
            Self::Literal(literal) => Some(literal),
            Self::Any | Self::One => None,
        }
    }
}

/// Whether the glob `wide` surely covers whatever `narrow` covers.
pub(super) fn covers(wide: &str, narrow: &str) -> bool {
    let open = wide.strip_suffix("**").is_some_and(|start| narrow.len() > start.len() && narrow.starts_with(start));
    wide == narrow || open || (!narrow.contains('*') && Glob::parse(wide).matches(narrow.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::Pattern;

    #[test]
    fn star_is_any_run_and_question_mark_is_one_character() {
        for (pattern, text, expected) in [
            ("*", "", true),
            ("*", "a/b", true),
            ("a*", "a", true),
            ("a*", "a/b/c", true),
            ("a?", "a", false),
            ("a?", "a/", true),
            ("a?", "abc", false),
            ("?*", "", false),
            ("a**b", "ab", true),
            ("*b*", "abc", true),
            ("*b*", "ac", false),
            ("a.c", "abc", false),
            ("", "", true),
            ("", "a", false),
            ("é?", "éa", true),
        ] {
            assert_eq!(Wildcard::parse(pattern).matches(text), expected, "{pattern} {text}");
        }
    }

    #[test]
    fn an_identity_means_the_same_here() {
        let real = "https://gitlab.com/myorg/app//.gitlab-ci.yml@refs/heads/main";
        let texts = [real, "https://gitlab.com/myorg/", "https://gitlab.com/myorg", "dev@company.com", "x", "a/b"];
        for pattern in [
            "https://gitlab.com/myorg/*",
            "https://gitlab.com/myorg/*/.gitlab-ci.yml@refs/heads/main*",
            "https://gitlab.com/myorg*",
            "*@company.com",
            "???@company.com",
            "*",
            "?",
            real,
        ] {
            let wildcard = Wildcard::parse(pattern);
            let (ours, glob) = match wildcard.identity() {
                Identity::Glob(glob) => (Pattern::glob(&glob), true),
                Identity::Regex(regex) => (Pattern::regex(&regex), false),
            };
            let ours = ours.expect(pattern);
            for text in texts {
                // No identity ends where the wildcard of a glob begins.
                let expected = wildcard.matches(text) && !(glob && pattern.strip_suffix('*') == Some(text));
                assert_eq!(ours.matches(text), expected, "{pattern} {text}");
            }
        }
    }

    #[test]
    fn a_glob_covers_what_begins_as_it_does() {
        for (wide, narrow, expected) in [
            ("r.io/**", "r.io/team/**", true),
            ("r.io/**", "r.io/app", true),
            ("r.io/*", "r.io/app", true),
            ("r.io/*", "r.io/a*", false),
            ("r.io/team/**", "r.io/**", false),
            ("r.io/a", "r.io/a", true),
            ("**", "r.io/**", true),
        ] {
            assert_eq!(covers(wide, narrow), expected, "{wide} {narrow}");
        }
    }
}
