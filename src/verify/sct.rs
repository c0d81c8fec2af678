//! The proof within a certificate that it was logged (RFC 6962), for leaves of any key. The crate has the same for those
//! that it verifies, and shows nobody.

use sigstore_verify::crypto::SigningScheme;
use sigstore_verify::types::{Sha256Hash, SignatureBytes};
use x509_cert::Certificate as X509;
use x509_cert::der::Encode;
use x509_cert::ext::pkix::SignedCertificateTimestampList;
use x509_cert::ext::pkix::sct::{HashAlgorithm, SignatureAlgorithm, SignedCertificateTimestamp};

use super::Rejection;
use crate::oci::Digest;
use crate::reason::Reason;
use crate::trust::Root;

/// Verifies that a certificate log of `root` promised, while its key counted, to take in `leaf`, issued with the key
/// `issuer` in DER.
pub(super) fn verify(leaf: &X509, issuer: &[u8], root: &Root) -> Result<(), Rejection> {
    let sct = only(leaf)?;
    let scheme = match (&sct.signature.algorithm.hash, &sct.signature.algorithm.signature) {
        (HashAlgorithm::Sha256, SignatureAlgorithm::Ecdsa) => SigningScheme::EcdsaP256Sha256,
        (HashAlgorithm::Sha384, SignatureAlgorithm::Ecdsa) => SigningScheme::EcdsaP384Sha384,
        (HashAlgorithm::Sha256, SignatureAlgorithm::Rsa) => SigningScheme::RsaPkcs1Sha256,
        (HashAlgorithm::Sha384, SignatureAlgorithm::Rsa) => SigningScheme::RsaPkcs1Sha384,
        (HashAlgorithm::Sha512, SignatureAlgorithm::Rsa) => SigningScheme::RsaPkcs1Sha512,
        _ => return Err(invalid("it is signed with an unsupported algorithm")),
    };
    let at = i64::try_from(sct.timestamp).ok().and_then(|at| jiff::Timestamp::from_millisecond(at).ok());
    let at = at.ok_or_else(|| invalid("an impossible time"))?;
    let keys = root.content().ctfe_keys(scheme).map_err(|error| invalid(error.to_string()))?;
    let signature = SignatureBytes::from_bytes(sct.signature.signature.as_slice());
    keys.verify_with_key_id_at(&Sha256Hash::new(sct.log_id.key_id), at, signed(leaf, &sct, issuer)?, &signature)
        .map_err(|error| invalid(error.to_string()))
}

/// The one proof in `leaf`.
fn only(leaf: &X509) -> Result<SignedCertificateTimestamp, Rejection> {
    let unreadable = |error| invalid(format!("it cannot be parsed: {error:?}"));
    let list = leaf.tbs_certificate.get::<SignedCertificateTimestampList>();
    let list = list.map_err(|error| invalid(error.to_string()))?;
    let (_, list) = list.ok_or_else(|| Rejection::new(Reason::SctMissing, "the certificate holds none"))?;
    match list.parse_timestamps().map_err(unreadable)?.as_slice() {
        [one] => one.parse_timestamp().map_err(unreadable),
        all => Err(invalid(format!("{} of them, expected one", all.len()))),
    }
}

/// What the log signed: the certificate without the proof, as issued by this key (RFC 6962, 3.2).
fn signed(leaf: &X509, sct: &SignedCertificateTimestamp, issuer: &[u8]) -> Result<Vec<u8>, Rejection> {
    let mut before = leaf.tbs_certificate.clone();
    if let Some(extensions) = &mut before.extensions {
        extensions.retain(|one| one.extn_id != super::certificate::SCT_LIST);
    }
    let before = before.to_der().map_err(|error| invalid(error.to_string()))?;
    let long = |_| invalid("the certificate is too long");
    let length = u32::try_from(before.len()).map_err(long)?;
    let extensions = sct.extensions.as_slice();
    let extended = u16::try_from(extensions.len()).map_err(long)?;
    // Version 1, a certificate's timestamp; then an entry of a precertificate, whose length has three bytes.
    let [high, length @ ..] = length.to_be_bytes();
    if high != 0 {
        return Err(invalid("the certificate is too long"));
    }
    Ok([
        &[0, 0][..],
        &sct.timestamp.to_be_bytes(),
        &[0, 1],
        Digest::of(issuer).as_bytes(),
        &length,
        &before,
        &extended.to_be_bytes(),
        extensions,
    ]
    .concat())
}

fn invalid(why: impl AsRef<str>) -> Rejection {
    Rejection::new(Reason::SctInvalid, format!("the proof that the certificate was logged: {}", why.as_ref()))
}
