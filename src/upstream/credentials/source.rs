//! Where credentials come from: the configuration itself, a file, or a helper that a file names.

use std::ffi::OsString;
use std::time::Duration;

use super::helper::Answer;
use super::login::Login;
use super::{Credentials, CredentialsError, Secret, SecretSource, file};
use crate::oci::Registry;
pub(super) use crate::upstream::docker_config::Plan;
use crate::upstream::docker_config::{self, DockerConfig};

/// Credentials as configured, for one registry.
#[derive(Debug)]
pub(super) struct Source {
    pub(super) credentials: Credentials,
    /// What the registry is known by, the foremost name first.
    pub(super) names: Vec<Registry>,
    pub(super) bounds: Bounds,
}

/// How often files and helpers are asked, and how long they may take.
#[derive(Debug, Clone)]
pub(in crate::upstream) struct Bounds {
    /// Where helpers are found, as `PATH` has it.
    pub(in crate::upstream) search: OsString,
    /// How long a file is taken to be the same, unless the registry rejects what it holds.
    pub(in crate::upstream) look: Duration,
    /// How long the answer of a helper is used before it is asked again.
    pub(in crate::upstream) remember: Duration,
    /// How long a helper that failed, or whose answer the registry rejects, is left alone.
    pub(in crate::upstream) ask_again: Duration,
    /// How long a helper may take.
    pub(in crate::upstream) helper: Duration,
    /// How long a renewal is waited for where there are credentials to go on with.
    pub(in crate::upstream) patience: Duration,
}

impl Default for Bounds {
    fn default() -> Self {
        Self {
            search: std::env::var_os("PATH").unwrap_or_default(),
            look: Duration::from_secs(2),
            remember: Duration::from_mins(10),
            ask_again: Duration::from_secs(5),
            helper: Duration::from_secs(10),
            patience: Duration::from_millis(250),
        }
    }
}

impl Source {
    /// Whether there is anything to look at again.
    pub(super) fn can_change(&self) -> bool {
        file::of(&self.credentials).is_some()
    }

    /// The registry's name.
    pub(super) fn registry(&self) -> &str {
        self.names.first().map(Registry::as_str).unwrap_or_default()
    }

    /// The content of the file, if there is one.
    pub(super) fn read(&self) -> Result<Option<Vec<u8>>, CredentialsError> {
        file::of(&self.credentials).map(file::read).transpose()
    }

    /// The same, off the threads that serve.
    pub(super) async fn read_aside(&self) -> Result<Option<Vec<u8>>, CredentialsError> {
        let Some(path) = file::of(&self.credentials).map(ToOwned::to_owned) else { return Ok(None) };
        let read = tokio::task::spawn_blocking({
            let path = path.clone();
            move || file::read(&path).map(Some)
        });
        read.await.unwrap_or_else(|error| Err(CredentialsError::Io { path, source: error.into() }))
    }

    /// What `content` and the configuration say together.
    pub(super) fn plan(&self, content: Option<&[u8]>) -> Result<Plan, CredentialsError> {
        let content = content.unwrap_or_default();
        let login = match &self.credentials {
            Credentials::None => Login::Anonymous,
            Credentials::Basic { username, password } => Login::basic(username, &secret(password, content)?)?,
            Credentials::Bearer(token) => Login::bearer(&secret(token, content)?)?,
            Credentials::DockerConfig(path) => {
                let plan = DockerConfig::parse(content).and_then(|config| config.plan(&self.names));
                return plan.map_err(|source| CredentialsError::DockerConfig { path: path.clone(), source });
            }
        };
        Ok(Plan { ask: Vec::new(), login: Some(login) })
    }

    /// Asks the helpers of `plan`, one after the other.
    pub(super) async fn carry_out(&self, plan: Plan) -> Result<Login, CredentialsError> {
        let path = || file::of(&self.credentials).map(ToOwned::to_owned).unwrap_or_default();
        for ask in plan.ask {
            let answer = ask.helper.get(&self.bounds.search, &ask.server, self.bounds.helper).await;
            match answer {
                Ok(Answer::Password(username, password)) => return Login::basic(&username, &password),
                Ok(Answer::Identity(token)) => return Ok(Login::Identity(token)),
                Ok(Answer::NotFound) => {}
                Err(source) => return Err(CredentialsError::Helper { path: path(), server: ask.server, source }),
            }
        }
        let none = || CredentialsError::DockerConfig { path: path(), source: docker_config::no_entry(&self.names) };
        plan.login.ok_or_else(none)
    }
}

fn secret(source: &SecretSource, content: &[u8]) -> Result<Secret, CredentialsError> {
    match source {
        SecretSource::Inline(secret) => Ok(secret.clone()),
        SecretSource::File(path) => {
            Secret::of_file(content.to_vec()).map_err(|why| CredentialsError::NoSecret { path: path.clone(), why })
        }
    }
}
