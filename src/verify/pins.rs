//! Whether a certificate names whom an authority wants.

use super::envelope::shortened;
use super::{Certificate, Rejection};
use crate::policy::{Keyless, Revoked};
use crate::reason::Reason;

/// All of it on this one certificate: identity, issuer, every pin; and nobody who is revoked.
pub(super) fn check(certificate: &Certificate, wanted: &Keyless, revoked: &Revoked) -> Result<(), Rejection> {
    let (identity, issuer) = (certificate.identity(), certificate.issuer());
    if !wanted.identity.matches(identity) {
        let detail = format!("signed by {:?}, wanted is {}", shortened(identity), wanted.identity);
        return Err(Rejection::new(Reason::IdentityMismatch, detail));
    }
    if wanted.issuer != issuer {
        let detail = format!("{:?} vouches for the identity, wanted is {:?}", shortened(issuer), wanted.issuer);
        return Err(Rejection::new(Reason::IssuerMismatch, detail));
    }
    for pin in &wanted.pins {
        let (key, actual) = (pin.extension.key(), certificate.extension(pin.extension));
        if !actual.is_some_and(|actual| pin.value.matches(actual)) {
            let actual = actual.map_or("absent".into(), |actual| format!("{:?}", shortened(actual)));
            let detail = format!("`{key}` is {actual}, wanted is {}", pin.value);
            return Err(Rejection::new(Reason::ExtensionMismatch, detail));
        }
    }
    if revoked.identity(issuer, identity) {
        return Err(Rejection::new(Reason::Revoked, format!("signed by {:?}, which is revoked", shortened(identity))));
    }
    Ok(())
}
