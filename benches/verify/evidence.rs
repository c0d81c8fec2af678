//! Evidence as a pull has it in hand: signed by the virtual Sigstore, stored, and found by the proxy's discovery.

use std::error::Error;
use std::io;
use std::sync::Arc;

use countersign::app;
use countersign::clock::Timestamp;
use countersign::config::Config;
use countersign::demo::images::{self, Stored};
use countersign::demo::proxy::Scratch;
use countersign::demo::registry::{Options, Registry};
use countersign::demo::sigstore::{Pieces, Sigstore};
use countersign::evidence::EvidenceSet;
use countersign::oci::{Digest, Image, Reference};
use countersign::policy::{Authority, Name};
use countersign::route::ManifestPull;
use countersign::trust::{Root, Trust};

use crate::bare::Bare;

/// What is verified, and the cryptography that it needs.
pub(crate) struct Case {
    pub(crate) name: &'static str,
    pub(crate) evidence: EvidenceSet,
    pub(crate) subject: Digest,
    pub(crate) authorities: Vec<Arc<Authority>>,
    pub(crate) trust: Trust,
    pub(crate) now: Timestamp,
    pub(crate) bare: Bare,
}

/// Lets `sign` sign an image, stores what it made, in the legacy tags or as a bundle, and has the proxy find it under
/// `authority` and `require`, as they stand in a policy.
pub(crate) async fn case(
    name: &'static str,
    sigstore: &Sigstore,
    (authority, require): (&str, &str),
    legacy: bool,
    sign: impl FnOnce(&Stored) -> io::Result<Pieces>,
) -> Result<Case, Box<dyn Error>> {
    let registry = Registry::new(Options::default());
    let image = images::image(&registry, "team/app", None, "hello\n").manifest;
    let pieces = sign(&image)?;
    if legacy {
        pieces.store_legacy(&registry, &image);
    } else {
        pieces.store_bundle(&registry, &image);
    }

    let serving = registry.serve().await?;
    let host = &registry.options().name;
    let policy = format!(
        "trustRoots: {{ bench: {{ file: root.json }} }}\nauthorities: {{ signer: {authority} }}\npolicies:\n  - name: bench\n    \
         match: [ \"{host}/**\" ]\n    mode: enforce\n    require: {{ {require} }}\n    formats: [ bundle, legacy ]\ndefault: deny\n"
    );
    let scratch = Scratch::new()?;
    scratch.add("root.json", &sigstore.trusted_root_json())?;
    let config = Config::load(&scratch.write(host, serving.address(), &policy)?, std::iter::empty())?;
    let image_name = Image { registry: host.parse()?, repository: image.repository.parse()? };
    let pull = ManifestPull { image: image_name, reference: Reference::Digest(image.digest) };
    let explanation = app::explainer(&config).await?.explain(&pull).await;
    if let Err(why) = &explanation.answer {
        return Err(format!("{name}: {why:?}").into());
    }
    let sight = explanation.sights.first().ok_or("nothing was judged")?;
    let root = Arc::new(Root::parse(&sigstore.trusted_root_json())?);
    Ok(Case {
        name,
        evidence: sight.evidence().clone(),
        subject: image.digest,
        authorities: explanation.authorities,
        trust: Trust::of([(Name::new("bench").ok_or("no name")?, root)].into()),
        now: explanation.now,
        bare: needed(&pieces, sigstore, legacy)?,
    })
}

/// Every signature that `pieces` have, each once, and what must be hashed besides.
fn needed(pieces: &Pieces, sigstore: &Sigstore, legacy: bool) -> io::Result<Bare> {
    let mut bare = Bare::new();
    bare.sign(&pieces.key, &pieces.content.message())?;
    if let Some(certificate) = &pieces.certificate {
        bare.sign(&sigstore.authority.key, certificate)?;
        // What the certificate log signs is the certificate, without the place of that signature.
        bare.sign(&sigstore.ct.key, certificate)?;
        bare.hash(sigstore.authority.key.spki());
    }
    for entry in &pieces.entries {
        let v1 = entry.promise.is_some();
        let log = if v1 { &sigstore.rekor } else { &sigstore.rekor_v2 };
        if v1 {
            bare.sign(&log.signatory.key, entry.promised().as_bytes())?;
        }
        if let Some(proof) = entry.proof.as_ref().filter(|_| !legacy) {
            bare.sign(&log.signatory.key, proof.checkpoint.as_bytes())?;
            bare.hash(entry.body.clone());
            // Two children and the byte that says so.
            proof.hashes.iter().for_each(|_| bare.hash(vec![1; 65]));
        }
        if entry.kind.0 == "dsse" {
            bare.hash(pieces.content.payload().to_vec());
        }
    }
    for stamp in &pieces.stamps {
        // Its attributes are shorter than the whole, which is their certificate for the most part.
        bare.sign(&sigstore.tsa.key, &stamp[..stamp.len() / 4])?;
        let certificate = sigstore.tsa.chain.first().map_or(&[][..], Vec::as_slice);
        bare.sign(&sigstore.tsa.key, certificate)?;
        bare.hash(pieces.signature.clone());
    }
    Ok(bare)
}
