//! Which token servers a registry may send the proxy to, and which of them may see its credentials.
//!
//! The realm of a challenge is the registry's word, and advisories name clients that sent passwords wherever it said.
//! Hosts are compared whole, never by substring; an address is only ever equal to itself.

use url::{Host, Url};

use super::UpstreamError;
use crate::oci::Registry;

/// The hosts that a registry is known by: the one that is dialled, and its own name.
#[derive(Debug)]
pub(crate) struct Home {
    plain_http: bool,
    hosts: Vec<Host<String>>,
    docker_hub: bool,
}

impl Home {
    /// The home of `registry` that is reached at `dial`.
    pub(crate) fn new(registry: &Registry, dial: &Url) -> Self {
        let name = registry.as_str().split(':').next().and_then(|host| Host::parse(host).ok());
        let hosts = dial.host().map(|host| host.to_owned()).into_iter().chain(name).collect();
        Self { plain_http: dial.scheme() == "http", hosts, docker_hub: registry.as_str() == "docker.io" }
    }

    /// Parses a realm that may be asked for a token: with the proxy's credentials only the registry's own host or one
    /// of the same domain, without them any name over https.
    pub(crate) fn realm(&self, text: &str, with_credentials: bool) -> Result<Url, UpstreamError> {
        let realm = Url::parse(text).map_err(|_| UpstreamError::Malformed("the challenge's realm is not a URL"))?;
        let host = realm.host().map(|host| host.to_owned());
        let Some(host) = host.filter(|_| realm.username().is_empty() && realm.password().is_none()) else {
            return Err(UpstreamError::Malformed("the challenge's realm is not the URL of a token server"));
        };
        let named = matches!(host, Host::Domain(_));
        let allowed = match realm.scheme() {
            "https" => self.hosts.contains(&host) || self.is_sibling(&host) || (named && !with_credentials),
            "http" => self.plain_http && self.hosts.contains(&host),
            _ => false,
        };
        if allowed { Ok(realm) } else { Err(UpstreamError::RealmRefused { host: host.to_string() }) }
    }

    /// Whether `host` is in the domain of one of our hosts.
    fn is_sibling(&self, host: &Host<String>) -> bool {
        let Host::Domain(host) = host else {
            return false;
        };
        if self.docker_hub && host == "auth.docker.io" {
            return true;
        }
        let domains = self.hosts.iter().filter_map(|own| match own {
            Host::Domain(own) => domain(own),
            Host::Ipv4(_) | Host::Ipv6(_) => None,
        });
        domains.into_iter().any(|own| domain(host) == Some(own))
    }
}

/// The domain that one owner holds: the last two labels, three below a country's second level; none where a host's
/// neighbours belong to others.
fn domain(host: &str) -> Option<&str> {
    let mut dots = host.rmatch_indices('.').map(|(at, _)| at);
    let (last, second, third) = (dots.next()?, dots.next(), dots.next());
    let start = |dot: Option<usize>| dot.map_or(0, |dot| dot + 1);
    let country = host.len() - last == 3 && SECOND_LEVEL.contains(&&host[start(second)..last]);
    let domain = match (country, second) {
        (false, _) => &host[start(second)..],
        (true, Some(_)) => &host[start(third)..],
        (true, None) => return None,
    };
    (!SHARED.contains(&domain)).then_some(domain)
}

/// What stands under a country's code where names are sold one level further down.
const SECOND_LEVEL: &[&str] = &["ac", "co", "com", "edu", "go", "gob", "gov", "mil", "ne", "net", "or", "org"];

/// Domains under which every host may be another tenant's.
const SHARED: &[&str] = &[
    "amazonaws.com",
    "azurecr.io",
    "cloudfront.net",
    "cluster.local",
    "digitaloceanspaces.com",
    "github.io",
    "googleapis.com",
    "herokuapp.com",
    "jfrog.io",
    "pkg.dev",
    "run.app",
    "vercel.app",
    "windows.net",
    "workers.dev",
];

#[cfg(test)]
mod tests {
    use super::*;

    fn home(registry: &str, dial: &str) -> Home {
        Home::new(&registry.parse().expect(registry), &Url::parse(dial).expect(dial))
    }

    #[test]
    fn credentials_go_to_the_registrys_own_hosts() {
        for (registry, dial, realm) in [
            ("registry.company.com", "https://registry.company.com", "https://registry.company.com/token"),
            ("registry.company.com", "https://internal.lan:5000", "https://registry.company.com:8443/token"),
            ("registry.company.com", "https://internal.lan:5000", "https://internal.lan/token"),
            ("registry.gitlab.com", "https://registry.gitlab.com", "https://gitlab.com/jwt/auth"),
            ("registry.company.com", "https://registry.company.com", "https://sso.eu.company.com/token"),
            ("registry.company.co.uk", "https://registry.company.co.uk", "https://auth.company.co.uk/"),
            ("docker.io", "https://registry-1.docker.io", "https://auth.docker.io/token"),
            ("docker.io", "https://mirror.lan", "https://auth.docker.io/token"),
            ("localhost:5000", "http://127.0.0.1:5000", "http://127.0.0.1:5001/token"),
            ("localhost:5000", "http://localhost:5000", "https://localhost/token"),
        ] {
            assert!(home(registry, dial).realm(realm, true).is_ok(), "{registry} {dial} {realm}");
        }
    }

    #[test]
    fn credentials_go_nowhere_else() {
        for (registry, dial, realm) in [
            ("reg.io", "https://reg.io", "https://reg.io.evil.com/token"),
            ("reg.io", "https://reg.io", "https://evilreg.io/token"),
            ("reg.io", "https://reg.io", "https://evil/reg.io"),
            ("reg.io", "https://reg.io", "http://reg.io/token"),
            ("reg.io", "https://reg.io", "ftp://reg.io/token"),
            ("registry.company.com", "https://registry.company.com", "https://xcompany.com/token"),
            ("company.co.uk", "https://company.co.uk", "https://evil.co.uk/token"),
            ("a.azurecr.io", "https://a.azurecr.io", "https://b.azurecr.io/token"),
            ("r.one.svc.cluster.local", "https://r.one.svc.cluster.local", "https://r.two.svc.cluster.local/"),
            ("10.0.0.1", "https://10.0.0.1", "https://9.0.0.1/token"),
            ("10.0.0.1", "https://10.0.0.1", "https://[::1]/token"),
            ("localhost:5000", "http://127.0.0.1:5000", "http://auth.localhost/token"),
            ("registry.company.com", "http://registry.company.com", "http://auth.company.com/token"),
            ("docker.io", "https://mirror.lan", "https://auth.docker.io.evil.com/token"),
            ("company.com", "https://company.com", "https://com/token"),
        ] {
            let refused = home(registry, dial).realm(realm, true);
            assert!(matches!(refused, Err(UpstreamError::RealmRefused { .. })), "{registry} {dial} {realm}");
        }
        for realm in ["", "token", "https://user@reg.io/", "https://reg.io@evil/", "data:,x", "https://"] {
            let refused = home("reg.io", "https://reg.io").realm(realm, true);
            assert!(
                matches!(refused, Err(UpstreamError::Malformed(_) | UpstreamError::RealmRefused { .. })),
                "{realm}"
            );
        }
    }

    #[test]
    fn without_credentials_any_name_over_https_may_be_asked() {
        let home = home("registry.company.com", "http://registry.company.com");
        assert!(home.realm("https://auth.example.org/token", false).is_ok());
        for realm in ["http://auth.example.org/token", "http://169.254.169.254/token", "https://169.254.169.254/"] {
            assert!(home.realm(realm, false).is_err(), "{realm}");
        }
    }
}
