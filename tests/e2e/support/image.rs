//! Images made for one test each: a static program that prints the random token baked into the same layer.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU32, Ordering};
use std::{env, fs};

use tempfile::tempdir;

use super::process::{command, run, tool};

/// An image, or an index, in a registry: every one has a repository of its own.
#[derive(Clone)]
pub(crate) struct Image {
    registry: SocketAddr,
    pub(crate) repository: String,
    tag: String,
    pub(crate) digest: String,
    pub(crate) token: String,
}

impl Image {
    /// Pushes a new image.
    pub(crate) fn push(registry: SocketAddr, name: &str) -> Self {
        Self::push_to(registry, &new_repository(name), "v1", architecture())
    }

    /// Pushes a new image into the same repository, under another tag.
    pub(crate) fn sibling(&self, tag: &str) -> Self {
        Self::push_to(self.registry, &self.repository, tag, architecture())
    }

    /// Pushes a new index that lists this image and one for another architecture, which comes second.
    pub(crate) fn index(&self) -> (Self, Self) {
        let foreign = if architecture() == "amd64" { "arm64" } else { "amd64" };
        let other = Self::push_to(self.registry, &self.repository, "other", foreign);
        let index = Self { tag: "index".into(), ..self.clone() };
        let children = ["-m", &self.direct(), "-m", &other.direct()];
        let digest = crane(["index", "append"].into_iter().chain(children).chain(["-t", &index.tagged(self.registry)]));
        (Self { digest: digest_of(&digest), ..index }, other)
    }

    /// What the registry has under this tag, whoever pushed it.
    pub(crate) fn found(registry: SocketAddr, repository: &str, tag: &str) -> Self {
        let image = Self {
            registry,
            repository: repository.into(),
            tag: tag.into(),
            digest: String::new(),
            token: String::new(),
        };
        let digest = crane(["digest", &image.tagged(registry)]).trim().to_owned();
        Self { digest, ..image }
    }

    /// Pushes a new index that lists this one and nothing else.
    pub(crate) fn wrapped(&self) -> Self {
        let outer = Self { tag: "outer".into(), ..self.clone() };
        let digest = crane(["index", "append", "-m", &self.direct(), "-t", &outer.tagged(self.registry)]);
        Self { digest: digest_of(&digest), ..outer }
    }

    /// The same image in a new repository.
    pub(crate) fn copied(&self) -> Self {
        let copy = self.in_repository(new_repository("copied"));
        crane(["copy", &self.direct(), &copy.tagged(copy.registry)]);
        copy
    }

    /// The same image as it would be in this repository.
    pub(crate) fn in_repository(&self, repository: String) -> Self {
        Self { repository, ..self.clone() }
    }

    /// The same image, copied under the same name to another registry.
    pub(crate) fn copied_to(&self, registry: SocketAddr) -> Self {
        let copy = Self { registry, ..self.clone() };
        crane(["copy", &self.direct(), &copy.tagged(registry)]);
        copy
    }

    /// By digest, at the registry itself.
    pub(crate) fn direct(&self) -> String {
        self.by_digest(self.registry)
    }

    /// Its repository at the registry itself.
    pub(crate) fn name(&self) -> String {
        format!("{}/{}", self.registry, self.repository)
    }

    pub(crate) fn registry(&self) -> SocketAddr {
        self.registry
    }

    pub(crate) fn tagged(&self, host: SocketAddr) -> String {
        format!("{host}/{}:{}", self.repository, self.tag)
    }

    pub(crate) fn by_digest(&self, host: SocketAddr) -> String {
        format!("{host}/{}@{}", self.repository, self.digest)
    }

    pub(crate) fn tag(&self) -> &str {
        &self.tag
    }

    /// The path of the manifest by tag.
    pub(crate) fn tag_path(&self) -> String {
        format!("/v2/{}/manifests/{}", self.repository, self.tag)
    }

    /// The path of the manifest by digest.
    pub(crate) fn manifest_path(&self) -> String {
        format!("/v2/{}/manifests/{}", self.repository, self.digest)
    }

    /// The path of a blob of its repository.
    pub(crate) fn blob_path(&self, digest: &str) -> String {
        format!("/v2/{}/blobs/{digest}", self.repository)
    }

    fn push_to(registry: SocketAddr, repository: &str, tag: &str, architecture: &str) -> Self {
        let folder = tempdir().expect("a temporary folder");
        let token = format!("token-{:016x}", RandomState::new().build_hasher().finish());
        fs::write(folder.path().join("token"), &token).expect("the folder is writable");
        fs::copy(tool("bin/token"), folder.path().join("print")).expect("the program is there");
        let layer = folder.path().join("layer.tar");
        let mut tar = command("tar", ["--sort=name", "--owner=0", "--group=0", "--numeric-owner"]);
        tar.arg("-C").arg(folder.path()).arg("-cf").arg(&layer).args(["token", "print"]);
        run(&tar).succeeded();

        let image = Self { registry, repository: repository.into(), tag: tag.into(), digest: String::new(), token };
        let name = image.tagged(registry);
        let layer = layer.to_str().expect("the path is UTF-8");
        crane(["append", "--oci-empty-base", "-f", layer, "-t", &name]);
        let platform = format!("linux/{architecture}");
        let printed = crane(["mutate", &name, "--set-platform", &platform, "--entrypoint", "/print", "-t", &name]);
        Self { digest: digest_of(&printed), ..image }
    }
}

fn new_repository(name: &str) -> String {
    static REPOSITORIES: AtomicU32 = AtomicU32::new(0);
    format!("lab/{name}-{}", REPOSITORIES.fetch_add(1, Ordering::Relaxed))
}

/// Runs crane; what it printed.
pub(crate) fn crane<'a>(arguments: impl IntoIterator<Item = &'a str>) -> String {
    run(&command(tool("bin/crane"), arguments)).succeeded()
}

/// The digest in a reference that crane printed.
fn digest_of(printed: &str) -> String {
    printed.trim().rsplit_once('@').expect("crane prints what it pushed, by digest").1.to_owned()
}

fn architecture() -> &'static str {
    match env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    }
}
