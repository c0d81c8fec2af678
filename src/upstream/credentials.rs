//! The proxy's own credentials for a registry, and how they are written into a request.
//!
//! A secret has no `Display`, and its `Debug` says nothing.

use std::fmt;
use std::path::PathBuf;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::HeaderValue;

use super::docker_config::{self, DockerConfigError};
use crate::oci::Registry;

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
        password: Secret,
    },
    /// A token that is sent with every request to the registry, and nowhere else.
    Bearer(Secret),
    /// The entry for this registry in a file that `docker login` writes.
    DockerConfig(PathBuf),
}

/// A text that is never shown.
#[derive(Clone, PartialEq, Eq, serde::Deserialize)]
#[serde(transparent)]
pub struct Secret(String);

impl Secret {
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

/// Why the credentials cannot be used.
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
    /// HTTP's Basic scheme ends the name at the first colon.
    #[error("the user name contains a colon")]
    UsernameWithColon,
    /// Not something that a header can carry.
    #[error("the token contains characters that a header cannot carry")]
    UnsendableToken,
}

/// Credentials as the value of an `Authorization` header.
#[derive(Debug, Clone)]
pub(super) enum Login {
    Anonymous,
    Basic(HeaderValue),
    Bearer(HeaderValue),
}

impl Login {
    /// Reads what `credentials` point to, for the registry under any of `names`.
    pub(super) fn load(credentials: &Credentials, names: &[Registry]) -> Result<Self, CredentialsError> {
        match credentials {
            Credentials::None => Ok(Self::Anonymous),
            Credentials::Basic { username, password } => basic(username, password),
            Credentials::Bearer(token) => bearer(token.expose()).map(Self::Bearer),
            Credentials::DockerConfig(path) => {
                let found = docker_config::read(path, names);
                let (username, password) =
                    found.map_err(|source| CredentialsError::DockerConfig { path: path.clone(), source })?;
                basic(&username, &password)
            }
        }
    }
}

fn basic(username: &str, password: &Secret) -> Result<Login, CredentialsError> {
    if username.contains(':') {
        return Err(CredentialsError::UsernameWithColon);
    }
    let pair = STANDARD.encode(format!("{username}:{}", password.expose()));
    sensitive(&format!("Basic {pair}")).map(Login::Basic)
}

/// `Bearer` and the token, as a header that HTTP logs leave out.
pub(super) fn bearer(token: &str) -> Result<HeaderValue, CredentialsError> {
    let graphic = !token.is_empty() && token.bytes().all(|b| b.is_ascii_graphic());
    if graphic { sensitive(&format!("Bearer {token}")) } else { Err(CredentialsError::UnsendableToken) }
}

fn sensitive(text: &str) -> Result<HeaderValue, CredentialsError> {
    let mut value = HeaderValue::from_str(text).map_err(|_| CredentialsError::UnsendableToken)?;
    value.set_sensitive(true);
    Ok(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_not_shown() {
        let password = Secret::from("hunter2".to_string());
        let credentials = Credentials::Basic { username: "robot".to_string(), password };
        assert!(!format!("{credentials:?}").contains("hunter2"));
        let login = Login::load(&credentials, &[]).expect("usable");
        assert!(!format!("{login:?}").contains("cm9ib3Q6aHVudGVyMg"));
        assert!(matches!(login, Login::Basic(value) if value == "Basic cm9ib3Q6aHVudGVyMg=="));
    }

    #[test]
    fn refuses_what_http_cannot_carry() {
        let secret = || Secret::from("x".to_string());
        let colon = Credentials::Basic { username: "a:b".to_string(), password: secret() };
        assert!(matches!(Login::load(&colon, &[]), Err(CredentialsError::UsernameWithColon)));
        for token in ["", "a b", "a\r\nb", "ä"] {
            let bearer = Credentials::Bearer(Secret::from(token.to_string()));
            assert!(matches!(Login::load(&bearer, &[]), Err(CredentialsError::UnsendableToken)), "{token:?}");
        }
    }
}
