//! The subject public key info (RFC 5280, 4.1; RFC 3279; RFC 5480; RFC 8410): which key it is, and what that accepts.

use aws_lc_rs::encoding::{AsDer, PublicKeyX509Der};
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1, ECDSA_P384_SHA256_ASN1, ECDSA_P384_SHA384_ASN1, ECDSA_P521_SHA256_ASN1,
    ECDSA_P521_SHA512_ASN1, ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_2048_8192_SHA384,
    RSA_PKCS1_2048_8192_SHA512, RSA_PSS_2048_8192_SHA256, RSA_PSS_2048_8192_SHA384, RSA_PSS_2048_8192_SHA512,
    RsaSubjectPublicKey, VerificationAlgorithm,
};
use ed25519_dalek::VerifyingKey;

use super::der::{BIT_STRING, INTEGER, OID, SEQUENCE, only, take};
use super::{Accepts, KeyError};

type Algorithms = &'static [&'static dyn VerificationAlgorithm];

/// What the key `spki` accepts.
pub(super) fn accepts(spki: &[u8]) -> Result<Accepts, KeyError> {
    let (algorithm, parameters, key) = parts(spki).ok_or(KeyError::Encoding)?;
    match (algorithm, parameters) {
        (EC, parameters) => elliptic(spki, parameters, key),
        (ED25519, []) => {
            let point = key.try_into().map_err(|_| KeyError::Encoding)?;
            let key = VerifyingKey::from_bytes(point).ok().filter(|key| !key.is_weak());
            key.map(Accepts::Ed25519).ok_or(KeyError::WeakPoint)
        }
        (RSA, NULL) => {
            match_rsa(key)?;
            ready(spki, RSA_ALGORITHMS)
        }
        (ED25519 | RSA, _) => Err(KeyError::Encoding),
        (RSA_PSS, _) => Err(KeyError::RsaPss),
        (other, _) => Err(KeyError::Algorithm(named(other))),
    }
}

/// The subject public key info of a PKCS #1 `RSAPublicKey`.
pub(super) fn of_rsa(pkcs1: &[u8]) -> Result<Vec<u8>, KeyError> {
    match_rsa(pkcs1)?;
    let key = RsaSubjectPublicKey::from_der(pkcs1).map_err(|_| KeyError::Encoding)?;
    let spki: PublicKeyX509Der<'_> = key.as_der().map_err(|_| KeyError::Encoding)?;
    Ok(spki.as_ref().to_vec())
}

/// The algorithm's identifier, its parameters, and the bits of the key.
fn parts(spki: &[u8]) -> Option<(&[u8], &[u8], &[u8])> {
    let mut fields = only(SEQUENCE, spki)?;
    let mut parameters = take(SEQUENCE, &mut fields)?;
    let algorithm = take(OID, &mut parameters)?;
    let (0, key) = only(BIT_STRING, fields)?.split_first()? else { return None };
    Some((algorithm, parameters, key))
}

fn elliptic(spki: &[u8], parameters: &[u8], point: &[u8]) -> Result<Accepts, KeyError> {
    let Some(curve) = only(OID, parameters) else {
        let explicit = parameters.first() == Some(&SEQUENCE);
        return Err(if explicit { KeyError::ExplicitCurve } else { KeyError::Encoding });
    };
    let algorithms: Algorithms = match curve {
        P256 => &[&ECDSA_P256_SHA256_ASN1],
        P384 => &[&ECDSA_P384_SHA384_ASN1, &ECDSA_P384_SHA256_ASN1],
        P521 => &[&ECDSA_P521_SHA512_ASN1, &ECDSA_P521_SHA256_ASN1],
        other => return Err(KeyError::Curve(named(other))),
    };
    match point.first() {
        Some(4) => ready(spki, algorithms),
        Some(2 | 3) => Err(KeyError::CompressedPoint),
        _ => Err(KeyError::Encoding),
    }
}

/// Refuses an RSA key that is weak, or written in a second way.
fn match_rsa(pkcs1: &[u8]) -> Result<(), KeyError> {
    let numbers = only(SEQUENCE, pkcs1)
        .and_then(|mut fields| Some((positive(take(INTEGER, &mut fields)?)?, positive(only(INTEGER, fields)?)?)));
    let (modulus, exponent) = numbers.ok_or(KeyError::Encoding)?;
    let bits = modulus.len() * 8 - modulus.first().map_or(0, |first| first.leading_zeros() as usize);
    if !(2048..=8192).contains(&bits) {
        return Err(KeyError::RsaSize(bits));
    }
    // The least odd number of three bytes is 65537.
    if exponent.len() < 3 || exponent.last().is_none_or(|last| last % 2 == 0) {
        return Err(KeyError::RsaExponent);
    }
    Ok(())
}

/// The bytes of a positive integer that is written as short as it can be, without the sign.
fn positive(integer: &[u8]) -> Option<&[u8]> {
    match integer {
        [0, 0x80..=0xff, ..] => integer.get(1..),
        [1..=0x7f, ..] => Some(integer),
        _ => None,
    }
}

/// The key, parsed once for each algorithm.
fn ready(spki: &[u8], algorithms: Algorithms) -> Result<Accepts, KeyError> {
    let parsed = algorithms.iter().map(|algorithm| ParsedPublicKey::new(*algorithm, spki));
    parsed.collect::<Result<_, _>>().map(Accepts::Any).map_err(|_| KeyError::Encoding)
}

/// An object identifier for people: by name if somebody may try it.
fn named(oid: &[u8]) -> String {
    let known = match oid {
        [0x2b, 0x81, 0x04, 0x00, 0x0a] => "secp256k1",
        [0x2b, 0x81, 0x04, 0x00, 0x21] => "P-224",
        [0x2b, 0x65, 0x6e] => "X25519",
        [0x2b, 0x65, 0x71] => "Ed448",
        [0x2a, 0x86, 0x48, 0xce, 0x38, 0x04, 0x01] => "DSA",
        [0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x03, 0x11..=0x13] => "ML-DSA",
        other => return other.iter().fold("OID".into(), |text, byte| format!("{text} {byte:02x}")),
    };
    known.into()
}

const RSA_ALGORITHMS: Algorithms = &[
    &RSA_PKCS1_2048_8192_SHA256,
    &RSA_PKCS1_2048_8192_SHA384,
    &RSA_PKCS1_2048_8192_SHA512,
    &RSA_PSS_2048_8192_SHA256,
    &RSA_PSS_2048_8192_SHA384,
    &RSA_PSS_2048_8192_SHA512,
];

const EC: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01];
const ED25519: &[u8] = &[0x2b, 0x65, 0x70];
const NULL: &[u8] = &[0x05, 0x00];
const P256: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07];
const P384: &[u8] = &[0x2b, 0x81, 0x04, 0x00, 0x22];
const P521: &[u8] = &[0x2b, 0x81, 0x04, 0x00, 0x23];
const RSA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01];
const RSA_PSS: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0a];
