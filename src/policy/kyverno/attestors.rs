//! Attestors: sets of entries with counts, nested, as a tree of authorities.

use std::collections::BTreeMap;

use super::authorities::{Authorities, Authority, Id, Signer, Signers};
use super::element::{Element, Fields};
use super::node::Value;
use super::{keyless, keys};

/// What attestors are translated for, and what they add to.
pub(super) struct Attestors<'c> {
    pub(super) authorities: &'c mut Authorities,
    /// The Kyverno policy, by which a trusted root is named that has no better name.
    pub(super) policy: &'c str,
    /// Whether the evidence is bundles, for which Kyverno reads some fields in another way.
    pub(super) bundles: bool,
    /// Whether they attest, and do not sign.
    pub(super) attest: bool,
    /// The repositories of evidence that entries name.
    pub(super) repositories: Vec<String>,
}

impl Attestors<'_> {
    /// All sets of a list: every one must hold.
    pub(super) fn sets(&mut self, list: &Element<'_>) -> Option<Signers> {
        let items = list.items()?;
        if items.is_empty() {
            return list.refuse("it is empty");
        }
        let sets: Vec<_> = items.iter().map(|set| self.set(set)).collect();
        Signers::of(sets.into_iter().collect::<Option<_>>()?, Signers::All)
    }

    fn set(&mut self, set: &Element<'_>) -> Option<Signers> {
        let fields = set.fields()?;
        let (count, entries) = (fields.take("count"), fields.take("entries"));
        fields.finish();
        let Some(entries) = entries else { return set.refuse("it has no `entries`") };
        let items = entries.items()?;
        let translated: Vec<_> = items.iter().map(|entry| self.entry(entry)).collect();
        let of: Vec<Signers> = translated.into_iter().collect::<Option<Vec<_>>>()?.concat();
        if of.is_empty() {
            return entries.refuse("it is empty");
        }
        counted(count.as_ref(), items.len(), of)
    }

    /// One entry, which is several if it has several keys.
    fn entry(&mut self, entry: &Element<'_>) -> Option<Vec<Signers>> {
        let fields = entry.fields()?;
        fields.refused(&[("certificates", CERTIFICATES)]);
        let annotations = fields.take("annotations");
        let given = (fields.take("keys"), fields.take("keyless"), fields.take("attestor"));
        let algorithm = fields.take("signatureAlgorithm");
        if let Some(repository) = fields.take("repository") {
            self.repositories.push(repository.text()?.to_string());
        }
        fields.finish();
        if let Some(algorithm) = &algorithm {
            keys::algorithm(algorithm)?;
        }
        let annotations = match annotations {
            Some(annotations) => self.annotations(&annotations, given.2.is_some()),
            None => Some(BTreeMap::new()),
        };
        let signers = |ids: Vec<Id>| {
            let annotations = annotations?;
            Some(ids.into_iter().map(|id| Signers::By(Signer { id, annotations: annotations.clone() })).collect())
        };
        match given {
            (Some(keys), None, None) => keys::translate(&keys, self).and_then(signers),
            (None, Some(keyless), None) => keyless::translate(&keyless, self).and_then(|id| signers(vec![id])),
            (None, None, Some(nested)) => {
                if self.attest {
                    nested.stricter(
                        "its attestors must have made the attestation; Kyverno overlooks a nested attestor here, and takes \
                         anybody's",
                    );
                }
                Some(vec![self.set(&nested)?])
            }
            (None, None, None) => nothing(entry, &fields),
            _ => entry.refuse("`keys`, `keyless`, `certificates` and `attestor` exclude each other"),
        }
    }

    /// The annotations that a signature must have.
    fn annotations(&self, element: &Element<'_>, nested: bool) -> Option<BTreeMap<String, String>> {
        if self.attest {
            return element.refuse("attestations have no annotations: let them be a field of the predicate");
        }
        if nested {
            return element
                .refuse("beside a nested attestor Kyverno overlooks them: write them where it names who signs");
        }
        let fields = element.fields()?;
        let read: Vec<_> =
            fields.all().map(|(key, value)| Some((key.to_string(), value.text()?.to_string()))).collect();
        let annotations: BTreeMap<String, String> = read.into_iter().collect::<Option<_>>()?;
        if !annotations.is_empty() {
            element.stricter(if self.bundles {
                "annotations of the signature, signed with it; of bundles, Kyverno looks at none"
            } else {
                "annotations of the signature, signed with it; Kyverno takes those of any signature that verifies"
            });
        }
        Some(annotations)
    }

    pub(super) fn add(&mut self, authority: Authority) -> Id {
        self.authorities.add(authority)
    }
}

/// As many of them as `count` says: all where it says nothing.
fn counted(count: Option<&Element<'_>>, entries: usize, of: Vec<Signers>) -> Option<Signers> {
    let Some(count) = count else { return Signers::of(of, Signers::All) };
    let number = match count.value {
        Value::Number(number) => (0..=entries).find(|n| n.to_string() == number.to_string()),
        _ => None,
    };
    let Some(number) = number else { return count.refuse(format!("expected a number from 0 to {entries}")) };
    let all = of.len();
    if all == 1 {
        count.exact("the one that there is");
        Signers::of(of, Signers::All)
    } else if number == 0 || number == all {
        count.exact("allOf");
        Signers::of(of, Signers::All)
    } else if number == 1 {
        count.exact("anyOf");
        Signers::of(of, Signers::Any)
    } else {
        count.stricter(format!(
            "atLeast {number} of {all}, by as many distinct keys or identities; Kyverno counts entries, though one \
             signer may satisfy several"
        ));
        Some(Signers::AtLeast(number, of))
    }
}

fn nothing<T>(entry: &Element<'_>, fields: &Fields<'_>) -> Option<T> {
    if fields.take("certificates").is_some() {
        return None;
    }
    entry.refuse("one of `keys`, `keyless` and `attestor` is needed: without one, anybody may have signed")
}

const CERTIFICATES: &str = "a pinned certificate is no authority here; take its public key (`openssl x509 -pubkey -noout -in \
                            cert.pem`) as `keys`, or name its identity as `keyless` with its chain in a trusted root";
