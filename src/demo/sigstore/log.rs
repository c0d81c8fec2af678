//! A transparency log, of either version of Rekor, and the entries that it returns.

use std::io;

use serde_json::{Value, json};

use super::base64;
use super::checkpoint::Signatory;
use super::key::Key;
use super::merkle;

/// A log. It keeps nothing: every entry stands at [`Log::index`] among others that nobody asks for.
#[derive(Debug, Clone)]
pub struct Log {
    /// Which Rekor it is.
    pub version: Version,
    /// How it signs.
    pub signatory: Signatory,
    /// Where in its tree an entry stands.
    pub index: usize,
    /// How many leaves its tree has.
    pub size: usize,
}

/// A version of Rekor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Version {
    /// Signs the time of each entry.
    V1,
    /// Signs checkpoints only.
    V2,
}

/// An entry as a log returns it, every part of which can be changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The log's identity.
    pub log: Vec<u8>,
    /// Its number in the log over all its trees.
    pub index: u64,
    /// Its kind and the version of that.
    pub kind: (String, String),
    /// When it was put in, in seconds since 1970; Rekor v2 does not say.
    pub integrated_at: Option<i64>,
    /// The log's signature over number, time and body.
    pub promise: Option<Vec<u8>>,
    /// Its place in the tree.
    pub proof: Option<Proof>,
    /// The canonical body.
    pub body: Vec<u8>,
}

/// An inclusion proof.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proof {
    /// Its number in the tree.
    pub index: u64,
    /// How many leaves the tree has.
    pub size: u64,
    /// The root.
    pub root: Vec<u8>,
    /// The path to the root.
    pub hashes: Vec<Vec<u8>>,
    /// What the log signed.
    pub checkpoint: String,
}

impl Log {
    /// Makes a Rekor v1.
    ///
    /// # Errors
    /// If its key cannot be made.
    pub fn v1() -> io::Result<Self> {
        let signatory = Signatory::v1(Key::p256()?, "rekor.virtual.test");
        Ok(Self { version: Version::V1, signatory, index: 4, size: 7 })
    }

    /// Makes a Rekor v2.
    ///
    /// # Errors
    /// If its key cannot be made.
    pub fn v2() -> io::Result<Self> {
        let signatory = Signatory::v2(Key::of(&rcgen::PKCS_ED25519)?, "log2026.rekor.virtual.test");
        Ok(Self { version: Version::V2, signatory, index: 4, size: 7 })
    }

    /// This log, where an entry stands at `index` of `size`.
    #[must_use]
    pub fn at(mut self, index: usize, size: usize) -> Self {
        (self.index, self.size) = (index, size);
        self
    }

    /// Puts in an entry with the canonical `body`.
    ///
    /// # Errors
    /// If signing fails.
    pub fn enter(&self, kind: (&str, &str), body: Vec<u8>, at: i64) -> io::Result<Entry> {
        let mut leaves: Vec<_> = (0..self.size).map(|number| merkle::leaf(&number.to_be_bytes())).collect();
        if let Some(place) = leaves.get_mut(self.index) {
            *place = merkle::leaf(&body);
        }
        let root = merkle::root(&leaves);
        let proof = Proof {
            index: number(self.index),
            size: number(self.size),
            checkpoint: self.signatory.checkpoint(self.size, &root)?,
            hashes: merkle::proof(&leaves, self.index),
            root,
        };
        let mut entry = Entry {
            log: self.signatory.id.clone(),
            index: proof.index,
            kind: (kind.0.into(), kind.1.into()),
            integrated_at: None,
            promise: None,
            proof: Some(proof),
            body,
        };
        if self.version == Version::V1 {
            // Rekor v1 has had other trees before this one.
            entry.index += 1000;
            entry.integrated_at = Some(at);
            entry.promise = Some(self.signatory.key.sign(entry.promised().as_bytes())?);
        }
        Ok(entry)
    }
}

impl Entry {
    /// What the log promises: the text that the signed entry timestamp covers, canonical JSON (RFC 8785).
    pub fn promised(&self) -> String {
        format!(
            r#"{{"body":"{}","integratedTime":{},"logID":"{}","logIndex":{}}}"#,
            base64(&self.body),
            self.integrated_at.unwrap_or_default(),
            super::hex(&self.log),
            self.index
        )
    }

    /// Lets `log` promise the entry as it stands now.
    ///
    /// # Errors
    /// If signing fails.
    pub fn promise_anew(&mut self, log: &Log) -> io::Result<()> {
        self.promise = Some(log.signatory.key.sign(self.promised().as_bytes())?);
        Ok(())
    }

    /// As a bundle has it. Members that are zero or empty are left out, as protobuf does.
    pub fn json(&self) -> Value {
        let mut json = json!({
            "logId": { "keyId": base64(&self.log) },
            "kindVersion": { "kind": self.kind.0, "version": self.kind.1 },
            "canonicalizedBody": base64(&self.body),
        });
        if self.index > 0 {
            json["logIndex"] = json!(self.index.to_string());
        }
        if let Some(at) = self.integrated_at {
            json["integratedTime"] = json!(at.to_string());
        }
        if let Some(promise) = &self.promise {
            json["inclusionPromise"] = json!({ "signedEntryTimestamp": base64(promise) });
        }
        if let Some(proof) = &self.proof {
            json["inclusionProof"] = proof.json();
        }
        json
    }

    /// As the annotation `dev.sigstore.cosign/bundle` has it.
    pub fn annotation(&self) -> Value {
        json!({
            "SignedEntryTimestamp": base64(self.promise.as_deref().unwrap_or_default()),
            "Payload": {
                "body": base64(&self.body),
                "integratedTime": self.integrated_at.unwrap_or_default(),
                "logIndex": self.index,
                "logID": super::hex(&self.log),
            },
        })
    }

    /// What its place in the tree is proven for.
    pub fn leaf_hash(&self) -> Vec<u8> {
        merkle::leaf(&self.body)
    }
}

impl Proof {
    fn json(&self) -> Value {
        let mut json = json!({
            "rootHash": base64(&self.root),
            "treeSize": self.size.to_string(),
            "checkpoint": { "envelope": self.checkpoint },
        });
        if self.index > 0 {
            json["logIndex"] = json!(self.index.to_string());
        }
        if !self.hashes.is_empty() {
            json["hashes"] = self.hashes.iter().map(|hash| base64(hash)).collect();
        }
        json
    }
}

fn number(number: usize) -> u64 {
    u64::try_from(number).unwrap_or_default()
}
