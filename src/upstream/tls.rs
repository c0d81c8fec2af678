//! Whom the registry's TLS is believed, and what the proxy shows of its own; both read anew when their files change.
//!
//! It refuses authorities that hold nothing usable, and certificates as [`crate::pem`] does.

use std::fmt;
use std::path::PathBuf;

use rustls::RootCertStore;

use crate::pem::{OwnCertificate, Pair, TlsFileError, certificates, read};

pub(super) mod client;

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

/// The content of the files. Only to be compared and used: one of them is a secret.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Material {
    authorities: Option<Vec<u8>>,
    own: Option<Pair>,
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

    fn own(&self) -> Result<Option<Pair>, TlsFileError> {
        self.own.as_ref().map(OwnCertificate::read).transpose()
    }
}

impl fmt::Debug for Material {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
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

#[cfg(test)]
mod tests;
