//! Kyverno's `ClusterPolicy` with `verifyImages`, as a policy of ours and a report.
//!
//! Each item of `verifyImages` becomes a policy: all that match hold, as there. Nothing becomes weaker unsaid, and nothing is
//! dropped: an element says the same here, or differs by name, or cannot be translated, and then the item that it is part of
//! is left out as a whole. What Kyverno does was read in its source (`pkg/engine`, `pkg/image/verifiers/cpol`).

use crate::yaml::FileErrors;
use cluster_policy::Gathered;
use element::Notes;
use item::Item;

mod attestations;

mod attestors;

mod authorities;

mod cluster_policy;

mod conditions;

mod documents;

mod element;

mod emit;

mod extensions;

mod item;

mod keyless;

mod keys;

mod node;

mod references;

mod regexp;

mod remarks;

mod report;

mod requirement;

mod resources;

mod scalar;

mod signers;

#[cfg(test)]
mod tests;

mod trust;

mod wildcard;

pub use report::{Class, Finding, Report};

/// A file to import, and what it is called.
#[derive(Debug, Clone)]
pub struct Source {
    /// Its path, for people.
    pub name: String,
    /// Its content.
    pub text: String,
}

/// What became of the files.
#[derive(Debug)]
pub struct Imported {
    /// The policy, in our language; nothing if nothing could be translated.
    pub policy: Option<String>,
    /// What became of each element.
    pub report: Report,
}

/// An item of `verifyImages`, translated as far as it says by itself.
struct Made {
    name: String,
    from: String,
    enforce: bool,
    item: Item,
}

/// Translates files; an error if one is no YAML.
pub fn import(sources: &[Source]) -> Result<Imported, FileErrors> {
    let notes = Notes::default();
    let mut gathered = Gathered::default();
    let mut errors = Vec::new();
    for source in sources {
        match node::documents(&source.name, &source.text) {
            Ok(documents) => {
                for node in &documents {
                    documents::translate(node, &source.name, &notes, &mut gathered);
                }
            }
            Err(more) => errors.extend(more),
        }
    }
    FileErrors::of(errors)?;
    let Gathered { authorities, made, mut left_out } = gathered;
    let policies = signers::complete(made, &notes, &mut left_out);
    remarks::add(&policies, &notes);
    let mut findings = notes.into_findings();
    let order = |file: &str| sources.iter().position(|source| source.name == file).unwrap_or(sources.len());
    findings.sort_by_key(|finding| (order(&finding.file), finding.line));
    let names = policies.iter().map(|policy| policy.name.clone()).collect();
    let report = Report { policies: names, left_out, findings };
    let policy = (!policies.is_empty()).then(|| emit::write(&policies, &authorities, &report));
    Ok(Imported { policy, report })
}
