//! `Authenticated`: proof that a stored record was written by a holder of the store's key, for this very place. A leaf
//! file, so that nothing else can make one.

use aws_lc_rs::hmac;
use aws_lc_rs::rand::SystemRandom;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::clock::Timestamp;
use crate::decide::Verdict;
use crate::evidence::EvidenceRecord;
use crate::outcome::{Basis, Denial, Key, Outcome};
use crate::store::Place;

/// A value whose MAC was checked, bound to the place where it was read. Only [`Seal::open`] makes one.
#[derive(Debug)]
pub struct Authenticated<T>(T);

impl<T> Authenticated<T> {
    /// The value.
    pub fn get(&self) -> &T {
        &self.0
    }
}

/// The keys that records are sealed with (HMAC-SHA-256): the newest seals, all of them open.
pub struct Seal {
    newest: hmac::Key,
    older: Vec<hmac::Key>,
}

impl Seal {
    /// Seals with `newest`, and opens what it or one of the `older` keys sealed.
    pub fn new(newest: &[u8], older: &[&[u8]]) -> Self {
        let key = |bytes: &[u8]| hmac::Key::new(hmac::HMAC_SHA256, bytes);
        Self { newest: key(newest), older: older.iter().map(|older| key(older)).collect() }
    }

    /// A key that lives as long as this process.
    ///
    /// # Errors
    /// If the system has no randomness to give.
    pub fn random() -> Result<Self, aws_lc_rs::error::Unspecified> {
        let newest = hmac::Key::generate(hmac::HMAC_SHA256, &SystemRandom::new())?;
        Ok(Self { newest, older: Vec::new() })
    }

    /// Seals `record` for `place`; elsewhere it will not open.
    pub fn close<T: Serialize>(&self, place: &Place, record: &T) -> Result<Vec<u8>, serde_json::Error> {
        Ok(self.close_bytes(place, &serde_json::to_vec(record)?))
    }

    /// Opens what [`Seal::close`] made for `place`. Anything else is nothing.
    pub fn open<T: DeserializeOwned>(&self, place: &Place, sealed: &[u8]) -> Option<Authenticated<T>> {
        serde_json::from_slice(self.opened(place, sealed)?).ok().map(Authenticated)
    }

    /// Seals `body` for `place`, as it is.
    pub fn close_bytes(&self, place: &Place, body: &[u8]) -> Vec<u8> {
        [&self.stamp(place, body), body].concat()
    }

    /// Opens what [`Seal::close_bytes`] made for `place`. Anything else is nothing.
    pub fn open_bytes(&self, place: &Place, sealed: &[u8]) -> Option<Authenticated<Vec<u8>>> {
        self.opened(place, sealed).map(|body| Authenticated(body.to_vec()))
    }

    /// Opens the reading of evidence that was sealed for `place`.
    ///
    /// # Errors
    /// Why it is not believed: its `seal`, or its `form`.
    pub fn open_evidence(&self, place: &Place, sealed: &[u8]) -> Result<Authenticated<EvidenceRecord>, &'static str> {
        let body = self.opened(place, sealed).ok_or("seal")?;
        EvidenceRecord::from_bytes(body).map(Authenticated).ok_or("form")
    }

    /// The seal of `body` at `place`, to be kept beside it.
    pub fn stamp(&self, place: &Place, body: &[u8]) -> [u8; TAG] {
        let mut tag = [0; TAG];
        tag.copy_from_slice(hmac::sign(&self.newest, &message(place, body)).as_ref());
        tag
    }

    /// Whether `tag` is what [`Seal::stamp`] gave for `body` at `place`.
    pub fn vouches(&self, place: &Place, body: &[u8], tag: &[u8]) -> bool {
        let message = message(place, body);
        std::iter::once(&self.newest).chain(&self.older).any(|key| hmac::verify(key, &message, tag).is_ok())
    }

    fn opened<'s>(&self, place: &Place, sealed: &'s [u8]) -> Option<&'s [u8]> {
        let (tag, body) = sealed.split_at_checked(TAG)?;
        self.vouches(place, body, tag).then_some(body)
    }
}

impl std::fmt::Debug for Seal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Seal(…)")
    }
}

/// The place's shelf and its length first, so that no place and body can be taken for another pair.
fn message(place: &Place, body: &[u8]) -> Vec<u8> {
    let length = (place.name.len() as u64).to_be_bytes();
    [place.shelf.label().as_bytes(), b"\0", &length, &place.name, body].concat()
}

const TAG: usize = 32;

/// A verdict as it is stored: everything that it depends on stands in it.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VerdictRecord {
    pub(crate) key: Key,
    pub(crate) said: Said,
    pub(crate) would_deny: Vec<Denial>,
    pub(crate) decided_at: Timestamp,
    pub(crate) valid_until: Timestamp,
    pub(crate) fresh_until: Timestamp,
}

/// What a stored verdict said.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Said {
    Denied(Denial),
    Evidence,
    Exempt(String),
    Signed,
}

impl VerdictRecord {
    /// The record of `verdict`; nothing for the ones that are made at each use.
    pub fn of(verdict: &Verdict) -> Option<Self> {
        let said = match verdict.outcome() {
            Outcome::Allow(_) if verdict.is_stale() => return None,
            Outcome::Allow(Basis::Signed) => Said::Signed,
            Outcome::Allow(Basis::Evidence) => Said::Evidence,
            Outcome::Allow(Basis::Exempt(reason)) => Said::Exempt(reason.to_string()),
            Outcome::Allow(Basis::Audited(_) | Basis::Member { .. }) => return None,
            Outcome::Deny(denial) => Said::Denied(denial.clone()),
        };
        Some(Self {
            key: Key::clone(verdict.key()),
            said,
            would_deny: verdict.would_deny().to_vec(),
            decided_at: verdict.decided_at(),
            valid_until: verdict.valid_until(),
            fresh_until: verdict.fresh_until(),
        })
    }

    /// What the verdict said.
    pub(crate) fn outcome(&self) -> Outcome {
        match &self.said {
            Said::Denied(denial) => Outcome::Deny(denial.clone()),
            Said::Evidence => Outcome::Allow(Basis::Evidence),
            Said::Exempt(reason) => Outcome::Allow(Basis::Exempt(reason.as_str().into())),
            Said::Signed => Outcome::Allow(Basis::Signed),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Shelf;

    fn place(shelf: Shelf, name: &str) -> Place {
        Place::new(shelf, name)
    }

    #[test]
    fn opens_only_what_was_sealed_for_this_place() {
        let (seal, here) = (Seal::random().expect("randomness"), place(Shelf::Verdicts, "place"));
        let sealed = seal.close(&here, &"value").expect("a string serialises");
        assert_eq!(seal.open::<String>(&here, &sealed).expect("ours").get(), "value");
        assert!(seal.open::<String>(&place(Shelf::Verdicts, "elsewhere"), &sealed).is_none());
        assert!(seal.open::<String>(&place(Shelf::Members, "place"), &sealed).is_none());
        assert!(Seal::random().expect("randomness").open::<String>(&here, &sealed).is_none());
        for at in 0..sealed.len() {
            let mut altered = sealed.clone();
            altered[at] ^= 1;
            assert!(seal.open::<String>(&here, &altered).is_none(), "byte {at}");
            assert!(seal.open::<String>(&here, &sealed[..at]).is_none(), "cut at {at}");
        }
    }

    #[test]
    fn a_key_that_was_replaced_opens_until_it_is_taken_away_and_seals_no_more() {
        let here = place(Shelf::Verdicts, "place");
        let (old, both, new) = (Seal::new(&[1; 32], &[]), Seal::new(&[2; 32], &[&[1; 32]]), Seal::new(&[2; 32], &[]));
        let (by_old, by_both) = (old.close_bytes(&here, b"value"), both.close_bytes(&here, b"value"));
        assert!(both.open_bytes(&here, &by_old).is_some() && both.open_bytes(&here, &by_both).is_some());
        assert!(new.open_bytes(&here, &by_old).is_none() && new.open_bytes(&here, &by_both).is_some());
        assert!(old.open_bytes(&here, &by_both).is_none());
    }
}
