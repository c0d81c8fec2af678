//! An index of what refers to a digest.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::oci::Digest;
use crate::oci::media_type::ManifestType;
use crate::strict_json::{self, Object};
use crate::upstream::UpstreamError;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Index {
    media_type: Option<String>,
    #[serde(deserialize_with = "Option::deserialize")]
    manifests: Option<Vec<Value>>,
}

/// What is said of a referrer. `urls` and `data` are not: they would be other ways to its content than this proxy's.
#[derive(Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
struct Referrer {
    media_type: String,
    digest: Digest,
    size: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    artifact_type: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    annotations: Option<BTreeMap<String, String>>,
}

/// The same list, without what cannot be pulled here: a descriptor with another kind of digest, say.
pub(super) fn rewritten(bytes: &[u8]) -> Result<Vec<u8>, UpstreamError> {
    const MALFORMED: UpstreamError = UpstreamError::Malformed("it is not an index of referrers");
    let index = ManifestType::OciIndex.as_str();
    let Object(Index { media_type, manifests }) = strict_json::parse(bytes).map_err(|_| MALFORMED)?;
    if media_type.is_some_and(|inner| inner != index) {
        return Err(MALFORMED);
    }
    let manifests = manifests.unwrap_or_default();
    if manifests.len() > MAX_ENTRIES {
        return Err(UpstreamError::Malformed("it lists more than 10000 referrers at once"));
    }
    let known = manifests.into_iter().filter_map(|one| serde_json::from_value::<Object<Referrer>>(one).ok());
    let known: Vec<_> = known.map(|Object(referrer)| referrer).collect();
    Ok(json!({ "schemaVersion": 2, "mediaType": index, "manifests": known }).to_string().into_bytes())
}

/// Descriptors of one page.
const MAX_ENTRIES: usize = 10_000;

#[cfg(test)]
mod tests {
    use super::*;

    fn read(index: &Value) -> Option<Vec<Value>> {
        let bytes = rewritten(index.to_string().as_bytes()).ok()?;
        let index: Value = serde_json::from_slice(&bytes).expect("JSON");
        assert_eq!(index["mediaType"], ManifestType::OciIndex.as_str());
        index["manifests"].as_array().cloned()
    }

    #[test]
    fn descriptors_are_relayed_without_other_ways_to_their_content() {
        let good = json!({ "mediaType": "a/b", "digest": Digest::of(b"x"), "size": 1, "artifactType": "c/d",
            "annotations": { "e": "f", "E": "g" } });
        let mut more = good.clone();
        more["data"] = json!("eA==");
        more["urls"] = json!(["https://evil/x"]);
        let other = json!({ "mediaType": "a/b", "digest": format!("sha512:{}", "0".repeat(128)), "size": 1 });
        for (sent, relayed) in [
            (json!([good]), vec![good.clone()]),
            (json!([more, 7, ["a/b", Digest::of(b"x"), 1, "c/d", {}], other, good]), vec![good.clone(), good.clone()]),
            (json!([]), vec![]),
            (Value::Null, vec![]),
        ] {
            assert_eq!(read(&json!({ "schemaVersion": 2, "manifests": sent })), Some(relayed));
        }
        for bad in
            ["", "<html>", "[]", r#"{"manifests":{}}"#, r#"{"mediaType":"a/b"}"#, r#"{"manifests":[],"manifests":[]}"#]
        {
            assert!(rewritten(bad.as_bytes()).is_err(), "{bad}");
        }
    }

    #[test]
    fn o44_a_hundred_thousand_descriptors_in_one_page_are_not_relayed() {
        let entry = json!({ "mediaType": "a/b", "digest": Digest::of(b"x"), "size": 1 });
        let index = |count| json!({ "manifests": vec![entry.clone(); count] });
        assert_eq!(read(&index(MAX_ENTRIES)).map(|all| all.len()), Some(MAX_ENTRIES));
        assert_eq!(read(&index(MAX_ENTRIES + 1)), None);
    }
}
