//! How a signature is made: by whom, in which logs, with which time stamps. Every field may be changed before signing.

use std::io;

use super::authority::Authority;
use super::body::Kind;
use super::certificate::Template;
use super::ct::Sct;
use super::key::Key;
use super::log::Log;
use super::pieces::{Content, Pieces};
use super::tsa::Tsa;

/// How a signature is made.
#[derive(Debug, Clone)]
pub struct Recipe {
    /// With which key.
    pub key: Key,
    /// How the key's certificate is made; none for a key that is known by itself.
    pub certificate: Option<Issuance>,
    /// In which logs it is entered.
    pub logs: Vec<Log>,
    /// As which kind of entry, if not as cosign would.
    pub kind: Option<Kind>,
    /// When the logs say it was entered, in seconds since 1970.
    pub integrated_at: i64,
    /// By whom it is stamped.
    pub tsas: Vec<Tsa>,
    /// When, in seconds since 1970.
    pub stamped_at: i64,
    /// Whether the stamp covers the whole layer, as it does in legacy attestations, and not the signature.
    pub stamps_layer: bool,
}

/// How a certificate is made.
#[derive(Debug, Clone)]
pub struct Issuance {
    /// By which authority.
    pub authority: Authority,
    /// What it says.
    pub template: Template,
    /// The promises within it.
    pub scts: Vec<Sct>,
}

impl Recipe {
    /// Lets `change` change what the certificate is to say.
    #[must_use]
    pub fn with_template(mut self, change: impl FnOnce(Template) -> Template) -> Self {
        if let Some(issuance) = &mut self.certificate {
            issuance.template = change(issuance.template.clone());
        }
        self
    }

    /// Signs `content`.
    ///
    /// # Errors
    /// If the system has no randomness to give.
    pub fn sign(&self, content: Content) -> io::Result<Pieces> {
        let signature = self.key.sign(&content.message())?;
        self.vouch(content, signature)
    }

    /// Makes everything that speaks for `signature`, which need not be one.
    ///
    /// # Errors
    /// If the system has no randomness to give.
    pub fn vouch(&self, content: Content, signature: Vec<u8>) -> io::Result<Pieces> {
        let mut pieces = Pieces {
            content,
            signature,
            key: self.key.clone(),
            certificate: None,
            chain: Vec::new(),
            entries: Vec::new(),
            stamps: Vec::new(),
        };
        if let Some(Issuance { authority, template, scts }) = &self.certificate {
            pieces.certificate = Some(authority.issue(template, &self.key, scts)?);
            pieces.chain.clone_from(&authority.chain);
        }
        for log in &self.logs {
            let kind = self.kind.unwrap_or(Kind::natural(log.version, &pieces.content));
            pieces.entries.push(log.enter(kind.words(), kind.body(&pieces), self.integrated_at)?);
        }
        for tsa in &self.tsas {
            let stamped = if self.stamps_layer { pieces.layer() } else { pieces.signature.clone() };
            pieces.stamps.push(tsa.stamp(&stamped, self.stamped_at)?);
        }
        Ok(pieces)
    }
}
