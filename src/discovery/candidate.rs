//! A candidate: signature material as found. It proves nothing.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;

use crate::evidence::EvidenceRecord;
use crate::evidence::record::Shape;
use crate::oci::Digest;
use crate::policy::Format;
use crate::record::Authenticated;

/// Untrusted material that may be evidence. Only discovery makes one; what it has made comes back from a record that
/// some replica sealed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    location: String,
    elsewhere: Option<Arc<str>>,
    untrusted: Material,
    beside: Beside,
    attachment: Attachment,
}

/// How evidence is attached to an image. Each has limits of its own, so that a flood of one hides no other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Attachment {
    /// By a manifest that refers to the image.
    Referrer,
    /// By the tag `sha256-….sig`.
    Signature,
    /// By the tag `sha256-….att`.
    Attestation,
}

/// What cosign's legacy tags keep in annotations beside the signed bytes. As untrusted as those.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Beside {
    /// `dev.sigstore.cosign/certificate`: PEM.
    pub certificate: Option<String>,
    /// `dev.sigstore.cosign/chain`: PEM, never an anchor.
    pub chain: Option<String>,
    /// `dev.sigstore.cosign/bundle`: the log entry and the log's promise, as JSON.
    pub bundle: Option<String>,
    /// `dev.sigstore.cosign/rfc3161timestamp`: the time stamp, as JSON.
    pub timestamp: Option<String>,
}

/// The three shapes in which cosign stores signatures.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Material {
    /// A Sigstore bundle, version 0.3, as JSON.
    Bundle(Bytes),
    /// A DSSE envelope as JSON, of a legacy `.att` tag.
    Envelope(Bytes),
    /// A simple-signing payload and the annotations beside it, of a legacy `.sig` tag.
    SimpleSigning {
        /// The layer's bytes, which the signature covers.
        payload: Bytes,
        /// The base64 text of the annotation `dev.cosignproject.cosign/signature`.
        signature: String,
    },
}

impl Candidate {
    pub(crate) fn new(location: String, untrusted: Material) -> Self {
        let attachment = match untrusted {
            Material::Bundle(_) => Attachment::Referrer,
            Material::SimpleSigning { .. } => Attachment::Signature,
            Material::Envelope(_) => Attachment::Attestation,
        };
        Self { location, elsewhere: None, untrusted, beside: Beside::default(), attachment }
    }

    /// The candidates of a stored reading, as discovery made them, if `pieces` are the bytes that the record names: each
    /// is hashed.
    pub(crate) fn restore(
        record: &Authenticated<EvidenceRecord>,
        pieces: &BTreeMap<Digest, Bytes>,
    ) -> Option<Vec<Self>> {
        if pieces.iter().any(|(digest, bytes)| Digest::of(bytes) != *digest) {
            return None;
        }
        let restored = record.get().candidates.iter().map(|stored| {
            let bytes = pieces.get(&stored.piece).filter(|bytes| bytes.len() as u64 == stored.size)?.clone();
            let untrusted = match &stored.shape {
                Shape::Bundle => Material::Bundle(bytes),
                Shape::Envelope => Material::Envelope(bytes),
                Shape::SimpleSigning { signature } => {
                    Material::SimpleSigning { payload: bytes, signature: signature.clone() }
                }
            };
            Some(Self {
                location: stored.location.clone(),
                elsewhere: stored.elsewhere.as_deref().map(Arc::from),
                untrusted,
                beside: stored.beside.clone(),
                attachment: stored.attachment,
            })
        });
        restored.collect()
    }

    /// The same material, attached by a referrer whatever its format.
    pub(crate) fn of_referrer(self) -> Self {
        Self { attachment: Attachment::Referrer, ..self }
    }

    /// The same material, in the repository `place`.
    pub(crate) fn within(self, place: &str) -> Self {
        Self { location: format!("{place}, {}", self.location), elsewhere: Some(place.into()), ..self }
    }

    /// The other repository that it is in, if it is not beside the image.
    pub fn elsewhere(&self) -> Option<&Arc<str>> {
        self.elsewhere.as_ref()
    }

    /// How it is attached.
    pub fn attachment(&self) -> Attachment {
        self.attachment
    }

    /// The same material with what stands beside it.
    pub(crate) fn with(self, beside: Beside) -> Self {
        Self { beside, ..self }
    }

    /// What stands beside it; nothing for bundles, which hold everything themselves.
    pub fn beside(&self) -> &Beside {
        &self.beside
    }

    /// Where it was found, for people: `referrer sha256:…`, with `, listed by tag sha256-…` where the registry has no
    /// API for that, or `tag sha256-….sig, layer 1`.
    pub fn location(&self) -> &str {
        &self.location
    }

    /// The material itself.
    pub fn untrusted(&self) -> &Material {
        &self.untrusted
    }

    /// About how many bytes it takes in memory.
    pub fn size(&self) -> usize {
        let material = match &self.untrusted {
            Material::Bundle(bytes) | Material::Envelope(bytes) => bytes.len(),
            Material::SimpleSigning { payload, signature } => payload.len() + signature.len(),
        };
        let Beside { certificate, chain, bundle, timestamp } = &self.beside;
        let beside = [certificate, chain, bundle, timestamp].into_iter().flatten().map(String::len);
        size_of::<Self>() + self.location.len() + material + beside.sum::<usize>()
    }

    /// How it was stored.
    pub fn format(&self) -> Format {
        match self.untrusted {
            Material::Bundle(_) => Format::Bundle,
            Material::Envelope(_) | Material::SimpleSigning { .. } => Format::Legacy,
        }
    }
}
