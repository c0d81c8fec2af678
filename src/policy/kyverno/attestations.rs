//! Attestations that an image must have.

use super::attestors::Attestors;
use super::authorities::Signers;
use super::conditions;
use super::element::{Element, Place};
use super::requirement::Attestation;

/// An attestation whose signers may still have to be found.
pub(super) struct Asked {
    pub(super) predicate_type: String,
    pub(super) by: Option<Signers>,
    pub(super) conditions: Vec<String>,
    /// Where it stands, to say who signs it in the end.
    pub(super) place: Place,
}

impl Asked {
    /// The attestation, if `by` must have made it.
    pub(super) fn by(self, by: Signers) -> Attestation {
        Attestation { by, predicate_type: self.predicate_type, conditions: self.conditions }
    }
}

/// Translates the list: every one must be there.
pub(super) fn translate(list: &Element<'_>, attestors: &mut Attestors<'_>) -> Option<Vec<Asked>> {
    attestors.attest = true;
    let asked: Vec<_> = list.items()?.iter().map(|item| one(item, attestors)).collect();
    attestors.attest = false;
    asked.into_iter().collect()
}

fn one(item: &Element<'_>, attestors: &mut Attestors<'_>) -> Option<Asked> {
    let fields = item.fields()?;
    fields.not_needed(&[("name", "it names what other rules could refer to")]);
    let (predicate, older) = (fields.take("type"), fields.take("predicateType"));
    let (sets, conditions) = (fields.take("attestors"), fields.take("conditions"));
    fields.finish();
    let Some(predicate) = predicate.or(older) else { return item.refuse("`type` is missing") };
    let sets = sets.filter(|sets| sets.items().is_none_or(|items| !items.is_empty()));
    let by = sets.map(|sets| attestors.sets(&sets));
    let conditions = conditions.map_or(Some(Vec::new()), |conditions| conditions::translate(&conditions));
    let text = predicate.text()?;
    if url::Url::parse(text).is_err() {
        return predicate.refuse(format!("`{text}` is not a URI"));
    }
    predicate.exact(format!("type {text}, exactly"));
    let by = match by {
        Some(by) => Some(by?),
        None => None,
    };
    Some(Asked { predicate_type: text.into(), by, conditions: conditions?, place: item.place() })
}
