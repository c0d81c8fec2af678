//! Nodes: a containerd of each major version, with its own root, state and socket, driven by its own `ctr`, and as a
//! kubelet drives it.
//!
//! Each daemon has process and mount namespaces of its own: shims, containers and mounts end with it.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::{env, fs};

use super::process::{Process, Ran, command, run, tool};

/// Which containerd.
#[derive(Clone, Copy)]
pub(crate) enum Version {
    /// 1.6.20, Debian 12's: the one with the most ways past a mirror.
    V1,
    /// 2.4.2, which pulls through its transfer service.
    V2,
}

pub(crate) struct Node {
    ctr: PathBuf,
    socket: PathBuf,
    process: Process,
}

/// The node with this containerd; the first caller starts it.
pub(crate) fn node(version: Version) -> &'static Node {
    static V1: LazyLock<Node> = LazyLock::new(|| Node::start(Path::new("/usr/bin"), 2));
    static V2: LazyLock<Node> = LazyLock::new(|| Node::start(&tool("containerd-2"), 3));
    match version {
        Version::V1 => &V1,
        Version::V2 => &V2,
    }
}

impl Node {
    fn start(programs: &Path, config_version: u8) -> Self {
        let ctr = programs.join("ctr");
        let process = Process::start("containerd", |folder| {
            let images = match config_version {
                2 => r#""io.containerd.grpc.v1.cri""#,
                _ => "'io.containerd.cri.v1.images'",
            };
            let text = format!(
                "version = {config_version}\nroot = \"{0}/root\"\nstate = \"{0}/state\"\n[grpc]\n  address = \"{0}/sock\"\n\
                 [plugins.{images}.registry]\n  config_path = \"{0}/{CERTS}\"\n",
                folder.display()
            );
            let config = folder.join("config.toml");
            fs::write(&config, text).expect("the folder is writable");
            let mut daemon = Command::new("unshare");
            daemon.args(["--pid", "--fork", "--kill-child", "--mount", "--mount-proc"]);
            daemon.arg(programs.join("containerd")).arg("--config").arg(config);
            // The shim that it finds must be the one of its own version.
            let path = env::var_os("PATH").unwrap_or_default();
            let path = std::iter::once(programs.to_owned()).chain(env::split_paths(&path));
            daemon.env("PATH", env::join_paths(path).expect("no folder's name has a colon"));
            daemon
        });
        let socket = process.folder().join("sock");
        let is_up = |_: &Process| {
            run(&at(&ctr, &socket, ["version"])).is_success() && cri(&socket, "status", "none").is_success()
        };
        let process = process.ready(is_up);
        Self { ctr, socket, process }
    }

    /// `ctr images pull`, by way of this `certs.d`.
    pub(crate) fn pull(&self, hosts: &Path, image: &str) -> Ran {
        let hosts = hosts.to_str().expect("the path is UTF-8");
        run(&at(&self.ctr, &self.socket, ["images", "pull", "--hosts-dir", hosts, image]))
    }

    /// What a kubelet does: the image service pulls, led by the daemon's own configuration, which now has this `certs.d`.
    pub(crate) fn pull_by_cri(&self, hosts: &Path, image: &str) -> Ran {
        for host in fs::read_dir(hosts).expect("the folder is there").flatten() {
            let own = self.process.folder().join(CERTS).join(host.file_name());
            fs::create_dir_all(&own).expect("the folder is writable");
            let draft = own.join(format!("draft-{:?}", std::thread::current().id()));
            fs::copy(host.path().join("hosts.toml"), &draft).expect("the file is there");
            fs::rename(&draft, own.join("hosts.toml")).expect("the draft is there");
        }
        cri(&self.socket, "pull", image)
    }

    /// The id of the image by this name, as a kubelet asks for it; empty if the node has none.
    #[track_caller]
    pub(crate) fn image_status(&self, image: &str) -> String {
        cri(&self.socket, "status", image).succeeded()
    }

    /// `ctr run`: it must succeed; what the container printed, by way of a file, since `ctr` loses the last words of a
    /// container that ends at once.
    #[track_caller]
    pub(crate) fn run(&self, image: &str) -> String {
        static CONTAINERS: AtomicU32 = AtomicU32::new(0);
        let name = format!("e2e-{}-{}", std::process::id(), CONTAINERS.fetch_add(1, Ordering::Relaxed));
        let output = self.process.folder().join(&name);
        let to = format!("file://{}", output.display());
        run(&at(&self.ctr, &self.socket, ["run", "--rm", "--log-uri", &to, image, &name])).succeeded();
        fs::read_to_string(&output).expect("the shim writes it").trim().to_owned()
    }

    /// `ctr run` of an image that the node must not have.
    #[track_caller]
    pub(crate) fn cannot_run(&self, image: &str) {
        run(&at(&self.ctr, &self.socket, ["run", "--rm", image, "e2e-refused"])).refused();
    }

    /// The node's image records that hold these words.
    pub(crate) fn images(&self, words: &str) -> Vec<String> {
        let listed = run(&at(&self.ctr, &self.socket, ["images", "ls"])).succeeded();
        listed.lines().filter(|line| line.contains(words)).map(str::to_owned).collect()
    }

    /// Whether the node's content store has these bytes.
    pub(crate) fn holds(&self, digest: &str) -> bool {
        self.content().contains(digest)
    }

    /// The digests of what is in the node's content store.
    pub(crate) fn content(&self) -> String {
        run(&at(&self.ctr, &self.socket, ["content", "ls", "--quiet"])).succeeded()
    }
}

/// The `certs.d` of the daemon's own configuration.
const CERTS: &str = "certs.d";

fn cri(socket: &Path, what: &str, image: &str) -> Ran {
    run(&command(tool("bin/cri"), [socket.as_os_str(), what.as_ref(), image.as_ref()]))
}

fn at<'a>(ctr: &Path, socket: &Path, arguments: impl IntoIterator<Item = &'a str>) -> Command {
    let mut command = command(ctr, ["--address".as_ref(), socket.as_os_str()]);
    command.args(arguments);
    command
}
