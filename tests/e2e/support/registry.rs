//! The registries behind the proxy: Debian's docker-registry, which lacks the referrers API, our small Go program, which
//! has it, and the newest distribution, which serves manifests as blobs.

use std::ffi::OsStr;
use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use super::http::ask;
use super::process::{Process, command, free_port, tool};
use super::relay::Relay;

/// Which registry.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Kind {
    /// Without the referrers API: evidence is found by tags.
    Docker,
    /// With it.
    Referrers,
}

/// A registry, and the two ways to it that remember who came: the proxy's, and the forbidden one.
pub(crate) struct Registry {
    pub(crate) address: SocketAddr,
    /// What the proxy dials.
    pub(crate) counted: Relay,
    /// Images are named after this host, so this is where a node goes that goes past the proxy.
    pub(crate) forbidden: Relay,
    process: Process,
}

impl Registry {
    pub(crate) fn start(kind: Kind) -> Self {
        let (process, address) = match kind {
            Kind::Docker => docker_registry(None, ""),
            Kind::Referrers => registry_with_referrers(),
        };
        Self::at(process, address)
    }

    /// Distribution 3 with its memory of descriptors: without the referrers API, and with an open door at `/blobs/`.
    pub(crate) fn distribution() -> Self {
        let (process, address) =
            distribution(tool("bin/distribution"), "cache: { blobdescriptor: inmemory }, ", None, "");
        Self::at(process, address)
    }

    fn at(process: Process, address: SocketAddr) -> Self {
        let is_up = |_: &Process| ask(address, "GET", "/v2/").is_ok_and(|answer| answer.status == 200);
        Self::known(process.ready(is_up), address)
    }

    /// One that is running, with its relays.
    pub(crate) fn known(process: Process, address: SocketAddr) -> Self {
        Self { address, counted: Relay::to(address), forbidden: Relay::to(address), process }
    }

    /// The folder in which a docker-registry keeps what it holds.
    pub(crate) fn content(&self) -> PathBuf {
        self.process.folder().join("data")
    }
}

/// Starts Debian's docker-registry over a folder of its own or another one's, with `more` in its configuration.
pub(crate) fn docker_registry(content: Option<PathBuf>, more: &str) -> (Process, SocketAddr) {
    distribution("docker-registry", "", content, more)
}

/// Any version of it, with these words about its storage.
fn distribution(
    program: impl AsRef<OsStr>,
    storage: &str,
    content: Option<PathBuf>,
    more: &str,
) -> (Process, SocketAddr) {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, free_port()));
    let process = Process::start("distribution", |folder| {
        let config = folder.join("config.yml");
        let data = content.unwrap_or_else(|| folder.join("data"));
        let text = format!(
            "version: 0.1\n\
             storage: {{ {storage}filesystem: {{ rootdirectory: {} }} }}\n\
             http: {{ addr: \"{address}\" }}\n{more}",
            data.display()
        );
        fs::write(&config, text).expect("the folder is writable");
        let mut serve = command(program, ["serve".as_ref(), config.as_os_str()]);
        serve.env("OTEL_TRACES_EXPORTER", "none");
        serve
    });
    (process, address)
}

fn registry_with_referrers() -> (Process, SocketAddr) {
    let start = |_: &_| command(tool("bin/registry"), ["127.0.0.1:0"]);
    let process = Process::start("registry", start).ready(|process| process.log().contains('\n'));
    let address = process.log().lines().next().and_then(|line| line.parse().ok());
    (process, address.expect("its first line is its address"))
}
