//! TLS to the shared store: this program's one provider of cryptography, and whom it believes.

use std::path::Path;
use std::sync::Arc;

use rustls::crypto::aws_lc_rs::default_provider;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};
use rustls_platform_verifier::BuilderVerifierExt;

use super::login::read;

/// Believes the authorities in the file `ca`, or else the system's.
///
/// # Errors
/// What is wrong with the file.
pub(super) fn client(ca: Option<&Path>) -> Result<Arc<ClientConfig>, String> {
    let unusable = |error: rustls::Error| format!("TLS cannot be used: {error}");
    let builder = ClientConfig::builder_with_provider(Arc::new(default_provider()));
    let builder = builder.with_safe_default_protocol_versions().map_err(unusable)?;
    let builder = match ca {
        Some(path) => builder.with_root_certificates(authorities(path)?),
        None => builder.with_platform_verifier().map_err(unusable)?,
    };
    Ok(Arc::new(builder.with_no_client_auth()))
}

/// The authorities in the PEM file `path`; at least one.
///
/// # Errors
/// What is wrong with it, the path included.
pub fn authorities(path: &Path) -> Result<RootCertStore, String> {
    let pem = read(path)?;
    let wrong = || format!("`{}`: it is not a PEM file of authorities", path.display());
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(&pem) {
        roots.add(certificate.map_err(|_| wrong())?).map_err(|_| wrong())?;
    }
    if roots.is_empty() { Err(wrong()) } else { Ok(roots) }
}
