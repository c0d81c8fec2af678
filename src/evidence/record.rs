//! A complete reading as it is stored: everything but the bytes of its pieces, which it names by their digests.

use std::collections::BTreeMap;

use bytes::Bytes;

use super::form::{Reader, Writer};
use super::{EvidenceSet, Unusable};
use crate::clock::Timestamp;
use crate::discovery::{Attachment, Beside, Candidate, Material, Wants};
use crate::oci::Digest;
use crate::policy::Format;
use crate::reason::Reason;

/// What was found about one digest, where its place in the store says. Read back it is worth nothing until its MAC was
/// checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EvidenceRecord {
    /// The sources that were read.
    pub(crate) wants: Wants,
    /// When the reading began.
    pub(crate) read_at: Timestamp,
    /// What was found, in its order.
    pub(crate) candidates: Vec<CandidateRecord>,
    /// What was found and cannot be evidence.
    pub(crate) unusable: Vec<Unusable>,
}

/// A candidate without the bytes of its piece.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CandidateRecord {
    pub(crate) location: String,
    pub(crate) elsewhere: Option<String>,
    pub(crate) attachment: Attachment,
    pub(crate) shape: Shape,
    /// What the bytes hash to.
    pub(crate) piece: Digest,
    /// How many there are.
    pub(crate) size: u64,
    pub(crate) beside: Beside,
}

/// Which material the bytes of a piece are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Shape {
    Bundle,
    Envelope,
    SimpleSigning { signature: String },
}

impl EvidenceRecord {
    /// The record of what reading the sources `wants` found; nothing for what was not read completely.
    pub fn of(wants: Wants, set: &EvidenceSet) -> Option<Self> {
        (set.unread.is_empty() && !set.incomplete).then(|| Self {
            wants,
            read_at: set.read_at,
            candidates: set.candidates.iter().map(CandidateRecord::of).collect(),
            unusable: set.unusable.clone(),
        })
    }

    /// The pieces that it names, each once, and their sizes in bytes.
    pub fn pieces(&self) -> BTreeMap<Digest, u64> {
        self.candidates.iter().map(|candidate| (candidate.piece, candidate.size)).collect()
    }

    /// Its binary form.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut writer = Writer::default();
        writer.byte(VERSION);
        let Wants { bundle, signatures, attestations, referrers } = self.wants;
        let bits = [bundle, signatures, attestations, referrers]
            .into_iter()
            .rev()
            .fold(0, |bits, bit| bits << 1 | u8::from(bit));
        writer.byte(bits);
        writer.number(self.read_at.0);
        writer.number(self.candidates.len() as u64);
        self.candidates.iter().for_each(|candidate| candidate.write(&mut writer));
        writer.number(self.unusable.len() as u64);
        for Unusable { location, format, reason, detail } in &self.unusable {
            writer.text(location);
            writer.byte(u8::from(*format == Format::Legacy));
            writer.text(reason.code());
            writer.text(detail);
        }
        writer.into_bytes()
    }

    /// Reads what [`EvidenceRecord::to_bytes`] makes, and nothing else.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let reader = &mut Reader::new(bytes);
        if reader.byte()? != VERSION {
            return None;
        }
        let bits = reader.byte().filter(|bits| *bits < 16)?;
        let has = |bit| bits & bit != 0;
        let wants = Wants { bundle: has(1), signatures: has(2), attestations: has(4), referrers: has(8) };
        let read_at = Timestamp(reader.number()?);
        let count = reader.count()?;
        let candidates = (0..count).map(|_| CandidateRecord::read(reader)).collect::<Option<_>>()?;
        let count = reader.count()?;
        let unusable = (0..count).map(|_| unusable(reader)).collect::<Option<_>>()?;
        reader.done().then_some(Self { wants, read_at, candidates, unusable })
    }
}

impl CandidateRecord {
    fn of(candidate: &Candidate) -> Self {
        let (piece, shape) = (
            piece(candidate),
            match candidate.untrusted() {
                Material::Bundle(_) => Shape::Bundle,
                Material::Envelope(_) => Shape::Envelope,
                Material::SimpleSigning { signature, .. } => Shape::SimpleSigning { signature: signature.clone() },
            },
        );
        Self {
            location: candidate.location().into(),
            elsewhere: candidate.elsewhere().map(ToString::to_string),
            attachment: candidate.attachment(),
            shape,
            piece: Digest::of(piece),
            size: piece.len() as u64,
            beside: candidate.beside().clone(),
        }
    }

    fn write(&self, writer: &mut Writer) {
        writer.text(&self.location);
        writer.maybe(self.elsewhere.as_deref());
        writer.byte(match self.attachment {
            Attachment::Referrer => 0,
            Attachment::Signature => 1,
            Attachment::Attestation => 2,
        });
        match &self.shape {
            Shape::Bundle => writer.byte(0),
            Shape::Envelope => writer.byte(1),
            Shape::SimpleSigning { signature } => {
                writer.byte(2);
                writer.text(signature);
            }
        }
        writer.raw(self.piece.as_bytes());
        writer.number(self.size);
        let Beside { certificate, chain, bundle, timestamp } = &self.beside;
        for beside in [certificate, chain, bundle, timestamp] {
            writer.maybe(beside.as_deref());
        }
    }

    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let location = reader.text()?.to_string();
        let elsewhere = reader.maybe().ok()?.map(str::to_string);
        let attachment = match reader.byte()? {
            0 => Attachment::Referrer,
            1 => Attachment::Signature,
            2 => Attachment::Attestation,
            _ => return None,
        };
        let shape = match reader.byte()? {
            0 => Shape::Bundle,
            1 => Shape::Envelope,
            2 => Shape::SimpleSigning { signature: reader.text()?.to_string() },
            _ => return None,
        };
        let piece = Digest::from_bytes(reader.raw()?);
        let size = reader.number()?;
        let mut beside = || reader.maybe().map(|text| text.map(str::to_string)).ok();
        let beside = Beside { certificate: beside()?, chain: beside()?, bundle: beside()?, timestamp: beside()? };
        Some(Self { location, elsewhere, attachment, shape, piece, size, beside })
    }
}

/// The bytes that `candidate` is about.
pub(crate) fn piece(candidate: &Candidate) -> &Bytes {
    match candidate.untrusted() {
        Material::Bundle(bytes) | Material::Envelope(bytes) => bytes,
        Material::SimpleSigning { payload, .. } => payload,
    }
}

fn unusable(reader: &mut Reader<'_>) -> Option<Unusable> {
    let location = reader.text()?.to_string();
    let format = match reader.byte()? {
        0 => Format::Bundle,
        1 => Format::Legacy,
        _ => return None,
    };
    let code = reader.text()?;
    let reason = Reason::ALL.iter().copied().find(|reason| reason.code() == code)?;
    Some(Unusable { location, format, reason, detail: reader.text()?.to_string() })
}

/// The form that is read and written. Another one is no record.
const VERSION: u8 = 1;

#[cfg(test)]
pub(crate) mod tests;
