//! The hosts that the configuration lets redirects lead to.

use std::fmt;
use std::str::FromStr;

use url::Url;

/// A host that redirects may lead to: `host`, `host:port` or `*.domain`, over HTTPS; `http://host` spells out plain HTTP.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RedirectHost {
    scheme: &'static str,
    /// As URLs write it; of a pattern, the part after `*.`.
    host: String,
    port: u16,
    /// Whether one label stands before `host`.
    beneath: bool,
}

impl RedirectHost {
    /// Whether it is read over plain HTTP.
    pub fn is_plain(&self) -> bool {
        self.scheme == "http"
    }

    /// Whether `url` is at this host.
    pub(super) fn covers(&self, url: &Url) -> bool {
        let host = url.host_str().unwrap_or_default();
        let found = if self.beneath { host.split_once('.').map_or("", |(_, parent)| parent) } else { host };
        url.scheme() == self.scheme && found == self.host && url.port_or_known_default() == Some(self.port)
    }
}

impl fmt::Display for RedirectHost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let pattern = if self.beneath { "*." } else { "" };
        write!(f, "{}://{pattern}{}:{}", self.scheme, self.host, self.port)
    }
}

impl FromStr for RedirectHost {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("`{text}` is not a host such as `s3.company.com`, `*.s3.company.com` or `minio:9000`");
        let (scheme, rest) = match text.strip_prefix("http://") {
            Some(rest) => ("http", rest),
            None => ("https", text.strip_prefix("https://").unwrap_or(text)),
        };
        let (beneath, host) = rest.strip_prefix("*.").map_or((false, rest), |parent| (true, parent));
        // Read as redirects' targets are, so that both write the host alike.
        let url = Url::parse(&format!("{scheme}://{host}/")).map_err(|_| wrong())?;
        let only_a_host = host.bytes().all(|b| b.is_ascii_alphanumeric() || b".-_:[]".contains(&b));
        let (Some(named), Some(port)) = (url.host_str(), url.port_or_known_default()) else { return Err(wrong()) };
        let a_domain = url.domain().is_some() && named.contains('.');
        if !only_a_host || (beneath && !a_domain) {
            return Err(wrong());
        }
        Ok(Self { scheme, host: named.to_string(), port, beneath })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn covers_its_own_scheme_host_and_port_only() {
        for (host, covered, not_covered) in [
            (
                "s3.company.com",
                &["https://s3.company.com/b?X-Sig=1", "https://S3.Company.com:443/"][..],
                &[
                    "http://s3.company.com/",
                    "https://s3.company.com:8443/",
                    "https://s3.company.com./",
                    "https://a.s3.company.com/",
                    "https://s3.company.com.evil.com/",
                    "https://evil.com/s3.company.com",
                    "https://evils3.company.com/",
                ][..],
            ),
            ("minio.lan:9000", &["https://minio.lan:9000/"], &["https://minio.lan/", "http://minio.lan:9000/"]),
            ("http://minio:9000", &["http://minio:9000/x"], &["https://minio:9000/x", "http://minio/"]),
            (
                "*.s3.company.com",
                &["https://bucket.s3.company.com/"],
                &["https://s3.company.com/", "https://a.b.s3.company.com/", "https://xs3.company.com/"],
            ),
            ("10.1.2.3:9000", &["https://10.1.2.3:9000/", "https://0xa.1.2.3:9000/"], &["https://10.1.2.30:9000/"]),
            ("[fd00::1]", &["https://[fd00:0::1]/"], &["https://[fd00::2]/"]),
        ] {
            let parsed: RedirectHost = host.parse().expect(host);
            for url in covered {
                assert!(parsed.covers(&Url::parse(url).expect(url)), "{host} {url}");
            }
            for url in not_covered {
                assert!(!parsed.covers(&Url::parse(url).expect(url)), "{host} {url}");
            }
        }
    }

    #[test]
    fn refuses_what_is_more_or_less_than_a_host() {
        for text in [
            "",
            "*",
            "*.",
            "*.com",
            "*.10.1.2.3",
            "a.*.com",
            "**.company.com",
            "s3.company.com/bucket",
            "host/",
            "user@host",
            "host?x",
            "host#x",
            "ftp://host",
            "host:port",
            "host:99999",
            "a b",
            "http://",
            "[::1",
            "//host",
        ] {
            assert!(text.parse::<RedirectHost>().is_err(), "{text}");
        }
    }
}
