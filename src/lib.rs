//! Countersign: an OCI registry reverse proxy that enforces cosign signatures on pull.
//!
//! The modules stand in the order of a pull.

pub mod listener;

pub mod middleware;

pub mod snapshot;

pub mod upstream;

pub mod policy;

pub mod cache;

pub mod discovery;

pub mod evidence;

pub mod verify;

pub mod trust;

pub mod outcome;

pub mod decide;

pub mod admission;

pub mod membership;

pub mod record;

pub mod store;

pub mod body;

pub mod oci;

pub mod reason;

pub mod clock;

pub mod limits;

pub mod strict_json;

pub mod admin;

pub mod telemetry;
