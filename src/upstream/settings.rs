//! How one registry is reached, as the configuration says, and the HTTP client that follows from it.
//!
//! It refuses addresses that carry more than a host and a path, and authorities' files that hold none.

use std::sync::Arc;
use std::time::Duration;

use http::header::{ACCEPT_ENCODING, HeaderMap, HeaderValue};
use reqwest::{Certificate, Client, ClientBuilder, redirect};
use url::Url;

use super::body::Pace;
use super::connection::Connection;
use super::credentials::{Credentials, CredentialsError, Login};
use super::redirect::Redirects;
use crate::oci::Registry;
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
    /// Authorities trusted for TLS, in PEM, as well as the system's.
    pub ca_pem: Option<Vec<u8>>,
    /// Whether the registry is asked for referrers.
    pub referrers: bool,
    /// What is done with its redirects.
    pub redirects: Redirects,
}

/// Why an upstream cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// `ca_pem`.
    #[error("the authorities' file holds no certificate in PEM")]
    Authorities,
    /// The credentials.
    #[error(transparent)]
    Credentials(#[from] CredentialsError),
    /// `dial`.
    #[error("the address to dial has to be http:// or https://, a host, and at most a port and a path")]
    Dial,
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

    pub(super) fn login(&self) -> Result<Login, BuildError> {
        let mut names = vec![self.registry.clone()];
        let port = self.dial.port().map(|port| format!(":{port}")).unwrap_or_default();
        let dialled = format!("{}{port}", self.dial.host_str().unwrap_or_default());
        names.extend(dialled.parse::<Registry>());
        Ok(Login::load(&self.credentials, &names)?)
    }

    pub(super) fn connection(&self, metrics: Arc<Metrics>) -> Result<Connection, BuildError> {
        let authorities = match &self.ca_pem {
            None => Vec::new(),
            Some(pem) => Certificate::from_pem_bundle(pem).map_err(|_| BuildError::Authorities)?,
        };
        if self.ca_pem.is_some() && authorities.is_empty() {
            return Err(BuildError::Authorities);
        }
        let http = match self.builder().tls_certs_merge(authorities).build() {
            // A machine without the system's authorities can still reach a registry over plain HTTP.
            Err(_) if self.dial.scheme() == "http" => self.builder().tls_certs_only([]).build(),
            built => built,
        };
        let http: Client = http.map_err(|error| BuildError::Tls(causes(&error)))?;
        let pace = Pace { idle: self.idle, total: self.first_byte + self.idle };
        Ok(Connection { http, metrics, headers_within: self.connect + self.first_byte, pace })
    }

    fn builder(&self) -> ClientBuilder {
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
        Client::builder()
            .user_agent(concat!("countersign/", env!("CARGO_PKG_VERSION")))
            .default_headers(headers)
            .http1_only()
            .no_proxy()
            .referer(false)
            .redirect(redirect::Policy::none())
            .connect_timeout(self.connect)
            .pool_idle_timeout(POOL_IDLE)
    }
}

fn causes(error: &dyn std::error::Error) -> String {
    error.source().map_or_else(|| error.to_string(), causes)
}

/// Shorter than registries and the balancers before them keep a connection.
const POOL_IDLE: Duration = Duration::from_secs(30);
