//! What a file of cases may say, and nothing more. Nothing here is judged yet.

use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;

use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserialize, Deserializer, Error, MapAccess, Visitor};

use crate::yaml::raw;

raw! {
    /// The whole file.
    RawFile {
        policy: String,
        now: String,
        signers: BTreeMap<String, RawSigner>,
        trust_roots: BTreeMap<String, String>,
        cases: Vec<RawCase>,
    }

    /// One case.
    RawCase {
        name: String,
        image: String,
        annotations: BTreeMap<String, String>,
        audit: bool,
        now: String,
        evidence: Vec<RawEvidence>,
        children: Vec<RawChild>,
        expect: TextOr<RawExpect>,
    }

    /// A manifest that an index lists.
    RawChild {
        platform: String,
        digest: String,
        annotations: BTreeMap<String, String>,
        evidence: Vec<RawEvidence>,
    }

    /// One piece of evidence: exactly one of these.
    RawEvidence {
        signature: RawSignature,
        attestation: RawAttestation,
        file: String,
        legacy: RawLegacy,
        unread: String,
        incomplete: bool,
    }

    /// A signature by a virtual signer.
    RawSignature {
        by: TextOr<RawSigner>,
        signed_at: String,
        format: String,
        logged: bool,
        about: String,
        annotations: BTreeMap<String, String>,
    }

    /// An attestation by a virtual signer.
    RawAttestation {
        by: TextOr<RawSigner>,
        signed_at: String,
        format: String,
        logged: bool,
        about: String,
        r#type: String,
        predicate: serde_json::Value,
        predicate_file: String,
    }

    /// A layer of a legacy tag, in files: a payload and its signature, or an envelope, and what stands beside them.
    RawLegacy {
        payload: String,
        signature: String,
        envelope: String,
        certificate: String,
        chain: String,
        bundle: String,
        timestamp: String,
    }

    /// What must come of it.
    RawExpect {
        verdict: String,
        reason: String,
        cause: String,
        policy: String,
        detail: String,
        would_deny: Vec<String>,
    }
}

/// A signer: its keys are those of a policy's pins and a few more.
pub(super) type RawSigner = BTreeMap<String, String>;

/// A single text, or a mapping that says more.
#[derive(Debug)]
pub(super) enum TextOr<T> {
    Text(String),
    Mapping(T),
}

/// By hand, because an untagged enumeration would not say which key is wrong.
impl<'de, T: Deserialize<'de>> Deserialize<'de> for TextOr<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either<T>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Visitor<'de> for Either<T> {
            type Value = TextOr<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text or a mapping")
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
                Ok(TextOr::Text(text.into()))
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
                T::deserialize(MapAccessDeserializer::new(map)).map(TextOr::Mapping)
            }
        }
        deserializer.deserialize_any(Either(PhantomData))
    }
}
