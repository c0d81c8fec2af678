//! Countersign: an OCI registry reverse proxy that enforces cosign signatures on pull.
//!
//! The modules stand in the order of a pull.

pub mod discovery;

pub mod evidence;

pub mod policy;

pub mod upstream;

pub mod verify;

pub mod oci;

pub mod reason;

pub mod clock;

pub mod limits;

pub mod strict_json;

pub mod telemetry;
