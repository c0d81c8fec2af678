//! What is told of a run, in plain data that serializes.
//!
//! ```text
//! passed, failed   how many cases
//! files            each: `file`, `policy`, and `cases`: `name`, `place` (file:line:column), `passed`, `expected`, `got`, and
//!                  `differences`: `what`, `expected`, `got`
//! ```

use std::io;

use serde::Serialize;

use crate::rehearsal::{Answer, Difference, Expectation, Suite};

/// Everything that a run came to.
#[derive(Debug, Serialize)]
pub(super) struct Report<'a> {
    pub(super) passed: usize,
    pub(super) failed: usize,
    pub(super) files: Vec<FileReport<'a>>,
}

/// The cases of one file.
#[derive(Debug, Serialize)]
pub(super) struct FileReport<'a> {
    pub(super) file: &'a str,
    pub(super) policy: &'a str,
    pub(super) cases: Vec<CaseReport<'a>>,
}

/// One case.
#[derive(Debug, Serialize)]
pub(super) struct CaseReport<'a> {
    pub(super) name: &'a str,
    pub(super) place: &'a str,
    pub(super) passed: bool,
    pub(super) expected: &'a Expectation,
    pub(super) got: Answer,
    pub(super) differences: Vec<Difference>,
}

impl<'a> Report<'a> {
    /// Runs `suites`.
    ///
    /// # Errors
    /// As [`Suite::run`].
    pub(super) fn of(suites: &'a [Suite]) -> io::Result<Self> {
        let mut report = Self { passed: 0, failed: 0, files: Vec::new() };
        for suite in suites {
            let mut cases = Vec::new();
            for outcome in suite.run()? {
                let passed = outcome.passed();
                *(if passed { &mut report.passed } else { &mut report.failed }) += 1;
                cases.push(CaseReport {
                    name: &outcome.case.name,
                    place: &outcome.case.place,
                    passed,
                    expected: &outcome.case.expect,
                    got: outcome.answer,
                    differences: outcome.differences,
                });
            }
            report.files.push(FileReport { file: &suite.name, policy: &suite.policy, cases });
        }
        Ok(report)
    }

    /// Writes it as one JSON document on one line.
    ///
    /// # Errors
    /// If it cannot be written.
    pub(super) fn write(&self, out: &mut dyn io::Write) -> io::Result<()> {
        writeln!(out, "{}", serde_json::to_string(self)?)
    }
}
