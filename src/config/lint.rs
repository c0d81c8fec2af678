//! What is allowed but deserves a look.

use super::{Config, clients};
use crate::upstream::credentials::missing_helpers;
use crate::upstream::{Credentials, settings};

impl Config {
    /// What the configuration says, in a few lines.
    pub fn summary(&self) -> String {
        let mut text = format!("listens on {}, admin on {}", self.listen.address, self.admin);
        for upstream in &self.upstreams {
            let credentials = match upstream.credentials {
                Credentials::None => "no credentials",
                Credentials::Basic { .. } => "a user name and password",
                Credentials::Bearer(_) => "a token",
                Credentials::DockerConfig(_) => "a docker config",
            };
            let dial = upstream.dial.as_str().trim_end_matches('/');
            text.push_str(&["\n  ", upstream.registry.as_str(), " at ", dial, ", with ", credentials].concat());
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
        for upstream in self.upstreams.iter().filter(|upstream| upstream.dial.scheme() == "http") {
            let why = format!("`{}` is read over plain HTTP (`insecurePlainHttp`)", upstream.registry);
            warnings.push(("insecure", why));
        }
        for upstream in self.upstreams.iter().filter(|upstream| upstream.tls.insecure_skip_verify) {
            let why = format!(
                "whoever answers is taken for `{}`, and is sent the proxy's credentials (`insecureSkipVerify`)",
                upstream.registry
            );
            warnings.push(("insecure", why));
        }
        for upstream in &self.upstreams {
            let Credentials::DockerConfig(path) = &upstream.credentials else { continue };
            let names = settings::names(&upstream.registry, &upstream.dial);
            for helper in missing_helpers(path, &names) {
                let (path, registry) = (path.display(), &upstream.registry);
                let why = format!("`{helper}`, which `{path}` names for `{registry}`, is not in PATH");
                warnings.push(("helper_missing", why));
            }
        }
        for client in &self.clients {
            if client.insecure_anonymous {
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
}
