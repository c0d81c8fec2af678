//! The configuration: a stand-in until the whole schema lands.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::Value;
use url::Url;

use crate::limits::Limits;
use crate::oci::Registry;
use crate::policy::Scope;
use crate::upstream::{Credentials, Settings};

/// All that the program is told.
#[derive(Debug)]
#[expect(missing_docs, reason = "stand-in")]
pub struct Config {
    pub listen: Listen,
    pub admin: SocketAddr,
    pub clients: Vec<Client>,
    pub upstreams: Vec<UpstreamConfig>,
    pub policy_path: PathBuf,
    pub audit: bool,
    pub cache: Cache,
    pub limits: Limits,
    pub log: Log,
}

#[derive(Debug)]
#[expect(missing_docs, reason = "stand-in")]
pub struct Listen {
    pub address: SocketAddr,
    pub max_connections: usize,
    pub header_timeout: Duration,
    pub drain: Duration,
}

#[derive(Debug)]
#[expect(missing_docs, reason = "stand-in")]
pub struct Client {
    pub may: Vec<Scope>,
}

#[derive(Debug)]
#[expect(missing_docs, reason = "stand-in")]
pub struct UpstreamConfig {
    pub registry: Registry,
    pub aliases: Vec<Registry>,
    pub dial: Url,
}

#[derive(Debug)]
#[expect(missing_docs, reason = "stand-in")]
pub struct Cache {
    pub verdicts: u64,
    pub allow: Duration,
    pub deny: Duration,
    pub evidence_max_age: Duration,
    pub manifests: u64,
}

#[derive(Debug)]
#[expect(missing_docs, reason = "stand-in")]
pub struct Log {
    pub json: bool,
    pub level: String,
}

impl UpstreamConfig {
    /// How the upstream is reached.
    pub fn settings(&self) -> Settings {
        Settings {
            registry: self.registry.clone(),
            dial: self.dial.clone(),
            credentials: Credentials::None,
            connect: Duration::from_secs(3),
            first_byte: Duration::from_secs(15),
            idle: Duration::from_secs(30),
            ca_pem: None,
            referrers: true,
        }
    }
}

impl Config {
    /// Reads the file.
    pub fn load(path: &Path, _env: impl Iterator<Item = (String, String)>) -> Result<Self, String> {
        let text = std::fs::read_to_string(path).map_err(|error| error.to_string())?;
        let value: Value = serde_saphyr::from_str(&text).map_err(|error| error.to_string())?;
        let secs = Duration::from_secs;
        let strings = |value: &Value| -> Vec<String> {
            value.as_array().into_iter().flatten().filter_map(|v| v.as_str().map(str::to_string)).collect()
        };
        let address = |value: &Value| value["address"].as_str().and_then(|a| a.parse().ok()).ok_or("no address");
        let upstreams = value["upstreams"].as_object().ok_or("no upstreams")?.iter().map(|(name, upstream)| {
            Ok(UpstreamConfig {
                registry: name.parse().map_err(|_| "registry")?,
                aliases: strings(&upstream["aliases"]).iter().filter_map(|alias| alias.parse().ok()).collect(),
                dial: upstream["dial"].as_str().and_then(|dial| dial.parse().ok()).ok_or("dial")?,
            })
        });
        let scopes = |client: &Value| strings(&client["may"]).iter().filter_map(|s| Scope::parse(s).ok()).collect();
        let base = path.parent().unwrap_or(Path::new("."));
        Ok(Self {
            listen: Listen {
                address: address(&value["listen"])?,
                max_connections: 10_000,
                header_timeout: secs(10),
                drain: secs(30),
            },
            admin: address(&value["admin"])?,
            clients: value["clients"].as_array().into_iter().flatten().map(|c| Client { may: scopes(c) }).collect(),
            upstreams: upstreams.collect::<Result<_, &str>>()?,
            policy_path: base.join(value["policy"]["path"].as_str().ok_or("policy.path")?),
            audit: value["policy"]["audit"].as_bool().unwrap_or(false),
            cache: Cache {
                verdicts: 1_000_000,
                allow: secs(21_600),
                deny: secs(15),
                evidence_max_age: secs(86_400),
                manifests: 64 << 20,
            },
            limits: Limits::default(),
            log: Log { json: true, level: "info".into() },
        })
    }
}
