//! The listener for pulls.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::Path;
use std::time::Duration;

use url::Url;

use super::raw::{RawListen, RawListenTls};
use super::{Listen, ListenTls, field, units};
use crate::pem::{OwnCertificate, TlsFileError};
use crate::yaml::At;

/// Judges `listen`.
pub(super) fn listen(at: &At<'_>, raw: &RawListen, base: &Path) -> Listen {
    if let Some(rate) = &raw.requests_per_client {
        at.key("requestsPerClient").accept(units::rate(rate));
    }
    field::later_if_given(at, "requestsPerClient", raw.requests_per_client.as_ref());
    let tls = raw.tls.as_ref().and_then(|raw| tls(&at.key("tls"), raw, base));
    if let Some(url) = raw.public_url.as_deref()
        && tls.is_some()
        && url.starts_with("http://")
    {
        at.key("publicUrl").problem("clients are to speak TLS (`listen.tls`), and this is not an `https:` URL");
    }
    Listen {
        tls,
        address: address(at, raw.address.as_deref(), SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), 5000)),
        public_url: raw.public_url.as_deref().and_then(|text| at.key("publicUrl").accept(origin(text))),
        max_connections: field::count(at, "maxConnections", raw.max_connections, 10_000),
        header_timeout: field::positive(at, "headerTimeout", raw.header_timeout.as_deref(), Duration::from_secs(10)),
        drain: field::duration(at, "drain", raw.drain.as_deref(), Duration::from_secs(30)),
    }
}

/// What clients are shown, and the files that hold it.
fn tls(at: &At<'_>, raw: &RawListenTls, base: &Path) -> Option<ListenTls> {
    field::later_if_given(at, "clientCa", raw.client_ca.as_ref());
    let certificate = at.require("certificate", raw.certificate.as_ref());
    let key = at.require("key", raw.key.as_ref());
    let (certificate, key) = (certificate?, key?);
    let own = OwnCertificate { certificate: base.join(certificate), key: base.join(key) };
    if let Err(TlsFileError { path, why }) = own.read() {
        let (name, text) = if path == own.certificate { ("certificate", certificate) } else { ("key", key) };
        at.key(name).problem(format!("`{text}`: {why}"));
    }
    Some(ListenTls { own, http2: raw.http2.unwrap_or(false) })
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
