//! What unit tests of several modules share: keys, signed candidates, and findings made by really verifying them.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::LazyLock;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::clock::Timestamp;
use crate::demo::sigstore::Sigstore;
use crate::discovery::{Candidate, Material};
use crate::evidence::EvidenceSet;
use crate::examined::{Examined, Part};
use crate::limits::Limits;
use crate::oci::{Digest, Manifest, Subject};
use crate::policy::condition::ImageFacts;
use crate::policy::file::parse;
use crate::policy::{Name, Revoked};
use crate::trust::Trust;
use crate::verify::artifact::{EvidenceProof, Reading};
use crate::verify::{Against, Findings, verify_all};

/// A Sigstore that all tests share; whoever needs a foreign one makes it.
pub(crate) static SIGSTORE: LazyLock<Sigstore> = LazyLock::new(|| Sigstore::new().expect("randomness"));

/// A signing key.
pub(crate) struct TestKey(EcdsaKeyPair);

pub(crate) static KEY_A: LazyLock<TestKey> = LazyLock::new(TestKey::generate);
pub(crate) static KEY_B: LazyLock<TestKey> = LazyLock::new(TestKey::generate);

impl TestKey {
    fn generate() -> Self {
        Self(EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING).expect("a key"))
    }

    fn sign(&self, message: &[u8]) -> String {
        let signature = self.0.sign(&SystemRandom::new(), message).expect("a signature");
        STANDARD.encode(signature.as_ref())
    }

    pub(crate) fn public_pem(&self) -> String {
        let prefix = [
            0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86, 0x48,
            0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00,
        ];
        let spki = STANDARD.encode([&prefix, self.0.public_key().as_ref()].concat());
        format!("-----BEGIN PUBLIC KEY-----\n{}\n{}\n-----END PUBLIC KEY-----\n", &spki[..64], &spki[64..])
    }
}

/// The manifest that the tests are about: `r.io/app` at some digest.
pub(crate) fn subject() -> Subject {
    let image = crate::oci::Image { registry: "r.io".parse().expect("r"), repository: "app".parse().expect("n") };
    image.at(Digest::of(b"the manifest"))
}

/// A legacy signature over `digest`.
pub(crate) fn signed_simple(key: &TestKey, digest: Digest) -> Candidate {
    annotated(key, digest, "null")
}

/// The same, with this as the `optional` of its payload.
pub(crate) fn annotated(key: &TestKey, digest: Digest, optional: &str) -> Candidate {
    let payload = format!(
        r#"{{"critical":{{"identity":{{"docker-reference":"r.io/app"}},"image":{{"docker-manifest-digest":"{digest}"}},"type":"cosign container image signature"}},"optional":{optional}}}"#
    );
    let signature = key.sign(payload.as_bytes());
    Candidate::new("tag".into(), Material::SimpleSigning { payload: payload.into(), signature })
}

/// A legacy attestation about `digest`.
pub(crate) fn signed_attestation(key: &TestKey, digest: Digest, predicate_type: &str) -> Candidate {
    attested(key, digest, predicate_type, "{}")
}

/// A legacy attestation about `digest` with this predicate.
pub(crate) fn attested(key: &TestKey, digest: Digest, predicate_type: &str, predicate: &str) -> Candidate {
    let statement = format!(
        r#"{{"_type":"https://in-toto.io/Statement/v0.1","predicateType":"{predicate_type}","subject":[{{"name":"r.io/app","digest":{{"sha256":"{}"}}}}],"predicate":{predicate}}}"#,
        digest.hex()
    );
    let kind = "application/vnd.in-toto+json";
    let pae = format!("DSSEv1 {} {kind} {} {statement}", kind.len(), statement.len());
    let envelope = format!(
        r#"{{"payloadType":"{kind}","payload":"{}","signatures":[{{"keyid":"","sig":"{}"}}]}}"#,
        STANDARD.encode(&statement),
        key.sign(pae.as_bytes())
    );
    Candidate::new("tag".into(), Material::Envelope(envelope.into()))
}

/// A manifest over one statement that nobody signed, and the proof that it is an evidence artifact.
pub(crate) fn evidence_artifact() -> (Manifest, EvidenceProof) {
    let statement = format!(
        r#"{{"_type":"https://in-toto.io/Statement/v1","predicateType":"p","subject":[{{"digest":{{"sha256":"{}"}}}}]}}"#,
        subject().digest.hex()
    );
    let blobs = [("a/b", "{}"), ("application/vnd.in-toto+json", statement.as_str())];
    let [config, layer] = blobs.map(|(media_type, bytes)| {
        let digest = Digest::of(bytes.as_bytes());
        format!(r#"{{"mediaType":"{media_type}","digest":"{digest}","size":{}}}"#, bytes.len())
    });
    let text = format!(r#"{{"schemaVersion":2,"config":{config},"layers":[{layer}]}}"#);
    let (digest, media_type) = (Digest::of(text.as_bytes()), "application/vnd.oci.image.manifest.v1+json");
    let manifest = Manifest::parse(text.into(), &digest, media_type, 10).expect("a manifest");
    let mut reading = Reading::begin(&manifest, &patient()).expect("may be evidence");
    for (_, bytes) in blobs {
        reading = reading.take(bytes.as_bytes()).expect("evidence");
    }
    (manifest, reading.end().expect("everything was read"))
}

/// What verification makes of `candidates` for the authorities `a` ([`KEY_A`]) and `b` ([`KEY_B`]) that are named.
pub(crate) fn findings_of(candidates: &[&Candidate], subject: Digest, authorities: &[&str]) -> Findings {
    let text = format!(
        "authorities:\n  a: {{ key: {{ inline: {:?}, insecureSkipTransparencyLog: true }} }}\n  b: {{ key: {{ inline: {:?}, \
         insecureSkipTransparencyLog: true }} }}\npolicies: []\n",
        KEY_A.public_pem(),
        KEY_B.public_pem()
    );
    let policies = parse(&text, "test.yaml", Path::new(".")).expect("a policy text");
    let named = authorities.iter().filter_map(|name| policies.authority(&Name::new(name)?).cloned());
    let set = EvidenceSet {
        candidates: candidates.iter().map(|candidate| (*candidate).clone()).collect(),
        unread: vec![],
        unusable: vec![],
        incomplete: false,
        read_at: Timestamp(1_000_000),
    };
    verify_all(&set, &subject, &named.collect::<Vec<_>>(), against(&patient()))
}

/// `findings` about [`subject`], as the decision wants them.
pub(crate) fn examined(findings: &Findings) -> Examined {
    let subject = subject();
    let image = ImageFacts {
        registry: subject.image.registry.to_string(),
        repository: subject.image.repository.to_string(),
        digest: subject.digest,
        annotations: BTreeMap::new(),
    };
    Examined::alone(Part { image, platform: String::new(), findings: findings.clone() })
}

/// The usual limits, on a machine that may be slow.
pub(crate) fn patient() -> Limits {
    let mut limits = Limits::default();
    limits.verification.time = std::time::Duration::from_mins(10);
    limits
}

/// What keys alone are verified against: no trusted root, nothing revoked.
pub(crate) fn against(limits: &Limits) -> Against<'_> {
    static NONE: LazyLock<(Trust, Revoked)> = LazyLock::new(|| (Trust::none(), Revoked::default()));
    Against { trust: &NONE.0, revoked: &NONE.1, limits, now: Timestamp(1_000_000) }
}

/// Chances that can be repeated: a seed gives always the same.
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn seeded(seed: u64) -> Self {
        Self(seed)
    }

    /// Runs `law` with that many seeds and names the one that it fails for; `DICE=seed` runs that one alone.
    pub(crate) fn for_each(cases: u64, mut law: impl FnMut(&mut Self)) {
        let one = std::env::var("DICE").ok().and_then(|seed| seed.parse().ok());
        for seed in one.map_or(0..cases, |seed| seed..seed + 1) {
            let broken = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| law(&mut Self::seeded(seed))));
            if let Err(why) = broken {
                let text = why.downcast_ref::<String>().cloned();
                let text = text.or_else(|| why.downcast_ref::<&str>().map(|text| (*text).to_string()));
                panic!("DICE={seed}: {}", text.unwrap_or_default());
            }
        }
    }

    /// A number below `end`, by the generator called splitmix64.
    pub(crate) fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % end
    }

    pub(crate) fn coin(&mut self) -> bool {
        self.below(2) == 0
    }

    fn at(&mut self, length: usize) -> usize {
        usize::try_from(self.below(length as u64)).expect("below a length")
    }

    pub(crate) fn pick<'a, T: ?Sized>(&mut self, all: &[&'a T]) -> &'a T {
        all[self.at(all.len())]
    }

    /// Each of `all` or not, in order.
    pub(crate) fn some<'a, T: ?Sized>(&mut self, all: &[&'a T]) -> Vec<&'a T> {
        all.iter().copied().filter(|_| self.coin()).collect()
    }

    pub(crate) fn shuffle<T>(&mut self, all: &mut [T]) {
        for last in (1..all.len()).rev() {
            let other = self.at(last + 1);
            all.swap(last, other);
        }
    }
}
