//! The annotations of a signature that its signer signed: those of `cosign sign -a`. What stands beside a signature in the
//! registry anybody may write; it is not looked at.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Map, Value};

use crate::oci::Digest;

/// Both documents that say that an image is signed: cosign annotates the subject of a statement, and `optional` of a
/// simple-signing payload.
#[derive(Deserialize)]
struct Signed {
    #[serde(default)]
    subject: Vec<Subject>,
    #[serde(default)]
    optional: Option<Map<String, Value>>,
}

#[derive(Deserialize)]
struct Subject {
    digest: BTreeMap<String, String>,
    #[serde(default)]
    annotations: Option<Map<String, Value>>,
}

/// What `payload`, which was verified and is about `subject`, says of it in texts.
pub(super) fn of(payload: &[u8], subject: &Digest) -> BTreeMap<String, String> {
    let Ok(signed) = serde_json::from_slice::<Signed>(payload) else { return BTreeMap::new() };
    let hex = subject.hex();
    let mut named = signed.subject.into_iter().filter(|one| one.digest.get("sha256") == Some(&hex));
    let all = named.find_map(|one| one.annotations).or(signed.optional);
    let texts = all.into_iter().flatten().filter_map(|(key, value)| match value {
        Value::String(text) => Some((key, text)),
        _ => None,
    });
    texts.collect()
}
