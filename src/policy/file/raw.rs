//! What a policy file may say, and nothing more. Nothing here is judged yet.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};

use crate::yaml::raw;

raw! {
    /// The whole file.
    RawFile {
        trust_roots: BTreeMap<String, RawTrustRoot>,
        authorities: BTreeMap<String, RawAuthority>,
        policies: Vec<RawPolicy>,
        exemptions: Vec<RawExemption>,
        revoked: RawRevoked,
        default: String,
    }

    /// Where the certificates and keys of a Sigstore instance come from: one of the two.
    RawTrustRoot {
        tuf: RawTuf,
        file: String,
        insecure_skip_transparency_log: bool,
        insecure_skip_certificate_transparency: bool,
    }

    /// A TUF repository; the public one if nothing is said.
    RawTuf {
        mirror: String,
        root: String,
    }

    /// Who is trusted to sign: one of the two.
    RawAuthority {
        key: RawKey,
        keyless: RawKeyless,
    }

    /// A public key: one of the first four says where it is.
    RawKey {
        file: String,
        inline: String,
        directory: String,
        env: String,
        trust_root: String,
        insecure_skip_transparency_log: bool,
        not_before: String,
        not_after: String,
    }

    /// An identity that a certificate names.
    RawKeyless {
        trust_root: String,
        issuer: String,
        identity: String,
        identity_regex: String,
        build_signer: String,
        build_signer_digest: String,
        runner_environment: String,
        source_repository: String,
        source_digest: String,
        source_ref: String,
        source_repository_id: String,
        source_repository_owner: String,
        source_repository_owner_id: String,
        build_config: String,
        build_config_digest: String,
        trigger: String,
        run_invocation: String,
        source_repository_visibility: String,
        deployment_environment: String,
        token_subject: String,
        insecure_skip_transparency_log: bool,
        insecure_skip_certificate_transparency: bool,
    }

    /// One policy.
    RawPolicy {
        name: String,
        r#match: Vec<String>,
        except: Vec<String>,
        mode: String,
        require: RawRequirement,
        formats: Vec<String>,
        evidence: RawEvidence,
        refuse_tags: Vec<String>,
    }

    /// Where else evidence is.
    RawEvidence {
        repository: String,
    }

    /// A requirement: exactly one of these.
    RawRequirement {
        all_of: Vec<RawRequirement>,
        any_of: Vec<RawRequirement>,
        at_least: RawAtLeast,
        signature: RawSignature,
        attestation: RawAttestation,
    }

    /// A threshold.
    RawAtLeast {
        n: usize,
        of: Vec<RawRequirement>,
    }

    /// A signature of the image.
    RawSignature {
        by: String,
        on: String,
        annotations: BTreeMap<String, String>,
    }

    /// An attestation about the image.
    RawAttestation {
        by: String,
        r#type: String,
        select: String,
        condition: String,
        max_age: String,
        age_from: String,
        on: String,
    }

    /// A permission to serve without policies.
    RawExemption {
        r#match: Vec<String>,
        policies: Vec<String>,
        reason: String,
        expires: String,
    }

    /// What must never be served or believed again.
    RawRevoked {
        digests: Vec<String>,
        keys: Vec<String>,
        identities: Vec<RawRevokedIdentity>,
    }

    /// An identity, and who vouches for it: any issuer if nothing is said.
    RawIdentity {
        issuer: String,
        identity: String,
    }
}

/// An identity by itself, or with its issuer.
#[derive(Debug)]
pub(super) enum RawRevokedIdentity {
    Anywhere(String),
    Of(RawIdentity),
}

/// By hand, because an untagged enumeration would not say which key is wrong.
impl<'de> Deserialize<'de> for RawRevokedIdentity {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either;
        impl<'de> Visitor<'de> for Either {
            type Value = RawRevokedIdentity;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an identity, or a mapping with `issuer` and `identity`")
            }

            fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
                Ok(RawRevokedIdentity::Anywhere(text.into()))
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
                RawIdentity::deserialize(MapAccessDeserializer::new(map)).map(RawRevokedIdentity::Of)
            }
        }
        deserializer.deserialize_any(Either)
    }
}
