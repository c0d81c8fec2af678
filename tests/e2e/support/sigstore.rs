//! A private Sigstore on loopback, of the real servers: Fulcio for GitLab pipelines, a CT log, Rekor v1 and v2, and a
//! time stamp authority. An issuer of our own stands in for `https://gitlab.com`, and for any other that Fulcio knows.
//! One, shared by all tests.

mod files;
mod pipeline;
mod servers;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use super::http::{ask, write};
use super::process::{Process, command, run, tool};
pub(crate) use pipeline::{FOREIGN_ISSUER, GITLAB, Pipeline};

/// Which transparency log a signature goes to.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Log {
    /// Its entries carry their time.
    Rekor1,
    /// Its entries do not: bundles carry a time stamp beside them.
    Rekor2,
}

pub(crate) struct Sigstore {
    pub(crate) fulcio: SocketAddr,
    pub(crate) rekor1: SocketAddr,
    rekor2: SocketAddr,
    pub(crate) tsa: SocketAddr,
    ct: SocketAddr,
    issuer: SocketAddr,
    keys: Process,
    _servers: [Process; 7],
}

/// The one there is; the first caller starts it.
pub(crate) fn sigstore() -> &'static Sigstore {
    static SIGSTORE: LazyLock<Sigstore> = LazyLock::new(Sigstore::start);
    &SIGSTORE
}

impl Sigstore {
    fn start() -> Self {
        // The keys' folder is on a leash, too: it belongs to a program that only waits.
        let keys = Process::start("sigstore", |_| command("sleep", ["infinity"]));
        let folder = keys.folder();
        run(&command(tool("bin/keys"), [folder])).succeeded();

        let (issuer_process, issuer) = servers::issuer();
        let (tsa_process, tsa) = servers::tsa();
        let (rekor2_process, rekor2) = servers::rekor2(folder);
        let (trillian_process, trillian) = servers::trillian();
        let (ct_process, ct) = servers::ct_log(folder, &trillian);
        let (rekor1_process, rekor1) = servers::rekor1(folder, &trillian);
        let (fulcio_process, fulcio) = servers::fulcio(folder, issuer_process.folder(), issuer, ct);
        let servers =
            [issuer_process, tsa_process, rekor2_process, trillian_process, ct_process, rekor1_process, fulcio_process];
        let sigstore = Self { fulcio, rekor1, rekor2, tsa, ct, issuer, keys, _servers: servers };
        files::write(&sigstore);
        sigstore
    }

    /// An ID token of this pipeline, as GitLab would give it.
    pub(crate) fn token(&self, pipeline: &Pipeline) -> String {
        let claims = pipeline.claims().to_string();
        let answer = write(self.issuer, "POST", "/sign", "application/json", claims.as_bytes());
        let answer = answer.expect("the issuer answers");
        assert_eq!(answer.status, 200, "{answer:?}");
        String::from_utf8(answer.body).expect("a token is text")
    }

    /// What all these servers are trusted by.
    pub(crate) fn trusted_root(&self) -> PathBuf {
        self.folder().join(files::TRUSTED_ROOT)
    }

    /// What tells cosign to use these servers, with this log.
    pub(crate) fn signing_config(&self, log: Log) -> PathBuf {
        self.folder().join(files::signing_config(log))
    }

    /// Where the files about it stand.
    pub(crate) fn folder(&self) -> &Path {
        self.keys.folder()
    }

    /// What the server answers with 200.
    fn get(server: SocketAddr, path: &str) -> Vec<u8> {
        let answer = ask(server, "GET", path).expect("the server answers");
        assert_eq!(answer.status, 200, "{path}: {answer:?}");
        answer.body
    }
}
