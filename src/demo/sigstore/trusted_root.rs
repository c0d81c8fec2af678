//! `trusted_root.json`: what a verifier trusts, as a document in which anything can be changed.

use serde_json::{Value, json};

use super::key::Key;
use super::log::Log;
use super::{Sigstore, base64};

impl Sigstore {
    /// All of it: the authority, both logs, the certificate transparency log and the time stamp authority.
    pub fn trusted_root(&self) -> Value {
        json!({
            "mediaType": "application/vnd.dev.sigstore.trustedroot+json;version=0.1",
            "tlogs": [log(&self.rekor), log(&self.rekor_v2)],
            "certificateAuthorities": [authority(&self.authority.chain, "https://fulcio.virtual.test")],
            "ctlogs": [{
                "baseUrl": "https://ct.virtual.test",
                "hashAlgorithm": "SHA2_256",
                "publicKey": key(&self.ct.key),
                "logId": { "keyId": base64(&self.ct.key.id()) },
            }],
            "timestampAuthorities": [authority(&self.tsa.chain, "https://tsa.virtual.test")],
        })
    }

    /// The same as text.
    pub fn trusted_root_json(&self) -> String {
        self.trusted_root().to_string()
    }
}

/// A log as it stands in a trusted root.
pub fn log(log: &Log) -> Value {
    json!({
        "baseUrl": format!("https://{}", log.signatory.name),
        "hashAlgorithm": "SHA2_256",
        "publicKey": key(&log.signatory.key),
        "logId": { "keyId": base64(&log.signatory.id) },
    })
}

/// A certificate authority, or a time stamp authority, as it stands in a trusted root.
pub fn authority(chain: &[Vec<u8>], uri: &str) -> Value {
    let certificates: Vec<_> = chain.iter().map(|one| json!({ "rawBytes": base64(one) })).collect();
    json!({
        "subject": { "organization": "sigstore.virtual.test", "commonName": "virtual" },
        "uri": uri,
        "certChain": { "certificates": certificates },
        "validFor": { "start": START },
    })
}

fn key(key: &Key) -> Value {
    json!({ "rawBytes": base64(&key.spki()), "keyDetails": key.details(), "validFor": { "start": START } })
}

const START: &str = "2020-01-01T00:00:00Z";
