//! Finds the evidence about a digest: untrusted material, and what could not be read.

pub mod candidate;

pub mod referrers;

pub mod tag;

pub use candidate::{Candidate, Material};
