//! An image's name that some patterns cover and others do not: the shortest one, or the knowledge that there is none.
//!
//! A walk through the states that the patterns can be in together, a character at a time, as far as the name may go on.

use std::collections::{HashMap, VecDeque};

use super::{Glob, Token};

/// What was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Example {
    /// This name, `registry/repository`, is one.
    Found(String),
    /// There is no such name.
    None,
    /// The patterns are too many to tell.
    Untold,
}

/// Looks for a name of which `wanted` holds, given which of `globs` cover it.
pub fn example(globs: &[&Glob], wanted: impl Fn(&[bool]) -> bool) -> Example {
    let start = State { grammar: Grammar::LabelStart, live: globs.iter().map(|glob| vec![0; words(glob)]).collect() };
    let start = start.started();
    let mut walked = vec![(start.clone(), 0, b' ')];
    let mut seen = HashMap::from([(start, 0)]);
    let mut open = VecDeque::from([0]);
    while let Some(at) = open.pop_front() {
        let here = walked[at].0.clone();
        if here.grammar == Grammar::Component && wanted(&here.covers(globs)) {
            return Example::Found(spelled(&walked, at));
        }
        for byte in here.characters(globs) {
            let Some(next) = here.step(globs, byte) else { continue };
            if seen.contains_key(&next) {
                continue;
            }
            if walked.len() == MOST {
                return Example::Untold;
            }
            seen.insert(next.clone(), walked.len());
            open.push_back(walked.len());
            walked.push((next, at, byte));
        }
    }
    Example::None
}

/// Where a name is, and which tokens of each pattern may come next.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct State {
    grammar: Grammar,
    live: Vec<Vec<u64>>,
}

/// How far a name `registry/repository` has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Grammar {
    /// A part of the registry's host begins.
    LabelStart,
    Label,
    LabelDash,
    PortStart,
    Port,
    /// A component of the repository begins.
    ComponentStart,
    Component,
    Dot,
    Underscore,
    Underscores,
    Dashes,
}

impl Grammar {
    /// Where `byte` leads; nowhere if no name goes on so.
    fn step(self, byte: u8) -> Option<Self> {
        use Grammar::{
            Component, ComponentStart, Dashes, Dot, Label, LabelDash, LabelStart, Port, PortStart, Underscore,
            Underscores,
        };
        let word = byte.is_ascii_lowercase() || byte.is_ascii_digit();
        Some(match (self, byte) {
            (LabelStart | Label | LabelDash, _) if word => Label,
            (Label | LabelDash, b'-') => LabelDash,
            (Label, b'.') => LabelStart,
            (Label, b':') => PortStart,
            (PortStart | Port, _) if byte.is_ascii_digit() => Port,
            (Label | Port | Component, b'/') => ComponentStart,
            (ComponentStart | Component | Dot | Underscore | Underscores | Dashes, _) if word => Component,
            (Component, b'.') => Dot,
            (Component, b'_') => Underscore,
            (Underscore, b'_') => Underscores,
            (Component | Dashes, b'-') => Dashes,
            _ => return None,
        })
    }
}

impl State {
    fn started(mut self) -> Self {
        for live in &mut self.live {
            set(live, 0);
        }
        self
    }

    /// The characters that can make a difference here: those that a pattern asks for next, `/`, and one other.
    fn characters(&self, globs: &[&Glob]) -> Vec<u8> {
        let mut asked: Vec<u8> = Vec::new();
        for (glob, live) in globs.iter().zip(&self.live) {
            for at in (0..glob.tokens.len()).filter(|at| has(live, *at)) {
                if let Token::Literal(byte) = glob.tokens[at]
                    && !asked.contains(&byte)
                {
                    asked.push(byte);
                }
            }
        }
        let fits = |byte: &u8| self.grammar.step(*byte).is_some() && !asked.contains(byte);
        let other = (b'a'..=b'z').chain(b'0'..=b'9').find(fits);
        let slash = (!asked.contains(&b'/')).then_some(b'/');
        asked.sort_unstable();
        other.into_iter().chain(asked).chain(slash).collect()
    }

    fn step(&self, globs: &[&Glob], byte: u8) -> Option<Self> {
        let grammar = self.grammar.step(byte)?;
        let step = |(glob, live): (&&Glob, &Vec<u64>)| {
            let mut next = vec![0; live.len()];
            for (at, token) in glob.tokens.iter().enumerate().filter(|(at, _)| has(live, *at)) {
                match token {
                    Token::Literal(literal) if *literal == byte => set(&mut next, at + 1),
                    Token::Literal(_) => {}
                    Token::Star if byte == b'/' => {}
                    Token::Star | Token::DoubleStar => {
                        set(&mut next, at);
                        set(&mut next, at + 1);
                    }
                }
            }
            next
        };
        Some(Self { grammar, live: globs.iter().zip(&self.live).map(step).collect() })
    }

    /// Which patterns cover the name that ends here.
    fn covers(&self, globs: &[&Glob]) -> Vec<bool> {
        globs.iter().zip(&self.live).map(|(glob, live)| has(live, glob.tokens.len())).collect()
    }
}

/// The name that led to `at`.
fn spelled(walked: &[(State, usize, u8)], mut at: usize) -> String {
    let mut name = Vec::new();
    while at > 0 {
        let (_, before, byte) = &walked[at];
        name.push(char::from(*byte));
        at = *before;
    }
    name.into_iter().rev().collect()
}

fn words(glob: &Glob) -> usize {
    glob.tokens.len() / 64 + 1
}

fn set(bits: &mut [u64], at: usize) {
    bits[at / 64] |= 1 << (at % 64);
}

fn has(bits: &[u64], at: usize) -> bool {
    bits[at / 64] & (1 << (at % 64)) != 0
}

/// How many states are walked through at most; a policy of some tens of patterns has hundreds.
const MOST: usize = 20_000;

#[cfg(test)]
mod tests {
    use super::*;

    /// The shortest name that the first pattern covers and no other does.
    fn left(patterns: &[&str]) -> Example {
        let globs: Vec<Glob> = patterns.iter().map(|pattern| Glob::parse(pattern)).collect();
        let globs: Vec<&Glob> = globs.iter().collect();
        example(&globs, |covers| covers[0] && !covers[1..].contains(&true))
    }

    #[test]
    fn what_is_found_is_the_shortest_name_there_is() {
        for (patterns, expected) in [
            (&["r.io/**"][..], Some("r.io/a")),
            (&["r.io/**", "r.io/a"], Some("r.io/b")),
            (&["r.io/**", "r.io/*"], Some("r.io/a/a")),
            (&["r.io/**", "r.io/*", "r.io/*/**"], None),
            (&["r.io/**", "**"], None),
            (&["r.io/team/**", "r.io/*/app"], Some("r.io/team/b")),
            (&["r.io/team/app", "r.io/*/app"], None),
            (&["*/a", "r.io/a"], Some("a/a")),
            (&["r.io:5000/a"], Some("r.io:5000/a")),
            (&["r.io/a.*"], Some("r.io/a.a")),
            (&["r.io/a_b-c"], Some("r.io/a_b-c")),
            // No repository is called so.
            (&["r.io/a._b"], None),
            (&["r.io/-*"], None),
            (&["r.io/a..b"], None),
            (&["r-.io/a"], None),
            (&["r.io:/a"], None),
            (&["r.io:x/a"], None),
        ] {
            let expected = expected.map_or(Example::None, |name| Example::Found(name.into()));
            assert_eq!(left(patterns), expected, "{patterns:?}");
        }
    }

    #[test]
    fn what_is_found_is_a_name_that_the_patterns_say() {
        let patterns = ["*.io/**", "r.io/a*/**", "*/team-*", "**/x", "r.io/*/*"];
        for wanted in 0..1_u8 << patterns.len() {
            let globs: Vec<Glob> = patterns.iter().map(|pattern| Glob::parse(pattern)).collect();
            let refs: Vec<&Glob> = globs.iter().collect();
            let bits = |covers: &[bool]| covers.iter().rev().fold(0, |bits, covers| bits << 1 | u8::from(*covers));
            let Example::Found(name) = example(&refs, |covers| bits(covers) == wanted) else { continue };
            let (registry, repository) = name.split_once('/').expect("two parts");
            assert!(registry.parse::<crate::oci::Registry>().is_ok(), "{name}");
            assert!(repository.parse::<crate::oci::Repository>().is_ok(), "{name}");
            let covers: Vec<bool> = globs.iter().map(|glob| glob.matches(name.as_bytes())).collect();
            assert_eq!(bits(&covers), wanted, "{name}");
        }
    }

    #[test]
    fn patterns_without_end_are_given_up_on() {
        // Which of the letters were there already is a state of its own.
        let globs: Vec<Glob> = ('a'..='z').map(|letter| Glob::parse(&format!("**{letter}**"))).collect();
        let globs: Vec<&Glob> = globs.iter().collect();
        assert_eq!(example(&globs, |_| false), Example::Untold);
    }
}
