//! What is allowed but deserves a look.

use super::{Config, clients};
use crate::upstream::Credentials;

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

    /// What in it is weak, useless or about to surprise.
    pub fn warnings(&self) -> Vec<String> {
        let mut warnings = Vec::new();
        if self.clients.is_empty() {
            warnings.push("there are no `clients`: every pull is refused (client_forbidden)".to_string());
        }
        if !self.trust.max_stale.is_zero() {
            warnings.push("`trust.maxStale` lets TUF metadata decide that has expired".to_string());
        }
        if self.audit {
            warnings.push("`policy.audit` serves what policy refuses, and only logs and counts it".to_string());
        }
        for upstream in self.upstreams.iter().filter(|upstream| upstream.dial.scheme() == "http") {
            warnings.push(format!("`{}` is read over plain HTTP (`insecurePlainHttp`)", upstream.registry));
        }
        for client in &self.clients {
            if client.insecure_anonymous {
                let may: Vec<_> = client.may.iter().map(ToString::to_string).collect();
                let may = may.join(", ");
                warnings.push(format!("anybody reads {may} with the proxy's own credentials (`insecureAnonymous`)"));
            }
            for scope in &client.may {
                if !self.upstreams.iter().any(|upstream| clients::reaches(scope, &upstream.registry)) {
                    warnings.push(format!("`{scope}` in `may` covers no upstream; aliases do not count"));
                }
            }
        }
        warnings
    }
}
