//! What is allowed but deserves a look.

use super::{Client, Config, Kind, UpstreamConfig, clients};
use crate::upstream::credentials::missing_helpers;
use crate::upstream::{Credentials, settings};

impl Config {
    /// What the configuration says, in a few lines.
    pub fn summary(&self) -> String {
        let tls = match &self.listen.tls {
            Some(tls) if tls.http2 => " (TLS, HTTP/2 too)",
            Some(_) => " (TLS)",
            None => "",
        };
        let mut text = format!("listens on {}{tls}, admin on {}", self.listen.address, self.admin);
        for upstream in &self.upstreams {
            let dial = upstream.dial.as_str().trim_end_matches('/');
            text.push_str(&["\n  ", upstream.registry.as_str(), " at ", dial, ", with ", shown(upstream)].concat());
        }
        text
    }

    /// What in it is weak, useless or about to surprise: a word that does not change for the kind of thing, and a sentence.
    pub fn warnings(&self) -> Vec<(&'static str, String)> {
        let mut warnings = Vec::new();
        if self.clients.is_empty() {
            warnings.push(("no_clients", "there are no `clients`: every pull is refused (client_forbidden)".into()));
        }
        if !self.trust.max_stale.is_zero() {
            warnings.push(("stale_trust", "`trust.maxStale` lets TUF metadata decide that has expired".into()));
        }
        if self.audit {
            warnings.push(("audit", "`policy.audit` serves what policy refuses, and only logs and counts it".into()));
        }
        if let Kind::Shared(redis) = &self.store.kind
            && !redis.servers.tls
            && redis.password_file.is_some()
        {
            let why = "the store's password (`passwordFile`) goes to Redis in clear, as `redis://` says".to_string();
            warnings.push(("insecure", why));
        }
        for upstream in &self.upstreams {
            warnings.extend(insecure(upstream).into_iter().map(|why| ("insecure", why)));
            let Credentials::DockerConfig(path) = &upstream.credentials else { continue };
            let names = settings::names(&upstream.registry, &upstream.dial);
            for helper in missing_helpers(path, &names) {
                let (path, registry) = (path.display(), &upstream.registry);
                let why = format!("`{helper}`, which `{path}` names for `{registry}`, is not in PATH");
                warnings.push(("helper_missing", why));
            }
        }
        for client in &self.clients {
            if client.insecure_anonymous && self.lends(client) {
                let may: Vec<_> = client.may.iter().map(ToString::to_string).collect();
                let may = may.join(", ");
                let why = format!("anybody reads {may} with the proxy's own credentials (`insecureAnonymous`)");
                warnings.push(("insecure", why));
            }
            for scope in &client.may {
                if !self.upstreams.iter().any(|upstream| clients::reaches(scope, &upstream.registry)) {
                    let why = format!("`{scope}` in `may` covers no upstream; aliases do not count");
                    warnings.push(("scope_unreachable", why));
                }
            }
        }
        warnings
    }

    /// Whether `client` reads anything with what the proxy shows of its own.
    fn lends(&self, client: &Client) -> bool {
        let reached =
            |upstream: &UpstreamConfig| client.may.iter().any(|scope| clients::reaches(scope, &upstream.registry));
        self.upstreams.iter().any(|upstream| upstream.knows_the_proxy() && reached(upstream))
    }
}

/// What the proxy shows `upstream` of its own.
fn shown(upstream: &UpstreamConfig) -> &'static str {
    match (&upstream.credentials, &upstream.tls.own) {
        (Credentials::None, None) => "no credentials",
        (Credentials::None, Some(_)) => "a certificate",
        (Credentials::Basic { .. }, None) => "a user name and password",
        (Credentials::Basic { .. }, Some(_)) => "a user name, a password and a certificate",
        (Credentials::Bearer(_), None) => "a token",
        (Credentials::Bearer(_), Some(_)) => "a token and a certificate",
        (Credentials::DockerConfig(_), None) => "a docker config",
        (Credentials::DockerConfig(_), Some(_)) => "a docker config and a certificate",
    }
}

/// Where what is between the proxy and `upstream`, or takes its place, learns or is let do more than it should.
fn insecure(upstream: &UpstreamConfig) -> Vec<String> {
    let registry = &upstream.registry;
    let secret = upstream.credentials != Credentials::None;
    let mut found = Vec::new();
    if upstream.dial.scheme() == "http" {
        let sent = if secret { ", and the proxy's credentials go there in clear" } else { "" };
        found.push(format!("`{registry}` is read over plain HTTP{sent} (`insecurePlainHttp`)"));
    }
    if upstream.tls.insecure_skip_verify {
        let sent = if secret { ", and is sent the proxy's credentials" } else { "" };
        found.push(format!("whoever answers is taken for `{registry}`{sent} (`insecureSkipVerify`)"));
    }
    if upstream.insecure_skip_blob_digest {
        found.push(format!(
            "blobs of `{registry}` are passed on without a look at their digest (`insecureSkipBlobDigest`)"
        ));
    }
    for host in upstream.redirects.hosts.iter().filter(|host| host.is_plain()) {
        found.push(format!("blobs of `{registry}` may come from `{host}` over plain HTTP (`redirectHosts`)"));
    }
    for network in upstream.redirects.private.iter().filter(|network| network.is_broad()) {
        found.push(format!(
            "redirects of `{registry}` may lead to all of `{network}`, and so to what the proxy alone can reach \
             (`redirectPrivate`)"
        ));
    }
    found
}
