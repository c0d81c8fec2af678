//! What is different for all policies together.

use super::element::Notes;
use super::report::Class;
use super::requirement::{Policy, Requirement};

/// Notes it.
pub(super) fn add(policies: &[Policy], notes: &Notes) {
    if policies.is_empty() {
        return;
    }
    notes.note_of_all(
        Class::Stricter,
        "default: deny. What no policy matches is denied here, and admitted by Kyverno; `default: audit` serves and logs it",
    );
    notes.note_of_all(
        Class::Different,
        "every pull is judged, whoever pulls and for whatever; Kyverno judges what is created in a cluster, and not its own \
         and the system's namespaces",
    );
    let attestations = policies.iter().flat_map(|policy| &policy.require).filter_map(|requirement| match requirement {
        Requirement::Attestation(attestation) => Some(attestation),
        Requirement::Signature(_) => None,
    });
    let attestations: Vec<_> = attestations.collect();
    if !attestations.is_empty() {
        notes.note_of_all(
            Class::Different,
            "an attestation by somebody else is no evidence, and vetoes nothing; Kyverno refuses an image that has one of the \
             type",
        );
    }
    if attestations.iter().any(|attestation| !attestation.conditions.is_empty()) {
        notes.note_of_all(
            Class::Different,
            "conditions take a predicate to be in the shape of its type: a list is a list. What is null, or is not what a \
             condition compares, denies; and `*` and `?` in the predicate's own texts are plain characters, while Kyverno \
             takes them for wildcards too",
        );
    }
    if policies.iter().any(|policy| policy.format == "legacy") {
        notes.note_of_all(
            Class::Suggestion,
            "cosign 3 writes bundles, which `type: Cosign` does not find: with `formats: [ bundle, legacy ]` both count",
        );
    }
}
