//! What became of each element of a Kyverno policy.

use std::fmt;

use serde::Serialize;

/// Every element that was met, and what became of it.
#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    /// The policies of ours that were made, in the order of the files.
    pub policies: Vec<String>,
    /// The images that a policy left out was about are not checked for what it demanded.
    pub left_out: Vec<String>,
    /// Element by element.
    pub findings: Vec<Finding>,
}

/// One element, and what became of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// How it was translated.
    pub class: Class,
    /// The file.
    pub file: String,
    /// Its line, from 1; 0 if it is about the import as a whole.
    pub line: u64,
    /// Its column, from 1.
    pub column: u64,
    /// The Kubernetes object that it is part of, such as `ClusterPolicy require-sbom`.
    pub object: String,
    /// The way to it within the object.
    pub element: String,
    /// What it became, or why not, or what is different.
    pub text: String,
}

/// How an element was translated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Class {
    /// It says the same here.
    Exact,
    /// It has no meaning for a pull, or is always so here.
    NotNeeded,
    /// Here it admits less.
    Stricter,
    /// Here it is different, in a way that is neither less nor more.
    Different,
    /// It cannot be said here: what it is part of is left out.
    NotTranslatable,
    /// What would make the policy better.
    Suggestion,
}

impl Class {
    const fn mark(self) -> char {
        match self {
            Self::Exact => '=',
            Self::NotNeeded => '-',
            Self::Stricter => '<',
            Self::Different => '~',
            Self::NotTranslatable => '✘',
            Self::Suggestion => '?',
        }
    }

    const fn prefix(self) -> &'static str {
        match self {
            Self::Exact => "",
            Self::NotNeeded => "not needed: ",
            Self::Stricter => "stricter: ",
            Self::Different => "different: ",
            Self::NotTranslatable => "not translatable: ",
            Self::Suggestion => "suggestion: ",
        }
    }
}

impl Report {
    /// Whether everything that the policies demand is demanded here.
    pub fn is_complete(&self) -> bool {
        self.count(Class::NotTranslatable) == 0
    }

    /// How many elements became `class`.
    pub fn count(&self, class: Class) -> usize {
        self.findings.iter().filter(|finding| finding.class == class).count()
    }
}

/// The last steps of the way to an element: its line says the rest.
fn tail(element: &str) -> &str {
    let from = element.rmatch_indices('.').nth(STEPS - 1).map_or(0, |(at, _)| at + 1);
    &element[from..]
}

/// How many steps are shown.
const STEPS: usize = 3;

impl fmt::Display for Report {
    /// The findings by object, then what holds for all of them, then the sum.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut heading = None;
        for finding in &self.findings {
            let here = (&finding.file, &finding.object);
            if heading.replace(here) != Some(here) {
                match (finding.file.as_str(), finding.object.as_str()) {
                    ("", _) => writeln!(f, "All of it")?,
                    (file, object) => writeln!(f, "{object} ({file})")?,
                }
            }
            let Finding { class, line, element, text, .. } = finding;
            let place = if *line == 0 { String::new() } else { format!("{line:>4}  ") };
            let element = if element.is_empty() { String::new() } else { format!("{}: ", tail(element)) };
            writeln!(f, "  {} {place}{element}{}{text}", class.mark(), class.prefix())?;
        }
        let list = |names: &[String]| if names.is_empty() { "none".into() } else { names.join(", ") };
        writeln!(f, "Policies: {}", list(&self.policies))?;
        if !self.left_out.is_empty() {
            writeln!(f, "LEFT OUT, so that nobody checks for it: {}", list(&self.left_out))?;
        }
        let [exact, stricter, different, not] =
            [Class::Exact, Class::Stricter, Class::Different, Class::NotTranslatable].map(|class| self.count(class));
        writeln!(f, "{exact} exact, {stricter} stricter, {different} different, {not} not translatable")
    }
}
