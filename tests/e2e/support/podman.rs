//! Podman: another engine, which looks at no media type of a layer. One store for each test, which goes with it.

use tempfile::TempDir;

use super::process::{Ran, command, run};

pub(crate) struct Podman(TempDir);

impl Podman {
    pub(crate) fn new() -> Self {
        Self(tempfile::Builder::new().prefix("countersign-e2e-podman-").tempdir().expect("a temporary folder"))
    }

    /// `podman run`, which pulls first: on runc, without a network, and with limits that a container may set.
    pub(crate) fn run(&self, image: &str) -> Ran {
        let path = |name: &str| self.0.path().join(name).to_str().expect("the path is UTF-8").to_owned();
        let (root, state) = (path("root"), path("state"));
        let store = ["--root", &root, "--runroot", &state, "--storage-driver", "vfs", "--runtime", "runc"];
        let limits = ["--ulimit", "nofile=1024:1024", "--ulimit", "nproc=1024:1024", "--cgroups=no-conmon"];
        let once = ["run", "--rm", "--pull=always", "--tls-verify=false", "--network", "none"];
        run(&command("podman", [&store[..], &once, &limits, &[image]].concat()))
    }
}
