//! What pipelines attest about their images: the predicates with which the examples of policies are tested.

use std::io;

use serde_json::{Value, json};

/// The predicate types of a bill of materials, of a scan and of provenance.
pub(super) const TYPES: [&str; 3] =
    ["https://cyclonedx.org/bom", "https://cosign.sigstore.dev/attestation/vuln/v1", "https://slsa.dev/provenance/v1"];

/// What is in the image.
pub(super) fn sbom() -> io::Result<Value> {
    read(include_str!("../../config/tests/data/sbom.json"))
}

/// The same, with something that is banned.
pub(super) fn banned() -> io::Result<Value> {
    read(include_str!("../../config/tests/data/sbom-banned.json"))
}

/// That it was scanned, when (in seconds since 1970), and that nothing critical was found.
pub(super) fn scan(at: i64) -> io::Result<Value> {
    scanned(include_str!("../../config/tests/data/scan.json"), at)
}

/// The same, but something was.
pub(super) fn critical(at: i64) -> io::Result<Value> {
    scanned(include_str!("../../config/tests/data/scan-critical.json"), at)
}

/// How it was built, and from what.
pub(super) fn provenance() -> io::Result<Value> {
    read(include_str!("../../config/tests/data/provenance.json"))
}

/// The same, built by somebody else.
pub(super) fn foreign() -> io::Result<Value> {
    let mut provenance = provenance()?;
    provenance["runDetails"]["builder"]["id"] = json!("https://builder.evil.test");
    Ok(provenance)
}

fn scanned(text: &str, at: i64) -> io::Result<Value> {
    let mut scan = read(text)?;
    let at = jiff::Timestamp::from_second(at).map_err(io::Error::other)?.to_string();
    scan["metadata"] = json!({ "scanStartedOn": at, "scanFinishedOn": at });
    Ok(scan)
}

fn read(text: &str) -> io::Result<Value> {
    Ok(serde_json::from_str(text)?)
}
