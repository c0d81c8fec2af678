//! Who made a signature and when, as far as it was verified.

use std::sync::Arc;
use std::time::Duration;

use sigstore_verify::types::{KindVersion, TransparencyLogEntry};

use super::reading::Reading;
use super::{Against, Certificate, Rejection, key, keyless};
use crate::clock::Timestamp;
use crate::policy::condition::SignerFacts;
use crate::policy::{Authority, Extension, Kind, PublicKey, Signer};
use crate::reason::Reason;

/// Who signed, when, and where it is logged. By itself it proves nothing: see [`super::Verified`].
#[derive(Debug, Clone)]
pub struct Signing {
    signer: Signer,
    certificate: Option<Arc<Certificate>>,
    time: Option<Timestamp>,
    log_index: Option<u64>,
}

impl Signing {
    /// Verifies that `authority` made `reading`; nothing that it demands is passed over.
    pub(super) fn verify(
        reading: &Reading<'_>,
        authority: &Authority,
        against: Against<'_>,
    ) -> Result<Self, Rejection> {
        let root = authority.trust_root().map(|name| against.trust.usable(name)).transpose();
        let root = root.map_err(|unusable| Rejection::new(unusable.reason, unusable.detail))?;
        match (authority.kind(), root) {
            (Kind::Keys(keys), root) => key::verify(reading, keys, authority, root.map(AsRef::as_ref), against),
            (Kind::Keyless(wanted), Some(root)) => keyless::verify(reading, wanted, authority, root, against),
            (Kind::Keyless(_), None) => {
                let detail = format!("`{}` has no trusted root", authority.name());
                Err(Rejection::new(Reason::TrustRootUnavailable, detail))
            }
        }
    }

    pub(super) fn by_identity(
        certificate: Arc<Certificate>,
        time: Timestamp,
        entry: Option<&TransparencyLogEntry>,
    ) -> Self {
        let signer = format!("identity:{} issuer:{}", certificate.identity(), certificate.issuer());
        Self {
            signer: Signer(signer.into()),
            certificate: Some(certificate),
            time: Some(time),
            log_index: entry.and_then(number),
        }
    }

    pub(super) fn by_key(key: &PublicKey, time: Option<Timestamp>, entry: Option<&TransparencyLogEntry>) -> Self {
        Self { signer: key.signer().clone(), certificate: None, time, log_index: entry.and_then(number) }
    }

    /// Who, for thresholds.
    pub fn signer(&self) -> &Signer {
        &self.signer
    }

    /// The certificate that names the identity; keys have none.
    pub fn certificate(&self) -> Option<&Certificate> {
        self.certificate.as_deref()
    }

    /// The earliest verified time of signing, if there is any.
    pub fn time(&self) -> Option<Timestamp> {
        self.time
    }

    /// The time, where nobody can make the same signature seem younger: anyone may log or stamp an old one of a key, or of a
    /// certificate that lives long, once more.
    pub fn sure_time(&self) -> Option<Timestamp> {
        self.time.filter(|_| self.certificate().is_some_and(|certificate| certificate.life() <= SHORT_LIFE))
    }

    /// Who and when, as conditions ask for it.
    pub fn facts(&self) -> SignerFacts {
        let Some(certificate) = self.certificate() else {
            return SignerFacts { key: self.signer.0.to_string(), ..SignerFacts::default() };
        };
        let extensions = Extension::ALL.iter().filter_map(|one| Some((one.key(), certificate.extension(*one)?.into())));
        SignerFacts {
            identity: certificate.identity().into(),
            issuer: certificate.issuer().into(),
            key: String::new(),
            extensions: extensions.collect(),
            time: self.sure_time(),
        }
    }

    /// The entry's index in the transparency log.
    pub fn log_index(&self) -> Option<u64> {
        self.log_index
    }
}

/// The number of a verified entry, if the log vouches for it: that over all trees of the first version stands in the
/// promise, and in nothing else.
fn number(entry: &TransparencyLogEntry) -> Option<u64> {
    let vouched = entry.inclusion_promise.is_some() || entry.kind_version == KindVersion::HashedRekordV002;
    vouched.then(|| entry.log_index.get())
}

/// Certificates that live no longer than this are made for one signature.
const SHORT_LIFE: Duration = Duration::from_hours(24);
