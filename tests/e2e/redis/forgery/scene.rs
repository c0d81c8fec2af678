//! Replicas that share a store, what they have left there, and who rewrites it.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use countersign::record::Seal;
use countersign::store::{Place, Shelf};
use tempfile::TempDir;

use super::is_kept_back;
use crate::support::containerd::Version;
use crate::support::cosign::Cosign;
use crate::support::dice::Dice;
use crate::support::guarded::Lent;
use crate::support::image::Image;
use crate::support::lab::{Cell, Lab, RELEASE, signed_by};
use crate::support::proxy::{Proxy, REGISTRY};
use crate::support::redis_server::Redis;
use crate::support::registry::Kind;

/// The label of what is served.
pub(crate) const ALLOWED: &str = "outcome=\"allow\"";

/// A key of the store.
pub(crate) struct Key {
    pub(crate) secret: [u8; 32],
    path: PathBuf,
}

pub(crate) struct Scene {
    pub(crate) lab: &'static Lab,
    pub(crate) redis: Redis,
    pub(crate) key: Key,
    folder: TempDir,
    /// What may be served.
    pub(crate) signed: Image,
    /// Another image of the same repository, which nobody signed.
    pub(crate) unsigned: Image,
    /// The signed image in a repository where it has no signature.
    pub(crate) copy: Image,
    /// All that is stored once a replica was asked for everything.
    stored: Vec<(Vec<u8>, Vec<u8>)>,
}

impl Scene {
    /// Signs one image, and lets a replica answer for all.
    pub(crate) fn start() -> Self {
        let lab = Cell { containerd: Version::V2, registry: Kind::Docker, cosign: Cosign::Legacy }.lab();
        let signed = lab.push_signed("forged", Cosign::Legacy);
        let (unsigned, copy) = (signed.sibling("unsigned"), signed.copied());
        let folder = tempfile::tempdir().expect("a temporary folder");
        let key = write_key(&folder, "key");
        let (redis, stored) = (Redis::start(), Vec::new());
        let mut scene = Self { lab, redis, key, folder, signed, unsigned, copy, stored };
        // Its denials hold for longer than the test takes: none is found out to be old.
        let first = scene.replica(&[&scene.key], "cache: { deny: 1h }\n");
        scene.is_served(&first, "first");
        for path in scene.forbidden() {
            let answer = first.ask("GET", &path);
            assert!(is_kept_back(&path, &answer), "{path}: {answer:?}");
        }
        scene.stored = scene.all();
        for image in [&scene.signed, &scene.unsigned, &scene.copy] {
            let kept = scene.stored.iter().any(|(key, _)| *key == scene.verdict(image).into_bytes());
            assert!(kept, "no verdict on {} is where it is expected:\n{:?}", image.digest, scene.redis.keys("*"));
        }
        scene
    }

    pub(crate) fn new_key(&self, name: &str) -> Key {
        write_key(&self.folder, name)
    }

    /// A replica that remembers nothing, with these keys and further lines of configuration.
    pub(crate) fn replica(&self, keys: &[&Key], more: &str) -> Proxy {
        self.replica_under(&signed_by(RELEASE), keys, more)
    }

    /// The same, under another policy.
    pub(crate) fn replica_under(&self, policy: &str, keys: &[&Key], more: &str) -> Proxy {
        let lent = Lent { store: Some(self.store(keys)), more: more.into(), ..Lent::default() };
        self.lab.lent_under(policy, &lent)
    }

    /// What a replica is told of the store, with these keys.
    pub(crate) fn store(&self, keys: &[&Key]) -> String {
        let keys: Vec<_> = keys.iter().map(|key| key.path.display().to_string()).collect();
        let url = format!("redis://127.0.0.1:{}", self.redis.port);
        // Nothing here is to depend on how fast the machine is.
        format!("{{ kind: redis, keys: [ {} ], redis: {{ url: \"{url}\", timeout: 5s }} }}", keys.join(", "))
    }

    /// The paths of what nobody may have, manifests and a layer.
    pub(crate) fn forbidden(&self) -> Vec<String> {
        let manifests = [&self.unsigned, &self.copy].map(Image::manifest_path);
        let blobs = [&self.unsigned, &self.copy].map(|image| image.blob_path(&Self::layer(image)));
        manifests.into_iter().chain([self.unsigned.tag_path()]).chain(blobs).collect()
    }

    /// The digest of the layer of an image.
    pub(crate) fn layer(image: &Image) -> String {
        let manifest = image.get_json(&image.manifest_path());
        manifest["layers"][0]["digest"].as_str().expect("an image has a layer").to_owned()
    }

    /// What may be served is served.
    #[track_caller]
    pub(crate) fn is_served(&self, replica: &Proxy, name: &str) {
        let answer = replica.ask("GET", &self.signed.manifest_path());
        assert_eq!(answer.status, 200, "{name}: {answer:?}\n{}", replica.log());
        let layer = replica.ask("GET", &self.signed.blob_path(&Self::layer(&self.signed)));
        assert_eq!(layer.status, 200, "{name}: {}", replica.log());
    }

    /// Makes the store what it was after the first replica.
    pub(crate) fn restore(&self) {
        redis::cmd("FLUSHALL").exec(&mut self.redis.client()).expect("Redis does it");
        for (key, value) in &self.stored {
            self.set_bytes(key, value);
        }
    }

    /// All that is stored, as long as it is text.
    pub(crate) fn all(&self) -> Vec<(Vec<u8>, Vec<u8>)> {
        let mut client = self.redis.client();
        let keys: Vec<Vec<u8>> = redis::cmd("KEYS").arg("countersign:1:*").query(&mut client).expect("Redis answers");
        let mut read = |key: Vec<u8>| {
            let value: Vec<u8> = redis::cmd("GET").arg(&key).query(&mut client).expect("a string");
            (key, value)
        };
        keys.into_iter().filter(|key| !key.starts_with(b"countersign:1:leases:")).map(&mut read).collect()
    }

    /// What was stored at this key at first.
    pub(crate) fn stored(&self, key: &str) -> &[u8] {
        let stored = self.stored.iter().find(|(stored, _)| stored == key.as_bytes());
        &stored.unwrap_or_else(|| panic!("{key} was never stored")).1
    }

    /// Writes to the store, as anybody can who is let in.
    pub(crate) fn set(&self, key: &str, value: &[u8]) {
        self.set_bytes(key.as_bytes(), value);
    }

    pub(crate) fn set_bytes(&self, key: &[u8], value: &[u8]) {
        let set = redis::cmd("SET").arg(key).arg(value).arg("EX").arg(600).exec(&mut self.redis.client());
        set.expect("Redis does it");
    }

    /// The key of the verdict on an image: what the signed image's is, but for the image.
    pub(crate) fn verdict(&self, image: &Image) -> String {
        let begins =
            |image: &Image| format!("countersign:1:verdicts:{REGISTRY}/{}@{}/", image.repository, image.digest);
        let one = self.redis.keys(&format!("{}*", begins(&self.signed)));
        let from_the_start = self
            .stored
            .iter()
            .find_map(|(key, _)| String::from_utf8_lossy(key).strip_prefix(&begins(&self.signed)).map(str::to_owned));
        let revisions = one.first().and_then(|key| key.strip_prefix(&begins(&self.signed)).map(str::to_owned));
        begins(image) + &from_the_start.or(revisions).expect("the verdict on the signed image is stored")
    }

    /// The key of who lists a digest in the repository of an image.
    pub(crate) fn parents(image: &Image, digest: &str) -> String {
        format!("countersign:1:members:parents/{REGISTRY}/{}@{digest}", image.repository)
    }

    /// The record that allows the signed image, without its seal.
    pub(crate) fn body(&self) -> Vec<u8> {
        self.stored(&self.verdict(&self.signed))[32..].to_vec()
    }

    /// The same, about the image that nobody signed.
    pub(crate) fn body_about_the_unsigned(&self) -> Vec<u8> {
        let body = String::from_utf8(self.body()).expect("records are text");
        let about = |image: &Image| image.digest.trim_start_matches("sha256:").to_owned();
        assert!(body.contains(&about(&self.signed)), "the record does not say what it is about: {body}");
        body.replace(&about(&self.signed), &about(&self.unsigned)).into_bytes()
    }

    /// A record about an image that is sealed by this key.
    pub(crate) fn sealed_by(&self, key: &[u8; 32], image: &Image, body: &[u8]) -> Vec<u8> {
        let name = self.verdict(image);
        let name = name.strip_prefix("countersign:1:verdicts:").expect("a verdict's key");
        Seal::new(key, &[]).close_bytes(&Place::new(Shelf::Verdicts, name), body)
    }
}

fn write_key(folder: &TempDir, name: &str) -> Key {
    let secret: [u8; 32] = Dice::new().bytes(32).try_into().expect("as many");
    let path = folder.path().join(name);
    let text = secret.iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}"));
    fs::write(&path, text).expect("the folder is writable");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).expect("the file is ours");
    Key { secret, path }
}
