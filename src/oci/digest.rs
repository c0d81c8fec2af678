//! A content digest: parsed, SHA-256 only, lower-case hex.

use std::fmt;
use std::str::FromStr;

use aws_lc_rs::digest::{SHA256, digest};

/// The SHA-256 digest of some content, written `sha256:<64 lower-case hex digits>`.
///
/// The only algorithm of the image specification that registries, cosign and containerd all use. Others are refused
/// when they are parsed, so a digest that exists can always be recomputed.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest([u8; 32]);

impl Digest {
    /// Computes the digest of `content`.
    pub fn of(content: &[u8]) -> Self {
        let mut bytes = [0; 32];
        bytes.copy_from_slice(digest(&SHA256, content).as_ref());
        Self(bytes)
    }

    /// Takes 32 raw bytes as a digest, as the store and a running hash have them.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The 32 raw bytes.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// The 64 hex digits without the algorithm, as they stand in cosign's tags and in statements.
    pub fn hex(&self) -> String {
        String::from_utf8_lossy(&self.digits()).into_owned()
    }

    fn digits(&self) -> [u8; 64] {
        let mut digits = [0; 64];
        for (pair, byte) in digits.chunks_exact_mut(2).zip(self.0) {
            pair[0] = HEX[usize::from(byte >> 4)];
            pair[1] = HEX[usize::from(byte & 15)];
        }
        digits
    }

    /// Parses 64 lower-case hex digits without the algorithm.
    pub fn from_hex(hex: &str) -> Result<Self, ParseDigestError> {
        let digits = hex.as_bytes();
        if digits.len() != 64 {
            return Err(ParseDigestError::Form);
        }
        let mut bytes = [0; 32];
        for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
            *byte = nibble(pair[0])? << 4 | nibble(pair[1])?;
        }
        Ok(Self(bytes))
    }
}

fn nibble(digit: u8) -> Result<u8, ParseDigestError> {
    match digit {
        b'0'..=b'9' => Ok(digit - b'0'),
        b'a'..=b'f' => Ok(digit - b'a' + 10),
        _ => Err(ParseDigestError::Form),
    }
}

impl FromStr for Digest {
    type Err = ParseDigestError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.split_once(':') {
            Some(("sha256", hex)) => Self::from_hex(hex),
            Some((other, encoded)) if is_registered(other, encoded) => Err(ParseDigestError::Algorithm),
            _ => Err(ParseDigestError::Form),
        }
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("sha256:")?;
        f.write_str(&String::from_utf8_lossy(&self.digits()))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A blob, by its address: its bytes are checked against it while they stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Blob(pub Digest);

impl serde::Serialize for Digest {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> serde::Deserialize<'de> for Digest {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// Whether this is a digest by the grammar of the image specification, of another algorithm than ours.
fn is_registered(algorithm: &str, encoded: &str) -> bool {
    let lower = |c: u8| c.is_ascii_lowercase() || c.is_ascii_digit();
    let separated = algorithm.split(['+', '.', '_', '-']).all(|part| !part.is_empty() && part.bytes().all(lower));
    let encoded = (1..=MAX_ENCODED).contains(&encoded.len())
        && encoded.bytes().all(|c| c.is_ascii_alphanumeric() || b"=_-".contains(&c));
    separated && encoded
}

/// Why a text is not a digest that is served.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ParseDigestError {
    /// It is a digest of another algorithm, which cosign's tags and statements could not name.
    #[error("a digest of another algorithm: only sha256 is served; use the sha256 digest of the same content")]
    Algorithm,
    /// It is not `sha256:` and 64 lower-case hex digits.
    #[error("not a digest: expected `sha256:` and 64 lower-case hex digits")]
    Form,
}

/// The longest encoded part that is taken for a digest of some algorithm.
const MAX_ENCODED: usize = 256;

const HEX: &[u8; 16] = b"0123456789abcdef";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_the_empty_string_is_the_known_value() {
        let known = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        assert_eq!(Digest::of(b"").to_string(), known);
        assert_eq!(known.parse(), Ok(Digest::of(b"")));
    }

    #[test]
    fn refuses_what_is_not_exactly_a_digest() {
        let good = Digest::of(b"x").to_string();
        for bad in [
            good.to_uppercase(),
            good[..70].to_string(),
            format!("{good}0"),
            format!(" {good}"),
            good.replace("sha256", "sha512"),
            good.replace("sha256:", ""),
            "sha256:../../etc/passwd".to_string(),
            good.replace('a', "A").replace("shA", "sha"),
        ] {
            if bad != good {
                assert!(bad.parse::<Digest>().is_err(), "{bad}");
            }
        }
    }

    #[test]
    fn a_digest_of_another_algorithm_is_told_from_what_is_none() {
        let hex = Digest::of(b"x").hex();
        for (text, expected) in [
            (format!("sha512:{hex}{hex}"), ParseDigestError::Algorithm),
            (format!("blake3:{hex}"), ParseDigestError::Algorithm),
            ("multihash+base58:QmRZxt2b1FVZPNqd8hsiykDL3TdBDeTSPX9Kv46HmX4Gx8".into(), ParseDigestError::Algorithm),
            (format!("SHA512:{hex}{hex}"), ParseDigestError::Form),
            (format!("sha512:{hex}/{hex}"), ParseDigestError::Form),
            (format!("sha256:{hex}{hex}"), ParseDigestError::Form),
            ("sha512:".into(), ParseDigestError::Form),
            (format!("+:{hex}"), ParseDigestError::Form),
            (hex, ParseDigestError::Form),
        ] {
            assert_eq!(text.parse::<Digest>(), Err(expected), "{text}");
        }
    }
}
