//! Where virtual signers sign: one Sigstore in memory in the place of every trusted root, and a stand-in for every key of
//! the policy.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;

use serde_json::{Value, json};

use super::evidence::{Made, Says};
use super::signer::Signer;
use crate::clock::Timestamp;
use crate::demo::signer::{attestation_statement, signature_statement, simple_signing_payload};
use crate::demo::sigstore::{Content, Key, Pieces, Recipe, Sigstore, pieces};
use crate::discovery::{Beside, Candidate, Material};
use crate::oci::{Digest, Subject};
use crate::policy::{Format, Policies, PublicKey};
use crate::trust::{Root, Trust};

/// The virtual Sigstore and all who sign with keys.
#[derive(Debug)]
pub(super) struct Stage {
    sigstore: Sigstore,
    trust: Trust,
    /// By the fingerprint of the key that each stands for.
    stand_ins: BTreeMap<Digest, Key>,
    strangers: RefCell<BTreeMap<String, Key>>,
}

impl Stage {
    /// Makes one for `policies`.
    ///
    /// # Errors
    /// If the system has no randomness to give.
    pub(super) fn new(policies: &Policies) -> io::Result<Self> {
        let sigstore = Sigstore::new()?;
        let root = Arc::new(Root::parse(&sigstore.trusted_root_json()).map_err(io::Error::other)?);
        let trust = Trust::of(policies.trust_roots().keys().map(|name| (name.clone(), root.clone())).collect());
        let keys = policies.authorities().flat_map(|authority| authority.keys());
        let stand_ins: io::Result<_> = keys.map(|key| Ok((key.fingerprint(), Key::p256()?))).collect();
        Ok(Self { sigstore, trust, stand_ins: stand_ins?, strangers: RefCell::default() })
    }

    /// The virtual Sigstore under the name of every trusted root.
    pub(super) fn trust(&self) -> &Trust {
        &self.trust
    }

    /// `policies`, with stand-ins for all keys.
    pub(super) fn policies(&self, policies: &Policies, audit: bool) -> Policies {
        let stand_in = |real: &Digest| PublicKey::from_pem(&self.stand_ins.get(real)?.public_pem()).ok();
        Policies::for_rehearsal(policies, audit, &stand_in)
    }

    /// `policies`, with the keys that they have.
    pub(super) fn as_written(policies: &Policies, audit: bool) -> Policies {
        Policies::for_rehearsal(policies, audit, &|_| None)
    }

    /// Makes a piece of evidence about `subject`.
    ///
    /// # Errors
    /// If the system has no randomness to give.
    pub(super) fn make(&self, made: &Made, subject: &Subject) -> io::Result<Candidate> {
        let (image, digest) = (subject.image.to_string(), made.about.unwrap_or(subject.digest));
        let content = match (&made.says, made.format) {
            (Says::Attestation { predicate_type, predicate }, _) => {
                Content::statement(&attestation_statement(&image, digest, predicate_type, predicate))
            }
            (Says::Signature { annotations }, Format::Bundle) => {
                Content::statement(&annotated(signature_statement(digest), "/subject/0", "annotations", annotations))
            }
            (Says::Signature { annotations }, Format::Legacy) => {
                let payload = simple_signing_payload(&image, digest);
                Content::document(&annotated(payload, "", "optional", annotations))
            }
        };
        let recipe = self.sigstore.stamped(self.recipe(&made.by, made.at)?);
        let recipe = match (made.logged, made.format) {
            (false, _) => Recipe { logs: Vec::new(), ..recipe },
            // What it proves of time, its stamp proves: no log's clock is asked for the present.
            (true, Format::Bundle) => self.sigstore.with_rekor_v2(recipe),
            (true, Format::Legacy) => Recipe { tsas: Vec::new(), ..recipe },
        };
        let stamps_layer = made.format == Format::Legacy && matches!(made.says, Says::Attestation { .. });
        let recipe = Recipe { stamps_layer, ..recipe };
        let pieces = recipe.sign(content)?;
        Ok(match made.format {
            Format::Bundle => {
                Candidate::new(made.location.clone(), Material::Bundle(pieces.bundle().to_string().into()))
            }
            Format::Legacy => legacy(&made.location, &pieces),
        })
    }

    fn recipe(&self, by: &Signer, at: Timestamp) -> io::Result<Recipe> {
        let at = i64::try_from(at.0).map_err(io::Error::other)?;
        let recipe = match by {
            Signer::Identity(identity) => self.sigstore.keyless(identity, at)?,
            Signer::Key(real) => {
                let key = self.stand_ins.get(real).ok_or_else(|| io::Error::other("no such key"))?;
                self.sigstore.keyed(key, at)
            }
            Signer::Stranger(name) => {
                let mut strangers = self.strangers.borrow_mut();
                if !strangers.contains_key(name) {
                    strangers.insert(name.clone(), Key::p256()?);
                }
                let key = strangers.get(name).ok_or_else(|| io::Error::other("no such key"))?;
                self.sigstore.keyed(key, at)
            }
        };
        Ok(Recipe { integrated_at: at, stamped_at: at, ..recipe })
    }
}

/// `document` with `annotations`, if there are any, as the member `name` of what `pointer` points to.
fn annotated(mut document: Value, pointer: &str, name: &str, annotations: &BTreeMap<String, String>) -> Value {
    if let Some(place) = document.pointer_mut(pointer).filter(|_| !annotations.is_empty()) {
        place[name] = json!(annotations);
    }
    document
}

/// A layer of a legacy tag and the annotations beside it, as cosign stores them.
fn legacy(location: &str, pieces: &Pieces) -> Candidate {
    let mut annotations = pieces.annotations();
    let mut of = |name: &str| annotations.remove(name);
    let layer = pieces.layer().into();
    let material = match pieces.content {
        Content::Envelope { .. } => Material::Envelope(layer),
        Content::Message(_) => {
            Material::SimpleSigning { payload: layer, signature: of(pieces::SIGNATURE).unwrap_or_default() }
        }
    };
    Candidate::new(location.into(), material).with(Beside {
        certificate: of(pieces::CERTIFICATE),
        chain: of(pieces::CHAIN),
        bundle: of(pieces::BUNDLE),
        timestamp: of(pieces::TIMESTAMP),
    })
}
