//! A tree of demands for people: a mark for each node, what it demands, and why it came out so.

use super::considered::Considered;
use super::report::AuthorityReport;
use super::requirement::{Node, Value, What};
use crate::cli::colour::{Colour, Paint};
use crate::reason::Reason;

/// How a tree is written.
#[derive(Debug, Clone, Copy)]
pub(super) struct Tree<'a> {
    pub(super) paint: Paint,
    /// Who is demanded.
    pub(super) authorities: &'a [AuthorityReport],
    /// A sentence that stands elsewhere, and is not said again.
    pub(super) said: &'a str,
    /// Whether every piece that counts is told.
    pub(super) pieces: bool,
}

impl Tree<'_> {
    /// The lines of `node` and its branches.
    pub(super) fn lines(&self, node: &Node, indent: usize) -> Vec<String> {
        let by = by(&node.what);
        let why = match (node.judgement.reason, by) {
            (Some(reason), Some(_)) => format!(": {}", codes(reason, node.judgement.cause)),
            _ => String::new(),
        };
        let mark = mark(self.paint, node.judgement.value);
        let mut lines = vec![format!("{:indent$}{mark} {}{why}", "", title(&node.what))];
        let mut below = demands(&node.what);
        if let Some(by) = by.filter(|_| node.judgement.reason.is_some()) {
            below.extend(node.judgement.detail.iter().filter(|detail| *detail != self.said).cloned());
            let wanted = self.authorities.iter().filter(|authority| authority.name == *by);
            below.extend(wanted.flat_map(wants));
        }
        if self.pieces {
            below.extend(node.considered.iter().map(|piece| self.piece(piece, &node.what)));
        }
        lines.extend(below.into_iter().map(|line| format!("{:indent$}  {line}", "")));
        lines.extend(node.of.iter().flat_map(|branch| self.lines(branch, indent + 2)));
        lines
    }

    fn piece(&self, piece: &Considered, what: &What) -> String {
        let Considered { location, format, signer, time, chosen, satisfies, reason, detail } = piece;
        let mark = match (chosen, satisfies) {
            (false, true) => Value::NotJudged,
            (_, false) => Value::Fails,
            (true, true) => Value::Holds,
        };
        let time = time.as_ref().map_or_else(String::new, |time| format!(", {time}"));
        let one_of = match what {
            What::Attestation { select: "newest", .. } if asks(what) => {
                if *chosen {
                    ", the newest"
                } else {
                    ", not the newest"
                }
            }
            _ => "",
        };
        let why = match (reason, detail) {
            (Some(reason), Some(detail)) => format!(": {reason}: {detail}"),
            _ => format!(" by {}", signer.replacen("key:", "key ", 1)),
        };
        format!("{} {location} ({format}{time}{one_of}){why}", mark_of(self.paint, mark, *chosen))
    }
}

/// A mark for a value.
pub(super) fn mark(paint: Paint, value: Value) -> String {
    match value {
        Value::Fails => paint.with("✘", Colour::Red),
        Value::Holds => paint.with("✔", Colour::Green),
        Value::NotJudged => "-".into(),
        Value::Unknown => paint.with("?", Colour::Yellow),
    }
}

/// What is not chosen decides nothing, whatever it is.
fn mark_of(paint: Paint, value: Value, chosen: bool) -> String {
    if chosen { mark(paint, value) } else { mark(paint, Value::NotJudged) }
}

/// A reason, and why the nearest piece does not count.
pub(super) fn codes(reason: Reason, cause: Option<Reason>) -> String {
    cause.map_or_else(|| reason.to_string(), |cause| format!("{reason} ({cause})"))
}

fn by(what: &What) -> Option<&String> {
    match what {
        What::AllOf | What::AnyOf | What::AtLeast { .. } => None,
        What::Attestation { by, .. } | What::Signature { by, .. } => Some(by),
    }
}

fn title(what: &What) -> String {
    let of_each = |on: &str| if on == "platform" { " of each platform" } else { "" };
    match what {
        What::AllOf => "all of".into(),
        What::AnyOf => "any of".into(),
        What::AtLeast { n } => format!("at least {n} of, by distinct signers"),
        What::Attestation { by, predicate_type, on, .. } => {
            format!("attestation {predicate_type}{} by {by}", of_each(on))
        }
        What::Signature { by, on, .. } => format!("signature{} by {by}", of_each(on)),
    }
}

/// Whether not every attestation will do.
fn asks(what: &What) -> bool {
    matches!(what, What::Attestation { condition, max_age, .. } if condition.is_some() || max_age.is_some())
}

/// What is demanded of the evidence beside its signer.
fn demands(what: &What) -> Vec<String> {
    match what {
        What::Attestation { select, condition, max_age, age_from, .. } if asks(what) => {
            let which = match *select {
                "all" => "all of them",
                "any" => "one of them",
                _ => "the newest",
            };
            let by =
                age_from.as_ref().map_or_else(|| "the time of signing".to_string(), |path| format!("predicate.{path}"));
            let age = max_age.map(|seconds| format!("{which}: at most {} old, by {by}", age(seconds)));
            let source = condition.as_ref().map(|source| source.split_whitespace().collect::<Vec<_>>().join(" "));
            age.into_iter().chain(source.map(|source| format!("{which}: {source}"))).collect()
        }
        What::Signature { annotations, .. } => {
            annotations.iter().map(|(key, value)| format!("with the signed annotation {key}={value}")).collect()
        }
        _ => Vec::new(),
    }
}

/// An age as a policy writes it.
fn age(seconds: u64) -> String {
    let units = [(86_400, "d"), (3_600, "h"), (60, "m")];
    let unit = units.into_iter().find(|(of, _)| seconds > 0 && seconds.is_multiple_of(*of));
    unit.map_or_else(|| format!("{seconds}s"), |(of, unit)| format!("{}{unit}", seconds / of))
}

/// What an authority demands of who signs.
fn wants(authority: &AuthorityReport) -> Vec<String> {
    let keys = authority.keys.iter().map(|key| format!("wants key {key}"));
    let identity = authority.identity.iter().map(|identity| format!("wants identity {identity}"));
    let issuer = authority.issuer.iter().map(|issuer| format!("wants issuer {issuer}"));
    let pins = authority.pins.iter().map(|(extension, value)| format!("wants {extension} {value}"));
    keys.chain(identity).chain(issuer).chain(pins).collect()
}
