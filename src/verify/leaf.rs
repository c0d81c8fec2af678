//! Signatures by certificates of other keys than P-256. Fulcio issues them, and the crate verifies only some: none over
//! P-521, none whose log entry has another digest than SHA-256. What the crate does for P-256 is done here, in its order,
//! with the checks that signatures by keys have and `webpki`.

use sigstore_verify::bundle::{ValidationOptions, validate_bundle_with_options};
use sigstore_verify::types::KindVersion;
use x509_cert::Certificate as X509;
use x509_cert::der::asn1::ObjectIdentifier;
use x509_cert::der::{Decode, Encode};

use super::binding::{self, Maker};
use super::certificate::oid;
use super::reading::Reading;
use super::{Certificate, Rejection, chain, inclusion, keyless, sct, time};
use crate::clock::Timestamp;
use crate::policy::PublicKey;
use crate::reason::Reason;
use crate::trust::Root;

/// A certificate over such a key.
pub(super) struct Leaf<'a> {
    der: &'a [u8],
    parsed: X509,
    key: PublicKey,
    family: &'static str,
}

impl<'a> Leaf<'a> {
    /// The certificate of `reading`, unless the crate is to verify it: over P-256, or of a kind that we do not know.
    pub(super) fn of(reading: &'a Reading<'_>) -> Option<Self> {
        let der = reading.bundle.signing_certificate()?.as_bytes();
        let parsed = X509::from_der(der).ok()?;
        let spki = &parsed.tbs_certificate.subject_public_key_info;
        let curve = spki.algorithm.parameters.as_ref().and_then(|curve| curve.decode_as().ok());
        let family = match (spki.algorithm.oid, curve) {
            (EC, Some(P384)) => "PKIX_ECDSA_P384_",
            (EC, Some(P521)) => "PKIX_ECDSA_P521_",
            (ED25519, None) => "PKIX_ED25519",
            (RSA, None) => "PKIX_RSA_",
            _ => return None,
        };
        let key = PublicKey::from_spki(spki.to_der().ok()?).ok()?;
        Some(Self { der, parsed, key, family })
    }

    /// Verifies all but whom it names, and says every time of signing that was verified: at least one.
    pub(super) fn verify(
        &self,
        reading: &Reading<'_>,
        certificate: &Certificate,
        root: &Root,
        demands: Demands,
        now: Timestamp,
    ) -> Result<Vec<Timestamp>, Rejection> {
        let wanted = ValidationOptions::new().with_require_inclusion_proof(demands.logged);
        validate_bundle_with_options(&reading.bundle, &wanted)
            .map_err(|error| Rejection::new(keyless::structure(&error), error.to_string()))?;
        // 1. The times. Unlike the crate this verifies what proofs there are even where none is demanded.
        let mut times = time::stamps(reading, root)?;
        for entry in reading.entries() {
            let since = inclusion::verify(entry, root, now)?;
            times.extend(since.filter(|_| entry.kind_version != KindVersion::HashedRekordV002));
        }
        if times.is_empty() {
            return Err(Rejection::new(Reason::TimestampMissing, "no verified time of signing"));
        }
        keyless::check_life(certificate, &times)?;
        // 2. Chain at every one of them, and the certificate log.
        let mut issuer = Vec::new();
        for time in &times {
            issuer = chain::issuer(self.der, &reading.bundle, root, *time)?;
        }
        if demands.certified {
            sct::verify(&self.parsed, &issuer, root)?;
        }
        // 3. The signature, and that each entry is about it.
        if !reading.signed_by(&self.key) {
            let detail = "the signature does not verify with the certificate's key";
            return Err(Rejection::new(Reason::SignatureInvalid, detail));
        }
        for entry in reading.entries() {
            binding::check(entry, reading, Maker::Certificate { der: self.der, family: self.family })?;
        }
        Ok(times)
    }
}

/// What must have been verified beside chain and signature.
#[derive(Clone, Copy)]
pub(super) struct Demands {
    /// That the signature is in a transparency log.
    pub(super) logged: bool,
    /// That the certificate is in a certificate log.
    pub(super) certified: bool,
}

const EC: ObjectIdentifier = oid("1.2.840.10045.2.1");
const ED25519: ObjectIdentifier = oid("1.3.101.112");
const P384: ObjectIdentifier = oid("1.3.132.0.34");
const P521: ObjectIdentifier = oid("1.3.132.0.35");
const RSA: ObjectIdentifier = oid("1.2.840.113549.1.1.1");
