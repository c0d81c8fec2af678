//! The vocabulary of the OCI specifications. It imports nothing else of ours.

pub mod digest;

pub mod name;

pub mod media_type;

pub mod manifest;

pub mod error;

pub mod tags;

pub use digest::{Blob, Digest};
pub use manifest::Manifest;
pub use name::{Image, Reference, Registry, Repository, Subject, Tag};
