//! Transparency log entries: which log, which kind, about which signature. That they are in the log is established
//! elsewhere.

use serde::Deserialize;
use sigstore_verify::trust_root::TransparencyLog;
use sigstore_verify::types::bundle::InclusionProof;
use sigstore_verify::types::{Bundle, CanonicalizedBody, KindVersion, MediaType, TransparencyLogEntry};

use super::Rejection;
use super::envelope::shortened;
use crate::clock::Timestamp;
use crate::reason::Reason;
use crate::trust::Root;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Body {
    kind: String,
    api_version: String,
    #[serde(default)]
    spec: serde_json::Value,
}

/// Which kind of entry `body` is, by its own words, which the log has signed.
pub(super) fn kind_of(body: &CanonicalizedBody) -> Result<KindVersion, Rejection> {
    super::at_most("bytes of a log entry", body.as_bytes().len(), MAX_BODY)?;
    let Body { kind, api_version, spec } = super::object("log entry", body.as_bytes())?;
    match (kind.as_str(), api_version.as_str()) {
        ("hashedrekord", "0.0.1") if !is_one_hash(&spec) => {
            Err(Rejection::new(Reason::LogEntryMismatch, "the log entry's digest is of another algorithm than it says"))
        }
        ("hashedrekord", "0.0.1") => Ok(KindVersion::HashedRekordV001),
        ("hashedrekord", "0.0.2") => Ok(KindVersion::HashedRekordV002),
        ("dsse", "0.0.1") => Ok(KindVersion::DsseV001),
        ("intoto", "0.0.2") => Ok(KindVersion::IntotoV002),
        _ => {
            let detail = format!("a log entry of kind {:?}, {:?}", shortened(&kind), shortened(&api_version));
            Err(Rejection::new(Reason::EvidenceUnsupported, detail))
        }
    }
}

/// Whether the digest in an entry has the length that its algorithm gives it. The crate does not look at the algorithm.
fn is_one_hash(spec: &serde_json::Value) -> bool {
    let hash = &spec["data"]["hash"];
    let digits = match hash["algorithm"].as_str() {
        Some("sha256") => 64,
        Some("sha384") => 96,
        Some("sha512") => 128,
        _ => return false,
    };
    hash["value"].as_str().is_some_and(|value| value.len() == digits)
}

/// Refuses, before any cryptography, entries of `bundle` that cannot count under `root`: another log's, of another kind
/// than they say, without proof, or with a checkpoint that another log signed.
pub(super) fn check_all(bundle: &Bundle, root: &Root) -> Result<(), Rejection> {
    let entries = &bundle.verification_material.tlog_entries;
    for (number, entry) in entries.iter().enumerate() {
        let log = log_of(entry, root)?;
        if kind_of(&entry.canonicalized_body)? != entry.kind_version {
            return Err(Rejection::new(Reason::LogEntryMismatch, "the log entry is of another kind than it says"));
        }
        let same = |other: &TransparencyLogEntry| other.log_id == entry.log_id && other.log_index == entry.log_index;
        if entries.iter().take(number).any(same) {
            return Err(Rejection::new(Reason::EvidenceMalformed, "one log entry twice"));
        }
        match &entry.inclusion_proof {
            Some(proof) => check_checkpoint(entry, proof, log, root)?,
            None if bundle.media_type != MediaType::Bundle0_1 => {
                return Err(Rejection::new(Reason::LogProofMissing, "the log entry has no inclusion proof"));
            }
            None if entry.inclusion_promise.is_none() => {
                return Err(Rejection::new(Reason::LogProofMissing, "the log entry has neither proof nor promise"));
            }
            None => {}
        }
    }
    Ok(())
}

/// The log of `root` that `entry` says it is in.
pub(super) fn log_of<'r>(entry: &TransparencyLogEntry, root: &'r Root) -> Result<&'r TransparencyLog, Rejection> {
    root.content().tlogs.iter().find(|log| log.log_id == entry.log_id).ok_or_else(|| {
        let detail = format!("the log {} is not in the trusted root", shortened(&entry.log_id.key_id.to_string()));
        Rejection::new(Reason::LogEntryInvalid, detail)
    })
}

/// Refuses entries whose log's key did not count at `time`. The crate asks that only of entries with a promise.
pub(super) fn check_validity(bundle: &Bundle, root: &Root, time: Timestamp) -> Result<(), Rejection> {
    for entry in &bundle.verification_material.tlog_entries {
        let valid = log_of(entry, root)?.public_key.valid_for;
        if !valid.is_none_or(|range| super::time::instant(time).is_some_and(|time| range.contains(time))) {
            return Err(Rejection::new(Reason::LogEntryInvalid, "the log's key was not valid then"));
        }
    }
    Ok(())
}

/// The checkpoint must be of the entry's own log: the crate takes the signature of any log in the root.
fn check_checkpoint(
    entry: &TransparencyLogEntry,
    proof: &InclusionProof,
    log: &TransparencyLog,
    root: &Root,
) -> Result<(), Rejection> {
    let wrong = |why: &str| Err(Rejection::new(Reason::LogEntryInvalid, why));
    let Some(checkpoint) = proof.checkpoint.checkpoint() else {
        return Err(Rejection::new(Reason::LogProofMissing, "the inclusion proof has no checkpoint"));
    };
    // Each that names the log's key is verified until one is good, and nobody vouches for how many stand there.
    super::at_most("signatures of a checkpoint", checkpoint.signatures().len(), MAX_SIGNATURES)?;
    let others = root.content().tlogs.iter().filter(|other| other.log_id != log.log_id);
    let foreign: Vec<_> = others.filter_map(|other| hint(other)).collect();
    if checkpoint.signatures().iter().any(|signature| foreign.contains(&signature.key_id.as_slice())) {
        return wrong("the checkpoint is signed by another log than the entry's");
    }
    let Some(own) = checkpoint.signatures().iter().find(|one| hint(log) == Some(one.key_id.as_slice())) else {
        return wrong("the checkpoint is not signed by the entry's log");
    };
    if entry.kind_version == KindVersion::HashedRekordV002 {
        if !names(log, checkpoint.origin()) || own.name != checkpoint.origin() {
            return wrong("the checkpoint is of another origin than the entry's log");
        }
    } else {
        let origin = checkpoint.origin().strip_prefix(own.name.as_str());
        if !origin.is_some_and(|rest| rest.is_empty() || rest.starts_with(" - ")) {
            return wrong("the checkpoint is of another origin than the entry's log");
        }
        if checkpoint.tree_size() != proof.tree_size {
            return wrong("the checkpoint is of another tree size than the proof");
        }
    }
    Ok(())
}

/// The four bytes by which a checkpoint's signature names the key of `log`.
fn hint(log: &TransparencyLog) -> Option<&[u8]> {
    log.log_id.key_id.as_bytes().get(..4)
}

/// Whether `origin` is the log's name: the host of its address, perhaps with the port.
fn names(log: &TransparencyLog, origin: &str) -> bool {
    let Ok(url) = url::Url::parse(&log.base_url) else { return false };
    let Some(host) = url.host_str() else { return false };
    origin == host || url.port().is_some_and(|port| origin == format!("{host}:{port}"))
}

/// Bytes of an entry's body: signature, hash and certificate have about 6 KiB; the signed content is not in it.
const MAX_BODY: usize = 64 << 10;
/// Signatures of one checkpoint: the log's own, and those of witnesses.
const MAX_SIGNATURES: usize = 64;
