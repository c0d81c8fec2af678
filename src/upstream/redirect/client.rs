//! The HTTP client that goes where the registry redirects.
//!
//! It is not the registry's client: nothing that identifies the proxy to the registry, and no weakening of the
//! registry's TLS, may reach another host.

use std::sync::Arc;

use http::header::{ACCEPT_ENCODING, HeaderMap, HeaderValue};
use reqwest::{Client, ClientBuilder, redirect};

use super::super::connection::{Clients, Connection};
use super::super::tls::Material;
use super::super::{BuildError, Settings};
use super::resolver::Resolver;
use crate::telemetry::Metrics;

/// What asks with it.
pub(super) fn connection(
    settings: &Settings,
    material: &Material,
    metrics: Arc<Metrics>,
) -> Result<Connection, BuildError> {
    Ok(settings.connection_of(clients(settings, material)?, ("storage", "redirect"), metrics))
}

/// Makes it. It trusts the system's authorities, and those of the registry as well: they are the company's own.
pub(super) fn clients(settings: &Settings, material: &Material) -> Result<Clients, BuildError> {
    let authorities = material.certificates().map_err(|error| BuildError::Tls(error.to_string()))?;
    let http = match builder(settings).tls_certs_merge(authorities.clone()).build() {
        // A machine without the system's authorities.
        Err(_) => builder(settings).tls_certs_only(authorities).build(),
        built => built,
    };
    let http: Client = http.map_err(|error| BuildError::Tls(error.to_string()))?;
    Ok(Clients { streamed: http.clone(), held: http })
}

fn builder(settings: &Settings) -> ClientBuilder {
    let mut headers = HeaderMap::new();
    headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
    Client::builder()
        .user_agent(concat!("countersign/", env!("CARGO_PKG_VERSION")))
        .default_headers(headers)
        .dns_resolver(Resolver { private: settings.redirects.private.clone().into() })
        .http1_only()
        .no_proxy()
        .referer(false)
        .redirect(redirect::Policy::none())
        .connect_timeout(settings.connect)
}
