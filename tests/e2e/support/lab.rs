//! A lab: a registry, the proxy before it with one policy, and two key pairs. One for each kind of registry, shared by
//! all tests.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::LazyLock;

use super::containerd::{Node, Version, node};
use super::cosign::{Cosign, attach_sbom, generate_key_pair, sign_as_referrer, sign_sbom};
use super::guarded::Lent;
use super::image::Image;
use super::predicates::Predicate;
use super::process::{Process, command};
use super::proxy::{Proxy, REGISTRY};
use super::registry::{Kind, Registry};

/// One combination of real parts.
#[derive(Clone, Copy)]
pub(crate) struct Cell {
    pub(crate) containerd: Version,
    pub(crate) registry: Kind,
    pub(crate) cosign: Cosign,
}

impl Cell {
    pub(crate) fn node(self) -> &'static Node {
        node(self.containerd)
    }

    pub(crate) fn lab(self) -> &'static Lab {
        // A lab that did not start fails every test that needs it, at once.
        static DOCKER: LazyLock<Lab> = LazyLock::new(|| Lab::start(Kind::Docker));
        static REFERRERS: LazyLock<Lab> = LazyLock::new(|| Lab::start(Kind::Referrers));
        match self.registry {
            Kind::Docker => &DOCKER,
            Kind::Referrers => &REFERRERS,
        }
    }
}

pub(crate) struct Lab {
    pub(crate) registry: Registry,
    pub(crate) proxy: Proxy,
    keys: Process,
}

/// The key that the policy names.
pub(crate) const RELEASE: &str = "release";
/// A key that it does not.
pub(crate) const FOREIGN: &str = "foreign";

/// The policy by which every image needs a signature by this key.
pub(crate) fn signed_by(key: &str) -> String {
    format!(
        "authorities:\n  \
           {key}-key: {{ key: {{ file: {key}.pub, insecureSkipTransparencyLog: true }} }}\n\
         policies:\n  \
           - name: lab\n    \
             match: [ \"{REGISTRY}/**\" ]\n    \
             require: {{ signature: {{ by: {key}-key }} }}\n\
         default: deny\n"
    )
}

impl Lab {
    fn start(kind: Kind) -> Self {
        Self::before(Registry::start(kind))
    }

    /// A lab with this registry.
    pub(crate) fn before(registry: Registry) -> Self {
        // The keys' folder is on a leash, too: it belongs to a program that only waits.
        let keys = Process::start("keys", |_| command("sleep", ["infinity"]));
        for key in [RELEASE, FOREIGN] {
            generate_key_pair(keys.folder(), key);
        }
        let proxy = Proxy::start(&registry, &public_keys(&keys), &signed_by(RELEASE));
        Self { registry, proxy, keys }
    }

    /// Another proxy before the same registry, for a test that changes its policy.
    pub(crate) fn own_proxy(&self) -> Proxy {
        self.proxy_under(&signed_by(RELEASE))
    }

    /// Another proxy before the same registry, under another policy.
    pub(crate) fn proxy_under(&self, policy: &str) -> Proxy {
        Proxy::start(&self.registry, &public_keys(&self.keys), policy)
    }

    /// Another proxy that reaches the same registry through `dial`, with further lines of configuration.
    pub(crate) fn proxy_through(&self, dial: SocketAddr, upstream: &str, more: &str) -> Proxy {
        let lent = Lent {
            dial: Some(dial),
            upstream: upstream.into(),
            more: more.into(),
            level: Some("error"),
            ..Lent::default()
        };
        self.lending_proxy(&self.registry, &lent)
    }

    /// A proxy before another registry, with what it is lent.
    pub(crate) fn lending_proxy(&self, registry: &Registry, lent: &Lent) -> Proxy {
        Proxy::start_with(registry, &public_keys(&self.keys), &signed_by(RELEASE), lent)
    }

    /// A proxy before this lab's registry, under another policy and with what it is lent.
    pub(crate) fn lent_under(&self, policy: &str, lent: &Lent) -> Proxy {
        Proxy::start_with(&self.registry, &public_keys(&self.keys), policy, lent)
    }

    pub(crate) fn push(&self, name: &str) -> Image {
        Image::push(self.registry.address, name)
    }

    /// Pushes an image and signs it as the policy wants.
    pub(crate) fn push_signed(&self, name: &str, cosign: Cosign) -> Image {
        let image = self.push(name);
        self.sign(cosign, RELEASE, &image);
        image
    }

    pub(crate) fn sign(&self, cosign: Cosign, key: &str, image: &Image) {
        cosign.sign(self.keys.folder(), key, image);
    }

    /// Signs into another repository of the same registry.
    pub(crate) fn sign_into(&self, cosign: Cosign, key: &str, image: &Image, repository: &str) {
        let signatures = format!("{}/{repository}", self.registry.address);
        cosign.sign_into(self.keys.folder(), key, image, &signatures);
    }

    /// Signs in the legacy format, as a referrer.
    pub(crate) fn sign_as_referrer(&self, key: &str, image: &Image) {
        sign_as_referrer(self.keys.folder(), key, image);
    }

    pub(crate) fn attest_sbom(&self, cosign: Cosign, key: &str, image: &Image) {
        cosign.attest_sbom(self.keys.folder(), key, image);
    }

    pub(crate) fn attest(&self, cosign: Cosign, key: &str, image: &Image, predicate: &Predicate) {
        cosign.attest(self.keys.folder(), key, image, predicate);
    }

    /// Attaches a software bill of materials, as cosign 2 can: in the tag `.sbom`, and nobody signs it.
    pub(crate) fn attach_sbom(&self, image: &Image) {
        attach_sbom(self.keys.folder(), image);
    }

    /// Signs what [`Lab::attach_sbom`] attached.
    pub(crate) fn sign_sbom(&self, key: &str, image: &Image) {
        sign_sbom(self.keys.folder(), key, image);
    }

    /// The file of this public key.
    pub(crate) fn public_key(&self, key: &str) -> String {
        self.keys.folder().join(format!("{key}.pub")).to_str().expect("the path is UTF-8").to_owned()
    }

    /// The host that images are named after, as the nodes know them.
    pub(crate) fn host(&self) -> SocketAddr {
        self.registry.forbidden.address
    }

    pub(crate) fn safe_hosts(&self) -> PathBuf {
        self.proxy.safe_hosts(self.host())
    }

    /// No node went past the proxy for this image.
    #[track_caller]
    pub(crate) fn nobody_went_past(&self, image: &Image) {
        let seen = self.registry.forbidden.seen(image);
        assert!(seen.is_empty(), "went past the proxy: {seen:?}");
    }
}

fn public_keys(keys: &Process) -> [PathBuf; 2] {
    [RELEASE, FOREIGN].map(|key| keys.folder().join(format!("{key}.pub")))
}
