//! What to do about a TLS connection that failed.

/// What the operator can do about a failure whose text is `text`, if that tells. `redirected`: the connection was to
/// where the registry redirects, which has its own rules and sees no certificate of the proxy's.
pub(super) fn of(text: &str, redirected: bool) -> Option<&'static str> {
    let said = |marks: &[&str]| marks.iter().any(|mark| text.contains(mark));
    if said(&["CaUsedAsEndEntity"]) {
        return Some("its certificate is an authority's own: issue a server certificate with it, and keep `tls.ca`");
    }
    if said(&["UnknownIssuer", "BadSignature"]) {
        return Some("no trusted authority issued its certificate: name the authority in `tls.ca`");
    }
    if said(&["received corrupt message"]) {
        return Some(if redirected {
            "it does not speak TLS"
        } else {
            "it does not speak TLS: `dial: http://…` with `insecurePlainHttp: true`"
        });
    }
    let alert = said(&["alert: BadCertificate", "alert: CertificateRequired", "alert: HandshakeFailure"]);
    (alert && !redirected).then_some("it may want the proxy's certificate: `tls.certificate` and `tls.key`")
}

#[cfg(test)]
mod tests {
    use rustls::{AlertDescription, CertificateError, Error, InvalidMessage, OtherError};

    use super::*;

    #[test]
    fn what_tls_says_has_a_next_step() {
        let of_authority = OtherError(std::sync::Arc::new(webpki::Error::CaUsedAsEndEntity));
        for (error, expected, redirected) in [
            (CertificateError::Other(of_authority).into(), "an authority's own", true),
            (CertificateError::UnknownIssuer.into(), "`tls.ca`", true),
            (InvalidMessage::InvalidContentType.into(), "does not speak TLS", true),
            (Error::AlertReceived(AlertDescription::BadCertificate), "`tls.key`", false),
            (Error::AlertReceived(AlertDescription::CertificateRequired), "`tls.key`", false),
            (Error::AlertReceived(AlertDescription::HandshakeFailure), "`tls.key`", false),
        ] {
            let text = format!("client error (Connect): {error}");
            assert!(of(&text, false).is_some_and(|hint| hint.contains(expected)), "{text}");
            assert_eq!(of(&text, true).is_some(), redirected, "{text}");
            assert!(of(&text, true).is_none_or(|hint| !hint.contains("dial")), "{text}");
        }
    }

    #[test]
    fn what_has_other_causes_has_none() {
        for text in [
            "client error (Connect): tcp connect error: Connection refused (os error 111)",
            "invalid peer certificate: certificate not valid for name \"r.io\"",
            "received fatal alert: InternalError",
            "",
        ] {
            assert_eq!(of(text, false), None, "{text}");
        }
    }
}
