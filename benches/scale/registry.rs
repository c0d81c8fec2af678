//! The registry: signed images, some of them indexes; every answer takes a moment, and is counted by its kind.

use std::collections::{BTreeMap, BTreeSet};
use std::error::Error;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use countersign::demo::images::Stored;
use countersign::demo::registry::{Options, Registry};
use countersign::demo::server::{self, Running};
use countersign::demo::signer::Signer;
use countersign::oci::Digest;
use http::{Method, Request};
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

/// It, listening on loopback.
pub(crate) struct Upstream {
    pub(crate) running: Running,
    pub(crate) images: Vec<Image>,
    asked: Arc<Mutex<Asked>>,
}

/// What a node asks for when it pulls an image.
#[derive(Debug, Clone)]
pub(crate) struct Image {
    pub(crate) repository: String,
    pub(crate) digest: Digest,
    /// For an index, the image of the node's platform.
    pub(crate) child: Option<Digest>,
    /// Config and layers.
    pub(crate) blobs: Vec<Digest>,
}

/// What the registry was asked.
#[derive(Debug, Clone, Default)]
pub(crate) struct Asked {
    /// HEAD by tag: what it names now.
    pub(crate) tags: u64,
    /// Images and indexes.
    pub(crate) manifests: u64,
    /// Referrers, and the manifests and blobs of evidence.
    pub(crate) evidence: u64,
    /// How often in each second.
    seconds: BTreeMap<u64, u64>,
}

impl Asked {
    /// The most in one second.
    pub(crate) fn peak(&self) -> u64 {
        self.seconds.values().copied().max().unwrap_or_default()
    }
}

impl Upstream {
    /// Fills one with so many images, signed by `signer`, and starts it.
    pub(crate) async fn start(images: u32, signer: &Signer) -> Result<Self, Box<dyn Error>> {
        let registry = Registry::new(Options { name: NAME.into(), ..Options::default() });
        let images: Result<Vec<_>, _> = (0..images).map(|number| image(&registry, signer, number)).collect();
        let images = images?;
        let known: BTreeSet<String> = images
            .iter()
            .flat_map(|image| image.child.iter().chain([&image.digest]))
            .map(ToString::to_string)
            .collect();
        let (asked, known) = (Arc::new(Mutex::new(Asked::default())), Arc::new(known));
        let (counted, began) = (asked.clone(), Instant::now());
        let running = server::serve(move |request: Request<_>| {
            let (registry, counted, known) = (registry.clone(), counted.clone(), known.clone());
            async move {
                let last = request.uri().path().rsplit('/').next().unwrap_or_default();
                let takes = {
                    let mut asked = counted.lock().unwrap_or_else(PoisonError::into_inner);
                    let (count, takes) = match request.method() {
                        &Method::HEAD => (&mut asked.tags, TAG),
                        _ if known.contains(last) => (&mut asked.manifests, MANIFEST),
                        _ => (&mut asked.evidence, MANIFEST),
                    };
                    *count += 1;
                    *asked.seconds.entry(began.elapsed().as_secs()).or_default() += 1;
                    takes
                };
                sleep(takes).await;
                registry.handle(request.method(), request.uri(), request.headers())
            }
        });
        Ok(Self { running: running.await?, images, asked })
    }

    pub(crate) fn asked(&self) -> Asked {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Every other one is an index of two platforms, of which nodes run the first.
fn image(registry: &Registry, signer: &Signer, number: u32) -> std::io::Result<Image> {
    let repository = format!("team-{}/app-{number}", number % 50);
    let is_index = number % 2 == 1;
    let (manifest, blobs) = manifest(registry, &repository, "amd64", (!is_index).then_some(TAGGED));
    let (stored, child) = if is_index {
        let (other, _) = self::manifest(registry, &repository, "arm64", None);
        let children = [&manifest, &other].map(|one| descriptor(one.media_type, one.size, one.digest));
        let index = json!({ "schemaVersion": 2, "mediaType": INDEX, "manifests": children });
        (put(registry, &repository, INDEX, &index, Some(TAGGED)), Some(manifest.digest))
    } else {
        (manifest, None)
    };
    signer.sign_bundle(registry, &stored)?;
    Ok(Image { repository, digest: stored.digest, child, blobs })
}

/// An image of a config and five layers.
fn manifest(registry: &Registry, repository: &str, architecture: &str, tag: Option<&str>) -> (Stored, Vec<Digest>) {
    let blob = |name: &str, media_type: &str| {
        let bytes = json!({ "architecture": architecture, "of": repository, "name": name }).to_string();
        let size = bytes.len();
        descriptor(media_type, size, registry.put_blob(repository, bytes))
    };
    let config = blob("config", "application/vnd.oci.image.config.v1+json");
    let layers = ["1", "2", "3", "4", "5"].map(|name| blob(name, "application/vnd.oci.image.layer.v1.tar+gzip"));
    let digests = layers.iter().chain([&config]).filter_map(|one| one["digest"].as_str()?.parse().ok()).collect();
    let image = json!({ "schemaVersion": 2, "mediaType": IMAGE, "config": config, "layers": layers });
    (put(registry, repository, IMAGE, &image, tag), digests)
}

fn descriptor(media_type: &str, size: usize, digest: Digest) -> Value {
    json!({ "mediaType": media_type, "size": size, "digest": digest })
}

fn put(registry: &Registry, repository: &str, media_type: &'static str, document: &Value, tag: Option<&str>) -> Stored {
    let bytes = document.to_string();
    let size = bytes.len();
    let digest = registry.put_manifest(repository, media_type, bytes, tag);
    Stored { repository: repository.into(), media_type, size, digest }
}

/// The registry's own name.
pub(crate) const NAME: &str = "registry.company.com";
/// The tag of every image.
pub(crate) const TAGGED: &str = "1";
const IMAGE: &str = "application/vnd.oci.image.manifest.v1+json";
const INDEX: &str = "application/vnd.oci.image.index.v1+json";
/// What it takes to say what a tag names, and to answer with anything else.
const TAG: Duration = Duration::from_millis(10);
const MANIFEST: Duration = Duration::from_millis(20);
