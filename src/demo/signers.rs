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
    now: i64,
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

    /// The policy for `registry` that trusts them: the pipelines for everything but `vendor/`, the key for that.
    pub fn policy(&self, registry: &str) -> String {
        let key = self.key.public_pem();
        let key = key.lines().fold(String::new(), |text, line| text + "        " + line + "\n");
        format!(
            r#"trustRoots:
  demo: {{ file: {TRUSTED_ROOT} }}
authorities:
  gitlab-ci:
    keyless:
      trustRoot: demo
      issuer: https://gitlab.com
      identity: "https://gitlab.com/myorg/**"             # the certificate names the CI file…
      sourceRepository: "https://gitlab.com/myorg/**"     # …and this the project that ran it
  vendor-key:
    key:
      inline: |
{key}      trustRoot: demo
policies:
  - name: company
    match: [ "{registry}/**" ]
    except: [ "{registry}/vendor/**" ]
    mode: enforce
    require: {{ signature: {{ by: gitlab-ci }} }}
    formats: [ bundle, legacy ]
  - name: vendor
    match: [ "{registry}/vendor/**" ]
    mode: enforce
    require: {{ signature: {{ by: vendor-key }} }}
    formats: [ bundle, legacy ]
default: deny
"#
        )
    }
}

/// The name of the file, beside the policy, that says what the demo's Sigstore is known by.
pub const TRUSTED_ROOT: &str = "trusted_root.json";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::file::{Source, Surroundings};
    use crate::yaml::Severity;
    use std::path::Path;

    #[test]
    fn the_policy_names_the_pipelines_and_the_project() {
        let signers = Signers::new().expect("keys");
        let source = Source::parse(&signers.policy("registry.demo"), "policy.yaml", Path::new(".")).expect("a policy");
        let around = Surroundings { now: crate::clock::Timestamp(0), upstreams: None };
        // Neither of them unpinned, unused or unable to match what its issuer writes.
        let mut warnings = source.diagnostics(&around);
        warnings.retain(|one| one.severity == Severity::Warning);
        assert_eq!(warnings, []);
        let policies = source.into_policies();
        let name = crate::policy::Name::new("gitlab-ci").expect("a name");
        let authority = policies.authority(&name).expect("declared");
        let crate::policy::Kind::Keyless(keyless) = authority.kind() else { panic!("{authority:?}") };
        let identity = Identity::gitlab("myorg/app");
        assert!(keyless.identity.matches(identity.claim(9).expect("the CI file")));
        assert!(keyless.pins[0].value.matches(identity.claim(12).expect("the project")));
    }
}
