//! Everybody whom the demo's policy trusts: the pipelines of `myorg` on GitLab, through a Sigstore of the demo's own, and
//! one key. And the policy that says so.

use std::io;

use super::sigstore::{Identity, Key, Recipe, Sigstore};

/// Who can sign.
#[derive(Debug)]
pub struct Signers {
    /// Issues certificates to pipelines and logs what they sign.
    pub sigstore: Sigstore,
    /// A key of its own.
    pub key: Key,
    /// When they sign, in seconds since 1970.
    pub(super) now: i64,
}

impl Signers {
    /// Makes all their keys.
    ///
    /// # Errors
    /// If the system has no randomness to give.
    pub fn new() -> io::Result<Self> {
        // A little ago: no verifier believes a log that is ahead of its own clock.
        let now = jiff::Timestamp::now().as_second() - 10;
        Ok(Self { sigstore: Sigstore::new()?, key: Key::p256()?, now })
    }

    /// How `identity` signs.
    pub(super) fn keyless(&self, identity: &Identity) -> io::Result<Recipe> {
        self.sigstore.keyless(identity, self.now)
    }

    /// How the pipeline of a GitLab project signs.
    pub(super) fn pipeline(&self, project: &str) -> io::Result<Recipe> {
        self.keyless(&Identity::gitlab(project))
    }

    /// How `key` signs.
    pub(super) fn keyed(&self, key: &Key) -> Recipe {
        self.sigstore.keyed(key, self.now)
    }

    /// `recipe` with a time stamp.
    pub(super) fn stamped(&self, recipe: Recipe) -> Recipe {
        self.sigstore.stamped(recipe)
    }

    /// `recipe` with Rekor v2 and the time stamp that it needs.
    pub(super) fn in_rekor_v2(&self, recipe: Recipe) -> Recipe {
        self.sigstore.with_rekor_v2(recipe)
    }

    /// The policy for `registry` that trusts them: the example of a company's, with the demo's own Sigstore. The key it
    /// names is in the file [`VENDOR_KEY`].
    pub fn policy(&self, registry: &str) -> String {
        let root = format!("public-good: {{ file: {TRUSTED_ROOT} }}");
        EXAMPLE.replace("public-good: { tuf: { } }", &root).replace("registry.company.com", registry)
    }

    /// Two exemptions to add to it: one in force, and one that ended a minute before everybody signed.
    pub fn exemptions(&self, registry: &str) -> io::Result<String> {
        let instant = |seconds| jiff::Timestamp::from_second(self.now + seconds).map_err(io::Error::other);
        let (later, earlier) = (instant(4 * 3600)?, instant(-60)?);
        Ok(format!(
            r#"
exemptions:
  - match: [ "{registry}/release/incident" ]
    reason: INC-1234
    expires: {later}
  - match: [ "{registry}/release/overdue" ]
    reason: INC-1200
    expires: {earlier}
"#
        ))
    }
}

/// The name of the file, beside the policy, that says what the demo's Sigstore is known by.
pub const TRUSTED_ROOT: &str = "trusted_root.json";

/// The name of the file, beside the policy, with the key.
pub const VENDOR_KEY: &str = "vendor.pub";

const EXAMPLE: &str = include_str!("../../config/policies/company.yaml");

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::file::{Surroundings, Written};
    use crate::yaml::Severity;
    use std::path::Path;

    #[test]
    fn the_policy_names_the_pipelines_and_the_project() {
        let signers = Signers::new().expect("keys");
        let beside = Path::new("config/policies");
        let written = Written::parse(&signers.policy("registry.demo"), "policy.yaml", beside).expect("a policy");
        let around = Surroundings { now: crate::clock::Timestamp(0), upstreams: None };
        // Neither of them unpinned, unused or unable to match what its issuer writes.
        let mut warnings = written.diagnostics(&around);
        warnings.retain(|one| one.severity == Severity::Warning);
        assert_eq!(warnings, []);
        let policies = written.into_policies();
        let name = crate::policy::Name::new("gitlab-ci").expect("a name");
        let authority = policies.authority(&name).expect("declared");
        let crate::policy::Kind::Keyless(keyless) = authority.kind() else { panic!("{authority:?}") };
        let identity = Identity::gitlab("myorg/app");
        assert!(keyless.identity.matches(identity.claim(9).expect("the CI file")));
        assert!(keyless.pins[0].value.matches(identity.claim(12).expect("the project")));
    }
}
