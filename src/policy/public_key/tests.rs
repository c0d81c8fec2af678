use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::*;

/// A PEM block of this content.
fn pem(label: &str, der: &[u8]) -> String {
    format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", STANDARD.encode(der))
}

fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<char> = text.chars().filter(|c| !c.is_whitespace()).collect();
    let byte = |pair: &[char]| u8::from_str_radix(&pair.iter().collect::<String>(), 16).expect("hexadecimal");
    digits.chunks(2).map(byte).collect()
}

/// The Ed25519 key of this point.
fn ed25519(point: &str) -> Result<PublicKey, KeyError> {
    PublicKey::from_pem(&pem("PUBLIC KEY", &[hex("302a300506032b6570032100"), hex(point)].concat()))
}

#[test]
fn the_vectors_of_rfc_8032_verify() {
    // 7.1, test 2, and 7.3.
    let pure = ed25519("3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c").expect("a key");
    let signature = hex("92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da
                         085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00");
    assert!(pure.verifies(&[0x72], &signature));
    assert!(!pure.verifies(&[0x73], &signature));
    let prehashed = ed25519("ec172b93ad5e563bf4932c70e1245034c35467ef2efd4d64ebf819683467e2bf");
    let signature = hex("98a70222f0b8121aa9d30f813d683f809e462b469c7ff87639499bb94e6dae41
                         31f85042463c2a355a2003d062adf5aaa10b8c61e636062aaad11c2a26083406");
    assert!(prehashed.is_ok_and(|key| key.verifies(b"abc", &signature)));
}
