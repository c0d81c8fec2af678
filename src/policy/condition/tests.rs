//! Conditions as policies write them, about documents as tools write them.

use std::collections::BTreeMap;

use super::*;
use crate::clock::Timestamp;
use crate::oci::Digest;

mod budget;

mod errors;

mod language;

mod random;

mod sources;

/// A statement with this predicate, and who signed it.
pub(super) struct Scene {
    statement: Document,
    signer: SignerFacts,
    image: ImageFacts,
}

impl Scene {
    pub(super) fn with(predicate: &str) -> Self {
        Self::saying(&format!(r#"{{"predicateType":"test","predicate":{predicate}}}"#))
    }

    fn saying(statement: &str) -> Self {
        Self {
            statement: Document::parse(statement.as_bytes()).expect("a statement"),
            signer: SignerFacts {
                identity: "https://gitlab.com/myorg/cart//.gitlab-ci.yml@refs/heads/main".into(),
                issuer: "https://gitlab.com".into(),
                key: String::new(),
                extensions: BTreeMap::from([("sourceRepository", "https://gitlab.com/myorg/cart".to_string())]),
                time: Some(Timestamp(NOW.0 - 3600)),
            },
            image: ImageFacts {
                registry: "registry.company.com".into(),
                repository: "shop/cart".into(),
                digest: Digest::of(b"image"),
                annotations: BTreeMap::from([(
                    "org.opencontainers.image.source".into(),
                    "https://gitlab.com/myorg/cart".into(),
                )]),
            },
        }
    }

    /// One of `tests/fixtures/predicates`.
    pub(super) fn fixture(name: &str) -> Self {
        Self::with(&fixture(name))
    }

    pub(super) fn once(&self, source: &str) -> Result<bool, Failure> {
        let condition = Condition::parse(source).unwrap_or_else(|problem| panic!("{source}: {problem:?}"));
        condition.evaluate(&self.facts())
    }

    /// The value, the same twice.
    pub(super) fn ask(&self, source: &str) -> Result<bool, Failure> {
        let value = self.once(source);
        assert_eq!(self.once(source), value, "{source}: the same again");
        value
    }

    fn facts(&self) -> Facts<'_> {
        Facts { statement: &self.statement, signer: &self.signer, image: &self.image, now: NOW }
    }

    /// The value, which there must be.
    pub(super) fn value(&self, source: &str) -> bool {
        self.ask(source).unwrap_or_else(|failure| panic!("{source}: {failure:?}"))
    }

    /// The error, which there must be.
    pub(super) fn error(&self, source: &str) -> String {
        match self.ask(source) {
            Err(Failure { reason: Reason::ConditionError, detail }) => detail,
            other => panic!("{source}: {other:?}"),
        }
    }
}

pub(super) fn fixture(name: &str) -> String {
    let path = format!("{}/tests/fixtures/predicates/{name}", env!("CARGO_MANIFEST_DIR"));
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// 2027-01-15T08:00:00Z.
const NOW: Timestamp = Timestamp(1_800_000_000);
