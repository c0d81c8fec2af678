//! A time stamp authority (RFC 3161) and its tokens.

use std::io;

use super::authority::Authority;
use super::certificate::Template;
use super::der;
use super::key::{Key, sha256};

/// A time stamp authority.
#[derive(Debug, Clone)]
pub struct Tsa {
    /// With which it signs.
    pub key: Key,
    /// Its certificates as DER: its own first, the root last.
    pub chain: Vec<Vec<u8>>,
}

/// A time stamp before it is signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    /// The status of the answer: 0 is granted, 2 a refusal.
    pub status: u64,
    /// How what is stamped was hashed.
    pub algorithm: Vec<u64>,
    /// Its hash.
    pub imprint: Vec<u8>,
    /// When, in seconds since 1970.
    pub at: i64,
    /// The certificates that come with it, as DER.
    pub certificates: Vec<Vec<u8>>,
    /// The content's hash in the signed attributes, if it is to be another than its own.
    pub digest: Option<Vec<u8>>,
}

impl Tsa {
    /// Makes one, with a root of its own.
    ///
    /// # Errors
    /// If a key cannot be made.
    pub fn new() -> io::Result<Self> {
        Self::under(&Authority::root("virtual tsa root")?, &Template::stamping())
    }

    /// Makes one whose certificate `root` issues.
    ///
    /// # Errors
    /// If its key cannot be made.
    pub fn under(root: &Authority, template: &Template) -> io::Result<Self> {
        let key = Key::p256()?;
        let mut chain = vec![root.issue(template, &key, &[])?];
        chain.extend(root.chain.iter().cloned());
        Ok(Self { key, chain })
    }

    /// Stamps `bytes` at `at`.
    ///
    /// # Errors
    /// If signing fails.
    pub fn stamp(&self, bytes: &[u8], at: i64) -> io::Result<Vec<u8>> {
        self.sign(&self.token(bytes, at))
    }

    /// What a stamp on `bytes` at `at` is to say.
    pub fn token(&self, bytes: &[u8], at: i64) -> Token {
        let certificates = self.chain.iter().take(1).cloned().collect();
        Token { status: 0, algorithm: SHA_256.to_vec(), imprint: sha256(bytes), at, certificates, digest: None }
    }

    /// Signs a token; the result is a `TimeStampResp` as DER.
    ///
    /// # Errors
    /// If signing fails.
    pub fn sign(&self, token: &Token) -> io::Result<Vec<u8>> {
        let info = token.info();
        let digest = token.digest.clone().unwrap_or_else(|| sha256(&info));
        let own = self.chain.first().map_or(&[][..], Vec::as_slice);
        let attributes = der::set([
            attribute(CONTENT_TYPE, der::oid(TST_INFO)),
            attribute(MESSAGE_DIGEST, der::octets(&digest)),
            // The hash of the signer's certificate, within three lists of one.
            attribute(
                SIGNING_CERTIFICATE_V2,
                der::sequence(&[der::sequence(&[der::sequence(&[der::octets(&sha256(own))])])]),
            ),
        ]);
        let signature = self.key.sign(&attributes)?;
        let signer = der::sequence(&[
            der::integer(1),
            issuer_and_serial(own),
            der::sequence(&[der::oid(SHA_256)]),
            // The attributes are signed as a SET and stand under another tag.
            retagged(0xa0, &attributes),
            der::sequence(&[der::oid(ECDSA_WITH_SHA_256)]),
            der::octets(&signature),
        ]);
        let data = der::sequence(&[
            der::integer(3),
            der::set([der::sequence(&[der::oid(SHA_256)])]),
            der::sequence(&[der::oid(TST_INFO), der::tagged(0, &der::octets(&info))]),
            der::tagged(0, &token.certificates.concat()),
            der::set([signer]),
        ]);
        let content = der::sequence(&[der::oid(SIGNED_DATA), der::tagged(0, &data)]);
        Ok(der::sequence(&[der::sequence(&[der::integer(token.status)]), content]))
    }
}

impl Token {
    fn info(&self) -> Vec<u8> {
        der::sequence(&[
            der::integer(1),
            der::oid(POLICY),
            der::sequence(&[der::sequence(&[der::oid(&self.algorithm)]), der::octets(&self.imprint)]),
            der::integer(7),
            der::generalized_time(self.at),
        ])
    }
}

fn attribute(kind: &[u64], value: Vec<u8>) -> Vec<u8> {
    der::sequence(&[der::oid(kind), der::set([value])])
}

/// `IssuerAndSerialNumber` of a certificate.
fn issuer_and_serial(certificate: &[u8]) -> Vec<u8> {
    let parts = der::children(certificate).first().map(|tbs| der::children(tbs)).unwrap_or_default();
    let part = |index: usize| parts.get(index).map(|part| part.to_vec()).unwrap_or_default();
    // Version, serial number, algorithm, issuer.
    der::sequence(&[part(3), part(1)])
}

fn retagged(tag: u8, value: &[u8]) -> Vec<u8> {
    [&[tag], value.get(1..).unwrap_or_default()].concat()
}

const SIGNED_DATA: &[u64] = &[1, 2, 840, 113_549, 1, 7, 2];
const TST_INFO: &[u64] = &[1, 2, 840, 113_549, 1, 9, 16, 1, 4];
const CONTENT_TYPE: &[u64] = &[1, 2, 840, 113_549, 1, 9, 3];
const MESSAGE_DIGEST: &[u64] = &[1, 2, 840, 113_549, 1, 9, 4];
const SIGNING_CERTIFICATE_V2: &[u64] = &[1, 2, 840, 113_549, 1, 9, 16, 2, 47];
const SHA_256: &[u64] = &[2, 16, 840, 1, 101, 3, 4, 2, 1];
const ECDSA_WITH_SHA_256: &[u64] = &[1, 2, 840, 10045, 4, 3, 2];
const POLICY: &[u64] = &[1, 3, 6, 1, 4, 1, 57264, 2];
