//! A whole Sigstore in memory: a certificate authority that issues as Fulcio does, a certificate transparency log, both
//! versions of Rekor, a time stamp authority, and those who sign with them.
//!
//! The demo signs with it, and so do the tests. They need it to be wrong in every way that an attacker could make it,
//! so everything is a plain value that can be changed before the next step is taken: a [`Recipe`] before it is signed,
//! the [`Pieces`] before they are put together, the bundle and the trusted root as JSON. It knows no clock: whoever
//! asks says what time it is.
//!
//! ```
//! use countersign::demo::sigstore::{Content, Identity, Sigstore};
//! # fn main() -> std::io::Result<()> {
//! let sigstore = Sigstore::new()?;
//! let mut recipe = sigstore.keyless(&Identity::gitlab("myorg/app"), 1_784_894_400)?;
//! recipe.integrated_at += 3600; // long after the certificate has ended
//! let mut pieces = recipe.sign(Content::document(&serde_json::json!({})))?;
//! pieces.entries[0].promise = None;
//! let (bundle, trusted_root) = (pieces.bundle(), sigstore.trusted_root());
//! # assert!(bundle["verificationMaterial"]["tlogEntries"][0]["inclusionProof"].is_object());
//! # assert_eq!(trusted_root["tlogs"].as_array().map(Vec::len), Some(2));
//! # Ok(())
//! # }
//! ```

use std::io;

use ::base64::Engine;
use ::base64::engine::general_purpose::STANDARD;

pub mod authority;

pub mod body;

pub mod certificate;

pub mod checkpoint;

pub mod ct;

pub mod der;

pub mod identity;

pub mod key;

pub mod log;

pub mod merkle;

pub mod pieces;

pub mod recipe;

pub mod trusted_root;

pub mod tsa;

pub use authority::Authority;
pub use body::Kind;
pub use certificate::{Extension, Template};
pub use ct::CtLog;
pub use identity::{Identity, San};
pub use key::Key;
pub use log::{Entry, Log};
pub use pieces::{Content, Pieces};
pub use recipe::{Issuance, Recipe};
pub use tsa::Tsa;

/// The services of one Sigstore. Two of them have the same names and share no key.
#[derive(Debug, Clone)]
pub struct Sigstore {
    /// Issues certificates.
    pub authority: Authority,
    /// Logs them.
    pub ct: CtLog,
    /// Logs signatures and says when.
    pub rekor: Log,
    /// Logs signatures.
    pub rekor_v2: Log,
    /// Says when something was signed.
    pub tsa: Tsa,
}

impl Sigstore {
    /// Makes one.
    ///
    /// # Errors
    /// If the system has no randomness to give.
    pub fn new() -> io::Result<Self> {
        Ok(Self {
            authority: Authority::fulcio()?,
            ct: CtLog::new()?,
            rekor: Log::v1()?,
            rekor_v2: Log::v2()?,
            tsa: Tsa::new()?,
        })
    }

    /// How `identity` signs at `now` (seconds since 1970) without a key of its own, with Rekor v1 and no time stamp.
    ///
    /// # Errors
    /// If its key for once cannot be made.
    pub fn keyless(&self, identity: &Identity, now: i64) -> io::Result<Recipe> {
        let issuance = Issuance {
            authority: self.authority.clone(),
            template: Template::of(identity, now),
            scts: vec![self.ct.sct(now)],
        };
        Ok(Recipe { certificate: Some(issuance), ..self.keyed(&Key::p256()?, now) })
    }

    /// How `key` signs at `now`, with Rekor v1 and no time stamp.
    pub fn keyed(&self, key: &Key, now: i64) -> Recipe {
        Recipe {
            key: key.clone(),
            certificate: None,
            logs: vec![self.rekor.clone()],
            kind: None,
            integrated_at: now + 1,
            tsas: Vec::new(),
            stamped_at: now + 1,
            stamps_layer: false,
        }
    }

    /// `recipe` with a time stamp as well.
    #[must_use]
    pub fn stamped(&self, recipe: Recipe) -> Recipe {
        Recipe { tsas: vec![self.tsa.clone()], ..recipe }
    }

    /// `recipe` with Rekor v2 and the time stamp that it needs.
    #[must_use]
    pub fn with_rekor_v2(&self, recipe: Recipe) -> Recipe {
        Recipe { logs: vec![self.rekor_v2.clone()], ..self.stamped(recipe) }
    }
}

fn base64(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}"))
}

#[cfg(test)]
mod tests;
