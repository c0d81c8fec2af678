//! How far it is, on standard error: a bar on a terminal, otherwise a line now and then.

use std::io::{self, IsTerminal, Write};
use std::time::Duration;

use super::answer::Outcome;

/// How far it is.
#[derive(Debug)]
pub(super) struct Progress {
    on_terminal: bool,
    counts: Counts,
}

/// How many images came to what.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Counts {
    /// All that the list names.
    pub(super) all: usize,
    pub(super) allowed: usize,
    pub(super) denied: usize,
    pub(super) unknown: usize,
}

impl Counts {
    pub(super) fn add(&mut self, outcome: Outcome) {
        match outcome {
            Outcome::Allowed => self.allowed += 1,
            Outcome::Denied => self.denied += 1,
            Outcome::Unknown => self.unknown += 1,
        }
    }

    /// Those that are done.
    pub(super) fn done(&self) -> usize {
        self.allowed + self.denied + self.unknown
    }

    /// `300 allowed, 9 denied, 3 could not be told`.
    pub(super) fn text(&self) -> String {
        format!("{} allowed, {} denied, {} could not be told", self.allowed, self.denied, self.unknown)
    }
}

impl Progress {
    /// Begins with `all` images before it.
    pub(super) fn of(all: usize) -> Self {
        let on_terminal = io::stderr().is_terminal() && std::env::var_os("TERM").is_none_or(|term| term != "dumb");
        Self { on_terminal, counts: Counts { all, ..Counts::default() } }
    }

    /// How often it is to be shown.
    pub(super) fn every(&self) -> Duration {
        if self.on_terminal { Duration::from_millis(100) } else { Duration::from_secs(10) }
    }

    /// An image is done.
    pub(super) fn add(&mut self, outcome: Outcome) {
        self.counts.add(outcome);
    }

    /// Shows it.
    pub(super) fn show(&self) {
        let line = if self.on_terminal { format!("\r{}\x1b[K", self.bar()) } else { format!("{}\n", self.line()) };
        say(&line);
    }

    /// Takes the bar away.
    pub(super) fn end(&self) {
        if self.on_terminal {
            say("\r\x1b[K");
        }
    }

    fn bar(&self) -> String {
        let Counts { all, .. } = self.counts;
        let filled = (WIDTH * self.counts.done()).checked_div(all).unwrap_or(WIDTH);
        format!("[{}{}] {}", "=".repeat(filled), " ".repeat(WIDTH - filled), self.line())
    }

    fn line(&self) -> String {
        let Counts { all, .. } = self.counts;
        format!("{} of {all}: {}", self.counts.done(), self.counts.text())
    }
}

/// Whoever does not read it misses nothing.
fn say(text: &str) {
    let mut error = io::stderr().lock();
    let _ = error.write_all(text.as_bytes()).and_then(|()| error.flush());
}

/// Columns of the bar.
const WIDTH: usize = 20;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bar_fills_and_fits_into_a_line() {
        let mut progress = Progress { on_terminal: true, counts: Counts { all: 300, ..Counts::default() } };
        assert_eq!(progress.bar(), format!("[{}] 0 of 300: 0 allowed, 0 denied, 0 could not be told", " ".repeat(20)));
        (0..149).for_each(|_| progress.add(Outcome::Allowed));
        progress.add(Outcome::Denied);
        let half = format!("[{}{}] 150 of 300: 149 allowed, 1 denied", "=".repeat(10), " ".repeat(10));
        assert!(progress.bar().starts_with(&half), "{}", progress.bar());
        (0..150).for_each(|_| progress.add(Outcome::Unknown));
        assert!(progress.bar().starts_with(&format!("[{}] 300 of 300", "=".repeat(20))));
        assert!(progress.bar().len() < 80, "{}", progress.bar());
    }
}
