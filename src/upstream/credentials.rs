//! The proxy's own credentials for a registry: what the configuration says of them.
//!
//! A secret has no `Display`, and its `Debug` says nothing.

use std::collections::BTreeSet;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use super::docker_config::{DockerConfig, DockerConfigError};
use crate::oci::Registry;

pub(super) mod file;

pub(super) mod helper;

pub(super) mod keyring;

pub(super) mod login;

pub(super) mod source;

pub use helper::HelperError;

/// What the configuration gives for one registry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Credentials {
    /// None: anonymous pulls, and anonymous tokens where the registry wants one.
    None,
    /// A user's name and password, sent to the registry or to its token server as it asks.
    Basic {
        /// The name.
        username: String,
        /// The password, or a token that stands for it.
        password: SecretSource,
    },
    /// A token that is sent with every request to the registry, and nowhere else.
    Bearer(SecretSource),
    /// What a file that `docker login` or Kubernetes writes has for this registry, or the helper that it names.
    DockerConfig(PathBuf),
}

/// Where a secret stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SecretSource {
    /// In the configuration itself.
    Inline(Secret),
    /// In a file, which is read again when it has changed.
    File(PathBuf),
}

/// A text that is never shown.
#[derive(Clone, Default, PartialEq, Eq, serde::Deserialize)]
#[serde(transparent)]
pub struct Secret(String);

impl Secret {
    /// The secret that a file holds; the line break at its end is not part of it.
    ///
    /// # Errors
    /// If there is none, in words that go after the file's name.
    pub fn of_file(content: Vec<u8>) -> Result<Self, &'static str> {
        let text = String::from_utf8(content).map_err(|_| "it is not UTF-8")?;
        let text = text.trim_end_matches(['\r', '\n']);
        if text.is_empty() { Err("it is empty") } else { Ok(Self(text.to_string())) }
    }

    /// The text itself, for the one place that sends it.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl From<String> for Secret {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

/// Why the credentials cannot be used. No variant repeats a secret.
#[derive(Debug, thiserror::Error)]
pub enum CredentialsError {
    /// The file of [`Credentials::DockerConfig`].
    #[error("`{}`: {source}", path.display())]
    DockerConfig {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: DockerConfigError,
    },
    /// The helper that such a file names.
    #[error("`{}` names a helper for `{server}`: {source}", path.display())]
    Helper {
        /// The file.
        path: PathBuf,
        /// What the helper was asked for.
        server: String,
        /// What went wrong.
        source: HelperError,
    },
    /// A file cannot be read.
    #[error("`{}`: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The file of [`SecretSource::File`] holds no secret.
    #[error("`{}`: {why}", path.display())]
    NoSecret {
        /// The file.
        path: PathBuf,
        /// Why not.
        why: &'static str,
    },
    /// HTTP's Basic scheme ends the name at the first colon.
    #[error("the user name contains a colon")]
    UsernameWithColon,
    /// Not something that a header can carry.
    #[error("the token contains characters that a header cannot carry")]
    UnsendableToken,
}

impl CredentialsError {
    /// The same for those who may not know what the proxy's files are called and what its helpers say.
    pub(super) fn summary(&self) -> String {
        match self {
            Self::DockerConfig { source: DockerConfigError::NoEntry { name, .. }, .. } => {
                format!("no entry for `{name}`")
            }
            Self::DockerConfig { source, .. } => source.to_string(),
            Self::Helper { source: HelperError::Failed { program, status, .. }, .. } => {
                format!("`{program}` failed ({status})")
            }
            Self::Helper { source, .. } => source.to_string(),
            Self::Io { .. } | Self::NoSecret { .. } => "a file of the configuration cannot be used".to_string(),
            Self::UsernameWithColon | Self::UnsendableToken => self.to_string(),
        }
    }
}

/// Looks in the text of a docker configuration for the mistakes that show before anybody uses it. Helpers are not asked.
///
/// # Errors
/// If it is none, or has nothing for a registry known by one of `names`.
pub fn examine(text: &[u8], names: &[Registry]) -> Result<(), DockerConfigError> {
    DockerConfig::parse(text)?.plan(names).map(|_| ())
}

/// Looks whether `token` can be sent as [`Credentials::Bearer`].
///
/// # Errors
/// If a header cannot carry it.
pub fn examine_token(token: &Secret) -> Result<(), CredentialsError> {
    login::bearer(token.expose()).map(|_| ())
}

/// The helpers that a docker configuration names for this registry and that are not in `PATH`.
pub fn missing_helpers(path: &Path, names: &[Registry]) -> Vec<String> {
    let search = std::env::var_os("PATH").unwrap_or_default();
    let plan = file::read(path).ok().and_then(|text| DockerConfig::parse(&text).ok()?.plan(names).ok());
    let missing = plan.into_iter().flat_map(|plan| plan.ask).filter(|ask| ask.helper.find(&search).is_none());
    missing.map(|ask| ask.helper.program()).collect::<BTreeSet<_>>().into_iter().collect()
}

#[cfg(test)]
mod tests;
