//! What stands in `{{ … }}`: the part of `JMESPath` that is translated.

use super::token::{Token, tokens};

/// An expression over the predicate.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Expression {
    /// Whether a text contains another, or a list an item.
    Contains(Path, String),
    /// How many items, keys or characters.
    Length(Path),
    /// Whether a text matches a regular expression of Go.
    Matches(String, Path),
    /// A field, or what a projection gathers.
    Path(Path),
    /// How long after one instant another is; after the first, now.
    TimeSince(Instant, Option<Instant>),
}

/// An instant.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Instant {
    At(Path),
    Text(String),
}

impl Instant {
    fn path(&self) -> Option<&Path> {
        match self {
            Self::At(path) => Some(path),
            Self::Text(_) => None,
        }
    }
}

/// The way to something within the predicate.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Path(pub(super) Vec<Step>);

/// One step of the way.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Step {
    /// Each item of a list: `[]` or `[*]`.
    Each,
    Field(String),
    /// Each item of a list whose field is so: `[?field=='text']`.
    Filter {
        field: String,
        equal: bool,
        text: String,
    },
    Index(u32),
}

impl Path {
    /// Whether it gathers what stands in several places.
    pub(super) fn is_projection(&self) -> bool {
        self.0.iter().any(|step| matches!(step, Step::Each | Step::Filter { .. }))
    }
}

/// Parses what stands between the braces.
pub(super) fn parse(text: &str) -> Result<Expression, String> {
    let unknown = || format!("`{text}` is beyond what can be translated of JMESPath");
    let tokens = tokens(text).ok_or_else(unknown)?;
    let mut parser = Parser { rest: &tokens };
    let expression = parser.expression().filter(|_| parser.rest.is_empty()).ok_or_else(unknown)?;
    match paths(&expression).iter().find_map(|path| foreign(path)) {
        Some(name) => Err(format!("`{name}` is about the admission request, which a pull has not")),
        None => Ok(expression),
    }
}

/// The paths that an expression reads.
pub(super) fn paths(expression: &Expression) -> Vec<&Path> {
    match expression {
        Expression::Contains(path, _)
        | Expression::Length(path)
        | Expression::Matches(_, path)
        | Expression::Path(path) => vec![path],
        Expression::TimeSince(from, until) => {
            let instants = [Some(from), until.as_ref()].into_iter().flatten();
            instants.filter_map(Instant::path).collect()
        }
    }
}

/// The variable of Kyverno's that a path begins with, if it does.
fn foreign(path: &Path) -> Option<&str> {
    const VARIABLES: [&str; 8] = [
        "element",
        "elementIndex",
        "image",
        "images",
        "request",
        "serviceAccountName",
        "serviceAccountNamespace",
        "target",
    ];
    match path.0.first() {
        Some(Step::Field(name)) => VARIABLES.contains(&name.as_str()).then_some(name),
        _ => None,
    }
}

struct Parser<'a> {
    rest: &'a [Token],
}

impl Parser<'_> {
    fn next(&mut self) -> Option<Token> {
        let (first, rest) = self.rest.split_first()?;
        self.rest = rest;
        Some(first.clone())
    }

    fn eat(&mut self, mark: &'static str) -> Option<()> {
        (self.next()? == Token::Mark(mark)).then_some(())
    }

    fn sees(&self, mark: &'static str) -> bool {
        self.rest.first() == Some(&Token::Mark(mark))
    }

    fn expression(&mut self) -> Option<Expression> {
        let first = match self.rest {
            [Token::Name(name), Token::Mark("("), ..] => {
                let name = name.clone();
                self.rest = &self.rest[2..];
                let call = self.call(&name)?;
                self.eat(")")?;
                call
            }
            _ => Expression::Path(self.path()?),
        };
        if self.rest.is_empty() {
            return Some(first);
        }
        // `path | length(@)`
        let Expression::Path(path) = first else { return None };
        self.eat("|")?;
        (self.next()? == Token::Name("length".into())).then_some(())?;
        ["(", "@", ")"].iter().try_for_each(|mark| self.eat(mark))?;
        Some(Expression::Length(path))
    }

    fn call(&mut self, name: &str) -> Option<Expression> {
        match name {
            "length" => Some(Expression::Length(self.path()?)),
            "contains" => {
                let Instant::At(path) = self.instant()? else { return None };
                self.eat(",")?;
                let Token::Text(text) = self.next()? else { return None };
                Some(Expression::Contains(path, text))
            }
            "regex_match" => {
                let Token::Text(regex) = self.next()? else { return None };
                self.eat(",")?;
                let Instant::At(path) = self.instant()? else { return None };
                Some(Expression::Matches(regex, path))
            }
            "time_since" => {
                // Another layout than RFC 3339 has no counterpart.
                (self.next()? == Token::Text(String::new())).then_some(())?;
                self.eat(",")?;
                let from = self.instant()?;
                self.eat(",")?;
                let until = self.instant()?;
                Some(Expression::TimeSince(from, Some(until).filter(|until| *until != Instant::Text(String::new()))))
            }
            _ => None,
        }
    }

    /// A text, a path, or a path that is a variable within a text.
    fn instant(&mut self) -> Option<Instant> {
        let Some(Token::Text(text)) = self.rest.first() else { return self.path().map(Instant::At) };
        let text = text.clone();
        self.next()?;
        match variable(&text) {
            Some(inner) => match parse(inner).ok()? {
                Expression::Path(path) => Some(Instant::At(path)),
                _ => None,
            },
            None => (!text.contains("{{")).then_some(Instant::Text(text)),
        }
    }

    fn path(&mut self) -> Option<Path> {
        let mut steps = Vec::new();
        loop {
            match self.next()? {
                Token::Name(name) | Token::Quoted(name) => steps.push(Step::Field(name)),
                Token::Mark("[") => steps.push(self.bracket()?),
                _ => return None,
            }
            if self.sees(".") {
                self.next()?;
            } else if !self.sees("[") {
                return Some(Path(steps));
            }
        }
    }

    fn bracket(&mut self) -> Option<Step> {
        let step = match self.next()? {
            Token::Mark("]") => return Some(Step::Each),
            Token::Mark("*") => Step::Each,
            Token::Number(index) => Step::Index(index),
            Token::Mark("?") => {
                let (Token::Name(field) | Token::Quoted(field)) = self.next()? else { return None };
                let equal = match self.next()? {
                    Token::Mark("==") => true,
                    Token::Mark("!=") => false,
                    _ => return None,
                };
                let Token::Text(text) = self.next()? else { return None };
                Step::Filter { field, equal, text }
            }
            _ => return None,
        };
        self.eat("]")?;
        Some(step)
    }
}

/// What stands between the braces of a text that is one variable and nothing else.
pub(super) fn variable(text: &str) -> Option<&str> {
    let inner = text.strip_prefix("{{")?.strip_suffix("}}")?;
    // Only a variable within a text of the variable, as in `time_since('', '{{ a }}', '')`, may have braces.
    let mut depth = 0_i32;
    for (at, c) in inner.char_indices() {
        depth += match c {
            '{' => 1,
            '}' => -1,
            _ => 0,
        };
        if depth < 0 || at + c.len_utf8() > inner.len() {
            return None;
        }
    }
    (depth == 0).then_some(inner.trim())
}

#[cfg(test)]
mod tests;
