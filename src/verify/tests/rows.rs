//! A test for every known attack on evidence, named by its row in `tests/attacks/table.tsv`.
//!
//! Each begins with evidence that is accepted, so that what follows is refused for the one thing that was bent.

use serde_json::{Value, json};

use super::super::signer::{edited, without};
use super::super::{Against, Claim, Rejection, verified};
use crate::clock::Timestamp;
use crate::demo::signer::{SIGN, attestation_statement, signature_statement, simple_signing_payload};
use crate::demo::sigstore::pieces::{BUNDLE, CERTIFICATE, CHAIN, SIGNATURE, TIMESTAMP};
use crate::demo::sigstore::{Authority as Ca, Content, Identity, Issuance, Key, Kind, Log, Pieces, Recipe, Sigstore};
use crate::discovery::{Beside, Candidate, Material};
use crate::limits::Limits;
use crate::oci::Digest;
use crate::policy::{self, Authority, Extension, Keyless, Name, Pattern, Pin, PublicKey, Revoked, Validity};
use crate::reason::Reason::{self, *};
use crate::test_support::SIGSTORE;
use crate::trust::{Root, Trust};

mod certificates;
mod chains;
mod entries;
mod envelopes;
mod identities;
mod keys;
mod leaves;
mod legacy;
mod mutated;
mod policies;
mod proofs;
mod roots;
mod stamps;
mod statements;
mod times;

/// 2026-07-24, when everything is signed.
const NOW: i64 = 1_784_894_400;

/// What evidence is judged by; every part can be changed.
#[derive(Clone)]
struct Stage {
    root: Value,
    wanted: Wanted,
    log: bool,
    ct: bool,
    validity: Validity,
    revoked_keys: Vec<Digest>,
    limits: Limits,
    now: Timestamp,
}

#[derive(Clone)]
enum Wanted {
    Identity(Keyless),
    Keys(Vec<Key>),
}

impl Stage {
    /// Wanted is a pipeline of `myorg`, by name and by source, an hour after it signed.
    fn keyless() -> Self {
        let ours = Pattern::glob("https://gitlab.com/myorg/**").expect("a pattern");
        let wanted = Keyless {
            issuer: "https://gitlab.com".into(),
            identity: ours.clone(),
            pins: vec![Pin { extension: Extension::SourceRepository, value: ours }],
        };
        Self { wanted: Wanted::Identity(wanted), ..Self::of(&[]) }
    }

    /// Wanted is one of `keys`, with a log entry.
    fn of(keys: &[&Key]) -> Self {
        Self {
            root: SIGSTORE.trusted_root(),
            wanted: Wanted::Keys(keys.iter().map(|key| (*key).clone()).collect()),
            log: true,
            ct: true,
            validity: Validity::ALWAYS,
            revoked_keys: Vec::new(),
            limits: crate::test_support::patient(),
            now: at(NOW + 3600),
        }
    }

    fn with_root(&self, pointer: &str, value: Value) -> Self {
        Self { root: edited(&self.root, pointer, value), ..self.clone() }
    }

    fn authority(&self) -> Authority {
        let kind = match &self.wanted {
            Wanted::Identity(keyless) => policy::Kind::Keyless(keyless.clone()),
            Wanted::Keys(keys) => {
                let public = |key: &Key| PublicKey::from_pem(&key.public_pem()).expect("a key");
                policy::Kind::Keys(keys.iter().map(public).collect())
            }
        };
        let alone = Authority::alone(kind, name("root")).demanding(self.log, self.validity);
        if self.ct { alone } else { alone.without_certificate_log() }
    }

    fn verified(&self, candidate: &Candidate) -> Result<verified::Verified, Rejection> {
        let root = Root::parse(&self.root.to_string()).expect("a trusted root");
        let trust = Trust::of([(name("root"), root.into())].into());
        let revoked = Revoked::of_keys(self.revoked_keys.clone());
        let against = Against { trust: &trust, revoked: &revoked, limits: &self.limits, now: self.now };
        crate::verify::tests::verify_one(candidate, &subject(), &self.authority(), against)
    }

    /// Why the trusted root cannot be used.
    fn root_error(&self) -> String {
        Root::parse(&self.root.to_string()).map(|_| ()).expect_err("it is refused").to_string()
    }

    fn claim(&self, candidate: &Candidate) -> Result<Claim, String> {
        match self.verified(candidate) {
            Ok(proof) => Ok(proof.claim().clone()),
            Err(why) => Err(format!("{}: {}", why.reason, why.detail)),
        }
    }

    fn accepts(&self, candidate: &Candidate) {
        assert_eq!(self.claim(candidate).map(|_| ()), Ok(()));
    }

    /// What `recipe` makes, which is accepted as a bundle.
    fn good(&self, recipe: &Recipe) -> Pieces {
        let pieces = recipe.sign(statement()).expect("signs");
        self.accepts(&bundle(&pieces));
        pieces
    }

    /// What `recipe` makes, which is accepted as a legacy signature.
    fn good_legacy(&self, recipe: &Recipe) -> Pieces {
        let pieces = recipe.sign(payload()).expect("signs");
        self.accepts(&legacy(&pieces));
        pieces
    }

    /// All of `bent` is refused, each for its reason.
    fn refuses<const N: usize>(&self, bent: [(&str, Candidate, Reason); N]) {
        self.refuses_all(bent);
    }

    fn refuses_all<'n>(&self, bent: impl IntoIterator<Item = (&'n str, Candidate, Reason)>) {
        let mut wrong = Vec::new();
        for (what, candidate, expected) in bent {
            match self.verified(&candidate) {
                Err(why) if why.reason == expected => {}
                Err(why) => wrong.push(format!("{what}: {} and not {expected}: {}", why.reason, why.detail)),
                Ok(_) => wrong.push(format!("{what}: ACCEPTED")),
            }
        }
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    }
}

fn name(text: &str) -> Name {
    Name::new(text).expect("a name")
}

fn at(seconds: i64) -> Timestamp {
    Timestamp(seconds.try_into().expect("after 1970"))
}

fn subject() -> Digest {
    Digest::of(b"the image")
}

fn another() -> Digest {
    Digest::of(b"another image")
}

fn statement() -> Content {
    Content::statement(&signature_statement(subject()))
}

fn sbom() -> Content {
    Content::statement(&attestation_statement("r.io/app", subject(), SBOM, &json!({})))
}

fn payload() -> Content {
    Content::document(&simple_signing_payload("r.io/app", subject()))
}

/// How a pipeline of ours signs.
fn myorg() -> Recipe {
    keyless(&Identity::gitlab("myorg/app"))
}

/// How `identity` signs, with a key of the kind that [`leaves`] asks for.
fn keyless(identity: &Identity) -> Recipe {
    let key = Key::of(leaves::KIND.get()).expect("a key");
    Recipe { key, ..SIGSTORE.keyless(identity, NOW).expect("a key") }
}

fn key() -> Key {
    Key::p256().expect("a key")
}

fn foreign() -> Sigstore {
    Sigstore::new().expect("randomness")
}

fn bundle(pieces: &Pieces) -> Candidate {
    document(&pieces.bundle())
}

/// A candidate of a bundle as JSON.
fn document(bundle: &Value) -> Candidate {
    text(bundle.to_string())
}

fn text(bundle: impl Into<bytes::Bytes>) -> Candidate {
    Candidate::new("somewhere".into(), Material::Bundle(bundle.into()))
}

/// The same as cosign's legacy tags have it.
fn legacy(pieces: &Pieces) -> Candidate {
    annotated(pieces, |_| ())
}

/// The same with the annotations changed.
fn annotated(pieces: &Pieces, change: impl FnOnce(&mut std::collections::BTreeMap<String, String>)) -> Candidate {
    let mut annotations = pieces.annotations();
    change(&mut annotations);
    let text = |key: &str| annotations.get(key).cloned();
    let beside =
        Beside { certificate: text(CERTIFICATE), chain: text(CHAIN), bundle: text(BUNDLE), timestamp: text(TIMESTAMP) };
    let layer = pieces.layer().into();
    let material = match &pieces.content {
        Content::Envelope { .. } => Material::Envelope(layer),
        Content::Message(_) => {
            Material::SimpleSigning { payload: layer, signature: text(SIGNATURE).unwrap_or_default() }
        }
    };
    Candidate::new("somewhere".into(), material).with(beside)
}

/// `pieces` with an entry of `log`, which really took this body in.
fn entered(pieces: &Pieces, log: &Log, kind: (&str, &str), body: impl Into<Vec<u8>>) -> Pieces {
    let entry = log.enter(kind, body.into(), NOW + 1).expect("signs");
    Pieces { entries: vec![entry], ..pieces.clone() }
}

/// `pieces` whose entry in `log` was really made with a body that differs at `pointer`.
fn with_body(pieces: &Pieces, log: &Log, pointer: &str, value: Value) -> Pieces {
    let entry = &pieces.entries[0];
    let body: Value = serde_json::from_slice(&entry.body).expect("JSON");
    let body = if value.is_null() { without(&body, pointer) } else { edited(&body, pointer, value) };
    entered(pieces, log, (&entry.kind.0, &entry.kind.1), body.to_string())
}

/// `recipe` with a part of how its certificate is made changed.
fn issued(mut recipe: Recipe, change: impl FnOnce(&mut Issuance)) -> Recipe {
    change(recipe.certificate.as_mut().expect("it is keyless"));
    recipe
}

fn base64(bytes: &[u8]) -> String {
    use ::base64::Engine;
    ::base64::engine::general_purpose::STANDARD.encode(bytes)
}

const SBOM: &str = "https://cyclonedx.org/bom";
