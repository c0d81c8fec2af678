//! Image references as scopes.
//!
//! Kyverno compares a pattern with the whole reference, as in `registry.company.com/app:1.0` or, where the pod names a
//! digest, `registry.company.com/app@sha256:…`; a `*` reaches into the tag. Scopes here are about repositories. So a
//! pattern has two readings: the repositories of which *some* reference matches, for what is governed, and those of which
//! *every* reference matches, for what is left out. Where they differ, both readings are the stricter one.

use std::collections::BTreeSet;

use super::wildcard::{Token, Wildcard, covers};
use crate::oci::Registry;
use crate::policy::file::parse_scope;
use crate::policy::scope::Glob;

/// What a pattern is about.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct References {
    /// Repositories of which some reference matches.
    pub(super) some: BTreeSet<String>,
    /// Repositories of which every reference matches.
    pub(super) every: BTreeSet<String>,
}

/// Reads one pattern; an error if it can match no image, or cannot be said here.
pub(super) fn read(pattern: &str) -> Result<References, String> {
    let wildcard = Wildcard::parse(pattern);
    let tokens = wildcard.tokens();
    if tokens.iter().filter(|token| token.literal().is_none()).count() > MOST_WILDCARDS {
        return Err(format!("it has more than {MOST_WILDCARDS} wildcards"));
    }
    let repositories = repositories(tokens);
    let all = repositories.iter().flat_map(|tokens| scopes(tokens)).flat_map(with_library);
    let mut some = pruned(all.chain(short_name(tokens)));
    if some.is_empty() && begin(tokens).is_none() {
        // Without a tag it matches no reference; its author means the repository.
        some = pruned(scopes(tokens).into_iter().flat_map(with_library));
    }
    // `…*` covers every end, and so does `…*:*`, whose first wildcard takes the name of a digest's algorithm.
    let open = match tokens {
        [tokens @ .., Token::Any, Token::Literal(':'), Token::Any] | [tokens @ .., Token::Any] => Some(tokens),
        _ => None,
    };
    let every = open.filter(|tokens| begin(tokens).is_none());
    let every = every.filter(|tokens| !tokens.contains(&Token::One)).map(|tokens| [tokens, &[Token::Any]].concat());
    let every = every.iter().flat_map(|tokens| scopes(tokens));
    let every = pruned(every.filter(|scope| has_one_spelling(scope) && is_canonical(scope, pattern)));
    if some.is_empty() {
        return Err("it can match no image".into());
    }
    Ok(References { some, every })
}

/// What the repository may be, of a reference that matches.
fn repositories(tokens: &[Token]) -> Vec<Vec<Token>> {
    if let Some(at) = tokens.iter().position(|token| *token == Token::Literal('@')) {
        return vec![tokens[..at].to_vec()];
    }
    let path = last(tokens, '/').map_or(0, |at| at + 1);
    let colon = begin(tokens);
    let mut all: Vec<Vec<Token>> = colon.iter().map(|at| tokens[..*at].to_vec()).collect();
    for (at, token) in tokens.iter().enumerate().skip(path) {
        let after_colon = path > 0 && colon.is_some_and(|colon| colon < at);
        if after_colon || token.literal().is_some() || !may_end_reference(&tokens[at + 1..]) {
            continue;
        }
        // The tag or digest begins within this wildcard.
        all.push(if *token == Token::Any { tokens[..=at].to_vec() } else { tokens[..at].to_vec() });
    }
    all
}

/// Where the tag begins: at a colon after the last slash.
fn begin(tokens: &[Token]) -> Option<usize> {
    let path = last(tokens, '/').map_or(0, |at| at + 1);
    let separator = |token: &Token| matches!(token, Token::Literal(':' | '@'));
    tokens[path..].iter().position(separator).map(|at| path + at)
}

/// Whether `rest` may be the end of a tag, or of a digest.
fn may_end_reference(rest: &[Token]) -> bool {
    let literals = |tokens: &[Token], fits: fn(char) -> bool| tokens.iter().filter_map(|t| t.literal()).all(fits);
    let Some(at) = last(rest, ':') else {
        return literals(rest, |c| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-'));
    };
    let algorithm = Wildcard::of(&rest[..at]);
    let ends = |name: &str| (0..=name.len()).any(|from| algorithm.matches(&name[from..]));
    literals(&rest[at + 1..], |c| c.is_ascii_hexdigit()) && ["sha256", "sha512"].into_iter().any(ends)
}

fn last(tokens: &[Token], literal: char) -> Option<usize> {
    tokens.iter().rposition(|token| *token == Token::Literal(literal))
}

/// Every way to write the pattern with wildcards that are at least one character.
fn scopes(tokens: &[Token]) -> Vec<String> {
    let mut texts = vec![String::new()];
    for token in tokens {
        let grown = texts.iter().flat_map(|text| {
            let wild = if text.ends_with("**") { text.clone() } else { format!("{text}**") };
            match token {
                Token::Any => vec![text.clone(), wild],
                Token::Literal(literal) => vec![format!("{text}{literal}")],
                Token::One => vec![wild],
            }
        });
        texts = grown.collect();
    }
    texts.iter().flat_map(|text| with_slash(text)).filter_map(|text| canonical(&text)).collect()
}

/// A name has a slash. Where a pattern has none, a wildcard takes it.
fn with_slash(text: &str) -> Vec<String> {
    if text == "**" || text.contains('/') {
        return vec![text.to_string()];
    }
    let mut all = Vec::new();
    for (at, wild) in text.match_indices("**") {
        let (before, after) = (&text[..at], &text[at + wild.len()..]);
        for (left, right) in [("", ""), ("**", ""), ("", "**"), ("**", "**")] {
            all.push(format!("{before}{left}/{right}{after}"));
        }
    }
    all
}

/// The scope under the registry's canonical name, unless no image has such a name.
fn canonical(text: &str) -> Option<String> {
    let text = match text.split_once('/') {
        Some((registry, repository)) if !registry.contains('*') => {
            format!("{}/{repository}", registry.parse::<Registry>().ok()?)
        }
        Some((registry, _)) if registry.rsplit_once(':').is_some_and(|(_, port)| !is_port(port)) => return None,
        _ => text.to_string(),
    };
    parse_scope(&text).is_ok().then_some(text)
}

/// Whether a port may be so.
fn is_port(pattern: &str) -> bool {
    pattern.bytes().all(|b| b.is_ascii_digit() || b == b'*')
}

/// Kyverno spells `docker.io/nginx` what is `docker.io/library/nginx` here.
fn with_library(scope: String) -> Vec<String> {
    let short = scope.split_once('/').filter(|(_, repository)| !repository.contains('/'));
    let Some((registry, repository)) = short.filter(|(registry, _)| Glob::parse(registry).matches(HUB.as_bytes()))
    else {
        return vec![scope];
    };
    let library = format!("{HUB}/library/{repository}");
    if registry == HUB && !repository.contains('*') { vec![library] } else { vec![scope, library] }
}

/// A name of Docker Hub without registry, perhaps with a tag.
fn short_name(tokens: &[Token]) -> Option<String> {
    let end = tokens.iter().position(|token| matches!(token, Token::Literal(':' | '@'))).unwrap_or(tokens.len());
    let name: String = tokens[..end].iter().map(|token| token.literal()).collect::<Option<_>>()?;
    let short = last(tokens, '/').is_none() && name != "localhost" && !name.contains('.');
    canonical(&format!("{HUB}/library/{name}")).filter(|_| short)
}

/// Whether a pod can name the images in one way only: not `nginx` for `docker.io/library/nginx`.
fn has_one_spelling(scope: &str) -> bool {
    let hub = scope.split_once('/').filter(|(registry, _)| Glob::parse(registry).matches(HUB.as_bytes()));
    let Some((_, repository)) = hub else { return true };
    let team = |(first, _): (&str, &str)| !first.contains('*') && first != "library";
    repository == "**" || repository.split_once('/').is_some_and(team)
}

/// Whether the registry has the canonical name in the pattern already.
fn is_canonical(scope: &str, pattern: &str) -> bool {
    let registry = |text: &str| text.split('/').next().map(str::to_string);
    pattern.split('/').next().is_none_or(|first| first.contains('*')) || registry(scope) == registry(pattern)
}

/// Without those that another covers.
fn pruned(scopes: impl Iterator<Item = String>) -> BTreeSet<String> {
    let all: BTreeSet<String> = scopes.collect();
    let kept = |scope: &&String| !all.iter().any(|other| other != *scope && covers(other, scope));
    all.iter().filter(kept).cloned().collect()
}

/// The registry that names may leave out.
const HUB: &str = "docker.io";

/// Each may double the number of scopes.
const MOST_WILDCARDS: usize = 6;
