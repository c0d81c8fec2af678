//! Docker's `config.json`: the entry that belongs to one registry.
//!
//! Hosts are compared whole and canonical. A narrower entry (podman's `host/namespace`) never serves the whole host,
//! and no entry at all is an error: it would silently mean anonymous.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use serde::Deserialize;

use super::credentials::Secret;
use crate::oci::Registry;

/// The user name and password for the first of `names` that the file at `path` has an entry for.
pub(super) fn read(path: &Path, names: &[Registry]) -> Result<(String, Secret), DockerConfigError> {
    let mut text = Vec::new();
    File::open(path)?.take(MAX_LENGTH + 1).read_to_end(&mut text)?;
    if text.len() as u64 > MAX_LENGTH {
        return Err(DockerConfigError::TooLarge);
    }
    // The parser's own message may quote the text, so only the place is kept.
    let config: DockerConfig = serde_json::from_slice(&text)
        .map_err(|error| DockerConfigError::Malformed { line: error.line(), column: error.column() })?;
    for name in names {
        if let Some(found) = config.entry(name)? {
            return Ok(found);
        }
    }
    Err(DockerConfigError::NoEntry(names.first().map(ToString::to_string).unwrap_or_default()))
}

/// Why the file gives no credentials.
#[derive(Debug, thiserror::Error)]
pub enum DockerConfigError {
    /// Entries that all mean the registry, and say different things.
    #[error("several different entries for `{0}`")]
    Ambiguous(String),
    /// `auth` is not the base64 form of `user:password`.
    #[error("the entry `{0}` does not hold `user:password` in base64")]
    Auth(String),
    /// The file cannot be read.
    #[error("cannot be read: {0}")]
    Io(#[from] io::Error),
    /// Not such a file.
    #[error("not a docker configuration (line {line}, column {column})")]
    Malformed {
        /// Where the parser stopped.
        line: usize,
        /// And at which character.
        column: usize,
    },
    /// Nothing for the registry.
    #[error("no entry for `{0}`")]
    NoEntry(String),
    /// Longer than such a file ever is.
    #[error("longer than {MAX_LENGTH} bytes")]
    TooLarge,
    /// A form of credentials that is not implemented.
    #[error("the entry for `{name}` uses {what}, which is not yet supported")]
    Unsupported {
        /// The registry.
        name: String,
        /// The form.
        what: &'static str,
    },
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct DockerConfig {
    #[serde(default)]
    auths: BTreeMap<String, Entry>,
    #[serde(default)]
    cred_helpers: BTreeMap<String, String>,
    #[serde(default)]
    creds_store: String,
}

#[derive(Deserialize, Default, PartialEq)]
#[serde(default)]
struct Entry {
    auth: String,
    username: String,
    password: String,
    identitytoken: String,
    registrytoken: String,
}

impl DockerConfig {
    fn entry(&self, name: &Registry) -> Result<Option<(String, Secret)>, DockerConfigError> {
        let unsupported = |what| DockerConfigError::Unsupported { name: name.to_string(), what };
        if self.cred_helpers.keys().any(|key| registry_of(key).as_ref() == Some(name)) {
            return Err(unsupported("a credential helper"));
        }
        let mut matching = self.auths.iter().filter(|(key, _)| registry_of(key).as_ref() == Some(name));
        let Some((key, entry)) = matching.next() else {
            return Ok(None);
        };
        if matching.any(|(_, other)| other != entry) {
            return Err(DockerConfigError::Ambiguous(name.to_string()));
        }
        if !entry.identitytoken.is_empty() {
            return Err(unsupported("an identity token"));
        }
        if !entry.registrytoken.is_empty() {
            return Err(unsupported("a registry token"));
        }
        if !entry.auth.is_empty() {
            return decode(&entry.auth).map(Some).ok_or_else(|| DockerConfigError::Auth(key.clone()));
        }
        if !entry.username.is_empty() {
            return Ok(Some((entry.username.clone(), Secret::from(entry.password.clone()))));
        }
        if !self.creds_store.is_empty() {
            return Err(unsupported("a credential store"));
        }
        Ok(None)
    }
}

/// The registry that a key names: `host`, `host:port`, or the URL of its API's first or second version.
fn registry_of(key: &str) -> Option<Registry> {
    let address = key.strip_prefix("https://").or_else(|| key.strip_prefix("http://")).unwrap_or(key);
    let (host, path) = address.split_once('/').unwrap_or((address, ""));
    if !matches!(path.trim_end_matches('/'), "" | "v1" | "v2") {
        return None;
    }
    host.parse().ok()
}

fn decode(auth: &str) -> Option<(String, Secret)> {
    let decoded = String::from_utf8(LENIENT.decode(auth).ok()?).ok()?;
    let (username, password) = decoded.split_once(':')?;
    let password = password.trim_end_matches('\0').to_string();
    (!username.is_empty()).then(|| (username.to_string(), Secret::from(password)))
}

/// Some tools leave the padding out.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

const MAX_LENGTH: u64 = 1 << 20;

#[cfg(test)]
mod tests {
    use super::*;

    fn read_text(text: &str, names: &[&str]) -> Result<(String, String), DockerConfigError> {
        let file = tempfile::NamedTempFile::new()?;
        std::fs::write(file.path(), text)?;
        let names: Vec<Registry> = names.iter().map(|name| name.parse().expect(name)).collect();
        read(file.path(), &names).map(|(username, password)| (username, password.expose().to_string()))
    }

    #[test]
    fn finds_the_entry_under_every_spelling_of_the_host() {
        for key in ["reg.io", "REG.io:443", "https://reg.io", "https://reg.io/v1/", "http://reg.io/v2", "reg.io/"] {
            let text = format!(r#"{{"auths":{{"other.io":{{}},"{key}":{{"auth":"dTpwOnc"}}}},"HttpHeaders":{{}}}}"#);
            let found = read_text(&text, &["reg.io"]).expect(key);
            assert_eq!(found, ("u".to_string(), "p:w".to_string()), "{key}");
        }
        let hub = r#"{"auths":{"https://index.docker.io/v1/":{"username":"u","password":"p"}}}"#;
        assert!(read_text(hub, &["docker.io"]).is_ok());
        let dialled = r#"{"auths":{"internal.lan:5000":{"auth":"dTpw"}}}"#;
        assert!(read_text(dialled, &["reg.io", "internal.lan:5000"]).is_ok());
    }

    #[test]
    fn another_hosts_entry_is_not_ours() {
        for key in ["reg.io.evil.com", "evilreg.io", "evil.com/reg.io", "reg.io/team", "reg.io:5000", "io", ""] {
            let text = format!(r#"{{"auths":{{"{key}":{{"auth":"dTpw"}}}}}}"#);
            assert!(matches!(read_text(&text, &["reg.io"]), Err(DockerConfigError::NoEntry(_))), "{key}");
        }
    }

    #[test]
    fn says_what_is_wrong_without_repeating_secrets() {
        let error = |text: &str| read_text(text, &["reg.io"]).expect_err(text).to_string();
        let token = r#"{"auths":{"reg.io":{"auth":"dTpw","identitytoken":"hunter2"}}}"#;
        assert_eq!(error(token), "the entry for `reg.io` uses an identity token, which is not yet supported");
        let helper = r#"{"credHelpers":{"reg.io":"ecr-login"}}"#;
        assert!(error(helper).contains("credential helper"));
        let store = r#"{"auths":{"reg.io":{}},"credsStore":"pass"}"#;
        assert!(error(store).contains("credential store"));
        let twice = r#"{"auths":{"reg.io":{"auth":"dTpw"},"https://reg.io":{"auth":"dTpx"}}}"#;
        assert!(error(twice).contains("several"));
        for auth in ["hunter2", "aHVudGVyMg==", "OnB3"] {
            let text = format!(r#"{{"auths":{{"reg.io":{{"auth":"{auth}"}}}}}}"#);
            assert_eq!(error(&text), "the entry `reg.io` does not hold `user:password` in base64");
        }
        assert!(!error(r#"{"auths":"hunter2"}"#).contains("hunter2"));
        assert_eq!(error("{}"), "no entry for `reg.io`");
    }
}
