//! Redirects of the registry: which are followed, and how.
//!
//! Within the registry's own origin the request is simply repeated. To another host only blobs are followed, whose
//! digest is checked, and only to hosts that the configuration names; a client of its own goes there, which has no
//! credentials, no client certificate and a resolver that gives no private addresses. An error names the host and
//! never the rest of the target: its query is often a secret.

use std::net::IpAddr;
use std::sync::Arc;

use http::header::{HeaderValue, LOCATION, RANGE};
use http::{Method, StatusCode};
use url::{Host, Url};

use super::connection::Connection;
use super::message::{Request, Response};
use super::tls::Material;
use super::{BuildError, Settings, UpstreamError, body};
use crate::oci::Registry;
use crate::telemetry::Metrics;

pub mod host;

pub mod network;

mod client;

mod resolver;

pub use host::RedirectHost;
pub use network::Network;
pub(super) use resolver::{NotPublic, Resolver};

/// What is done with a redirect of a blob to another host.
#[derive(Debug, Clone, Default)]
pub struct Redirects {
    /// The client is sent there. Otherwise the proxy goes there for it.
    pub relay: bool,
    /// Where redirects may lead.
    pub hosts: Vec<RedirectHost>,
    /// Networks that are not public and may be dialled all the same.
    pub private: Vec<Network>,
}

/// Where an answer of the registry leads.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// Nowhere: it is the answer.
    Here,
    /// To another path of the registry itself.
    Home(Url),
    /// To another host.
    Away(Url),
}

/// Goes where the registry redirects.
#[derive(Debug)]
pub(super) struct Redirector {
    registry: Registry,
    /// The registry's own address.
    home: Url,
    rules: Redirects,
    /// What goes to other hosts.
    connection: Connection,
}

impl Redirector {
    /// Follows the redirects of one registry as its settings say.
    pub(super) fn new(settings: &Settings, material: &Material, metrics: Arc<Metrics>) -> Result<Self, BuildError> {
        let connection = client::connection(settings, material, metrics)?;
        let (registry, home) = (settings.registry.clone(), settings.dial.clone());
        Ok(Self { registry, home, rules: settings.redirects.clone(), connection })
    }

    /// Trusts what `material` says from now on.
    pub(super) fn renew(&self, settings: &Settings, material: &Material) -> Result<(), BuildError> {
        self.connection.clients.store(client::clients(settings, material)?.into());
        Ok(())
    }

    /// Whether clients are sent where the registry redirects.
    pub(super) fn relays(&self) -> bool {
        self.rules.relay
    }

    /// Where `response`, an answer of the registry itself, leads.
    pub(super) fn way(&self, response: &Response) -> Result<Way, UpstreamError> {
        let Some(target) = target(response.status(), response.headers().get(LOCATION), response.url())? else {
            return Ok(Way::Here);
        };
        Ok(if target.origin() == self.home.origin() { Way::Home(target) } else { Way::Away(target) })
    }

    /// Whether `target` is a place where a redirect may lead.
    pub(super) fn allow(&self, target: &Url) -> Result<(), UpstreamError> {
        let name = named(target);
        if !self.rules.hosts.iter().any(|host| host.covers(target)) {
            let (how, scheme) = if target.scheme() == "http" { (" over plain HTTP", "http://") } else { ("", "") };
            let line = format!("upstreams.{}.redirectHosts: [ \"{scheme}{name}\" ]", self.registry);
            return Err(refused(name, format!("which is not allowed{how}; to allow it, configure `{line}`")));
        }
        let literal = match target.host() {
            Some(Host::Ipv4(address)) => Some(IpAddr::V4(address)),
            Some(Host::Ipv6(address)) => Some(IpAddr::V6(address)),
            Some(Host::Domain(_)) | None => None,
        };
        match literal {
            Some(address) if !network::may_dial(address, &self.rules.private) => Err(self.not_public(name, address)),
            _ => Ok(()),
        }
    }

    /// Asks `target`, and where that redirects to in turn, for a blob or a part of it.
    pub(super) async fn follow(
        &self,
        method: &Method,
        mut target: Url,
        range: Option<&HeaderValue>,
    ) -> Result<Response, UpstreamError> {
        for _ in 0..MAX_HOPS {
            self.allow(&target)?;
            let mut request = Request::new(method.clone(), target.clone());
            request.headers.extend(range.map(|value| (RANGE, value.clone())));
            let response = self.connection.send("redirect", &request).await;
            let response = response.map_err(|error| self.failed(&target, error))?;
            let Some(next) = self::target(response.status(), response.headers().get(LOCATION), &target)? else {
                return Ok(response);
            };
            body::discard(response).await;
            target = next;
        }
        Err(too_many(&target))
    }

    fn failed(&self, target: &Url, error: UpstreamError) -> UpstreamError {
        match error {
            UpstreamError::NotPublic { address } => self.not_public(named(target), address),
            UpstreamError::Transport(why) => {
                UpstreamError::RedirectFailed { host: named(target), why: format!("could not be reached: {why}") }
            }
            other => other,
        }
    }

    fn not_public(&self, host: String, address: IpAddr) -> UpstreamError {
        let address = address.to_canonical();
        let prefix = if address.is_ipv4() { 32 } else { 128 };
        if network::never(address) {
            return refused(host, format!("whose address {address} is never dialled"));
        }
        let line = format!("upstreams.{}.redirectPrivate: [ \"{address}/{prefix}\" ]", self.registry);
        let why = format!("whose address {address} is not public; if it is yours, configure its network, `{line}`");
        refused(host, why)
    }
}

/// What an answer of another host says that is neither a blob nor a redirect.
pub(super) fn unhoped(response: &Response) -> UpstreamError {
    let host = named(response.url());
    UpstreamError::RedirectFailed { host, why: format!("answered {}", response.status().as_u16()) }
}

/// The target of a redirect, if the answer is one.
fn target(status: StatusCode, location: Option<&HeaderValue>, from: &Url) -> Result<Option<Url>, UpstreamError> {
    let (true, Some(location)) = (matches!(status.as_u16(), 301 | 302 | 303 | 307 | 308), location) else {
        return Ok(None);
    };
    let target = location.to_str().ok().and_then(|location| from.join(location).ok());
    let usable = target.filter(|target| {
        let plain = target.username().is_empty() && target.password().is_none();
        matches!(target.scheme(), "http" | "https") && target.has_host() && plain
    });
    usable.map(Some).ok_or_else(|| refused("an unreadable address".into(), "which is not followed".into()))
}

/// More redirects in a row than are followed, the last of them to `target`.
pub(super) fn too_many(target: &Url) -> UpstreamError {
    refused(named(target), format!("and that is more than {MAX_HOPS} redirects in a row"))
}

fn refused(host: String, why: String) -> UpstreamError {
    UpstreamError::RedirectRefused { host, why }
}

/// The host, and the port if it is not the usual one.
fn named(url: &Url) -> String {
    let host: String = url.host_str().unwrap_or_default().chars().take(MAX_NAME).collect();
    url.port().map_or(host.clone(), |port| format!("{host}:{port}"))
}

/// Redirects that are followed in a row.
pub(super) const MAX_HOPS: usize = 3;
/// The longest name in DNS.
const MAX_NAME: usize = 253;
