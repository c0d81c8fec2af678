//! The configuration of `serve`: one file, overlaid by the environment, judged as a whole.
//!
//! Every setting of the design is understood. What a later version will honour is refused by name when it is set to
//! anything but its default; nothing is ignored. All mistakes are told at once, each with its place.

use std::ffi::OsString;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use url::Url;

use crate::limits::Limits;
use crate::oci::Registry;
use crate::pem::OwnCertificate;
use crate::policy::Scope;
use crate::store::shared;
use crate::trust;
use crate::upstream::{Credentials, Redirects, Settings, Tls};
use crate::yaml::{self, At, FileError, Problems};

mod clients;

mod credentials;

mod field;

mod layers;

mod lint;

mod listen;

mod raw;

mod redis;

mod storage;

mod store;

#[cfg(test)]
mod tests;

mod units;

mod upstream_tls;

mod upstreams;

mod variable;

pub use crate::yaml::FileErrors as ConfigErrors;

/// Everything that `serve` is told.
#[derive(Debug, Clone)]
pub struct Config {
    /// Where clients connect.
    pub listen: Listen,
    /// Where metrics and health are.
    pub admin: SocketAddr,
    /// Who may read what; nobody is refused by name, everybody else is.
    pub clients: Vec<Client>,
    /// The registries behind the proxy; at least one.
    pub upstreams: Vec<UpstreamConfig>,
    /// The policy file, or a directory of them.
    pub policy_path: PathBuf,
    /// Whether everything that policy refuses is served and only logged and counted.
    pub audit: bool,
    /// How trusted roots are kept up to date.
    pub trust: trust::Settings,
    /// How much is remembered, and how long.
    pub cache: Cache,
    /// Where it outlives a request.
    pub store: Store,
    /// How much of anything is read.
    pub limits: Limits,
    /// How the log looks.
    pub log: Log,
}

/// The listener for pulls.
#[derive(Debug, Clone)]
pub struct Listen {
    /// The address to listen on.
    pub address: SocketAddr,
    /// What clients are shown; without it they speak plain HTTP.
    pub tls: Option<ListenTls>,
    /// What clients call the proxy.
    pub public_url: Option<Url>,
    /// Connections at a time.
    pub max_connections: usize,
    /// How long a client may take to send the headers of a request.
    pub header_timeout: Duration,
    /// How long requests in flight may take to finish when the proxy stops.
    pub drain: Duration,
}

/// The TLS of the listener for pulls.
#[derive(Debug, Clone)]
pub struct ListenTls {
    /// The certificate.
    pub own: OwnCertificate,
    /// Whether HTTP/2 is spoken with clients that offer it.
    pub http2: bool,
}

/// Callers without credentials, and what they may read.
#[derive(Debug, Clone)]
pub struct Client {
    /// The repositories.
    pub may: Vec<Scope>,
    /// Whether it is spelled out that anybody reads with the proxy's own credentials.
    pub insecure_anonymous: bool,
}

/// A registry behind the proxy.
#[derive(Debug, Clone)]
pub struct UpstreamConfig {
    /// Its canonical name: what policies and verdicts call it.
    pub registry: Registry,
    /// Other names that clients have for it.
    pub aliases: Vec<Registry>,
    /// Where it really is: scheme, host and port.
    pub dial: Url,
    /// What the proxy shows it.
    pub credentials: Credentials,
    /// Whose TLS it has to speak, and what the proxy shows of its own.
    pub tls: Tls,
    /// How long a connection may take to be made.
    pub connect: Duration,
    /// How long the first byte of an answer may take.
    pub first_byte: Duration,
    /// How long a body may stand still.
    pub idle: Duration,
    /// Whether to ask for referrers over the API.
    pub referrers: bool,
    /// Whether its repositories are listed to clients.
    pub catalog: bool,
    /// What is done with its redirects of blobs.
    pub redirects: Redirects,
    /// Whether its blobs are passed on without a look at their digest.
    pub insecure_skip_blob_digest: bool,
}

/// How much is remembered, and how long.
#[derive(Debug, Clone)]
pub struct Cache {
    /// Verdicts.
    pub verdicts: u64,
    /// How long an image is allowed before it is judged again.
    pub allow: Duration,
    /// How long it is denied: somebody may have just signed it.
    pub deny: Duration,
    /// How long before an Allow ends it is judged anew in the background; zero: not at all.
    pub refresh_before: Duration,
    /// How long evidence that was read may allow.
    pub evidence_max_age: Duration,
    /// How long an Allow outlives its end while it cannot be judged anew because a registry is away.
    pub last_known_good: Duration,
    /// Bytes of manifests.
    pub manifests: u64,
    /// How long what a tag names is remembered; not at all if zero.
    pub tag_ttl: Duration,
}

/// Where verdicts, evidence and memberships are kept.
#[derive(Debug, Clone)]
pub struct Store {
    /// What it is.
    pub kind: Kind,
    /// The files with the keys that records are sealed with, newest first.
    pub keys: Vec<PathBuf>,
    /// How long it is remembered who lists a digest.
    pub members: Duration,
    /// How long evidence is kept that nobody uses.
    pub evidence: Duration,
}

/// What a store is.
#[derive(Debug, Clone)]
pub enum Kind {
    /// A file, which one proxy has at a time.
    Embedded {
        /// The file.
        path: PathBuf,
        /// Bytes that it takes at most.
        most: u64,
    },
    /// Gone when the proxy stops, shared with nobody.
    Memory,
    /// In Redis, for all replicas.
    Shared(shared::Settings),
}

/// How the log looks.
#[derive(Debug, Clone)]
pub struct Log {
    /// JSON lines, and not text for people.
    pub json: bool,
    /// `error`, `warn`, `info`, `debug` or `trace`.
    pub level: String,
}

impl UpstreamConfig {
    /// Whether the proxy shows the registry anything of its own: whoever asks through it then asks with that.
    pub fn knows_the_proxy(&self) -> bool {
        self.credentials != Credentials::None || self.tls.own.is_some()
    }

    /// What the upstream's client is made from.
    pub fn settings(&self) -> Settings {
        Settings {
            registry: self.registry.clone(),
            dial: self.dial.clone(),
            credentials: self.credentials.clone(),
            connect: self.connect,
            first_byte: self.first_byte,
            idle: self.idle,
            tls: self.tls.clone(),
            referrers: self.referrers,
            redirects: self.redirects.clone(),
            insecure_skip_blob_digest: self.insecure_skip_blob_digest,
        }
    }
}

impl Config {
    /// Reads the file at `path` with `environment` over it.
    ///
    /// The files that it names are read too, with paths relative to its own; all but the policy.
    pub fn load(path: &Path, environment: impl Iterator<Item = (String, String)>) -> Result<Self, ConfigErrors> {
        let name = path.display().to_string();
        let text = yaml::read_text(path).map_err(|why| FileError::whole(&name, why))?;
        Self::parse(&text, &name, path.parent().unwrap_or(Path::new("")), environment)
    }

    /// Parses `text`; `name` is what errors call it, `base_dir` where its relative paths begin.
    pub fn parse(
        text: &str,
        name: &str,
        base_dir: &Path,
        environment: impl Iterator<Item = (String, String)>,
    ) -> Result<Self, ConfigErrors> {
        let (raw, layers) = layers::Layers::merge(name, text, environment)?;
        let problems = Problems::default();
        let config = Self::judge(raw, &At::root(&problems), base_dir);
        layers.settle(problems).map(|()| config)
    }

    /// Takes what was said for what it means; what has a problem becomes anything, because nobody will see it.
    fn judge(raw: raw::RawConfig, at: &At<'_>, base: &Path) -> Self {
        let upstreams = upstreams::all(&at.key("upstreams"), &raw.upstreams.unwrap_or_default(), base);
        let clients = clients::all(&at.key("clients"), &raw.clients.unwrap_or_default(), &upstreams);
        if raw.writers.is_some_and(|writers| !writers.is_empty()) {
            at.unsupported("writers");
        }
        let listen = listen::listen(&at.key("listen"), &raw.listen.unwrap_or_default(), base);
        let default_admin = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 9090);
        let admin = raw.admin.unwrap_or_default();
        let admin = listen::address(&at.key("admin"), admin.address.as_deref(), default_admin);
        if admin == listen.address && admin.port() != 0 {
            at.key("admin").key("address").problem("clients are to connect to this address (`listen.address`)");
        }
        let policy = raw.policy.unwrap_or_default();
        let policy_path = at.key("policy").require("path", policy.path.as_ref()).map(|path| base.join(path));
        let trust = storage::trust(&at.key("trust"), &raw.trust.unwrap_or_default(), base);
        storage::audit(&at.key("audit"), &raw.audit.unwrap_or_default());
        let log = raw.log.unwrap_or_default();
        let log_at = at.key("log");
        Self {
            listen,
            admin,
            clients,
            upstreams,
            policy_path: policy_path.unwrap_or_default(),
            audit: policy.audit.unwrap_or(false),
            trust,
            cache: storage::cache(&at.key("cache"), &raw.cache.unwrap_or_default()),
            store: store::store(&at.key("store"), &raw.store.unwrap_or_default(), base),
            limits: storage::limits(&at.key("limits"), &raw.limits.unwrap_or_default()),
            log: Log {
                json: field::word(&log_at, "format", log.format.as_deref(), &["json", "text"]) == "json",
                level: field::word(&log_at, "level", log.level.as_deref(), &LEVELS).into(),
            },
        }
    }
}

/// The environment of this process. What is not UTF-8 is kept with a mark in it, for [`Config::load`] to refuse if it is
/// ours.
pub fn environment() -> impl Iterator<Item = (String, String)> {
    let text = |text: OsString| text.to_string_lossy().into_owned();
    std::env::vars_os().map(move |(name, value)| (text(name), text(value)))
}

/// The default first.
const LEVELS: [&str; 5] = ["info", "error", "warn", "debug", "trace"];
