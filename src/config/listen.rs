//! The listener for pulls.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use url::Url;

use super::raw::RawListen;
use super::{Listen, field, units};
use crate::yaml::At;

/// Judges `listen`.
pub(super) fn listen(at: &At<'_>, raw: &RawListen) -> Listen {
    if let Some(rate) = &raw.requests_per_client {
        at.key("requestsPerClient").accept(units::rate(rate));
    }
    field::later_if_given(at, "requestsPerClient", raw.requests_per_client.as_ref());
    if let Some(tls) = &raw.tls {
        let at = at.key("tls");
        if tls.certificate.is_none() && tls.key.is_none() && tls.client_ca.is_none() {
            field::later(&at, "http2", tls.http2.unwrap_or(false), false);
        } else {
            at.require("certificate", tls.certificate.as_ref());
            at.require("key", tls.key.as_ref());
            at.problem("`tls` is not yet supported");
        }
    }
    Listen {
        address: address(at, raw.address.as_deref(), SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), 5000)),
        public_url: raw.public_url.as_deref().and_then(|text| at.key("publicUrl").accept(origin(text))),
        max_connections: field::count(at, "maxConnections", raw.max_connections, 10_000),
        header_timeout: field::positive(at, "headerTimeout", raw.header_timeout.as_deref(), Duration::from_secs(10)),
        drain: field::duration(at, "drain", raw.drain.as_deref(), Duration::from_secs(30)),
    }
}

/// An address to listen on.
pub(super) fn address(at: &At<'_>, text: Option<&str>, default: SocketAddr) -> SocketAddr {
    let parsed = text
        .map(|text| text.parse().map_err(|_| format!("`{text}` is not an IP address and a port, such as `{default}`")));
    parsed.and_then(|parsed| at.key("address").accept(parsed)).unwrap_or(default)
}

/// A URL that is scheme, host and port, and nothing more.
pub(super) fn origin(text: &str) -> Result<Url, String> {
    let wrong = "it is not a URL such as `https://registry.company.com`";
    let url = Url::parse(text).map_err(|_| wrong)?;
    if !matches!(url.scheme(), "https" | "http") || url.host_str().is_none_or(str::is_empty) {
        return Err(wrong.into());
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err("a URL is no place for credentials".into());
    }
    if url.path() != "/" || url.query().is_some() || url.fragment().is_some() {
        return Err("only scheme, host and port belong here".into());
    }
    Ok(url)
}
