//! How one registry is reached, as the configuration says, and the HTTP client that follows from it.
//!
//! It refuses addresses that carry more than a host and a path, and files for TLS that cannot be used.

use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use url::Url;

use super::body::Pace;
use super::breaker::Breaker;
use super::connection::{Clients, Connection};
use super::credentials::keyring::Keyring;
use super::credentials::source::Bounds;
use super::credentials::{Credentials, CredentialsError};
use super::http_client::HttpClient;
use super::redirect::{Redirects, Resolver};
use super::tls::{self, Material, Tls};
use crate::oci::Registry;
use crate::pem::TlsFileError;
use crate::telemetry::Metrics;

/// How one registry is reached.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Its canonical name.
    pub registry: Registry,
    /// Where it is dialled, `https` or `http`; a path is put before `/v2/`.
    pub dial: Url,
    /// The proxy's own credentials.
    pub credentials: Credentials,
    /// The time for name, connection and TLS.
    pub connect: Duration,
    /// The time from there to the answer's headers.
    pub first_byte: Duration,
    /// The time between two pieces of a body. A body that is held may take this and `first_byte` together.
    pub idle: Duration,
    /// Whose TLS it has to speak, and what the proxy shows of its own.
    pub tls: Tls,
    /// Whether the registry is asked for referrers.
    pub referrers: bool,
    /// What is done with its redirects.
    pub redirects: Redirects,
    /// Whether its blobs are passed on without a look at their digest.
    pub insecure_skip_blob_digest: bool,
}

/// Why an upstream cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// The credentials.
    #[error(transparent)]
    Credentials(#[from] CredentialsError),
    /// `dial`.
    #[error("the address to dial has to be http:// or https://, a host, and at most a port and a path")]
    Dial,
    /// A file of `tls`.
    #[error(transparent)]
    TlsFile(#[from] TlsFileError),
    /// The TLS client, for want of authorities for instance.
    #[error("no TLS client can be made: {0}")]
    Tls(String),
}

impl Settings {
    pub(super) fn validated_dial(&self) -> Result<Url, BuildError> {
        let dial = &self.dial;
        let plain = dial.username().is_empty() && dial.password().is_none();
        let bare = dial.query().is_none() && dial.fragment().is_none();
        let good = matches!(dial.scheme(), "http" | "https") && dial.has_host() && plain && bare;
        if good { Ok(dial.clone()) } else { Err(BuildError::Dial) }
    }

    pub(super) fn keyring(&self, metrics: &Metrics) -> Result<Keyring, BuildError> {
        let names = names(&self.registry, &self.dial);
        Ok(Keyring::new(self.credentials.clone(), names, Bounds::default(), metrics.credentials())?)
    }

    pub(super) fn connection(&self, metrics: Arc<Metrics>) -> Result<(Connection, Material), BuildError> {
        let material = self.tls.read()?;
        Ok((self.connection_of(self.clients(&material)?, ("registry", "registry"), metrics), material))
    }

    /// What asks a `server` with these clients, and in metrics the server's `label`.
    pub(super) fn connection_of(
        &self,
        clients: Clients,
        (server, label): (&'static str, &'static str),
        metrics: Arc<Metrics>,
    ) -> Connection {
        let headers_within = self.connect + self.first_byte;
        let name = self.registry.as_str();
        let breaker = |server, label: &'static str| {
            Breaker::new(format!("{server} of {name}"), headers_within, metrics.upstream_unreachable(name, label))
        };
        Connection {
            clients: ArcSwap::from_pointee(clients),
            server,
            breaker: breaker(server, label),
            token_server: breaker("token server", "token"),
            headers_within,
            pace: Pace { idle: self.idle, total: self.first_byte + self.idle },
            metrics,
        }
    }

    /// Makes the HTTP clients that trust and show what `material` says.
    pub(super) fn clients(&self, material: &Material) -> Result<Clients, BuildError> {
        if self.dial.scheme() == "http" {
            // Its token server may speak TLS all the same.
            let held = HttpClient::http1(tls::client::of_the_system()?, Resolver::Any, self.connect);
            return Ok(Clients { streamed: held.clone(), held });
        }
        let tls = material.for_registry()?;
        Ok(Clients {
            held: HttpClient::http2(tls.clone(), Resolver::Any, self.connect),
            streamed: HttpClient::http1(tls, Resolver::Any, self.connect),
        })
    }
}

/// What `registry`, dialled at `dial`, is known by to those who keep credentials: its own name, and the dialled host.
pub fn names(registry: &Registry, dial: &Url) -> Vec<Registry> {
    let port = dial.port().map(|port| format!(":{port}")).unwrap_or_default();
    let dialled = format!("{}{port}", dial.host_str().unwrap_or_default());
    let dialled = dialled.parse::<Registry>().ok().filter(|dialled| dialled != registry);
    [registry.clone()].into_iter().chain(dialled).collect()
}
