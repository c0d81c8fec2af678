//! Transparency logs, certificate logs and certificate authorities as trusted roots.

use url::Url;

use super::attestors::Attestors;
use super::authorities::{Root, Trust, word};
use super::element::Element;
use crate::oci::Digest;

/// What the `rekor` and `ctlog` of a key say.
pub(super) fn of_key(rekor: Option<&Element<'_>>, ctlog: Option<&Element<'_>>, to: &Attestors<'_>) -> Option<Trust> {
    let mut parts = Parts::default();
    let rekor = rekor.is_none_or(|rekor| parts.rekor(rekor).is_some());
    let ctlog = ctlog.is_none_or(|ctlog| parts.ctlog(ctlog).is_some());
    // A key has no certificate whose log could be skipped.
    parts.skip_certificate_transparency = false;
    (rekor && ctlog).then(|| parts.trust(to, false))
}

/// What the `rekor`, `ctlog` and `roots` of an identity say.
pub(super) fn of_identity(
    rekor: Option<&Element<'_>>,
    ctlog: Option<&Element<'_>>,
    roots: Option<&Element<'_>>,
    to: &Attestors<'_>,
) -> Option<Trust> {
    let mut parts = Parts::default();
    let rekor = rekor.is_none_or(|rekor| parts.rekor(rekor).is_some());
    let ctlog = ctlog.is_none_or(|ctlog| parts.ctlog(ctlog).is_some());
    let roots = roots.is_none_or(|roots| parts.pem(roots, "certificate authority").is_some());
    (rekor && ctlog && roots).then(|| parts.trust(to, true))
}

/// What is gathered of them.
#[derive(Default)]
struct Parts {
    holds: Vec<String>,
    host: Option<String>,
    skip_transparency_log: bool,
    skip_certificate_transparency: bool,
}

impl Parts {
    fn rekor(&mut self, rekor: &Element<'_>) -> Option<()> {
        let fields = rekor.fields()?;
        let (url, key, ignore) = (fields.take("url"), fields.take("pubkey"), fields.take("ignoreTlog"));
        fields.finish();
        if let Some(ignore) = ignore
            && ignore.flag()?
        {
            ignore.exact("insecureSkipTransparencyLog: true");
            self.skip_transparency_log = true;
            // Nobody asks a log that is not trusted for anything.
            return Some(());
        }
        if let Some(url) = &url {
            self.url(url)?;
        }
        key.map_or(Some(()), |key| self.pem(&key, "transparency log's key"))
    }

    fn url(&mut self, element: &Element<'_>) -> Option<()> {
        let text = element.text()?;
        if text.trim_end_matches('/') == PUBLIC_LOG || text.is_empty() {
            element.exact("trustRoot public-good, whose log it is");
            return Some(());
        }
        let Some(host) = Url::parse(text).ok().and_then(|url| url.host_str().map(str::to_string)) else {
            return element.refuse(format!("`{text}` is not a URL"));
        };
        self.holds.push(format!("the transparency log {text}"));
        self.host = Some(host);
        element.different(OWN_ROOT);
        Some(())
    }

    fn ctlog(&mut self, ctlog: &Element<'_>) -> Option<()> {
        let fields = ctlog.fields()?;
        let ignore = fields.take("ignoreSCT");
        let (key, stamps) = (fields.take("pubkey"), fields.take("tsaCertChain"));
        fields.finish();
        if let Some(ignore) = ignore
            && ignore.flag()?
        {
            ignore.exact("insecureSkipCertificateTransparency: true, where there is a certificate");
            self.skip_certificate_transparency = true;
        } else if let Some(key) = key {
            self.pem(&key, "certificate log's key")?;
        }
        stamps.map_or(Some(()), |stamps| self.pem(&stamps, "time stamp authority"))
    }

    fn pem(&mut self, element: &Element<'_>, what: &str) -> Option<()> {
        let text = element.text()?;
        if text.is_empty() {
            return Some(());
        }
        if !text.contains("-----BEGIN ") {
            return element.refuse("it is not written here as PEM, and the proxy looks nothing up in a cluster");
        }
        let digest = Digest::of(text.trim().as_bytes()).to_string();
        self.holds.push(format!("the {what} whose PEM has the SHA-256 {}", digest.trim_start_matches("sha256:")));
        element.different(OWN_ROOT);
        Some(())
    }

    fn trust(self, to: &Attestors<'_>, needs_root: bool) -> Trust {
        let root = if !self.holds.is_empty() {
            Some(Root::Own { name: word(self.host.as_deref().unwrap_or(to.policy)), holds: self.holds })
        } else if needs_root || !self.skip_transparency_log {
            Some(Root::PublicGood)
        } else {
            None
        };
        Trust {
            root,
            skip_transparency_log: self.skip_transparency_log,
            skip_certificate_transparency: self.skip_certificate_transparency,
        }
    }
}

/// The log that Kyverno asks where nothing is said.
const PUBLIC_LOG: &str = "https://rekor.sigstore.dev";

const OWN_ROOT: &str = "it is part of a trusted root, which is a file here: until you have written it (`cosign trusted-root \
                        create`), the policy is refused";
