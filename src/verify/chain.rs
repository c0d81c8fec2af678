//! The path from a leaf of any key to an authority of the trusted root, by `webpki` as in the crate, which shows nobody
//! its own.

use std::time::Duration;

use rustls::pki_types::{CertificateDer, UnixTime};
use sigstore_verify::crypto::WEBPKI_VERIFICATION_ALGS;
use sigstore_verify::types::Bundle;
use sigstore_verify::types::bundle::VerificationMaterialContent;
use webpki::{EndEntityCert, KeyUsage, anchor_from_trusted_cert};

use super::{Rejection, time};
use crate::clock::Timestamp;
use crate::reason::Reason;
use crate::trust::Root;

/// Verifies that an authority which `root` trusts at `time` issued `leaf` for code signing, and that the whole path was
/// valid then. Says with which key it was issued, in DER.
pub(super) fn issuer(leaf: &[u8], bundle: &Bundle, root: &Root, time: Timestamp) -> Result<Vec<u8>, Rejection> {
    let instant = time::instant(time).ok_or_else(|| invalid("an impossible time"))?;
    let trusted = root.content().certificate_authorities.iter();
    let trusted = trusted.filter(|authority| authority.valid_for.is_none_or(|range| range.contains(instant)));
    let trusted: Vec<_> = trusted
        .flat_map(|authority| &authority.cert_chain.certificates)
        .map(|one| CertificateDer::from(one.raw_bytes.as_bytes()))
        .collect();
    let anchors: Result<Vec<_>, _> = trusted.iter().map(anchor_from_trusted_cert).collect();
    let anchors = anchors.map_err(|error| invalid(error.to_string()))?;
    let between: Vec<_> = match &bundle.verification_material.content {
        VerificationMaterialContent::X509CertificateChain { certificates } => {
            certificates.iter().skip(1).map(|one| CertificateDer::from(one.raw_bytes.as_bytes())).collect()
        }
        _ => Vec::new(),
    };
    let leaf = CertificateDer::from(leaf);
    let leaf = EndEntityCert::try_from(&leaf).map_err(|error| invalid(error.to_string()))?;
    let path = leaf.verify_for_usage(
        WEBPKI_VERIFICATION_ALGS,
        &anchors,
        &between,
        UnixTime::since_unix_epoch(Duration::from_secs(time.0)),
        KeyUsage::required(CODE_SIGNING),
        None,
        None,
    );
    let path = path.map_err(|error| invalid(error.to_string()))?;
    Ok(path.issuer_spki().as_ref().to_vec())
}

fn invalid(why: impl AsRef<str>) -> Rejection {
    Rejection::new(Reason::CertificateInvalid, format!("the certificate's chain: {}", why.as_ref()))
}

/// `id-kp-codeSigning`, without tag and length.
const CODE_SIGNING: &[u8] = &[0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03, 0x03];
