//! cosign's legacy storage as a bundle: what stands in annotations beside the signed bytes becomes the verification
//! material of a version 0.1 bundle in memory. Nothing is verified here.

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use serde::Deserialize;
use sigstore_verify::types::{
    Bundle, CanonicalizedBody, DerCertificate, HashAlgorithm, InclusionPromise, LogId, LogIndex, LogKeyId, MediaType,
    MessageDigest, MessageSignature, PublicKeyIdentifier, Rfc3161Timestamp, SignatureBytes, SignatureContent,
    SignedTimestamp, TimestampToken, TimestampVerificationData, TransparencyLogEntry, VerificationMaterial,
    VerificationMaterialContent, X509Certificate,
};

use super::certificate::MAX_CERTIFICATE;
use super::envelope::decode;
use super::{Rejection, log};
use crate::discovery::Beside;
use crate::limits::Limits;
use crate::oci::Digest;
use crate::reason::Reason;
use crate::strict_json::Object;

/// The annotations beside one legacy layer, parsed.
#[derive(Default)]
pub(super) struct Annotations {
    /// The certificate and its chain, the signer's first; empty for signatures by keys.
    chain: Vec<X509Certificate>,
    entry: Option<TransparencyLogEntry>,
    stamp: Option<TimestampToken>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct RekorBundle {
    signed_entry_timestamp: String,
    payload: Object<RekorPayload>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct RekorPayload {
    body: String,
    integrated_time: i64,
    log_index: u64,
    #[serde(rename = "logID")]
    log_id: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RekorStamp {
    #[serde(rename = "SignedRFC3161Timestamp")]
    signed: String,
}

impl Annotations {
    /// Parses what stands `beside`, each text bounded first.
    pub(super) fn parse(beside: &Beside, limits: &Limits) -> Result<Self, Rejection> {
        let present = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
        let mut chain = Vec::new();
        if let Some(pem) = present(&beside.certificate) {
            // Only the first counts, as for cosign.
            chain.extend(certificates("certificate", &pem, limits.chain)?.into_iter().take(1));
            if let Some(pem) = present(&beside.chain) {
                chain.extend(certificates("chain", &pem, limits.chain)?);
            }
            super::at_most("certificates", chain.len(), limits.chain)?;
        }
        let entry = present(&beside.bundle).map(|json| entry(&json, limits)).transpose()?;
        let stamp = present(&beside.timestamp).map(|json| stamp(&json)).transpose()?;
        Ok(Self { chain, entry, stamp })
    }

    /// The certificate, if there is one.
    pub(super) fn certificate(&self) -> Option<&DerCertificate> {
        self.chain.first().map(|certificate| &certificate.raw_bytes)
    }

    /// The time stamp, taken out: in `.att` it covers the layer and not the signature, which the crate expects.
    pub(super) fn take_stamp(&mut self) -> Option<TimestampToken> {
        self.stamp.take()
    }

    /// The bundle that they make around `content`.
    pub(super) fn around(self, content: SignatureContent) -> Bundle {
        // Version 0.1 demands the log's promise, which is all that legacy entries have.
        let version = if self.entry.is_some() { MediaType::Bundle0_1 } else { MediaType::Bundle0_2 };
        let made_with = if self.chain.is_empty() {
            VerificationMaterialContent::PublicKey(PublicKeyIdentifier::new(""))
        } else {
            VerificationMaterialContent::X509CertificateChain { certificates: self.chain }
        };
        let stamps = self.stamp.into_iter().map(Rfc3161Timestamp::new).collect();
        let material = VerificationMaterial::new(made_with)
            .with_tlog_entries(self.entry.into_iter().collect())
            .with_timestamp_verification_data(TimestampVerificationData::new(stamps));
        Bundle::new(version, material, content)
    }
}

/// A signature over `payload` as a bundle's content. cosign hashes with SHA-256 whatever the key.
pub(super) fn signature_over(payload: &[u8], signature: &str) -> Result<SignatureContent, Rejection> {
    let digest = MessageDigest::new(HashAlgorithm::Sha2256, Digest::of(payload).as_bytes().to_vec().into());
    let signature = SignatureBytes::new(decode("signature", signature)?);
    Ok(SignatureContent::MessageSignature(MessageSignature::new(signature).with_message_digest(digest)))
}

fn certificates(what: &str, pem: &str, most: usize) -> Result<Vec<X509Certificate>, Rejection> {
    super::at_most(&format!("bytes of the {what} annotation"), pem.len(), most.saturating_mul(MAX_CERTIFICATE))?;
    let all: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem.as_bytes()).take(most.saturating_add(1)).collect();
    let all = all.map_err(|error| malformed(format!("the {what} annotation is not PEM: {error}")))?;
    if all.is_empty() {
        return Err(malformed(format!("the {what} annotation holds no certificate")));
    }
    Ok(all.into_iter().map(|der| X509Certificate::new(DerCertificate::new(der.to_vec()))).collect())
}

fn entry(json: &str, limits: &Limits) -> Result<TransparencyLogEntry, Rejection> {
    super::bounded(json.as_bytes(), limits.bundle)?;
    let RekorBundle { signed_entry_timestamp, payload: Object(payload) } =
        super::object("log entry annotation", json.as_bytes())?;
    let wrong = |why: &dyn std::fmt::Display| malformed(format!("the log entry annotation: {why}"));
    let log_id = Digest::from_hex(&payload.log_id).map_err(|error| wrong(&error))?;
    let time = instant(payload.integrated_time).ok_or_else(|| wrong(&"an impossible time"))?;
    let body = CanonicalizedBody::new(decode("body of the log entry", &payload.body)?);
    let kind = log::kind_of(&body)?;
    let index = LogIndex::new(payload.log_index).map_err(|error| wrong(&error))?;
    let promise = SignedTimestamp::new(decode("promise of the log", &signed_entry_timestamp)?);
    Ok(TransparencyLogEntry::new(index, LogId::new(LogKeyId::from_bytes(log_id.as_bytes())), kind, body)
        .with_integrated_time(time)
        .with_inclusion_promise(InclusionPromise::new(promise)))
}

fn stamp(json: &str) -> Result<TimestampToken, Rejection> {
    super::at_most("bytes of the time stamp annotation", json.len(), MAX_STAMP)?;
    let RekorStamp { signed } = super::object("time stamp annotation", json.as_bytes())?;
    let token = TimestampToken::new(decode("time stamp", &signed)?);
    super::time::check_sizes(std::iter::once(&token))?;
    Ok(token)
}

/// Zero would mean "none" to the crate.
fn instant(seconds: i64) -> Option<jiff::Timestamp> {
    jiff::Timestamp::from_second(seconds).ok().filter(|_| seconds > 0)
}

fn malformed(why: impl AsRef<str>) -> Rejection {
    Rejection::new(Reason::EvidenceMalformed, why)
}

/// Bytes of the annotation with a time stamp, before it is parsed.
const MAX_STAMP: usize = 64 << 10;
