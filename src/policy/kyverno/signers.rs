//! Who must have made an attestation for which Kyverno names nobody.
//!
//! Without attestors, Kyverno takes an attestation by anybody who has a certificate of the public Sigstore, which is
//! everybody. Here it must be by those who must sign the image: as the same item demands, or other policies for all of its
//! images.

use super::attestations::Asked;
use super::authorities::Signers;
use super::element::Notes;
use super::report::Class;
use super::requirement::{Policy, Requirement};
use super::wildcard::covers;
use super::{Made, item::Item};

/// Completes the policies; what remains without signers is left out.
pub(super) fn complete(made: Vec<Made>, notes: &Notes, left_out: &mut Vec<String>) -> Vec<Policy> {
    let others: Vec<Other> = made.iter().filter_map(Other::of).collect();
    let finished = made.into_iter().filter_map(|made| {
        let name = made.name.clone();
        let policy = finish(made, &others, notes);
        if policy.is_none() {
            left_out.push(name);
        }
        policy
    });
    finished.collect()
}

/// A policy that says who must sign its images.
struct Other {
    name: String,
    matches: Vec<String>,
    except: Vec<String>,
    signers: Signers,
}

impl Other {
    fn of(made: &Made) -> Option<Self> {
        let Item { matches, except, signed, .. } = &made.item;
        let (name, signers) = (made.name.clone(), signed.clone()?);
        made.enforce.then(|| Self { name, matches: matches.clone(), except: except.clone(), signers })
    }

    /// Whether it governs whatever `item` governs.
    fn governs(&self, item: &Item) -> bool {
        let within = |scope: &String| self.matches.iter().any(|wide| covers(wide, scope));
        let left_out = |scope: &String| item.except.iter().any(|wide| covers(wide, scope));
        item.matches.iter().all(within) && self.except.iter().all(left_out)
    }
}

fn finish(made: Made, others: &[Other], notes: &Notes) -> Option<Policy> {
    let Made { name, from, enforce, mut item } = made;
    let asked = std::mem::take(&mut item.attested);
    let attested: Vec<_> = asked.into_iter().map(|asked| signed(asked, &name, &item, others, notes)).collect();
    let attested: Vec<Requirement> = attested.into_iter().collect::<Option<_>>()?;
    let require = item.signed.into_iter().map(Requirement::Signature).chain(attested).collect();
    let Item { matches, except, format, evidence, .. } = item;
    Some(Policy { name, from, matches, except, enforce, require, format, evidence })
}

fn signed(mut asked: Asked, name: &str, item: &Item, others: &[Other], notes: &Notes) -> Option<Requirement> {
    if let Some(by) = asked.by.take() {
        return Some(Requirement::Attestation(asked.by(by)));
    }
    let own = item.signed.as_ref().map(|signers| (signers.attesting(), vec![name.to_string()]));
    let Some((by, names)) = own.or_else(|| of_others(item, others)) else {
        notes.note(Class::NotTranslatable, &asked.place, NOBODY.into());
        return None;
    };
    let names = names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
    notes.note(
        Class::Stricter,
        &asked.place,
        format!("{ANYBODY} Here it must be by whoever must sign the image ({names})"),
    );
    Some(Requirement::Attestation(asked.by(by)))
}

fn of_others(item: &Item, others: &[Other]) -> Option<(Signers, Vec<String>)> {
    let governing: Vec<&Other> = others.iter().filter(|other| other.governs(item)).collect();
    let names = governing.iter().map(|other| other.name.clone()).collect();
    let mut distinct: Vec<Signers> = Vec::new();
    for other in governing {
        let signers = other.signers.attesting();
        if !distinct.contains(&signers) {
            distinct.push(signers);
        }
    }
    Signers::of(distinct, Signers::Any).map(|signers| (signers, names))
}

const ANYBODY: &str = "it has no `attestors`, and Kyverno takes an attestation by anybody with a certificate of the public \
                       Sigstore.";

const NOBODY: &str = "it has no `attestors`, and Kyverno takes an attestation by anybody with a certificate of the public \
                      Sigstore. Here somebody must have made it: add `attestors`, or import it together with an enforced \
                      policy that says who signs all of these images";
