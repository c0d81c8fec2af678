//! Whom the registry's TLS is believed, and what the proxy shows of its own; both read anew when their files change.
//!
//! It refuses files that hold nothing usable, and a key that belongs to another certificate.

use std::fmt;
use std::fs::File;
use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};

use reqwest::{Certificate, ClientBuilder, Identity};
use rustls::RootCertStore;
use rustls::crypto::aws_lc_rs::default_provider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;

/// What the configuration says of one registry's TLS.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tls {
    /// Authorities in PEM, trusted in the place of the system's.
    pub ca: Option<PathBuf>,
    /// The proxy's own certificate.
    pub own: Option<OwnCertificate>,
    /// Whoever answers is taken for the registry.
    pub insecure_skip_verify: bool,
}

/// The files of the certificate that the proxy shows, in PEM.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnCertificate {
    /// The certificate and what leads from it to an authority that the registry knows.
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

/// The content of the files. Only to be compared and used: one of them is a secret.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Material {
    authorities: Option<Vec<u8>>,
    own: Option<[Vec<u8>; 2]>,
    insecure_skip_verify: bool,
}

impl Tls {
    /// Whether there is anything that can change.
    pub(super) fn has_files(&self) -> bool {
        self.ca.is_some() || self.own.is_some()
    }

    /// What is wrong with the files, as far as each can be judged without the other.
    pub fn problems(&self) -> Vec<TlsFileError> {
        [self.authorities().err(), self.own().err()].into_iter().flatten().collect()
    }

    /// Reads and judges the files.
    pub(super) fn read(&self) -> Result<Material, TlsFileError> {
        let insecure_skip_verify = self.insecure_skip_verify;
        Ok(Material { authorities: self.authorities()?, own: self.own()?, insecure_skip_verify })
    }

    fn authorities(&self) -> Result<Option<Vec<u8>>, TlsFileError> {
        let Some(path) = &self.ca else { return Ok(None) };
        let pem = read(path)?;
        authorities(&pem).map_err(|why| TlsFileError { path: path.clone(), why })?;
        Ok(Some(pem))
    }

    fn own(&self) -> Result<Option<[Vec<u8>; 2]>, TlsFileError> {
        self.own.as_ref().map(OwnCertificate::read).transpose()
    }
}

impl OwnCertificate {
    fn read(&self) -> Result<[Vec<u8>; 2], TlsFileError> {
        let (certificate, key) = (read(&self.certificate)?, read(&self.key)?);
        let wrong = |path: &Path, why: String| TlsFileError { path: path.into(), why };
        let chain = certificates(&certificate).map_err(|why| wrong(&self.certificate, why))?;
        let private = PrivateKeyDer::from_pem_slice(&key).map_err(|_| {
            wrong(&self.key, "it holds no private key in PEM; one that needs a passphrase cannot be used".into())
        })?;
        CertifiedKey::from_der(chain, private, &default_provider()).map_err(|error| match error {
            rustls::Error::InconsistentKeys(_) => {
                wrong(&self.key, format!("it is not the key of `{}`", self.certificate.display()))
            }
            other => wrong(&self.key, format!("it cannot be used with `{}`: {other}", self.certificate.display())),
        })?;
        Ok([certificate, key])
    }
}

impl fmt::Debug for Material {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

impl Material {
    /// The configured authorities.
    pub(super) fn certificates(&self) -> reqwest::Result<Vec<Certificate>> {
        self.authorities.as_ref().map_or(Ok(Vec::new()), |pem| Certificate::from_pem_bundle(pem))
    }

    /// Lets connections trust and show this.
    ///
    /// # Errors
    /// What was judged good when it was read is not refused.
    pub(super) fn apply(&self, builder: ClientBuilder) -> reqwest::Result<ClientBuilder> {
        let mut builder = builder.tls_danger_accept_invalid_certs(self.insecure_skip_verify);
        if let Some(pem) = &self.authorities {
            builder = builder.tls_certs_only(Certificate::from_pem_bundle(pem)?);
        }
        if let Some(pair) = &self.own {
            builder = builder.identity(Identity::from_pem(&pair.join(&b'\n'))?);
        }
        Ok(builder)
    }
}

/// Whether `pem` holds authorities, and nothing that cannot be one.
fn authorities(pem: &[u8]) -> Result<(), String> {
    let mut roots = RootCertStore::empty();
    for (number, certificate) in (1..).zip(certificates(pem)?) {
        let added = roots.add(certificate);
        added.map_err(|_| format!("its certificate number {number} cannot be an authority"))?;
    }
    Ok(())
}

fn certificates(pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, String> {
    match CertificateDer::pem_slice_iter(pem).collect::<Result<Vec<_>, _>>() {
        Ok(found) if !found.is_empty() => Ok(found),
        Ok(_) | Err(_) => Err("it is not a PEM file of certificates".into()),
    }
}

fn read(path: &Path) -> Result<Vec<u8>, TlsFileError> {
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

#[cfg(test)]
mod tests;
