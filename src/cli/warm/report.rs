//! What is told at the end, in the order of the list. For programs it is one JSON document on one line, whose members
//! are added to, never changed or taken away:
//!
//! ```text
//! references  each image once: `reference`, `outcome` allowed | denied | unknown | notAsked (it was interrupted), and the
//!               `answers`, one for each proxy that was asked, otherwise one: `proxy`, `outcome` allow | deny | unavailable |
//!               request, `reason`, `cause`, `policy`, `detail`: the proxy's own words; `child`, if it is not about the image
//!               itself but about this that it lists. Null is what there is not
//! wrong       lines of the list that name no image, as `file:line: why`
//! allowed, denied, unknown, notAsked   how many of them; `interrupted`; `stored`: all that was learned is in the store, if one
//!               is configured here; `seconds` that it took
//! ```

use std::io::{self, Write};
use std::time::Duration;

use serde::Serialize;

use super::answer::{Answer, Outcome};
use super::list::List;
use super::progress::Counts;
use crate::cli::colour::{Colour, Paint};

/// Everything that is told.
#[derive(Debug)]
pub(super) struct Report {
    pub(super) list: List,
    /// For each entry of the list what was answered; nothing if it was not asked for.
    pub(super) answers: Vec<Option<Vec<Answer>>>,
    pub(super) interrupted: bool,
    /// Whether all that was learned is in the store.
    pub(super) stored: bool,
    pub(super) took: Duration,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Document<'a> {
    references: Vec<Told<'a>>,
    wrong: &'a [String],
    allowed: usize,
    denied: usize,
    unknown: usize,
    not_asked: usize,
    interrupted: bool,
    stored: bool,
    seconds: f64,
}

#[derive(Serialize)]
struct Told<'a> {
    reference: &'a str,
    outcome: &'static str,
    answers: &'a [Answer],
}

/// What several answers about one image come to: the worst of them.
pub(super) fn worst(answers: &[Answer]) -> Outcome {
    answers.iter().map(Answer::outcome).max().unwrap_or(Outcome::Unknown)
}

impl Report {
    fn counts(&self) -> Counts {
        let mut counts = Counts { all: self.answers.len(), ..Counts::default() };
        self.answers.iter().flatten().for_each(|answers| counts.add(worst(answers)));
        counts
    }

    /// 64 for a list with mistakes, which may leave out what is denied; then 1 for a no, 2 for what could not be told or stored.
    pub(super) fn code(&self) -> u8 {
        let counts = self.counts();
        match () {
            () if !self.list.wrong.is_empty() => crate::cli::USAGE,
            () if counts.denied > 0 => 1,
            () if counts.allowed < counts.all || !self.stored => 2,
            () => 0,
        }
    }

    /// Writes it for programs.
    pub(super) fn json(&self, out: &mut dyn Write) -> io::Result<()> {
        let each = self.list.entries.iter().zip(&self.answers);
        let references = each.map(|(entry, answers)| Told {
            reference: &entry.reference,
            outcome: answers.as_deref().map_or("notAsked", |answers| word(worst(answers))),
            answers: answers.as_deref().unwrap_or_default(),
        });
        let counts = self.counts();
        let document = Document {
            references: references.collect(),
            wrong: &self.list.wrong,
            allowed: counts.allowed,
            denied: counts.denied,
            unknown: counts.unknown,
            not_asked: counts.all - counts.done(),
            interrupted: self.interrupted,
            stored: self.stored,
            seconds: self.took.as_secs_f64(),
        };
        writeln!(out, "{}", serde_json::to_string(&document)?)
    }

    /// Writes it for people: what is not allowed, and the sum.
    pub(super) fn text(&self, paint: Paint, out: &mut dyn Write) -> io::Result<()> {
        for (entry, answers) in self.list.entries.iter().zip(&self.answers) {
            let Some(answers) = answers else { continue };
            let mark = match worst(answers) {
                Outcome::Allowed => continue,
                Outcome::Denied => paint.with("✘", Colour::Red),
                Outcome::Unknown => paint.with("?", Colour::Yellow),
            };
            writeln!(out, "{mark} {}", entry.reference)?;
            for answer in answers.iter().filter(|answer| answer.outcome() != Outcome::Allowed) {
                writeln!(out, "  {}", answer.line(answers.len() > 1))?;
            }
        }
        writeln!(out, "{}", self.summary())
    }

    fn summary(&self) -> String {
        let counts = self.counts();
        let images = if counts.all == 1 { "reference" } else { "references" };
        let left = counts.all - counts.done();
        let left = if left > 0 { format!(", {left} not asked for") } else { String::new() };
        let wrong = match self.list.wrong.len() {
            0 => String::new(),
            1 => ", 1 more that is none".into(),
            more => format!(", {more} more that are none"),
        };
        let interrupted = if self.interrupted { "interrupted: " } else { "" };
        let took = self.took.as_secs();
        format!("{interrupted}{} {images}: {}{left}{wrong}, {took} s", counts.all, counts.text())
    }
}

fn word(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Allowed => "allowed",
        Outcome::Denied => "denied",
        Outcome::Unknown => "unknown",
    }
}
