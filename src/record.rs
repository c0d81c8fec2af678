//! `Authenticated`: proof that a stored record was written by a holder of the store's key, for this very place. A leaf
//! file, so that nothing else can make one.

use aws_lc_rs::hmac;
use aws_lc_rs::rand::SystemRandom;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::clock::Timestamp;
use crate::decide::Verdict;
use crate::outcome::{Basis, Denial, Key, Outcome};

/// A value whose MAC was checked, bound to the place where it was read. Only [`Seal::open`] makes one.
#[derive(Debug)]
pub struct Authenticated<T>(T);

impl<T> Authenticated<T> {
    /// The value.
    pub fn get(&self) -> &T {
        &self.0
    }
}

/// The key that records are sealed with (HMAC-SHA-256).
pub struct Seal(hmac::Key);

impl Seal {
    /// A key that lives as long as this process.
    ///
    /// # Errors
    /// If the system has no randomness to give.
    pub fn random() -> Result<Self, aws_lc_rs::error::Unspecified> {
        hmac::Key::generate(hmac::HMAC_SHA256, &SystemRandom::new()).map(Self)
    }

    /// Seals `record` for `place`; elsewhere it will not open.
    pub fn close<T: Serialize>(&self, place: &[u8], record: &T) -> Result<Vec<u8>, serde_json::Error> {
        let body = serde_json::to_vec(record)?;
        let mut sealed = self.tag(place, &body).as_ref().to_vec();
        sealed.extend_from_slice(&body);
        Ok(sealed)
    }

    /// Opens what [`Seal::close`] made for `place`. Anything else is nothing.
    pub fn open<T: DeserializeOwned>(&self, place: &[u8], sealed: &[u8]) -> Option<Authenticated<T>> {
        let (tag, body) = sealed.split_at_checked(TAG)?;
        hmac::verify(&self.0, &message(place, body), tag).ok()?;
        serde_json::from_slice(body).ok().map(Authenticated)
    }

    fn tag(&self, place: &[u8], body: &[u8]) -> hmac::Tag {
        hmac::sign(&self.0, &message(place, body))
    }
}

impl std::fmt::Debug for Seal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Seal(…)")
    }
}

/// The place's length first, so that no place and body can be taken for another pair.
fn message(place: &[u8], body: &[u8]) -> Vec<u8> {
    [&(place.len() as u64).to_be_bytes(), place, body].concat()
}

const TAG: usize = 32;

/// A verdict as it is stored: everything that it depends on stands in it.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VerdictRecord {
    pub(crate) key: Key,
    pub(crate) said: Said,
    pub(crate) would_deny: Vec<Denial>,
    pub(crate) issued: Timestamp,
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
            Outcome::Allow(Basis::Signed) => Said::Signed,
            Outcome::Allow(Basis::Evidence) => Said::Evidence,
            Outcome::Allow(Basis::Exempt(reason)) => Said::Exempt(reason.to_string()),
            Outcome::Allow(_) if verdict.is_stale() => return None,
            Outcome::Allow(Basis::Audited(_) | Basis::Member { .. }) => return None,
            Outcome::Deny(denial) => Said::Denied(denial.clone()),
        };
        Some(Self {
            key: Key::clone(verdict.key()),
            said,
            would_deny: verdict.would_deny().to_vec(),
            issued: verdict.issued(),
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

    #[test]
    fn opens_only_what_was_sealed_for_this_place() {
        let seal = Seal::random().expect("randomness");
        let sealed = seal.close(b"place", &"value").expect("a string serialises");
        assert_eq!(seal.open::<String>(b"place", &sealed).expect("ours").get(), "value");
        assert!(seal.open::<String>(b"elsewhere", &sealed).is_none());
        assert!(Seal::random().expect("randomness").open::<String>(b"place", &sealed).is_none());
        for at in 0..sealed.len() {
            let mut altered = sealed.clone();
            altered[at] ^= 1;
            assert!(seal.open::<String>(b"place", &altered).is_none(), "byte {at}");
            assert!(seal.open::<String>(b"place", &sealed[..at]).is_none(), "cut at {at}");
        }
    }
}
