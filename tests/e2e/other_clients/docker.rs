//! Docker Engine, with a daemon of its own that may touch no network.

use std::path::Path;
use std::sync::LazyLock;

use crate::support::process::{Process, Ran, command, run};
use crate::support::pulls::{Pulled, Wanted, pulls};

pulls! { super::pull }

static ENGINE: LazyLock<Process> = LazyLock::new(|| {
    let process = Process::start("docker", |folder| {
        let path = |name: &str| folder.join(name).display().to_string();
        let mut engine = command("unshare", ["--pid", "--fork", "--kill-child", "--mount", "--mount-proc", "dockerd"]);
        engine.args(["--storage-driver=vfs", "--bridge=none", "--iptables=false", "--ip6tables=false"]);
        engine.args(["--ip-forward=false", "--host", &socket(folder)]);
        engine.args(["--data-root", &path("data"), "--exec-root", &path("run"), "--pidfile", &path("pid")]);
        engine
    });
    process.ready(|process| docker(process, &["version"]).is_success())
});

/// What is kept is what the engine says it has.
fn pull(wanted: &Wanted) -> Pulled {
    let ran = docker(&ENGINE, &["pull", &wanted.at_proxy()]);
    Pulled { ran, kept: docker(&ENGINE, &["images", "--quiet", "--no-trunc"]).succeeded() }
}

fn docker(engine: &Process, arguments: &[&str]) -> Ran {
    let mut docker = command("docker", ["--host", &socket(engine.folder())]);
    run(docker.env("HOME", engine.folder()).args(arguments))
}

fn socket(folder: &Path) -> String {
    format!("unix://{}", folder.join("sock").display())
}
