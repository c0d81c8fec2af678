//! Redis as Debian has it: alone, with TLS and users, or with a replica and a sentinel. Whoever holds a
//! [`Redis::client`] may write anything.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use redis::{Client, Connection};

use super::process::{Process, command, free_port, poll};

/// A server that runs, and keeps nothing when it ends.
pub(crate) struct Redis {
    pub(crate) port: u16,
    process: Process,
}

/// What is written to find out whether it takes anything.
const PROBE: &str = "countersign:1:probe";

/// The name that the sentinels have for the master.
pub(crate) const MASTER: &str = "countersign";

impl Redis {
    /// One that lets everybody in.
    pub(crate) fn start() -> Self {
        Self::with("")
    }

    /// One with further lines of configuration.
    pub(crate) fn with(more: &str) -> Self {
        Self::on(free_port(), more)
    }

    /// One at this port, where there was one before.
    pub(crate) fn on(port: u16, more: &str) -> Self {
        let redis = Self { port, process: serve(&format!("port {port}\n{more}"), &[]) };
        redis.ready()
    }

    /// A copy of `master`.
    pub(crate) fn replica_of(master: &Self) -> Self {
        let Self { port, process } =
            Self::with(&format!("replicaof 127.0.0.1 {}\nrepl-diskless-sync-delay 0\n", master.port));
        let copies = |_: &Process| {
            let role: redis::RedisResult<redis::Value> = redis::cmd("ROLE").query(&mut client(port, ""));
            format!("{role:?}").contains("connected")
        };
        Self { port, process: process.ready(copies) }
    }

    /// What watches `master`, and puts `replica` in its place when it is gone. It hears of the two by and by; one that
    /// has not heard of the replica when the master dies has nobody to name.
    pub(crate) fn sentinel_for(master: &Self, replica: &Self) -> Self {
        let sentinel = Self::sentinel_of(master);
        let knows = || {
            let asked = redis::cmd("SENTINEL").arg("REPLICAS").arg(MASTER).query(&mut sentinel.client());
            let replicas: Vec<HashMap<String, String>> = asked.unwrap_or_default();
            replicas.iter().any(|one| {
                let says = |name: &str, value: &str| one.get(name).is_some_and(|said| said == value);
                says("port", &replica.port.to_string()) && says("flags", "slave") && says("master-link-status", "ok")
            })
        };
        // It asks every ten seconds, and rests for thirty after it was held up for two.
        assert!(poll(Duration::from_secs(90), knows), "{}", sentinel.log());
        sentinel
    }

    /// What watches `master`.
    pub(crate) fn sentinel_of(master: &Self) -> Self {
        let (port, watched) = (free_port(), master.port);
        let config = format!(
            "port {port}\n\
             sentinel monitor {MASTER} 127.0.0.1 {watched} 1\n\
             sentinel down-after-milliseconds {MASTER} 300\n\
             sentinel failover-timeout {MASTER} 3000\n"
        );
        Self { port, process: serve(&config, &["--sentinel"]) }.ready()
    }

    /// A connection of one who may do everything.
    pub(crate) fn client(&self) -> Connection {
        client(self.port, "")
    }

    /// The same, where that needs a password.
    pub(crate) fn client_as(&self, password: &str) -> Connection {
        client(self.port, &format!(":{password}@"))
    }

    /// What stands under the keys that match.
    pub(crate) fn keys(&self, pattern: &str) -> Vec<String> {
        let all: Vec<String> = redis::cmd("KEYS").arg(pattern).query(&mut self.client()).expect("Redis answers");
        all.into_iter().filter(|key| key != PROBE).collect()
    }

    /// Sends it a signal: `KILL`, `STOP`, `CONT`.
    pub(crate) fn signal(&self, name: &str) {
        self.process.signal(name);
    }

    pub(crate) fn log(&self) -> String {
        self.process.log()
    }

    fn ready(self) -> Self {
        let port = self.port;
        let answers = |_: &Process| std::net::TcpStream::connect(("127.0.0.1", port)).is_ok();
        Self { port, process: self.process.ready(answers) }
    }
}

fn client(port: u16, who: &str) -> Connection {
    let client = Client::open(format!("redis://{who}127.0.0.1:{port}")).expect("a URL");
    client.get_connection().expect("Redis answers")
}

/// A server with TLS and nothing else, its authority, and one user.
pub(crate) struct Secured {
    pub(crate) port: u16,
    /// The authority, in PEM.
    pub(crate) ca: PathBuf,
    /// An authority that has nothing to do with it.
    pub(crate) other_ca: PathBuf,
    process: Process,
}

/// Who may do what Countersign needs.
pub(crate) const USER: &str = "countersign";

impl Secured {
    /// Starts one that knows `USER` by this password, with just these rights.
    pub(crate) fn start(password: &str, rights: &str) -> Self {
        let port = free_port();
        let mut files = None;
        let process = Process::start("redis", |folder| {
            let [certificate, key] = ["server.crt", "server.key"].map(|name| folder.join(name));
            files =
                Some((authority(folder, "ca.crt", Some((&certificate, &key))), authority(folder, "other.crt", None)));
            let config = format!(
                "port 0\ntls-port {port}\ntls-auth-clients no\ntls-cert-file {}\ntls-key-file {}\n\
                 user default off\nuser {USER} on >{password} {rights}\n",
                certificate.display(),
                key.display()
            );
            server(folder, &config, &[])
        });
        let (ca, other_ca) = files.expect("they were made");
        let answers = |_: &Process| std::net::TcpStream::connect(("127.0.0.1", port)).is_ok();
        Self { port, ca, other_ca, process: process.ready(answers) }
    }

    pub(crate) fn log(&self) -> String {
        self.process.log()
    }
}

/// Writes an authority, and what it certifies for loopback.
fn authority(folder: &Path, name: &str, server: Option<(&Path, &Path)>) -> PathBuf {
    let mut params = CertificateParams::new(Vec::new()).expect("no names are good names");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().expect("a key")).expect("a certificate");
    if let Some((certificate, key)) = server {
        let pair = KeyPair::generate().expect("a key");
        let params = CertificateParams::new(vec!["localhost".to_string(), "127.0.0.1".to_string()]).expect("names");
        let signed = params.signed_by(&pair, &issuer).expect("a certificate");
        fs::write(certificate, signed.pem()).expect("the folder is writable");
        fs::write(key, pair.serialize_pem()).expect("the folder is writable");
    }
    let path = folder.join(name);
    fs::write(&path, issuer.pem()).expect("the folder is writable");
    path
}

fn serve(config: &str, arguments: &[&str]) -> Process {
    Process::start("redis", |folder| server(folder, config, arguments))
}

fn server(folder: &Path, config: &str, arguments: &[&str]) -> Command {
    let file = folder.join("redis.conf");
    let common = format!("bind 127.0.0.1\ndir {}\n", folder.display());
    let keeps_nothing = if arguments.is_empty() { "save \"\"\nappendonly no\n" } else { "" };
    fs::write(&file, [&common, keeps_nothing, config].concat()).expect("the folder is writable");
    let mut server = command("redis-server", [&file]);
    server.args(arguments);
    server
}
