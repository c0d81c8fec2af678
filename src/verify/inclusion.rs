//! That an entry is in its log: the log's promise, and the proof under a checkpoint that the log signed. (For certificates
//! over P-256 the crate does this; it cannot for half of the key kinds that cosign signs with.)

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sigstore_verify::crypto::VerificationKey;
use sigstore_verify::types::bundle::{InclusionPromise, InclusionProof};
use sigstore_verify::types::{KindVersion, Sha256Hash, SignatureBytes, TransparencyLogEntry};

use super::{Rejection, time};
use crate::clock::Timestamp;
use crate::oci::Digest;
use crate::reason::Reason;
use crate::trust::Root;

/// Verifies that `entry`, which [`super::log::check_all`] has passed, is in its log, and says since when, where the log
/// promised that.
pub(super) fn verify(
    entry: &TransparencyLogEntry,
    root: &Root,
    now: Timestamp,
) -> Result<Option<Timestamp>, Rejection> {
    let id = Sha256Hash::try_from(entry.log_id.key_id.as_bytes()).map_err(|error| wrong(error.to_string()))?;
    let key = root.log_keys().key(&id).ok_or_else(|| wrong("the log is not in the trusted root"))?;
    if let Some(proof) = &entry.inclusion_proof {
        included(entry, proof, &id, key)?;
    }
    match (&entry.inclusion_promise, entry.integrated_time) {
        (Some(promise), Some(since)) => {
            if root.log_keys().key_at(&id, since).is_none() {
                return Err(wrong("the log's key was not valid when it took the entry in"));
            }
            promised(entry, promise, since, &id, key)?;
            let since = time::seconds(since);
            if since > now {
                let ahead = since.0 - now.0;
                let detail = format!("the log's clock is {ahead} s ahead of ours; it counts once that has passed");
                return Err(wrong(detail));
            }
            Ok(Some(since))
        }
        (Some(_), None) => Err(wrong("the log's promise has no time")),
        (None, _) => Ok(None),
    }
}

/// The log's promise covers body, time, log and index, as canonical JSON.
fn promised(
    entry: &TransparencyLogEntry,
    promise: &InclusionPromise,
    since: jiff::Timestamp,
    id: &Sha256Hash,
    key: &VerificationKey,
) -> Result<(), Rejection> {
    let signed = format!(
        r#"{{"body":"{}","integratedTime":{},"logID":"{}","logIndex":{}}}"#,
        STANDARD.encode(entry.canonicalized_body.as_bytes()),
        since.as_second(),
        Digest::from_bytes(*id.as_bytes()).hex(),
        entry.log_index.get(),
    );
    let signature = SignatureBytes::from_bytes(promise.signed_entry_timestamp.as_bytes());
    key.verify(signed, &signature).map_err(|error| wrong(format!("the log's promise: {error}")))
}

fn included(
    entry: &TransparencyLogEntry,
    proof: &InclusionProof,
    id: &Sha256Hash,
    key: &VerificationKey,
) -> Result<(), Rejection> {
    let checkpoint = proof.checkpoint.checkpoint().ok_or_else(|| wrong("the proof has no checkpoint"))?;
    let own = checkpoint.signatures().iter().filter(|signature| signature.key_id.as_slice() == &id.as_bytes()[..4]);
    let mut own = own.map(|signature| &signature.signature);
    if !own.any(|signature| key.verify(checkpoint.signed_data(), signature).is_ok()) {
        return Err(wrong("the log did not sign the checkpoint"));
    }
    // The second version of the log counts only what is signed; the first numbers entries of one shard in the proof.
    let v2 = entry.kind_version == KindVersion::HashedRekordV002;
    if !v2 && *checkpoint.root_hash() != proof.root_hash {
        return Err(wrong("the checkpoint is of another tree than the proof"));
    }
    let index = if v2 { entry.log_index } else { proof.log_index };
    let leaf = sigstore_merkle::hash_leaf(entry.canonicalized_body.as_bytes());
    sigstore_merkle::verify_inclusion_proof(
        &leaf,
        index.get(),
        checkpoint.tree_size(),
        &proof.hashes,
        checkpoint.root_hash(),
    )
    .map_err(|error| wrong(format!("the inclusion proof: {error}")))
}

fn wrong(why: impl AsRef<str>) -> Rejection {
    Rejection::new(Reason::LogEntryInvalid, why)
}
