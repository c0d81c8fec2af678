//! A certificate transparency log, which signs timestamps (RFC 6962) that stand within certificates.

use std::io;

use super::certificate::Extension;
use super::der;
use super::key::{Key, sha256};

/// A log.
#[derive(Debug, Clone)]
pub struct CtLog {
    /// With which it signs.
    pub key: Key,
}

/// A signed certificate timestamp, before it is signed.
#[derive(Debug, Clone)]
pub struct Sct {
    /// By which log.
    pub log: CtLog,
    /// When, in seconds since 1970.
    pub at: i64,
    /// The extensions within it, as static logs use them.
    pub extensions: Vec<u8>,
    /// The hash of the issuer's key, if it is to be another's than the one that issues.
    pub issuer: Option<Vec<u8>>,
    /// Sign something else instead of the certificate.
    pub forged: bool,
}

impl CtLog {
    /// Makes one.
    ///
    /// # Errors
    /// If its key cannot be made.
    pub fn new() -> io::Result<Self> {
        Ok(Self { key: Key::p256()? })
    }

    /// A promise of this log at `at`.
    pub fn sct(&self, at: i64) -> Sct {
        Sct { log: self.clone(), at, extensions: Vec::new(), issuer: None, forged: false }
    }
}

impl Sct {
    /// Its encoding, for a certificate that says `tbs` and was issued by `issuer`.
    fn sign(&self, tbs: &[u8], issuer: &Key) -> io::Result<Vec<u8>> {
        let at = u64::try_from(self.at).unwrap_or_default() * 1000;
        let mut signed = vec![0, 0];
        signed.extend_from_slice(&at.to_be_bytes());
        signed.extend_from_slice(&[0, 1]);
        signed.extend_from_slice(self.issuer.as_ref().unwrap_or(&issuer.id()));
        signed.extend_from_slice(&length::<3>(tbs));
        signed.extend_from_slice(tbs);
        signed.extend_from_slice(&length::<2>(&self.extensions));
        signed.extend_from_slice(&self.extensions);
        if self.forged {
            signed = sha256(&signed);
        }
        let signature = self.log.key.sign(&signed)?;

        let mut sct = vec![0];
        sct.extend_from_slice(&self.log.key.id());
        sct.extend_from_slice(&at.to_be_bytes());
        sct.extend_from_slice(&length::<2>(&self.extensions));
        sct.extend_from_slice(&self.extensions);
        // SHA-256 and ECDSA, in the numbers of TLS 1.2.
        sct.extend_from_slice(&[4, 3]);
        sct.extend_from_slice(&length::<2>(&signature));
        sct.extend_from_slice(&signature);
        Ok(sct)
    }
}

/// The extension that carries `scts` in a certificate that is `before` without it.
pub(super) fn extension(scts: &[Sct], before: &[u8], issuer: &Key) -> io::Result<Extension> {
    let tbs = der::children(before).first().copied().unwrap_or_default();
    let mut list = Vec::new();
    for sct in scts {
        let signed = sct.sign(tbs, issuer)?;
        list.extend_from_slice(&length::<2>(&signed));
        list.extend_from_slice(&signed);
    }
    Ok(Extension::new(SCT_LIST, der::octets(&[&length::<2>(&list)[..], &list].concat())))
}

/// A length in `N` bytes, as TLS writes it.
fn length<const N: usize>(bytes: &[u8]) -> [u8; N] {
    let length = bytes.len().to_be_bytes();
    let mut last = [0; N];
    last.copy_from_slice(&length[length.len() - N..]);
    last
}

/// Embedded signed certificate timestamps.
pub const SCT_LIST: &[u64] = &[1, 3, 6, 1, 4, 1, 11129, 2, 4, 2];
