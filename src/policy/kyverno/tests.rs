//! The import as a whole: what is made of the fixtures, that it holds, and laws over policies made at random.

use std::path::Path;

use super::*;
use crate::policy::file;

mod company;

mod golden;

mod laws;

/// A fixture.
fn fixture(name: &str) -> Source {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/kyverno").join(name);
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{name}: {error}"));
    Source { name: name.into(), text }
}

/// The three policies that must import and hold.
fn company() -> [Source; 3] {
    ["verify-signatures.yaml", "require-sbom.yaml", "require-provenance.yaml"].map(fixture)
}

fn load(policy: &str) -> crate::policy::Policies {
    file::parse(policy, "imported.yaml", Path::new(".")).unwrap_or_else(|errors| panic!("{errors}\n{policy}"))
}
