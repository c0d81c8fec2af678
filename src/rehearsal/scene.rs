//! What the registry would hold in a case: manifests, made up where the case gives no digest, and evidence about them.

use std::io;
use std::sync::Arc;

use serde_json::json;

use super::case::{Case, Manifest};
use super::evidence::Evidence;
use super::stage::Stage;
use crate::evidence::{EvidenceSet, Unread};
use crate::oci::media_type::ManifestType;
use crate::oci::{self, Blob, Digest, Subject};
use crate::policy::condition::ImageFacts;
use crate::pull::{Gathered, Piece};
use crate::reason::Reason;

/// The manifest that is asked for, and all that was read about it.
#[derive(Debug)]
pub(super) struct Scene {
    pub(super) content: Content,
    pub(super) subject: Subject,
    pub(super) evidence: Gathered,
}

/// The manifest that is asked for.
#[derive(Debug)]
pub(super) enum Content {
    /// Known by its digest alone, as a blob is.
    Known(Blob),
    /// Made up.
    MadeUp(Arc<oci::Manifest>),
}

impl Scene {
    /// Sets up `case`, whose virtual signers sign on `stage`.
    ///
    /// # Errors
    /// If the system has no randomness to give.
    pub(super) fn of(case: &Case, stage: &Stage) -> io::Result<Self> {
        let (mut children, mut listed) = (Vec::new(), Vec::new());
        for (index, child) in case.children.iter().flatten().enumerate() {
            let digest = match child.digest {
                Some(digest) => digest,
                None => made_up(child, &format!("{} {index} {}", case.name, child.platform), None)?.digest(),
            };
            children.push(piece(child, &case.image.at(digest), case, stage)?);
            listed.push(digest);
        }
        let listed = case.children.as_ref().map(|_| listed.as_slice());
        let content = match case.own.digest {
            Some(digest) => Content::Known(Blob(digest)),
            None => Content::MadeUp(Arc::new(made_up(&case.own, &case.name, listed)?)),
        };
        let subject = case.image.at(match &content {
            Content::Known(Blob(digest)) => *digest,
            Content::MadeUp(manifest) => manifest.digest(),
        });
        let own = piece(&case.own, &subject, case, stage)?;
        Ok(Self {
            content,
            subject,
            evidence: Gathered { own, children: case.children.as_ref().map(|_| Ok(children)) },
        })
    }
}

/// A manifest that there is nowhere else: an index of `listed`, or an image whose config has `seed` for its content.
fn made_up(manifest: &Manifest, seed: &str, listed: Option<&[Digest]>) -> io::Result<oci::Manifest> {
    let kind = if listed.is_some() { ManifestType::OciIndex } else { ManifestType::OciImage };
    let mut json = json!({ "schemaVersion": 2, "mediaType": kind.as_str(), "annotations": manifest.annotations });
    let descriptor = |media_type: &str, digest: Digest, size: usize| json!({ "mediaType": media_type, "digest": digest, "size": size });
    if let Some(listed) = listed {
        let children = listed.iter().map(|digest| descriptor(ManifestType::OciImage.as_str(), *digest, 1));
        json["manifests"] = children.collect();
    } else {
        let config = Digest::of(seed.as_bytes());
        json["config"] = descriptor("application/vnd.oci.image.config.v1+json", config, seed.len());
        json["layers"] = json!([]);
    }
    let bytes = json.to_string();
    let digest = Digest::of(bytes.as_bytes());
    oci::Manifest::parse(bytes.into(), &digest, kind.as_str(), usize::MAX).map_err(io::Error::other)
}

fn piece(manifest: &Manifest, subject: &Subject, case: &Case, stage: &Stage) -> io::Result<Piece> {
    let mut set = EvidenceSet {
        candidates: Vec::new(),
        unread: Vec::new(),
        unusable: Vec::new(),
        incomplete: false,
        read_at: case.now,
    };
    for (index, evidence) in manifest.evidence.iter().enumerate() {
        match evidence {
            Evidence::Found(candidate) => set.candidates.push(candidate.clone()),
            Evidence::Incomplete => set.incomplete = true,
            Evidence::Made(made) => set.candidates.push(stage.make(made, subject)?),
            Evidence::Unread(why) => {
                set.unread.push(Unread::new(format!("evidence[{index}]"), Reason::EvidenceUnreadable, why));
            }
        }
    }
    let image = ImageFacts {
        registry: subject.image.registry.to_string(),
        repository: subject.image.repository.to_string(),
        digest: subject.digest,
        annotations: manifest.annotations.clone(),
    };
    Ok(Piece { image, platform: manifest.platform.clone(), evidence: Arc::new(set), held: false })
}
