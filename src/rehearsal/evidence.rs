//! Evidence of a case.
//!
//! | key | is |
//! |---|---|
//! | `signature: { by, … }` | a signature of the image |
//! | `attestation: { by, type, predicate` or `predicateFile, … }` | an attestation about it |
//! | `file: F` | a Sigstore bundle in a file, as cosign writes it |
//! | `legacy: { payload, signature, … }` | a layer of a tag `sha256-….sig` in files; `envelope` instead for one of `.att`; and `certificate`, `chain`, `bundle`, `timestamp` where it has them |
//! | `unread: TEXT` | a source that could not be read |
//! | `incomplete: true` | more than the limits allow to read |
//!
//! The first two are made by a virtual signer. Beside `by`, which is a [`super::signer`] or the name of one, they may
//! have `signedAt` (an instant, or relative to the present; without it, a minute ago), `format` (`bundle`, or
//! `legacy`), `logged: false` (stamped, but in no transparency log) and `about` (the digest that it was made for); a
//! signature may have `annotations`, signed as by `cosign sign -a`.
//!
//! Files of real evidence are judged by the real keys and trusted roots of the policy.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::Value;

use super::instant;
use super::raw::{RawAttestation, RawEvidence, RawLegacy, RawSignature, RawSigner, TextOr};
use super::signer::{self, Signer};
use crate::clock::Timestamp;
use crate::discovery::{Beside, Candidate, Material};
use crate::limits::Limits;
use crate::oci::Digest;
use crate::policy::file::parse_predicate_type;
use crate::policy::{Format, Policies};
use crate::verify::bundle;
use crate::yaml::{self, At, did_you_mean};

/// One piece of evidence.
#[derive(Debug, Clone)]
pub enum Evidence {
    /// As it was found by real tools.
    Found(Candidate),
    /// There was more than the limits allow to read.
    Incomplete,
    /// To be made by a virtual signer, when it is known for which image.
    Made(Made),
    /// A source that could not be read, and why.
    Unread(String),
}

/// What a virtual signer makes.
#[derive(Debug, Clone)]
pub struct Made {
    /// Where it is said, for people.
    pub location: String,
    /// By whom.
    pub by: Signer,
    /// About which digest, if not the image's.
    pub about: Option<Digest>,
    /// When.
    pub at: Timestamp,
    /// In which format.
    pub format: Format,
    /// Whether it is in the transparency log.
    pub logged: bool,
    /// What it says.
    pub says: Says,
}

/// What is signed.
#[derive(Debug, Clone)]
pub enum Says {
    /// An attestation.
    Attestation {
        /// Its predicate type.
        predicate_type: String,
        /// Its predicate.
        predicate: Value,
    },
    /// A signature.
    Signature {
        /// What is signed with it, as by `cosign sign -a`.
        annotations: BTreeMap<String, String>,
    },
}

/// What the evidence of one case is read with.
#[derive(Debug, Clone, Copy)]
pub(super) struct Reading<'a> {
    pub(super) policies: &'a Policies,
    pub(super) signers: &'a BTreeMap<String, Signer>,
    /// Where relative paths begin.
    pub(super) base: &'a Path,
    pub(super) now: Timestamp,
    /// This machine's clock, which logs and stamps must not be ahead of.
    pub(super) clock: Timestamp,
}

impl Reading<'_> {
    /// The evidence that `raw` lists; problems where it is none.
    pub(super) fn all(&self, at: &At<'_>, raw: &[RawEvidence]) -> Vec<Evidence> {
        raw.iter().enumerate().filter_map(|(index, raw)| self.one(&at.index(index), raw)).collect()
    }

    fn one(&self, at: &At<'_>, raw: &RawEvidence) -> Option<Evidence> {
        at.exactly_one(&[
            ("signature", raw.signature.is_some()),
            ("attestation", raw.attestation.is_some()),
            ("file", raw.file.is_some()),
            ("legacy", raw.legacy.is_some()),
            ("unread", raw.unread.is_some()),
            ("incomplete", raw.incomplete.is_some()),
        ])?;
        if let Some(raw) = &raw.signature {
            return self.signature(&at.key("signature"), raw);
        }
        if let Some(raw) = &raw.attestation {
            return self.attestation(&at.key("attestation"), raw);
        }
        if let Some(path) = &raw.file {
            let json = at.key("file").accept(self.read(path))?;
            return Some(Evidence::Found(Candidate::new(location(at), Material::Bundle(json.into()))));
        }
        if let Some(raw) = &raw.legacy {
            return self.legacy(&at.key("legacy"), location(at), raw);
        }
        if raw.incomplete == Some(false) {
            at.key("incomplete").problem("what is complete need not say so");
        }
        Some(raw.unread.clone().map_or(Evidence::Incomplete, Evidence::Unread))
    }

    fn signature(&self, at: &At<'_>, raw: &RawSignature) -> Option<Evidence> {
        let RawSignature { by, signed_at, format, logged, about, annotations } = raw;
        let how =
            How { by: by.as_ref(), signed_at: signed_at.as_ref(), format: format.as_ref(), about: about.as_ref() };
        let says = Says::Signature { annotations: annotations.clone().unwrap_or_default() };
        self.made(at, &how, logged.unwrap_or(true), Some(says))
    }

    fn attestation(&self, at: &At<'_>, raw: &RawAttestation) -> Option<Evidence> {
        let RawAttestation { by, signed_at, format, logged, about, r#type, predicate, predicate_file } = raw;
        let how =
            How { by: by.as_ref(), signed_at: signed_at.as_ref(), format: format.as_ref(), about: about.as_ref() };
        let predicate_type = at.require("type", r#type.as_ref());
        let predicate_type = predicate_type.and_then(|text| at.key("type").accept(parse_predicate_type(text)));
        at.exactly_one(&[("predicate", predicate.is_some()), ("predicateFile", predicate_file.is_some())]);
        let file = |path: &String| {
            let json = self.read(path)?;
            serde_json::from_slice(&json).map_err(|error| format!("`{path}` is not JSON: {error}"))
        };
        let predicate = match predicate_file {
            Some(path) => at.key("predicateFile").accept(file(path)),
            None => predicate.clone(),
        };
        let says = predicate_type.zip(predicate);
        let says = says.map(|(predicate_type, predicate)| Says::Attestation { predicate_type, predicate });
        self.made(at, &how, logged.unwrap_or(true), says)
    }

    fn made(&self, at: &At<'_>, how: &How<'_>, logged: bool, says: Option<Says>) -> Option<Evidence> {
        let by = at.require("by", how.by).and_then(|by| self.signer(&at.key("by"), by));
        let format = match how.format.map(String::as_str) {
            None | Some("bundle") => Format::Bundle,
            Some("legacy") => Format::Legacy,
            Some(other) => {
                at.key("format").problem(format!("`{other}` is not one of `bundle`, `legacy`"));
                return None;
            }
        };
        let signed_at = self.signed_at(at, how.signed_at, format);
        let about = how.about.map(|text| at.key("about").accept(digest(text)));
        let about = match about {
            None => None,
            Some(about) => Some(about?),
        };
        let location = location(at);
        Some(Evidence::Made(Made { location, by: by?, about, at: signed_at?, format, logged, says: says? }))
    }

    fn signed_at(&self, at: &At<'_>, text: Option<&String>, format: Format) -> Option<Timestamp> {
        let (at, signed_at) = match text {
            None => (at.clone(), Timestamp(self.now.0.saturating_sub(A_MINUTE))),
            Some(text) => (at.key("signedAt"), at.key("signedAt").accept(instant::parse(text, self.now))?),
        };
        // The only time that legacy evidence has is its log entry's, and that is verified by the clock.
        if signed_at > self.clock && format == Format::Legacy {
            at.problem(format!(
                "legacy evidence is not taken before its time, and by this machine's clock {signed_at} is yet to come: give an \
                 earlier `signedAt` or `now`"
            ));
        }
        Some(signed_at)
    }

    fn signer(&self, at: &At<'_>, by: &TextOr<RawSigner>) -> Option<Signer> {
        match by {
            TextOr::Mapping(raw) => signer::build(at, raw, self.policies),
            TextOr::Text(name) => {
                let known = self.signers.get(name).cloned();
                if known.is_none() {
                    let hint = did_you_mean(name, self.signers.keys().map(String::as_str));
                    at.problem(format!("`signers` has no `{name}`{hint}"));
                }
                known
            }
        }
    }

    fn legacy(&self, at: &At<'_>, location: String, raw: &RawLegacy) -> Option<Evidence> {
        let kind = at.exactly_one(&[("payload", raw.payload.is_some()), ("envelope", raw.envelope.is_some())])?;
        let text = |key: &str, path: Option<&String>| match path {
            None => Some(None),
            Some(path) => at.key(key).accept(self.text(path)).map(Some),
        };
        let beside = Beside {
            certificate: text("certificate", raw.certificate.as_ref())?,
            chain: text("chain", raw.chain.as_ref())?,
            bundle: text("bundle", raw.bundle.as_ref())?,
            timestamp: text("timestamp", raw.timestamp.as_ref())?,
        };
        let signed = raw.payload.as_ref().or(raw.envelope.as_ref())?;
        let signed = at.key(kind).accept(self.read(signed))?.into();
        let material = if kind == "envelope" {
            if raw.signature.is_some() {
                at.key("signature").problem("an envelope has its signature within");
            }
            Material::Envelope(signed)
        } else {
            let signature = text("signature", Some(at.require("signature", raw.signature.as_ref())?))??;
            Material::SimpleSigning { payload: signed, signature: signature.trim().into() }
        };
        Some(Evidence::Found(Candidate::new(location, material).with(beside)))
    }

    fn read(&self, path: &str) -> Result<Vec<u8>, String> {
        let largest = bundle::max_size(&Limits::default());
        yaml::read(&self.base.join(path), largest).map_err(|why| format!("`{path}`: {why}"))
    }

    fn text(&self, path: &str) -> Result<String, String> {
        String::from_utf8(self.read(path)?).map_err(|_| format!("`{path}`: it is not UTF-8"))
    }
}

/// How a virtual signer makes a piece, as far as signatures and attestations have it in common.
struct How<'a> {
    by: Option<&'a TextOr<RawSigner>>,
    signed_at: Option<&'a String>,
    format: Option<&'a String>,
    about: Option<&'a String>,
}

/// Parses a digest.
pub(super) fn digest(text: &str) -> Result<Digest, String> {
    text.parse().map_err(|error| format!("`{text}` is {error}"))
}

/// Where a piece is said within its case, such as `evidence[0]`.
fn location(at: &At<'_>) -> String {
    let path = at.path().to_string();
    let within = path.split_once('.').map_or(path.as_str(), |(_, within)| within);
    let kinds = [".signature", ".attestation", ".legacy"];
    kinds.iter().find_map(|kind| within.strip_suffix(kind)).unwrap_or(within).to_string()
}

/// Seconds.
const A_MINUTE: u64 = 60;
