use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use super::*;

/// Public keys as openssl exports them, by name.
const TEXTS: &str = include_str!("../../../tests/fixtures/keys/texts.json");
/// What openssl signs with each kind of key and each hash.
const SIGNATURES: &str = include_str!("../../../tests/fixtures/keys/signatures.json");

fn json(text: &str) -> Value {
    serde_json::from_str(text).expect("JSON")
}

fn text(value: &Value) -> &str {
    value.as_str().expect("a text")
}

fn refusal(text: &str) -> KeyError {
    PublicKey::from_pem(text).map(|_| ()).expect_err(text)
}

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

#[test]
fn each_kind_of_key_accepts_its_own_signatures_and_no_others() {
    let recorded = json(SIGNATURES);
    let message = text(&recorded["message"]).as_bytes();
    let rsa = ["pkcs1 sha256", "pkcs1 sha384", "pkcs1 sha512", "pss sha256", "pss sha384", "pss sha512"];
    for (kind, accepted) in [
        ("p256", &["sha256"][..]),
        ("p384", &["sha256", "sha384"]),
        ("p521", &["sha256", "sha512"]),
        ("ed25519", &["pure"]),
        ("rsa2048", &rsa),
        ("rsa3072", &rsa),
        ("rsa4096", &rsa),
    ] {
        let key = PublicKey::from_pem(text(&recorded["by"][kind]["key"])).expect(kind);
        let signatures = recorded["by"][kind]["signatures"].as_object().expect("an object");
        let mut verified = Vec::new();
        for (name, signature) in signatures {
            let signature = STANDARD.decode(text(signature)).expect("base64");
            if key.verifies(message, &signature) {
                verified.push(name.as_str());
            }
            assert!(!key.verifies(&message[1..], &signature), "{kind} {name}: another message");
            let by_digest = accepted.contains(&name.as_str()) && name.ends_with("sha256");
            assert_eq!(key.verifies_digest(&Digest::of(message), &signature), by_digest, "{kind} {name}: by digest");
            assert!(!key.verifies_digest(&Digest::of(&message[1..]), &signature), "{kind} {name}: another digest");
            let longer = [&signature[..], &[0]].concat();
            for other in [&[], &signature[1..], &signature[..signature.len() - 1], &longer] {
                assert!(!key.verifies(message, other), "{kind} {name}: another signature");
            }
        }
        assert_eq!(verified, accepted, "{kind}");
        assert!(signatures.len() > accepted.len() || kind == "ed25519");
    }
}

#[test]
fn a_key_is_the_same_however_it_is_spelled() {
    let texts = json(TEXTS);
    let plain = text(&texts["rsa2048"]);
    let key = PublicKey::from_pem(plain).expect("a key");
    let (_, body) = plain.split_once('\n').expect("lines");
    let body = body.trim_end().trim_end_matches("-----END PUBLIC KEY-----");
    assert_eq!(key.spki(), STANDARD.decode(body.replace('\n', "")).expect("base64"));
    assert_eq!(key.fingerprint(), Digest::of(key.spki()));
    for spelled in [
        text(&texts["rsa2048 pkcs1"]).to_owned(),
        text(&texts["rsa2048 text"]).to_owned(),
        pem("PUBLIC KEY", key.spki()),
        plain.replace('\n', "\r\n"),
        plain.replace('\n', "\n    "),
        plain.trim_end().to_owned(),
        format!("{plain}\n\n"),
        format!("\u{feff}# release key, 2026\n\n{plain}\nuntil 2027"),
    ] {
        let same = PublicKey::from_pem(&spelled).expect(&spelled);
        assert_eq!((same.spki(), same.fingerprint()), (key.spki(), key.fingerprint()), "{spelled}");
        assert_eq!(same.signer(), key.signer());
    }
}

#[test]
fn what_is_no_usable_public_key_is_told_as_what_it_is() {
    let texts = json(TEXTS);
    for (name, expected) in [
        ("rsa1024", KeyError::RsaSize(1024)),
        ("rsa2048 e3", KeyError::RsaExponent),
        ("rsa pss", KeyError::RsaPss),
        ("p256 compressed", KeyError::CompressedPoint),
        ("p256 explicit", KeyError::ExplicitCurve),
        ("p256 certificate", KeyError::Certificate),
        ("p256 request", KeyError::Label("CERTIFICATE REQUEST".into())),
        ("p224", KeyError::Curve("P-224".into())),
        ("secp256k1", KeyError::Curve("secp256k1".into())),
        ("brainpool", KeyError::Curve("OID 2b 24 03 03 02 08 01 01 07".into())),
        ("ed448", KeyError::Algorithm("Ed448".into())),
        ("x25519", KeyError::Algorithm("X25519".into())),
        ("dsa", KeyError::Algorithm("DSA".into())),
    ] {
        assert_eq!(refusal(text(&texts[name])), expected, "{name}");
    }
    let good = text(&texts["p256"]);
    let private = |label: &str| pem(label, b"whatever it is");
    for (text, expected) in [
        (private("PRIVATE KEY"), KeyError::Private),
        (private("EC PRIVATE KEY"), KeyError::Private),
        (private("RSA PRIVATE KEY"), KeyError::Private),
        (private("OPENSSH PRIVATE KEY"), KeyError::Private),
        (private("ENCRYPTED COSIGN PRIVATE KEY"), KeyError::Private),
        (private("ENCRYPTED SIGSTORE PRIVATE KEY"), KeyError::Private),
        (format!("{good}{}", private("EC PRIVATE KEY")), KeyError::Private),
        (format!("{good}{good}"), KeyError::Several(2)),
        (format!("{0}{0}", text(&texts["p256 certificate"])), KeyError::Certificate),
        (pem("PGP PUBLIC KEY BLOCK", b"x"), KeyError::Label("PGP PUBLIC KEY BLOCK".into())),
        (String::new(), KeyError::NotPem),
        ("ssh-ed25519 AAAAC3NzaC1lZDI1NTE5 me".into(), KeyError::NotPem),
        (good.replace('\n', "\\n"), KeyError::Pem("its first line goes on; were line ends lost?")),
        (good.replace('\n', " "), KeyError::Pem("its first line goes on; were line ends lost?")),
        (format!("key: {good}"), KeyError::Pem("it does not begin a line")),
        (good.replace("-----END", "----- END"), KeyError::Pem("it has no last line")),
        (good.replace("END PUBLIC", "END RSA PUBLIC"), KeyError::Pem("it ends as something else than it begins")),
        (good[..good.len() - 30].into(), KeyError::Pem("it has no last line")),
        (good.replacen("MFkw", "MFk", 1), KeyError::Pem("its content is not base64")),
    ] {
        assert_eq!(refusal(&text), expected, "{text}");
    }
}

#[test]
fn only_the_one_encoding_of_a_key_is_read() {
    let texts = json(TEXTS);
    let spki = |name: &str| PublicKey::from_pem(text(&texts[name])).expect(name).spki().to_vec();
    let (p256, rsa) = (spki("p256"), spki("rsa2048"));
    assert_eq!(refusal(&pem("RSA PUBLIC KEY", &rsa)), KeyError::Encoding);
    assert_eq!(refusal(&pem("PUBLIC KEY", &rsa[24..])), KeyError::Encoding, "PKCS #1 under the wrong label");
    // No byte of a key can be left out, added or changed so that the same key is read.
    for good in [p256, rsa] {
        let key = PublicKey::from_pem(&pem("PUBLIC KEY", &good)).expect("a key");
        let refused = |bytes: &[u8]| {
            PublicKey::from_pem(&pem("PUBLIC KEY", bytes)).map_or(true, |read| {
                assert_eq!(read.spki(), bytes);
                read.fingerprint() != key.fingerprint()
            })
        };
        assert!(refused(&[&good[..], &[0]].concat()) && refused(&[&good[..], &good[..]].concat()));
        for at in 0..good.len() {
            assert!(PublicKey::from_pem(&pem("PUBLIC KEY", &good[..at])).is_err(), "cut at {at}");
            for mask in [1, 0x80] {
                let mut changed = good.clone();
                changed[at] ^= mask;
                assert!(refused(&changed), "byte {at} ^ {mask}");
            }
        }
    }
    // Lengths written longer than they need be, a sign that does not belong, parameters that are missing.
    let rsa = spki("rsa2048");
    for (from, to) in
        [("300d0609", "30810d0609"), ("0500", ""), ("02030100 01", "0204000100 01"), ("0282 0101 00", "0282 0100")]
    {
        let (from, to) = (hex(from), hex(to));
        let at = rsa.windows(from.len()).position(|window| window == from).expect("it is there");
        let mut inner = [&rsa[4..at], &to, &rsa[at + from.len()..]].concat();
        let length = u16::try_from(inner.len()).expect("short").to_be_bytes();
        inner.splice(0..0, [0x30, 0x82].into_iter().chain(length));
        assert_eq!(refusal(&pem("PUBLIC KEY", &inner)), KeyError::Encoding, "{from:x?}");
    }
}

#[test]
fn weak_keys_are_refused() {
    // The points of small order, for which one signature is valid for every message.
    for point in [
        "0000000000000000000000000000000000000000000000000000000000000000",
        "0100000000000000000000000000000000000000000000000000000000000000",
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    ] {
        assert_eq!(ed25519(point).map(|_| ()), Err(KeyError::WeakPoint), "{point}");
    }
    assert_eq!(ed25519(&"00".repeat(31)).map(|_| ()), Err(KeyError::Encoding));
    // RSA: the exponent 1, for which every padded message is its own signature; an even one; a small one.
    let rsa = json(TEXTS)["rsa2048 pkcs1"].clone();
    let body: String = text(&rsa).lines().filter(|line| !line.starts_with('-')).collect();
    let pkcs1 = STANDARD.decode(body).expect("base64");
    let numbers = &pkcs1[4..pkcs1.len() - 5];
    for (exponent, expected) in [
        ("0203010001", Ok(())),
        ("020101", Err(KeyError::RsaExponent)),
        ("020103", Err(KeyError::RsaExponent)),
        ("0203010000", Err(KeyError::RsaExponent)),
        ("020300ffff", Err(KeyError::RsaExponent)),
        ("020100", Err(KeyError::Encoding)),
        ("0201ff", Err(KeyError::Encoding)),
    ] {
        let content = [numbers, &hex(exponent)].concat();
        let length = u16::try_from(content.len()).expect("short").to_be_bytes();
        let key = pem("RSA PUBLIC KEY", &[&[0x30, 0x82][..], &length, &content].concat());
        assert_eq!(PublicKey::from_pem(&key).map(|_| ()), expected, "{exponent}");
    }
}
