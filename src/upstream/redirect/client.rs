//! The HTTP client that goes where the registry redirects.
//!
//! It is not the registry's client: nothing that identifies the proxy to the registry, and no weakening of the
//! registry's TLS, may reach another host.

use std::sync::Arc;

use super::super::connection::{Clients, Connection};
use super::super::http_client::HttpClient;
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
    let resolver = Resolver::Public(settings.redirects.private.clone().into());
    let held = HttpClient::http1(material.for_others()?, resolver, settings.connect);
    Ok(Clients { streamed: held.clone(), held })
}
