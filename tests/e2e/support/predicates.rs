//! What is attested about images: the predicates with which the examples of policies are tested, and what may be wrong
//! with them.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};

/// What `cosign attest` is told as `--type` and `--predicate`.
pub(crate) type Predicate = (&'static str, Value);

/// A bill of materials without components, which is well-formed and says nothing.
pub(crate) fn sbom() -> Predicate {
    ("cyclonedx", json!({ "bomFormat": "CycloneDX", "specVersion": "1.5", "version": 1, "components": [] }))
}

/// What is in the image.
pub(crate) fn listed() -> Predicate {
    ("cyclonedx", read(include_str!("../../../config/tests/data/sbom.json")))
}

/// The same, with something that is banned.
pub(crate) fn banned() -> Predicate {
    ("cyclonedx", read(include_str!("../../../config/tests/data/sbom-banned.json")))
}

/// That it was scanned this long ago, and that nothing critical was found.
pub(crate) fn scanned(ago: Duration) -> Predicate {
    scan(include_str!("../../../config/tests/data/scan.json"), ago)
}

/// The same, but something was.
pub(crate) fn critical(ago: Duration) -> Predicate {
    scan(include_str!("../../../config/tests/data/scan-critical.json"), ago)
}

/// That it was built from this source on this builder.
pub(crate) fn built(source: &str, builder: &str) -> Predicate {
    let mut provenance = read(include_str!("../../../config/tests/data/provenance.json"));
    provenance["buildDefinition"]["externalParameters"]["source"] = source.into();
    provenance["runDetails"]["builder"]["id"] = builder.into();
    ("slsaprovenance1", provenance)
}

fn scan(text: &str, ago: Duration) -> Predicate {
    let mut scan = read(text);
    let at = Timestamp::from_second((Timestamp::now() - ago).as_second()).expect("an instant").to_string();
    scan["metadata"] = json!({ "scanStartedOn": at, "scanFinishedOn": at });
    ("vuln", scan)
}

fn read(text: &str) -> Value {
    serde_json::from_str(text).expect("JSON")
}
