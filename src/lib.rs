//! Countersign: an OCI registry reverse proxy that enforces cosign signatures on pull.
//!
//! The modules stand in the order of a pull. A request enters at [`listener`], is counted and logged by
//! [`middleware`], and answered by [`proxy`], which has [`route`] parse it and [`client`] say whether the caller may
//! ask. [`pull`] then resolves the tag once, reads the manifest by digest, finds what governs it ([`policy`]) and asks
//! for a verdict: remembered ([`cache`]), or made anew by [`discovery`] (untrusted candidates), [`verify`] (proof of
//! who signed what) and [`decide`]. [`admission`] binds the verdict to the content, and [`respond`] can answer with
//! nothing that was not admitted.
//!
//! # What cannot be written
//!
//! The types below are the promise; each example fails to compile for the reason it names, and the last one, which
//! compiles, shows that it is not for another.
//!
//! Content cannot be admitted by hand, because the fields are private:
//! ```compile_fail,E0451
//! use countersign::{admission::Admitted, clock::Timestamp, oci::{Blob, Digest}, outcome::Basis};
//! fn forge() -> Admitted<Blob> {
//!     Admitted { content: Blob(Digest::of(b"x")), basis: Basis::Signed, stale: false, fresh_until: Timestamp(0) }
//! }
//! ```
//! An answer cannot be made of a manifest that was not admitted:
//! ```compile_fail,E0308
//! use std::sync::Arc;
//! use countersign::{oci::Manifest, respond};
//! fn answer(manifest: Arc<Manifest>) {
//!     respond::manifest(manifest);
//! }
//! ```
//! Neither can a verdict, a proof of signing or of being evidence oneself, or an authenticated record:
//! ```compile_fail,E0423
//! use countersign::{decide::Verdict, outcome::Ruling};
//! fn forge(ruling: Ruling) -> Verdict {
//!     Verdict(ruling)
//! }
//! ```
//! ```compile_fail,E0451
//! use countersign::{oci::Digest, policy::{Format, Name}, verify::{Claim, Signing, Verified}};
//! fn forge(authority: Name, signing: Signing, subject: Digest) -> Verified {
//!     let (claim, format, location) = (Claim::Signature, Format::Bundle, String::new());
//!     Verified { authority, signing, subject, claim, payload: [].into(), format, location }
//! }
//! ```
//! ```compile_fail,E0451
//! use countersign::{oci::Digest, verify::artifact::EvidenceProof};
//! fn forge(digest: Digest) -> EvidenceProof {
//!     EvidenceProof { digest }
//! }
//! ```
//! ```compile_fail,E0423
//! use countersign::record::{Authenticated, VerdictRecord};
//! fn forge(record: VerdictRecord) -> Authenticated<VerdictRecord> {
//!     Authenticated(record)
//! }
//! ```
//! No new kind of content can claim a digest:
//! ```compile_fail,E0277
//! use countersign::{admission::Addressed, oci::Digest};
//! struct Mine;
//! impl Addressed for Mine {
//!     fn digest(&self) -> Digest { Digest::of(b"signed by somebody") }
//!     fn listed(&self) -> &[Digest] { &[] }
//! }
//! ```
//! What does compile:
//! ```
//! use std::sync::Arc;
//! use countersign::admission::{Addressed, Admitted};
//! use countersign::clock::Timestamp;
//! use countersign::decide::Verdict;
//! use countersign::oci::{Blob, Digest, Manifest};
//! use countersign::outcome::{Basis, Key, Outcome};
//! use countersign::record::{Authenticated, VerdictRecord};
//! use countersign::verify::artifact::EvidenceProof;
//! use countersign::verify::{Claim, Verified};
//! use countersign::respond;
//! fn answer(manifest: Admitted<Arc<Manifest>>) {
//!     respond::manifest(manifest);
//! }
//! fn read(verdict: &Verdict, record: &Authenticated<VerdictRecord>, verified: &Verified) -> bool {
//!     let _: (&Key, &VerdictRecord, Timestamp) = (verdict.key(), record.get(), verdict.valid_until());
//!     *verdict.outcome() == Outcome::Allow(Basis::Signed) && *verified.claim() == Claim::Signature
//! }
//! fn about(proof: &EvidenceProof) -> Digest {
//!     proof.digest()
//! }
//! fn ask<T: Addressed>(content: T) -> Digest {
//!     content.digest()
//! }
//! assert_eq!(ask(Blob(Digest::of(b"x"))), Digest::of(b"x"));
//! ```

pub mod cli;

pub mod app;

pub mod demo;

pub mod rehearsal;

pub mod config;

pub mod listener;

pub mod middleware;

pub mod proxy;

pub mod route;

pub mod client;

pub mod pull;

pub mod snapshot;

pub mod upstream;

pub mod policy;

pub mod cache;

pub mod flight;

pub mod discovery;

pub mod evidence;

pub mod examined;

pub mod verify;

pub mod trust;

pub mod outcome;

pub mod weigh;

pub mod select;

pub mod decide;

pub mod admission;

pub mod membership;

pub mod record;

pub mod store;

pub mod respond;

pub mod blob;

pub mod passthrough;

pub mod body;

pub mod oci;

pub mod reason;

pub mod clock;

pub mod limits;

pub mod pem;

pub mod strict_json;

pub mod yaml;

pub mod admin;

pub mod telemetry;

#[cfg(any(test, fuzzing))]
pub mod fuzz;

#[cfg(test)]
mod test_support;
