//! What the configuration says of the shared store.

use std::num::NonZeroU16;
use std::path::PathBuf;
use std::time::Duration;

/// Where the shared store is, and how it is spoken to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// The server, or the sentinels that know it.
    pub servers: Servers,
    /// What the sentinels call it; without a name, the server is asked itself.
    pub sentinel: Option<String>,
    /// The user that the proxy is there.
    pub username: Option<String>,
    /// The file of the password; read again for every connection.
    pub password_file: Option<PathBuf>,
    /// Authorities in PEM, trusted in the place of the system's; read again for every connection.
    pub ca: Option<PathBuf>,
    /// How long an operation may take.
    pub timeout: Duration,
    /// How long evidence is kept after it was used last.
    pub evidence: Duration,
}

/// Hosts, and what they have in common: a URL of `redis://` or, with TLS, `rediss://`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Servers {
    /// Each may stand for several addresses.
    pub hosts: Vec<Host>,
    /// Whether they speak TLS.
    pub tls: bool,
    /// The number of the database.
    pub database: u16,
}

/// A name or an address, and a port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Host {
    /// A name or an address.
    pub name: String,
    /// The port.
    pub port: u16,
}

impl std::fmt::Display for Host {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.name.contains(':') {
            write!(f, "[{}]:{}", self.name, self.port)
        } else {
            write!(f, "{}:{}", self.name, self.port)
        }
    }
}

impl Servers {
    /// `rediss://host[:port][,host[:port]…][/database]`, and nothing more: names and passwords have places of their own.
    /// Where these are `sentinels`, their port is another if none is said.
    ///
    /// # Errors
    /// What is wrong, in words that go after the setting's name.
    pub fn parse(text: &str, sentinels: bool) -> Result<Self, String> {
        let (scheme, rest) = text.split_once("://").ok_or_else(not_a_url)?;
        let tls = match scheme {
            "redis" => false,
            "rediss" => true,
            _ => return Err(not_a_url()),
        };
        let (hosts, path) = rest.split_once('/').unwrap_or((rest, ""));
        if hosts.contains('@') {
            return Err("it may hold neither name nor password: say them in `username` and `passwordFile`".into());
        }
        if text.contains(['?', '#']) {
            return Err("it ends with the number of the database: what follows `?` or `#` has no meaning here".into());
        }
        let database = match path.trim_end_matches('/') {
            "" => 0,
            number => number.parse().map_err(|_| format!("`{number}` is no number of a database"))?,
        };
        let port = if sentinels { SENTINEL_PORT } else { PORT };
        let hosts: Vec<_> = hosts.split(',').map(|text| host(text.trim(), port)).collect::<Result<_, _>>()?;
        if hosts.len() > 1 && !sentinels {
            return Err("it names several hosts: that is for sentinels, whose `sentinel` is missing".into());
        }
        Ok(Self { hosts, tls, database })
    }
}

/// `host` or `host:port`, as a URL has it.
fn host(text: &str, default_port: u16) -> Result<Host, String> {
    let wrong = || format!("`{text}` is no host: say `name`, `name:port` or `[address]:port`");
    let (name, port) = match text.rsplit_once(':') {
        Some((name, port)) if !port.ends_with(']') => (name, port.parse::<NonZeroU16>().map_err(|_| wrong())?.get()),
        _ => (text, default_port),
    };
    let name = match url::Host::parse(name).map_err(|_| wrong())? {
        url::Host::Domain(name) => name,
        url::Host::Ipv4(address) => address.to_string(),
        url::Host::Ipv6(address) => address.to_string(),
    };
    Ok(Host { name, port })
}

fn not_a_url() -> String {
    "it must begin with `redis://` or, for TLS, `rediss://`".into()
}

const PORT: u16 = 6379;
const SENTINEL_PORT: u16 = 26379;

#[cfg(test)]
mod tests {
    use super::*;

    fn hosts(text: &str) -> Vec<String> {
        let servers = Servers::parse(text, text.contains(',')).expect("a URL");
        servers.hosts.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn reads_hosts_ports_tls_and_the_database() {
        let servers = Servers::parse("rediss://cache:6380/3", false).expect("a URL");
        assert_eq!((servers.tls, servers.database), (true, 3));
        assert_eq!(hosts("rediss://cache:6380/3"), ["cache:6380"]);
        assert_eq!(hosts("redis://cache"), ["cache:6379"]);
        assert_eq!(hosts("redis://127.0.0.1:80/"), ["127.0.0.1:80"]);
        assert_eq!(hosts("redis://[::1]:7000,[::1]"), ["[::1]:7000", "[::1]:26379"]);
        assert_eq!(hosts("redis://a:1,b:2, c"), ["a:1", "b:2", "c:26379"]);
    }

    #[test]
    fn says_what_is_wrong() {
        for (text, what) in [
            ("cache:6379", "must begin with"),
            ("https://cache", "must begin with"),
            ("redis://user:secret@cache", "`passwordFile`"),
            ("redis://cache/x", "`x` is no number of a database"),
            ("redis://cache/1?timeout=1", "has no meaning here"),
            ("redis://", "is no host"),
            ("redis://a,,b", "is no host"),
            ("redis://a,b", "`sentinel` is missing"),
            ("redis://cache:99999", "`cache:99999` is no host"),
            ("redis://cache:0", "`cache:0` is no host"),
            ("redis://::1:7000", "is no host"),
            ("redis://ca che", "`ca che` is no host"),
        ] {
            let why = Servers::parse(text, false).expect_err(text);
            assert!(why.contains(what), "{text}: {why}");
            assert!(!why.contains("secret"), "{why}");
        }
    }
}
