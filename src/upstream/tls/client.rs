//! The TLS of connections, made from what the files say, with this program's one provider of cryptography.

use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::{Duration, Instant};

use rustls::client::WantsClientCert;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::CryptoProvider;
use rustls::crypto::aws_lc_rs::default_provider;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::sign::SingleCertAndKey;
use rustls::{
    ClientConfig, ConfigBuilder, DigitallySignedStruct, Error, RootCertStore, SignatureScheme, WantsVerifier,
};
use rustls_platform_verifier::Verifier;

use super::Material;
use crate::pem::certificates;
use crate::upstream::BuildError;

type Trusting = ConfigBuilder<ClientConfig, WantsClientCert>;

impl Material {
    /// For the registry itself: it trusts the configured authorities or else the system's, and shows the proxy's own
    /// certificate.
    pub(in crate::upstream) fn for_registry(&self) -> Result<ClientConfig, BuildError> {
        let trusting = match &self.authorities {
            _ if self.insecure_skip_verify => verified_by(Arc::new(Anybody(Arc::new(default_provider()))))?,
            Some(pem) => only(authorities(pem)?)?,
            None => verified_by(system().map_err(|error| unusable(&error))?)?,
        };
        Ok(match &self.own {
            Some(pair) => trusting.with_client_cert_resolver(Arc::new(SingleCertAndKey::from(pair.certified.clone()))),
            None => trusting.with_no_client_auth(),
        })
    }

    /// For other hosts: it trusts the system's authorities and the configured ones, and shows nothing.
    pub(in crate::upstream) fn for_others(&self) -> Result<ClientConfig, BuildError> {
        let configured = self.authorities.as_deref().map_or(Ok(Vec::new()), authorities)?;
        beside_the_systems(configured)
    }
}

/// For whatever is not the registry itself where that speaks plain HTTP: it trusts the system's authorities, and shows
/// nothing.
pub(in crate::upstream) fn of_the_system() -> Result<ClientConfig, BuildError> {
    beside_the_systems(Vec::new())
}

fn beside_the_systems(configured: Vec<CertificateDer<'static>>) -> Result<ClientConfig, BuildError> {
    let both = if configured.is_empty() {
        system()
    } else {
        Verifier::new_with_extra_roots(configured.clone(), Arc::new(default_provider())).map(Arc::new)
    };
    let trusting = match both {
        Ok(verifier) => verified_by(verifier)?,
        // A machine without the system's authorities.
        Err(_) => only(configured)?,
    };
    Ok(trusting.with_no_client_auth())
}

fn only(authorities: Vec<CertificateDer<'static>>) -> Result<Trusting, BuildError> {
    let mut roots = RootCertStore::empty();
    for authority in authorities {
        roots.add(authority).map_err(|error| unusable(&error))?;
    }
    Ok(builder()?.with_root_certificates(roots))
}

/// Trusts the system's authorities alone. They are many, and in memory once for all whose clients are made together.
fn system() -> Result<Arc<Verifier>, Error> {
    static SHARED: Mutex<Option<(Instant, Weak<Verifier>)>> = Mutex::new(None);
    let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
    let lately = shared.as_ref().filter(|(read, _)| read.elapsed() < TOGETHER);
    if let Some(verifier) = lately.and_then(|(_, verifier)| verifier.upgrade()) {
        return Ok(verifier);
    }
    let verifier = Arc::new(Verifier::new(Arc::new(default_provider()))?);
    *shared = Some((Instant::now(), Arc::downgrade(&verifier)));
    Ok(verifier)
}

/// For how long what the system trusts is not read again.
const TOGETHER: Duration = Duration::from_secs(10);

fn verified_by(verifier: Arc<dyn ServerCertVerifier>) -> Result<Trusting, BuildError> {
    Ok(builder()?.dangerous().with_custom_certificate_verifier(verifier))
}

fn builder() -> Result<ConfigBuilder<ClientConfig, WantsVerifier>, BuildError> {
    let builder = ClientConfig::builder_with_provider(Arc::new(default_provider()));
    builder.with_safe_default_protocol_versions().map_err(|error| unusable(&error))
}

fn authorities(pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, BuildError> {
    certificates(pem).map_err(BuildError::Tls)
}

fn unusable(error: &Error) -> BuildError {
    BuildError::Tls(error.to_string())
}

/// Whoever answers is taken for the registry: what `insecureSkipVerify` asks for.
#[derive(Debug)]
struct Anybody(Arc<CryptoProvider>);

impl ServerCertVerifier for Anybody {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
