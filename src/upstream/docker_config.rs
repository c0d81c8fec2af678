//! Docker's `config.json`, and the forms of it in Kubernetes' secrets: what it has for one registry.
//!
//! Hosts are compared whole and canonical. A narrower entry (podman's `host/namespace`) never serves the whole host,
//! and nothing at all is an error: it would silently mean anonymous.

use std::collections::BTreeMap;

use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use serde::Deserialize;
use serde_json::Value;

use super::credentials::helper::Helper;
use super::credentials::login::Login;
use super::credentials::{CredentialsError, Secret};
use crate::oci::Registry;

/// What to do to have the credentials of one registry, in docker's order.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Plan {
    /// Whom to ask, one after the other, until one of them has some.
    pub(super) ask: Vec<Ask>,
    /// What the file itself holds, for when none of them has.
    pub(super) login: Option<Login>,
}

/// A helper, and the name that it knows the registry by.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Ask {
    pub(super) helper: Helper,
    pub(super) server: String,
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
    /// A helper's name that cannot be a part of a program's name.
    #[error("`{0}` is not the name of a credential helper")]
    HelperName(String),
    /// Not such a file.
    #[error("not a docker configuration (line {line}, column {column})")]
    Malformed {
        /// Where the parser stopped.
        line: usize,
        /// And at which character.
        column: usize,
    },
    /// Nothing for the registry.
    #[error("no entry for `{name}`{also}; `docker login {name}` makes one")]
    NoEntry {
        /// Its name.
        name: String,
        /// What else was looked for, in words that go after the name.
        also: String,
    },
    /// What the entry holds cannot be sent.
    #[error("the entry for `{name}`: {source}")]
    Unusable {
        /// The registry.
        name: String,
        /// Why.
        source: Box<CredentialsError>,
    },
}

/// The file. Its values are never shown.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct DockerConfig {
    auths: Option<BTreeMap<String, Entry>>,
    cred_helpers: Option<BTreeMap<String, String>>,
    creds_store: Option<String>,
    /// The entries themselves in the legacy form, `.dockercfg`; else settings that are of no use here.
    #[serde(flatten)]
    rest: BTreeMap<String, Value>,
}

#[derive(Deserialize, Default, PartialEq)]
#[serde(default)]
struct Entry {
    auth: Secret,
    username: String,
    password: Secret,
    identitytoken: Secret,
    registrytoken: Secret,
}

impl DockerConfig {
    /// Reads the text of such a file.
    pub(super) fn parse(text: &[u8]) -> Result<Self, DockerConfigError> {
        // The parser's own message may quote the text, so only the place is kept.
        let mut config: Self = serde_json::from_slice(text)
            .map_err(|error| DockerConfigError::Malformed { line: error.line(), column: error.column() })?;
        let rest = std::mem::take(&mut config.rest);
        if config.auths.is_none() && config.cred_helpers.is_none() && config.creds_store.is_none() {
            let entries = rest.into_iter().filter_map(|(key, value)| Some((key, serde_json::from_value(value).ok()?)));
            config.auths = Some(entries.collect());
        }
        Ok(config)
    }

    /// How to come to the credentials of the registry that is known by `names`, the foremost first.
    pub(super) fn plan(&self, names: &[Registry]) -> Result<Plan, DockerConfigError> {
        let mut ask = Vec::new();
        for name in names {
            let helpers = self.cred_helpers.iter().flatten();
            for (_, helper) in helpers.filter(|(key, _)| registry_of(key).as_ref() == Some(name)) {
                ask.push(Ask { helper: named(helper)?, server: server(name) });
            }
        }
        if let Some(store) = self.creds_store.as_ref().filter(|store| !store.is_empty()) {
            let store = named(store)?;
            ask.extend(names.iter().map(|name| Ask { helper: store.clone(), server: server(name) }));
        }
        let mut login = None;
        for name in names {
            login = match login {
                None => self.login(name)?,
                found => found,
            };
        }
        if ask.is_empty() && login.is_none() {
            return Err(no_entry(names));
        }
        Ok(Plan { ask, login })
    }

    fn login(&self, name: &Registry) -> Result<Option<Login>, DockerConfigError> {
        let entries = self.auths.iter().flatten();
        let mut matching = entries.filter(|(key, _)| registry_of(key).as_ref() == Some(name));
        let Some((key, entry)) = matching.next() else {
            return Ok(None);
        };
        if matching.any(|(_, other)| other != entry) {
            return Err(DockerConfigError::Ambiguous(name.to_string()));
        }
        entry.login(name, key)
    }
}

impl Entry {
    /// What is to be sent, the strongest form first; nothing where a store holds it.
    fn login(&self, name: &Registry, key: &str) -> Result<Option<Login>, DockerConfigError> {
        let unusable = |source| DockerConfigError::Unusable { name: name.to_string(), source: Box::new(source) };
        if !self.registrytoken.expose().is_empty() {
            return Login::bearer(&self.registrytoken).map(Some).map_err(unusable);
        }
        if !self.identitytoken.expose().is_empty() {
            return Ok(Some(Login::Identity(self.identitytoken.clone())));
        }
        let (username, password) = if !self.auth.expose().is_empty() {
            decode(self.auth.expose()).ok_or_else(|| DockerConfigError::Auth(key.to_string()))?
        } else if !self.username.is_empty() {
            (self.username.clone(), self.password.clone())
        } else {
            return Ok(None);
        };
        Login::basic(&username, &password).map(Some).map_err(unusable)
    }
}

/// That none of `names` has credentials.
pub(super) fn no_entry(names: &[Registry]) -> DockerConfigError {
    let also = names.get(1).map_or(String::new(), |dialled| format!(", nor for `{dialled}` of its `dial`"));
    DockerConfigError::NoEntry { name: names.first().map(ToString::to_string).unwrap_or_default(), also }
}

fn named(helper: &str) -> Result<Helper, DockerConfigError> {
    Helper::new(helper).ok_or_else(|| DockerConfigError::HelperName(helper.escape_default().take(100).collect()))
}

/// What docker itself calls a registry when it asks a helper.
fn server(name: &Registry) -> String {
    if name.as_str() == "docker.io" { "https://index.docker.io/v1/".to_string() } else { name.to_string() }
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

#[cfg(test)]
mod tests;
