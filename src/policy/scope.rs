//! Which images a policy is about: an anchored pattern over `registry/repository`.

use std::fmt;

use crate::oci::Image;

mod example;

pub use example::{Example, example};

/// A pattern such as `registry.company.com/team/**`: `*` does not cross `/`, `**` does, everything else is literal.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Scope(Glob);

/// A pattern over a whole text: `*` does not cross `/`, `**` does, everything else is literal.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Glob {
    pattern: String,
    tokens: Vec<Token>,
    /// How many literals it begins with.
    literal: usize,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Token {
    Literal(u8),
    /// One or more characters within a component.
    Star,
    /// One or more characters of any kind.
    DoubleStar,
}

/// The text is not a scope.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{why}")]
pub struct ParseScopeError {
    why: &'static str,
}

impl Scope {
    /// Parses a pattern: lower-case, with a registry before the first `/`.
    pub fn parse(pattern: &str) -> Result<Self, ParseScopeError> {
        let refuse = |why| Err(ParseScopeError { why });
        if pattern.len() > 512 {
            return refuse("the pattern is longer than 512 characters");
        }
        if pattern.contains('@') {
            return refuse(
                "a scope names registries and repositories only; digests stand in exemptions and revocations",
            );
        }
        if pattern.bytes().any(|b| b.is_ascii_uppercase()) {
            return refuse("registries and repositories are lower-case");
        }
        let legal = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b"./_-:*".contains(&b);
        if !pattern.bytes().all(legal) {
            return refuse(
                "a scope is made of lower-case letters, digits, `. _ - : /`, and the wildcards `*` and `**`",
            );
        }
        if pattern.contains("***") {
            return refuse("`***` means nothing: `*` stays within a component, `**` crosses `/`");
        }
        let Some((registry, repository)) = pattern.split_once('/') else {
            if pattern == "**" {
                return Ok(Self(Glob::parse(pattern)));
            }
            return refuse("a scope needs a registry and a repository, such as `registry.company.com/**`");
        };
        if registry.is_empty() || repository.is_empty() || repository.split('/').any(str::is_empty) {
            return refuse("the registry or a component of the repository is empty");
        }
        if registry.ends_with(":443") {
            return refuse("the default port is not written: names are canonical");
        }
        Ok(Self(Glob::parse(pattern)))
    }

    /// The pattern over `registry/repository`.
    pub fn glob(&self) -> &Glob {
        &self.0
    }

    /// Whether the pattern covers the whole of `image`'s name.
    pub fn matches(&self, image: &Image) -> bool {
        let name = [image.registry.as_str(), "/", image.repository.as_str()].concat();
        self.0.matches(name.as_bytes())
    }
}

impl Glob {
    /// Parses a pattern; every text is one.
    pub fn parse(pattern: &str) -> Self {
        let mut tokens = Vec::new();
        let mut bytes = pattern.bytes().peekable();
        while let Some(byte) = bytes.next() {
            tokens.push(match byte {
                b'*' if bytes.next_if_eq(&b'*').is_some() => Token::DoubleStar,
                b'*' => Token::Star,
                literal => Token::Literal(literal),
            });
        }
        let literal = tokens.iter().take_while(|token| matches!(token, Token::Literal(_))).count();
        Self { pattern: pattern.into(), tokens, literal }
    }

    /// Whether there is a text that both patterns cover: a walk through the pairs of their states.
    pub fn meets(&self, other: &Self) -> bool {
        let (mine, theirs) = (self.tokens.len(), other.tokens.len());
        let (mut seen, mut open) = (vec![false; (mine + 1) * (theirs + 1)], vec![(0, 0)]);
        while let Some((i, j)) = open.pop() {
            if (i, j) == (mine, theirs) {
                return true;
            }
            let (Some(a), Some(b)) = (self.tokens.get(i), other.tokens.get(j)) else { continue };
            if std::mem::replace(&mut seen[i * (theirs + 1) + j], true) || !a.shares(b) {
                continue;
            }
            // One more character: a literal is done with, a wildcard may take more.
            let stays = |token: &Token| !matches!(token, Token::Literal(_));
            open.push((i + 1, j + 1));
            open.extend(stays(a).then_some((i, j + 1)));
            open.extend(stays(b).then_some((i + 1, j)));
        }
        false
    }

    /// Whether the pattern covers the whole of `name`.
    pub fn matches(&self, name: &[u8]) -> bool {
        // Most patterns are told apart by how they begin, and end there or in `**`.
        let Some(rest) = name.strip_prefix(&self.pattern.as_bytes()[..self.literal]) else { return false };
        match &self.tokens[self.literal..] {
            [] => rest.is_empty(),
            [Token::DoubleStar] => !rest.is_empty(),
            tokens => covers(tokens, rest),
        }
    }
}

/// Whether `tokens` cover the whole of `name`: a set of states, so the time is bounded by the product of the lengths.
fn covers(tokens: &[Token], name: &[u8]) -> bool {
    let mut here = vec![false; tokens.len() + 1];
    let mut next = here.clone();
    here[0] = true;
    for &byte in name {
        next.fill(false);
        for (at, token) in tokens.iter().enumerate().filter(|(at, _)| here[*at]) {
            match token {
                Token::Literal(literal) => next[at + 1] |= *literal == byte,
                Token::Star | Token::DoubleStar => {
                    let taken = *token == Token::DoubleStar || byte != b'/';
                    next[at] |= taken;
                    next[at + 1] |= taken;
                }
            }
        }
        std::mem::swap(&mut here, &mut next);
    }
    here[tokens.len()]
}

impl Token {
    /// Whether there is a character that both take.
    fn shares(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Literal(a), Self::Literal(b)) => a == b,
            (Self::Literal(literal), Self::Star) | (Self::Star, Self::Literal(literal)) => *literal != b'/',
            _ => true,
        }
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl fmt::Display for Glob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.pattern)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn matching_is_anchored_and_star_stays_within_a_component() {
        for (pattern, name, expected) in [
            ("r.io/**", "r.io/a", true),
            ("r.io/**", "r.io/a/b/c", true),
            ("r.io/**", "r.io.evil.com/a", false),
            ("r.io/**", "xr.io/a", false),
            ("r.io/org/*", "r.io/org/a", true),
            ("r.io/org/*", "r.io/org/a/b", false),
            ("r.io/org/*", "r.io/org-evil/a", false),
            ("r.io/org/**", "r.io/org", false),
            ("r.io/*/app", "r.io/team/app", true),
            ("r.io/*/app", "r.io/team/x/app", false),
            ("r.io/team-*", "r.io/team-a", true),
            ("*/a", "r.io/a", true),
            ("**", "r.io/a/b", true),
            ("r.io/a", "r.io/a", true),
            ("r.io/a", "r.io/ab", false),
        ] {
            assert_eq!(Scope::parse(pattern).expect(pattern).0.matches(name.as_bytes()), expected, "{pattern} {name}");
        }
    }

    #[test]
    fn what_is_told_by_its_beginning_is_what_a_walk_through_all_states_tells() {
        let (pieces, mut state) = (["a", "b", "/", "*", "**", "ab", "a/"], 1_usize);
        let mut text = |wild: bool| {
            let mut text = String::new();
            for _ in 0..6 {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                let piece = pieces[(state >> 33) % if wild { 7 } else { 3 }];
                text.push_str(if text.ends_with('*') && piece.starts_with('*') { "" } else { piece });
            }
            text
        };
        let mut covered = 0;
        for _ in 0..20_000 {
            let (glob, name) = (Glob::parse(&text(true)), text(false));
            let walked = covers(&glob.tokens, name.as_bytes());
            assert_eq!(glob.matches(name.as_bytes()), walked, "{glob} {name}");
            covered += usize::from(walked);
        }
        assert!(covered > 100, "{covered}");
    }

    #[test]
    fn patterns_meet_in_a_text_that_both_cover() {
        let shape = "https://gitlab.com/**//**@**";
        for (a, b, expected) in [
            ("https://gitlab.com/myorg/**", shape, true),
            ("https://gitlab.com/myorg/*", shape, false),
            ("https://gitlab.com/myorg/app//.gitlab-ci.yml@refs/heads/main", shape, true),
            ("https://gitlab.com/myorg/app", shape, false),
            ("https://github.com/myorg/**", shape, false),
            ("**", shape, true),
            ("*", "a/b", false),
            ("*", "ab", true),
            ("*a", "b*", true),
            ("a", "a*", false),
            ("a", "a", true),
            ("", "", true),
            ("", "*", false),
        ] {
            let (one, other) = (Glob::parse(a), Glob::parse(b));
            assert_eq!((one.meets(&other), other.meets(&one)), (expected, expected), "{a} {b}");
        }
    }

    #[test]
    fn refuses_patterns_that_cannot_mean_what_they_seem_to() {
        for bad in
            ["", "r.io", "r.io/", "/a", "r.io//a", "R.io/a", "r.io/a@sha256:1", "r.io/***", "r.io:443/a", "r.io/[ab]"]
        {
            assert!(Scope::parse(bad).is_err(), "{bad}");
        }
    }
}
