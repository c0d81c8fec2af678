//! The files that tell others about it: the trusted root and, for cosign, the signing configurations.

use std::fs;
use std::net::SocketAddr;

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::servers::CT_LOG;
use super::{GITLAB, Log, Sigstore};

pub(super) const TRUSTED_ROOT: &str = "trusted_root.json";

/// All that is trusted here has been so for long.
const SINCE: &str = "2020-01-01T00:00:00Z";

pub(super) fn signing_config(log: Log) -> &'static str {
    match log {
        Log::Rekor1 => "signing_rekor1.json",
        Log::Rekor2 => "signing_rekor2.json",
    }
}

pub(super) fn write(sigstore: &Sigstore) {
    let put = |name, value: Value| {
        let text = serde_json::to_string_pretty(&value).expect("a value is JSON");
        fs::write(sigstore.folder().join(name), text).expect("the folder is writable");
    };
    put(TRUSTED_ROOT, trusted_root(sigstore));
    for log in [Log::Rekor1, Log::Rekor2] {
        put(signing_config(log), signing(sigstore, log));
    }
}

fn trusted_root(sigstore: &Sigstore) -> Value {
    let public = |name: &str| der(&fs::read(sigstore.folder().join(name)).expect("the key is there")).remove(0);
    let by_hash = |spki: &[u8]| digest(&SHA256, spki).as_ref().to_vec();
    // Rekor v2 names its key as checkpoints do: by its host name, the algorithm and the bare key, which ends the SPKI.
    let by_name = |spki: &[u8]| by_hash(&[b"127.0.0.1\n\x01", &spki[spki.len() - 32..]].concat());
    let log = |url: String, spki: Vec<u8>, id: Vec<u8>, details: &str| {
        json!({
            "baseUrl": url,
            "hashAlgorithm": "SHA2_256",
            "publicKey": { "rawBytes": STANDARD.encode(spki), "keyDetails": details, "validFor": { "start": SINCE } },
            "logId": { "keyId": STANDARD.encode(id) },
        })
    };
    let (rekor1, rekor2, ct) = (public("rekor1.pub"), public("rekor2.pub"), public("ctlog.pub"));
    let (rekor1_id, rekor2_id, ct_id) = (by_hash(&rekor1), by_name(&rekor2), by_hash(&ct));
    let p256 = "PKIX_ECDSA_P256_SHA_256";
    let fulcio = fs::read(sigstore.folder().join("fulcio-chain.pem")).expect("the chain is there");
    let tsa = Sigstore::get(sigstore.tsa, "/api/v1/timestamp/certchain");
    json!({
        "mediaType": "application/vnd.dev.sigstore.trustedroot+json;version=0.1",
        "tlogs": [
            log(url(sigstore.rekor1), rekor1, rekor1_id, p256),
            log(url(sigstore.rekor2), rekor2, rekor2_id, "PKIX_ED25519"),
        ],
        "certificateAuthorities": [authority(&url(sigstore.fulcio), "fulcio", &fulcio)],
        "ctlogs": [log(format!("{}/{CT_LOG}", url(sigstore.ct)), ct, ct_id, p256)],
        "timestampAuthorities": [authority(&url(sigstore.tsa), "tsa", &tsa)],
    })
}

fn authority(url: &str, name: &str, chain: &[u8]) -> Value {
    let certificates: Vec<_> = der(chain).iter().map(|der| json!({ "rawBytes": STANDARD.encode(der) })).collect();
    json!({
        "subject": { "organization": "lab", "commonName": name },
        "uri": url,
        "certChain": { "certificates": certificates },
        "validFor": { "start": SINCE },
    })
}

fn signing(sigstore: &Sigstore, log: Log) -> Value {
    let service = |url: String, version: u8| json!([{ "url": url, "majorApiVersion": version, "validFor": { "start": SINCE }, "operator": "lab" }]);
    let (address, version) = match log {
        Log::Rekor1 => (sigstore.rekor1, 1),
        Log::Rekor2 => (sigstore.rekor2, 2),
    };
    json!({
        "mediaType": "application/vnd.dev.sigstore.signingconfig.v0.2+json",
        "caUrls": service(url(sigstore.fulcio), 1),
        "oidcUrls": service(GITLAB.into(), 1),
        "rekorTlogUrls": service(url(address), version),
        "rekorTlogConfig": { "selector": "EXACT", "count": 1 },
        "tsaUrls": service(format!("{}/api/v1/timestamp", url(sigstore.tsa)), 1),
        "tsaConfig": { "selector": "EXACT", "count": 1 },
    })
}

/// The DER of each PEM block.
fn der(pem: &[u8]) -> Vec<Vec<u8>> {
    let text = String::from_utf8_lossy(pem);
    let blocks = text.split("-----END").filter_map(|block| block.split_once("-----BEGIN"));
    blocks
        .map(|(_, block)| {
            let body: String = block.lines().skip(1).collect();
            STANDARD.decode(body).expect("PEM is base64")
        })
        .collect()
}

pub(super) fn url(address: SocketAddr) -> String {
    format!("http://{address}")
}
