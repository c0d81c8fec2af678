//! The TLS of a registry behind the proxy.

use std::path::Path;

use super::raw::RawUpstreamTls;
use crate::pem::{OwnCertificate, TlsFileError};
use crate::upstream::Tls;
use crate::yaml::At;

/// Judges `tls`, and the files that it names. `plain`: the registry is dialled over HTTP.
pub(super) fn judge(at: &At<'_>, raw: Option<&RawUpstreamTls>, plain: bool, base: &Path) -> Tls {
    let Some(raw) = raw else { return Tls::default() };
    let files = [("ca", &raw.ca), ("certificate", &raw.certificate), ("key", &raw.key)];
    if plain {
        for (key, _) in files.iter().filter(|(_, path)| path.is_some()) {
            at.key(key).problem("plain HTTP has no certificates");
        }
    }
    let insecure_skip_verify = raw.insecure_skip_verify.unwrap_or(false);
    if insecure_skip_verify && plain {
        at.key("insecureSkipVerify").problem("plain HTTP has no certificates");
    }
    if insecure_skip_verify && raw.ca.is_some() {
        at.key("insecureSkipVerify").problem("what `ca` says is not looked at then; take one of them away");
    }
    let own = match (&raw.certificate, &raw.key) {
        (Some(certificate), Some(key)) => {
            Some(OwnCertificate { certificate: base.join(certificate), key: base.join(key) })
        }
        (None, None) => None,
        (certificate, key) => {
            // One of them is not there, and is told to be missing.
            at.require("certificate", certificate.as_ref());
            at.require("key", key.as_ref());
            None
        }
    };
    let tls = Tls { ca: raw.ca.as_ref().map(|path| base.join(path)), own, insecure_skip_verify };
    for TlsFileError { path, why } in tls.problems() {
        let named = files
            .iter()
            .find_map(|(key, text)| Some((*key, text.as_ref()?)).filter(|(_, text)| base.join(text) == path));
        let Some((key, text)) = named else { continue };
        at.key(key).problem(format!("`{text}`: {why}"));
    }
    tls
}
