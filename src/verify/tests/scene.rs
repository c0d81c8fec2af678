//! Evidence of the virtual Sigstore, judged by one authority under one trusted root.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::clock::Timestamp;
use crate::demo::sigstore::{Content, Identity, Key, Pieces, Recipe, pieces};
use crate::discovery::double::candidate;
use crate::discovery::{Beside, Candidate, Material};
use crate::oci::Digest;
use crate::policy::{Authority, Extension, Keyless, Kind, Name, Pattern, Pin, PublicKey, Revoked};
use crate::reason::Reason;
use crate::test_support::SIGSTORE;
use crate::trust::{Root, Trust};
use crate::verify::signer::{SBOM, bytes, simple_signing, statement};
use crate::verify::statement::COSIGN_SIGN;
use crate::verify::{Against, Signing};

/// When everything is signed.
pub(super) const NOW: i64 = 1_750_000_000;

pub(super) fn subject() -> Digest {
    Digest::of(b"the image")
}

pub(super) fn signed_statement() -> Content {
    Content::statement(&statement(&subject(), COSIGN_SIGN))
}

pub(super) fn attestation() -> Content {
    Content::statement(&statement(&subject(), SBOM))
}

pub(super) fn payload() -> Content {
    Content::document(&simple_signing(&subject()))
}

/// How a pipeline of `myorg/app` signs.
pub(super) fn myorg() -> Recipe {
    SIGSTORE.keyless(&Identity::gitlab("myorg/app"), NOW).expect("a key")
}

pub(super) fn name() -> Name {
    Name::new("company").expect("a name")
}

/// Who the pipelines of `myorg` are: identity and source repository.
pub(super) fn wanted() -> Keyless {
    let glob = || Pattern::glob("https://gitlab.com/myorg/**").expect("a pattern");
    let pins = vec![Pin { extension: Extension::SourceRepository, value: glob() }];
    Keyless { issuer: "https://gitlab.com".into(), identity: glob(), pins }
}

pub(super) fn by_myorg() -> Authority {
    Authority::alone(Kind::Keyless(wanted()), name())
}

pub(super) fn by_key(key: &Key) -> Authority {
    let key = PublicKey::from_pem(&key.public_pem()).expect("a key");
    Authority::alone(Kind::Keys(vec![key]), name())
}

pub(super) fn bundle(pieces: &Pieces) -> Candidate {
    candidate(Material::Bundle(bytes(&pieces.bundle())))
}

/// The same evidence as a layer of a legacy tag.
pub(super) fn legacy(pieces: &Pieces) -> Candidate {
    let annotations = pieces.annotations();
    let of = |name: &str| annotations.get(name).cloned();
    let layer = pieces.layer().into();
    let material = match pieces.content {
        Content::Envelope { .. } => Material::Envelope(layer),
        Content::Message(_) => {
            Material::SimpleSigning { payload: layer, signature: of(pieces::SIGNATURE).expect("a signature") }
        }
    };
    candidate(material).with(Beside {
        certificate: of(pieces::CERTIFICATE),
        chain: of(pieces::CHAIN),
        bundle: of(pieces::BUNDLE),
        timestamp: of(pieces::TIMESTAMP),
    })
}

/// Judges under the trusted root `root`, at `now` and with `revoked`.
pub(super) fn judge(
    candidate: &Candidate,
    by: &Authority,
    root: &Value,
    revoked: &Revoked,
    now: i64,
) -> Result<Signing, Reason> {
    judge_about(candidate, &subject(), by, root, revoked, now)
}

/// As [`judge`], about another subject than the virtual one.
pub(super) fn judge_about(
    candidate: &Candidate,
    subject: &Digest,
    by: &Authority,
    root: &Value,
    revoked: &Revoked,
    now: i64,
) -> Result<Signing, Reason> {
    let root = Root::parse(&root.to_string()).expect("a trusted root");
    let trust = Trust::of(BTreeMap::from([(name(), std::sync::Arc::new(root))]));
    let (limits, now) = (crate::test_support::patient(), Timestamp(u64::try_from(now).expect("a time")));
    let against = Against { trust: &trust, revoked, limits: &limits, now };
    let verified = crate::verify::tests::verify_one(candidate, subject, by, against);
    verified.map(|verified| verified.signing().clone()).map_err(|rejection| rejection.reason)
}

/// Judges under the virtual Sigstore's own root.
pub(super) fn judged(candidate: &Candidate, by: &Authority) -> Result<Signing, Reason> {
    judge(candidate, by, &SIGSTORE.trusted_root(), &Revoked::default(), NOW + 3600)
}

/// Why `candidate` does not count for `by`; nothing if it does.
pub(super) fn reason(candidate: &Candidate, by: &Authority) -> Option<Reason> {
    judged(candidate, by).err()
}

/// Signs the statement by `recipe` and bends the pieces.
pub(super) fn bent(recipe: &Recipe, bend: impl FnOnce(&mut Pieces)) -> Candidate {
    let mut pieces = recipe.sign(signed_statement()).expect("signs");
    bend(&mut pieces);
    bundle(&pieces)
}
