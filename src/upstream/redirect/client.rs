//! The HTTP client that goes where the registry redirects.
//!
//! It is not the registry's client: nothing that identifies the proxy to the registry, and no weakening of the
//! registry's TLS, may reach another host.

use std::sync::Arc;

use arc_swap::ArcSwap;
use http::header::{ACCEPT_ENCODING, HeaderMap, HeaderValue};
use reqwest::{Client, ClientBuilder, redirect};

use super::super::body::Pace;
use super::super::breaker::Breaker;
use super::super::connection::{Clients, Connection};
use super::super::tls::Material;
use super::super::{BuildError, Settings};
use super::resolver::Resolver;
use crate::telemetry::Metrics;

/// The connections of a registry's redirects. All hosts that they lead to share a breaker; there is no token server.
pub(super) fn connection(
    settings: &Settings,
    trusted: &Material,
    metrics: Arc<Metrics>,
) -> Result<Connection, BuildError> {
    let headers_within = settings.connect + settings.first_byte;
    let registry = settings.registry.as_str();
    let breaker = || {
        let flag = metrics.upstream_unreachable(registry, "redirect");
        Breaker::new(format!("host that {registry} redirects to"), headers_within, flag)
    };
    Ok(Connection {
        clients: ArcSwap::from_pointee(clients(settings, trusted)?),
        registry: breaker(),
        token_server: breaker(),
        headers_within,
        pace: Pace { idle: settings.idle, total: settings.first_byte + settings.idle },
        dial: settings.dial.clone(),
        metrics,
    })
}

/// Makes the HTTP client: it trusts the system's authorities, and the registry's, which are the company's own.
pub(in crate::upstream) fn clients(settings: &Settings, trusted: &Material) -> Result<Clients, BuildError> {
    let failed = |error: reqwest::Error| BuildError::Tls(error.to_string());
    let made = trusted.trust_elsewhere(builder(settings)).and_then(ClientBuilder::build);
    // A machine without any authority can still be redirected over plain HTTP.
    let client = made.or_else(|_| builder(settings).tls_certs_only([]).build()).map_err(failed)?;
    Ok(Clients { held: client.clone(), streamed: client })
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
