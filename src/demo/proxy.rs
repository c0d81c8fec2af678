//! The proxy under show: its configuration and policy in a temporary directory, and the program's own start.

use std::fs::DirBuilder;
use std::io;
use std::net::SocketAddr;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use futures_util::FutureExt;

use crate::app::{self, Running};
use crate::config::Config;
use crate::oci::Digest;
use crate::yaml::FileError;

/// A directory of our own that is gone when this is dropped.
#[derive(Debug)]
pub struct Scratch(PathBuf);

impl Scratch {
    /// Makes one that only this user can read, under the system's directory for temporary files.
    ///
    /// # Errors
    /// If it cannot be made.
    pub fn new() -> io::Result<Self> {
        let mut random = [0; 8];
        aws_lc_rs::rand::fill(&mut random).map_err(|_| io::Error::other("no randomness"))?;
        let name = format!("countersign-demo-{}", &Digest::of(&random).hex()[..16]);
        let path = std::env::temp_dir().join(name);
        // Fails if somebody made it first: `/tmp` belongs to everybody.
        DirBuilder::new().mode(0o700).create(&path)?;
        Ok(Self(path))
    }

    /// Writes a file that the policy names.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn add(&self, name: &str, text: &str) -> io::Result<()> {
        std::fs::write(self.0.join(name), text)
    }

    /// Writes the configuration of a proxy before `upstream`, which goes by the name `registry`, and its policy.
    /// Returns the path of the configuration.
    ///
    /// # Errors
    /// If a file cannot be written.
    pub fn write(&self, registry: &str, upstream: SocketAddr, policy: &str) -> io::Result<PathBuf> {
        let policy_path = self.0.join("policy.yaml");
        std::fs::write(&policy_path, policy)?;
        let config_path = self.0.join("countersign.yaml");
        std::fs::write(&config_path, configuration(registry, upstream, &policy_path))?;
        Ok(config_path)
    }

    /// Writes the configuration at `config` once more, for a proxy that serves what it would refuse. Returns its path.
    ///
    /// # Errors
    /// If a file cannot be read or written.
    pub fn write_audited(&self, config: &Path) -> io::Result<PathBuf> {
        let text = std::fs::read_to_string(config)?;
        let path = self.0.join("audited.yaml");
        std::fs::write(&path, text.replace("policy: {", "policy: { audit: true,"))?;
        Ok(path)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // What cannot be removed stays in a temporary directory; there is nobody to tell.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// A policy that demands a signature by the key `public_key_pem` on everything in `registry`.
pub fn policy(registry: &str, public_key_pem: &str) -> String {
    let key = public_key_pem.lines().fold(String::new(), |text, line| text + "        " + line + "\n");
    format!(
        r#"authorities:
  release-key:
    key:
      inline: |
{key}      insecureSkipTransparencyLog: true
policies:
  - name: demo
    match: [ "{registry}/**" ]
    mode: enforce
    require:
      signature: {{ by: release-key }}
    formats: [ bundle, legacy ]
default: deny
"#
    )
}

/// A policy file without policies: it loads, and nothing is served.
pub const EMPTY_POLICY: &str = "policies: []\ndefault: deny\n";

fn configuration(registry: &str, upstream: SocketAddr, policy: &Path) -> String {
    format!(
        r#"listen: {{ address: "127.0.0.1:0" }}
admin: {{ address: "127.0.0.1:0" }}
clients:
  - anonymous: true
    may: [ "{registry}/**" ]
upstreams:
  "{registry}":
    dial: "http://{upstream}"
    tls: {{ insecurePlainHttp: true }}
policy: {{ path: "{}" }}
store: {{ kind: memory }}
"#,
        policy.display()
    )
}

/// A running proxy.
#[derive(Debug)]
pub struct Proxy {
    /// Where clients connect.
    pub address: SocketAddr,
    /// Where metrics and health are.
    pub admin: SocketAddr,
    running: Running,
}

impl Proxy {
    /// Reads the policy again, as SIGHUP does.
    ///
    /// # Errors
    /// If the policy file is wrong, the old policy stays; or if it names a new TUF repository, which takes its time.
    pub fn reload(&self) -> io::Result<()> {
        let done = self.running.reloader().reload().now_or_never();
        done.unwrap_or_else(|| Err(FileError::whole("policy", "it does not load at once").into()))
            .map_err(io::Error::other)
    }

    /// Stops it.
    pub async fn shutdown(self) {
        self.running.shutdown().await;
    }
}

/// Starts the proxy with the configuration at `config`, as `serve` does but without the environment's word.
///
/// # Errors
/// If it does not start.
pub async fn start_proxy(config: &Path) -> io::Result<Proxy> {
    let config = Config::load(config, std::iter::empty()).map_err(io::Error::other)?;
    let running = app::start(config).await.map_err(io::Error::other)?;
    Ok(Proxy { address: running.address, admin: running.admin, running })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_files_are_private_and_go_away() {
        let scratch = Scratch::new().expect("a directory");
        let upstream = "127.0.0.1:5000".parse().expect("an address");
        let config = scratch.write("registry.demo", upstream, EMPTY_POLICY).expect("files");
        let text = std::fs::read_to_string(&config).expect("a file");
        assert!(text.contains("dial: \"http://127.0.0.1:5000\""));
        let directory = config.parent().expect("a directory").to_path_buf();
        let mode = std::os::unix::fs::PermissionsExt::mode(&directory.metadata().expect("it exists").permissions());
        assert_eq!(mode & 0o777, 0o700);
        drop(scratch);
        assert!(!directory.exists());
    }

    #[test]
    fn the_key_stands_in_the_policy_as_a_block() {
        let policy = policy("registry.demo", "-----BEGIN PUBLIC KEY-----\nabc\n-----END PUBLIC KEY-----\n");
        let value: serde_json::Value = serde_saphyr::from_str(&policy).expect("YAML");
        let key = &value["authorities"]["release-key"]["key"];
        assert_eq!(key["inline"], "-----BEGIN PUBLIC KEY-----\nabc\n-----END PUBLIC KEY-----\n");
        assert_eq!(key["insecureSkipTransparencyLog"], true);
    }
}
