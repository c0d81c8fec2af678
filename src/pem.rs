//! Certificates and keys in PEM files: those that the proxy shows, to clients and to registries.
//!
//! It refuses files that hold nothing usable, and a key that belongs to another certificate.

use std::fmt;
use std::fs::File;
use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::crypto::aws_lc_rs::default_provider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;

/// The files of a certificate that the proxy shows, in PEM.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnCertificate {
    /// The certificate and what leads from it to an authority that the other side knows.
    pub certificate: PathBuf,
    /// Its private key.
    pub key: PathBuf,
}

/// A file that cannot be used, and why.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{}`: {why}", path.display())]
pub struct TlsFileError {
    /// The file.
    pub path: PathBuf,
    /// What is wrong with it.
    pub why: String,
}

/// The content of both files. Only to be compared and used: one of them is a secret.
#[derive(Clone)]
pub struct Pair {
    /// The certificates, then the key, as they were read.
    pub(crate) pem: [Vec<u8>; 2],
    /// The same, ready to be shown.
    pub(crate) certified: Arc<CertifiedKey>,
}

impl OwnCertificate {
    /// Reads and judges the files.
    ///
    /// # Errors
    /// The file that cannot be used: the certificate if both.
    pub fn read(&self) -> Result<Pair, TlsFileError> {
        let (certificate, key) = (read(&self.certificate)?, read(&self.key)?);
        let wrong = |path: &Path, why: String| TlsFileError { path: path.into(), why };
        let chain = certificates(&certificate).map_err(|why| wrong(&self.certificate, why))?;
        let private = PrivateKeyDer::from_pem_slice(&key).map_err(|_| {
            wrong(&self.key, "it holds no private key in PEM; one that needs a passphrase cannot be used".into())
        })?;
        let certified = CertifiedKey::from_der(chain, private, &default_provider()).map_err(|error| match error {
            rustls::Error::InconsistentKeys(_) => {
                wrong(&self.key, format!("it is not the key of `{}`", self.certificate.display()))
            }
            other => wrong(&self.key, format!("it cannot be used with `{}`: {other}", self.certificate.display())),
        })?;
        Ok(Pair { pem: [certificate, key], certified: Arc::new(certified) })
    }
}

impl PartialEq for Pair {
    fn eq(&self, other: &Self) -> bool {
        self.pem == other.pem
    }
}

impl Eq for Pair {}

impl fmt::Debug for Pair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

/// The certificates in `pem`; at least one.
pub(crate) fn certificates(pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, String> {
    match CertificateDer::pem_slice_iter(pem).collect::<Result<Vec<_>, _>>() {
        Ok(found) if !found.is_empty() => Ok(found),
        Ok(_) | Err(_) => Err("it is not a PEM file of certificates".into()),
    }
}

/// A file of a length that certificates and keys have.
pub(crate) fn read(path: &Path) -> Result<Vec<u8>, TlsFileError> {
    let mut bytes = Vec::new();
    let read = File::open(path).and_then(|file| file.take(LONGEST + 1).read_to_end(&mut bytes));
    let wrong = |why: String| TlsFileError { path: path.into(), why };
    read.map_err(|error| match error.kind() {
        ErrorKind::NotFound => wrong("it does not exist".into()),
        _ => wrong(error.to_string()),
    })?;
    if bytes.len() as u64 > LONGEST { Err(wrong(format!("it is longer than {LONGEST} bytes"))) } else { Ok(bytes) }
}

const LONGEST: u64 = 1 << 20;
