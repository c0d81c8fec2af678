//! Registries that show what another one holds to those whom they know, and how the proxy is let in.

use std::fs;
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use super::http::ask;
use super::process::Process;
use super::registry::{Registry, docker_registry};
use super::token_server::TokenServer;

/// The user of every registry here.
pub(crate) const USER: &str = "countersign";

/// What the proxy is given beside its usual configuration.
#[derive(Default)]
pub(crate) struct Lent {
    /// `credentials` of its upstream.
    pub(crate) credentials: Option<String>,
    /// A folder before the others of `PATH`.
    pub(crate) path: Option<PathBuf>,
    /// How much it says.
    pub(crate) level: Option<&'static str>,
    /// Where it reaches its registry, if not directly.
    pub(crate) dial: Option<SocketAddr>,
    /// Where it remembers, if not in memory.
    pub(crate) store: Option<String>,
    /// Further keys of its listener, each with a comma at its end.
    pub(crate) listen: String,
    /// Further lines about its upstream, and others after it.
    pub(crate) upstream: String,
    /// What anybody may read of those, each with a comma before it.
    pub(crate) may: String,
    /// Further lines.
    pub(crate) more: String,
}

/// A registry that asks for a password by itself.
pub(crate) struct Guarded {
    pub(crate) registry: Registry,
    folder: TempDir,
}

/// Passwords, and what bcrypt makes of them.
pub(crate) const PASSWORDS: [(&str, &str); 2] = [
    ("one-t0psecret", "$2y$04$abcdefghijklmnopqrstuuOAhby02QuWqjpnZirYG3y2rrKetbHEq"),
    ("two-t0psecret", "$2y$04$abcdefghijklmnopqrstuu8mw57uymIQzj88mZa8ZhLJDys8zBIdC"),
];

impl Guarded {
    /// Starts one over what `open` holds, with the first password.
    pub(crate) fn start(open: &Registry) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let file = folder.path().join("htpasswd");
        write_password(&file, PASSWORDS[0].1);
        let registry = Registry::over(open, &format!("htpasswd: {{ realm: lab, path: {} }}", file.display()));
        Self { registry, folder }
    }

    /// Lets in whoever knows the second password, and nobody else.
    pub(crate) fn rotate(&self) {
        write_password(&self.folder.path().join("htpasswd"), PASSWORDS[1].1);
    }
}

fn write_password(file: &Path, hash: &str) {
    replace(file, &format!("{USER}:{hash}\n"));
}

/// Writes a file whole, as those who rotate secrets do.
pub(crate) fn replace(file: &Path, content: &str) {
    let draft = file.with_extension("draft");
    fs::write(&draft, content).expect("the folder is writable");
    fs::rename(&draft, file).expect("the draft is there");
}

/// A `docker-credential-lab` that answers with what stands in `answer` beside it.
pub(crate) fn install_helper(folder: &Path) {
    let program = folder.join("docker-credential-lab");
    let answer = folder.join("answer");
    let script = format!("#!/bin/sh\ncat >/dev/null\nexec cat {}\n", answer.display());
    fs::write(&program, script).expect("the folder is writable");
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).expect("the file is ours");
}

impl Registry {
    /// A docker-registry over the content of another one, which asks for what `auth` says.
    pub(crate) fn over(open: &Self, auth: &str) -> Self {
        let (process, address) = docker_registry(Some(open.content()), &format!("auth: {{ {auth} }}\n"));
        let asks = |_: &Process| ask(address, "GET", "/v2/").is_ok_and(|answer| answer.status == 401);
        Self::known(process.ready(asks), address)
    }

    /// A docker-registry over the content of another one, which wants tokens of `server`.
    pub(crate) fn with_tokens(open: &Self, server: &TokenServer) -> Self {
        let (realm, issuer) = (server.realm(), TokenServer::ISSUER);
        let roots = server.roots().display().to_string();
        let service = TokenServer::SERVICE;
        Self::over(
            open,
            &format!("token: {{ realm: \"{realm}\", service: {service}, issuer: {issuer}, rootcertbundle: {roots} }}"),
        )
    }
}
