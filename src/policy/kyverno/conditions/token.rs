//! The words and marks of `JMESPath`.

use std::iter::Peekable;
use std::str::Chars;

/// One of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Token {
    Mark(&'static str),
    Name(String),
    Number(u32),
    /// A name in double quotes.
    Quoted(String),
    /// A text in single quotes, or a literal text in backquotes.
    Text(String),
}

/// Takes a text apart; nothing if it has what is not known here.
pub(super) fn tokens(text: &str) -> Option<Vec<Token>> {
    let mut chars = text.chars().peekable();
    let mut tokens = Vec::new();
    while let Some(c) = chars.next() {
        match c {
            ' ' | '\t' | '\n' | '\r' => {}
            '\'' => tokens.push(Token::Text(until(&mut chars, '\'')?.replace("\\'", "'"))),
            '"' => tokens.push(Token::Quoted(json(&format!("\"{}\"", until(&mut chars, '"')?))?)),
            '`' => tokens.push(Token::Text(json(&until(&mut chars, '`')?)?)),
            '0'..='9' => tokens.push(Token::Number(word(c, &mut chars).parse().ok()?)),
            'a'..='z' | 'A'..='Z' | '_' => tokens.push(Token::Name(word(c, &mut chars))),
            '=' | '!' => {
                chars.next_if_eq(&'=')?;
                tokens.push(Token::Mark(if c == '=' { "==" } else { "!=" }));
            }
            other => tokens.push(Token::Mark(MARKS.into_iter().find(|mark| mark.starts_with(other))?)),
        }
    }
    Some(tokens)
}

const MARKS: [&str; 10] = [".", "[", "]", "(", ")", ",", "*", "@", "?", "|"];

fn word(first: char, chars: &mut Peekable<Chars<'_>>) -> String {
    let mut word = String::from(first);
    while let Some(c) = chars.next_if(|c| c.is_ascii_alphanumeric() || *c == '_') {
        word.push(c);
    }
    word
}

/// What stands before the closing quote, its escapes as they are.
fn until(chars: &mut Peekable<Chars<'_>>, quote: char) -> Option<String> {
    let mut text = String::new();
    loop {
        match chars.next()? {
            c if c == quote => return Some(text),
            '\\' => text.extend(['\\', chars.next()?]),
            c => text.push(c),
        }
    }
}

fn json(text: &str) -> Option<String> {
    serde_json::from_str(text).ok()
}
