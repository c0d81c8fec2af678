//! The certificates of a trusted root, judged by their own words. To the crate every certificate of a chain is an anchor,
//! and of an anchor nobody asks whether it had expired or may issue at all.

use sigstore_verify::trust_root::TrustedRoot;
use sigstore_verify::types::{DerCertificate, TimeRange};
use x509_cert::Certificate;
use x509_cert::der::Decode;
use x509_cert::der::asn1::ObjectIdentifier;
use x509_cert::ext::Extension;
use x509_cert::ext::pkix::{BasicConstraints, ExtendedKeyUsage, KeyUsage, KeyUsages};

/// Narrows each authority's time to that of its intermediates.
///
/// # Errors
/// If a certificate may not do what it is trusted for.
pub(super) fn tighten(root: &mut TrustedRoot) -> Result<(), String> {
    if !VERSIONS.contains(&root.media_type.as_str()) {
        return Err(format!("a trusted root of the media type {:?}", root.media_type));
    }
    for authority in &mut root.certificate_authorities {
        let chain = certificates(authority.cert_chain.certificates.iter().map(|one| &one.raw_bytes))?;
        for (below, certificate) in chain.iter().enumerate() {
            may_issue(certificate, below).map_err(|why| wrong("certificate authority", certificate, &why))?;
        }
        // The last is the anchor, which is trusted for as long as the root says.
        for certificate in chain.iter().rev().skip(1) {
            authority.valid_for = Some(narrowed(authority.valid_for, certificate)?);
        }
    }
    for authority in &root.timestamp_authorities {
        let first = authority.cert_chain.certificates.iter().take(1).map(|one| &one.raw_bytes);
        for certificate in &certificates(first)? {
            may_stamp(certificate).map_err(|why| wrong("time stamp authority", certificate, &why))?;
        }
    }
    Ok(())
}

fn certificates<'a>(all: impl Iterator<Item = &'a DerCertificate>) -> Result<Vec<Certificate>, String> {
    let parse = |der| Certificate::from_der(der).map_err(|error| format!("a certificate of a chain: {error}"));
    all.map(|der| parse(der.as_bytes())).collect()
}

/// Whether `certificate` may issue signing certificates over `below` authorities.
fn may_issue(certificate: &Certificate, below: usize) -> Result<(), String> {
    let basic: Option<BasicConstraints> = parsed(certificate, BASIC_CONSTRAINTS)?;
    let Some(basic) = basic.filter(|basic| basic.ca) else { return Err("it is no authority's".into()) };
    if basic.path_len_constraint.is_some_and(|most| usize::from(most) < below) {
        return Err("there are more authorities below it than it allows".into());
    }
    let usage: Option<KeyUsage> = parsed(certificate, KEY_USAGE)?;
    if usage.is_some_and(|usage| !usage.0.contains(KeyUsages::KeyCertSign)) {
        return Err("its key usage does not include issuing".into());
    }
    let purposes: Option<ExtendedKeyUsage> = parsed(certificate, EXTENDED_KEY_USAGE)?;
    if purposes.is_some_and(|all| !all.0.iter().any(|one| [CODE_SIGNING, ANY_PURPOSE].contains(one))) {
        return Err("it is not for code signing".into());
    }
    match extensions(certificate).iter().find(|one| one.critical && !KNOWN.contains(&one.extn_id)) {
        Some(unknown) => Err(format!("its critical extension {} is not known", unknown.extn_id)),
        None => Ok(()),
    }
}

/// RFC 3161, 2.3: stamping is the one purpose of such a certificate, and that is critical. An authority's own
/// certificate, without that of the stamps, is none.
fn may_stamp(certificate: &Certificate) -> Result<(), String> {
    let critical = extensions(certificate).iter().any(|one| one.extn_id == EXTENDED_KEY_USAGE && one.critical);
    match parsed::<ExtendedKeyUsage>(certificate, EXTENDED_KEY_USAGE)? {
        Some(purposes) if critical && purposes.0 == [TIME_STAMPING] => Ok(()),
        _ => Err("time stamping is not its one, critical purpose".into()),
    }
}

fn narrowed(range: Option<TimeRange>, certificate: &Certificate) -> Result<TimeRange, String> {
    let validity = &certificate.tbs_certificate.validity;
    let instant = |time: &x509_cert::time::Time| {
        let seconds = i64::try_from(time.to_unix_duration().as_secs()).map_err(|error| error.to_string())?;
        jiff::Timestamp::from_second(seconds).map_err(|error| error.to_string())
    };
    let (start, end) = (instant(&validity.not_before)?, instant(&validity.not_after)?);
    Ok(match range {
        Some(range) => TimeRange::new(range.start.max(start), Some(range.end.map_or(end, |other| other.min(end)))),
        None => TimeRange::new(start, Some(end)),
    })
}

fn extensions(certificate: &Certificate) -> &[Extension] {
    certificate.tbs_certificate.extensions.as_deref().unwrap_or_default()
}

fn parsed<'a, T: Decode<'a>>(certificate: &'a Certificate, id: ObjectIdentifier) -> Result<Option<T>, String> {
    let found = extensions(certificate).iter().find(|one| one.extn_id == id);
    let parsed = found.map(|one| T::from_der(one.extn_value.as_bytes())).transpose();
    parsed.map_err(|error| format!("its extension {id}: {error}"))
}

fn wrong(what: &str, certificate: &Certificate, why: &str) -> String {
    format!("the certificate {:?} of a {what}: {why}", certificate.tbs_certificate.subject.to_string())
}

const fn oid(text: &str) -> ObjectIdentifier {
    ObjectIdentifier::new_unwrap(text)
}

/// The versions that there are; what a later one means is not known.
const VERSIONS: [&str; 3] = [
    "application/vnd.dev.sigstore.trustedroot+json;version=0.1",
    "application/vnd.dev.sigstore.trustedroot.v0.1+json",
    "application/vnd.dev.sigstore.trustedroot.v0.2+json",
];
const KEY_USAGE: ObjectIdentifier = oid("2.5.29.15");
const BASIC_CONSTRAINTS: ObjectIdentifier = oid("2.5.29.19");
const NAME_CONSTRAINTS: ObjectIdentifier = oid("2.5.29.30");
const EXTENDED_KEY_USAGE: ObjectIdentifier = oid("2.5.29.37");
const ANY_PURPOSE: ObjectIdentifier = oid("2.5.29.37.0");
const CODE_SIGNING: ObjectIdentifier = oid("1.3.6.1.5.5.7.3.3");
const TIME_STAMPING: ObjectIdentifier = oid("1.3.6.1.5.5.7.3.8");
/// What an authority may mark as critical: these are looked at, here or by the crate.
const KNOWN: [ObjectIdentifier; 4] = [KEY_USAGE, BASIC_CONSTRAINTS, NAME_CONSTRAINTS, EXTENDED_KEY_USAGE];

#[cfg(test)]
mod tests {
    use sigstore_verify::trust_root as known;

    use super::*;

    #[test]
    fn the_public_roots_are_fine() {
        for json in [
            known::SIGSTORE_PRODUCTION_TRUSTED_ROOT,
            known::SIGSTORE_STAGING_TRUSTED_ROOT,
            known::SIGSTORE_GITHUB_TRUSTED_ROOT,
        ] {
            let mut root = TrustedRoot::from_json(json).expect("a root");
            assert_eq!(tighten(&mut root), Ok(()));
        }
    }
}
