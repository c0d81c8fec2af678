//! Attestors that are public keys.

use super::attestors::Attestors;
use super::authorities::{Authority, Id, Kind};
use super::element::Element;
use super::trust;
use crate::policy::PublicKey;

/// The keys of one entry, each by itself.
pub(super) fn translate(element: &Element<'_>, attestors: &mut Attestors<'_>) -> Option<Vec<Id>> {
    let fields = element.fields()?;
    let public = fields.take("publicKeys");
    fields.refused(&[
        ("kms", "the proxy calls no key service: export the key once (`cosign public-key --key …`) and write its PEM"),
        ("secret", "the proxy reads no Kubernetes secrets: write the PEM of its `cosign.pub`"),
    ]);
    let algorithm = fields.take("signatureAlgorithm");
    let (rekor, ctlog) = (fields.take("rekor"), fields.take("ctlog"));
    fields.finish();
    if let Some(algorithm) = &algorithm {
        self::algorithm(algorithm)?;
    }
    let trust = trust::of_key(rekor.as_ref(), ctlog.as_ref(), attestors);
    let Some(public) = public else {
        return element.refuse("there is no key whose PEM is written in `publicKeys`");
    };
    let blocks = blocks(&public, attestors.attest)?;
    let trust = trust?;
    let authority = |(pem, fingerprint): (String, String)| {
        attestors.add(Authority { kind: Kind::Key { pem, fingerprint }, trust: trust.clone() })
    };
    Some(blocks.into_iter().map(authority).collect())
}

/// The PEM blocks and the fingerprints of their keys.
fn blocks(element: &Element<'_>, attest: bool) -> Option<Vec<(String, String)>> {
    let text = element.text()?;
    if text.contains("{{") {
        return element.refuse("it is a variable, which only Kyverno can look up: write the key's PEM");
    }
    if text.contains("://") {
        return element.refuse("it names a key elsewhere, and the proxy looks up none: write the key's PEM");
    }
    let mut texts: Vec<&str> = text.split_inclusive(END).filter(|block| block.contains("-----BEGIN ")).collect();
    if attest && texts.len() > 1 {
        element.exact("Kyverno takes the first key only for an attestation, and so it is here");
        element
            .suggest("to accept attestations by the other keys too, give each an entry of its own and set `count: 1`");
        texts.truncate(1);
    }
    let mut keys = Vec::new();
    for block in texts {
        let lines: Vec<&str> =
            block.lines().map(str::trim).skip_while(|line| !line.starts_with("-----BEGIN ")).collect();
        let pem = lines.join("\n");
        match PublicKey::from_pem(&pem) {
            Ok(key) => keys.push((pem, key.fingerprint().to_string())),
            Err(error) => return element.refuse(format!("a key cannot be used: {error}")),
        }
    }
    if keys.is_empty() {
        return element.refuse("it is no key in PEM (`-----BEGIN PUBLIC KEY-----`)");
    }
    element.exact(format!("{} {}", if keys.len() == 1 { "the key" } else { "an entry for each key:" }, listed(&keys)));
    Some(keys)
}

fn listed(keys: &[(String, String)]) -> String {
    keys.iter().map(|(_, fingerprint)| fingerprint.get(..19).unwrap_or(fingerprint)).collect::<Vec<_>>().join(", ")
}

/// The hash that signatures are made over: here it follows from the key.
pub(super) fn algorithm(element: &Element<'_>) -> Option<()> {
    match element.text()? {
        "" | "sha256" => element.exact("SHA-256 is accepted for every key but Ed25519"),
        hash @ ("sha384" | "sha512") => element.different(format!(
            "what a key accepts follows from the key: {hash} counts for RSA and for the ECDSA curve of that size"
        )),
        other => return element.refuse(format!("no key accepts `{other}` here")),
    }
    Some(())
}

const END: &str = "-----END PUBLIC KEY-----";
