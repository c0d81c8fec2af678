//! The signing certificate: whom it names, read strictly. That it is genuine is established elsewhere.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use x509_cert::Certificate as X509;
use x509_cert::der::asn1::{ObjectIdentifier, Utf8StringRef};
use x509_cert::der::{Decode, Encode};
use x509_cert::ext::pkix::name::GeneralName;
use x509_cert::ext::pkix::{BasicConstraints, KeyUsage, KeyUsages, SubjectAltName};

use super::Rejection;
use crate::clock::Timestamp;
use crate::policy::Extension;
use crate::reason::Reason;

/// What a signing certificate says. Only claims: see [`super::Verified`] for when they are true.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Certificate {
    identity: String,
    issuer: String,
    /// By the last number of Fulcio's arc; the issuer is not among them.
    extensions: BTreeMap<u8, String>,
    not_before: Timestamp,
    not_after: Timestamp,
    logged: bool,
}

impl Certificate {
    /// Reads a DER certificate.
    pub(super) fn read(der: &[u8]) -> Result<Self, Rejection> {
        if der.len() > MAX_CERTIFICATE {
            let detail = format!("a certificate of {} bytes, at most {MAX_CERTIFICATE} are read", der.len());
            return Err(Rejection::new(Reason::EvidenceTooLarge, detail));
        }
        let parsed = X509::from_der(der).map_err(|error| invalid(format!("it cannot be parsed: {error}")))?;
        let extensions = Extensions::of(&parsed)?;
        extensions.check_use()?;
        let mut fulcio = extensions.fulcio()?;
        let issuer = match (fulcio.remove(&1), fulcio.remove(&8)) {
            (Some(old), Some(new)) if old != new => {
                return Err(invalid(format!("two issuers, {old:?} and {new:?}")));
            }
            (_, Some(issuer)) | (Some(issuer), None) => issuer,
            (None, None) => return Err(invalid("it names no issuer")),
        };
        let validity = &parsed.tbs_certificate.validity;
        Ok(Self {
            identity: extensions.identity()?,
            issuer,
            extensions: fulcio,
            not_before: Timestamp(validity.not_before.to_unix_duration().as_secs()),
            not_after: Timestamp(validity.not_after.to_unix_duration().as_secs()),
            logged: extensions.find(SCT_LIST).is_some(),
        })
    }

    /// The one subject alternative name.
    pub fn identity(&self) -> &str {
        &self.identity
    }

    /// The OIDC issuer that vouched for the identity.
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// What Fulcio says under `extension`.
    pub fn extension(&self, extension: Extension) -> Option<&str> {
        self.extensions.get(&extension.number()).map(String::as_str)
    }

    /// How long it may be used.
    pub fn life(&self) -> Duration {
        Duration::from_secs(self.not_after.0.saturating_sub(self.not_before.0))
    }

    /// Whether it was valid at `instant`.
    pub(super) fn valid_at(&self, instant: Timestamp) -> bool {
        self.not_before <= instant && instant <= self.not_after
    }

    /// Whether it says that it was logged.
    pub(super) fn logged(&self) -> bool {
        self.logged
    }
}

/// The extensions of one certificate, each at most once.
struct Extensions<'a>(&'a [x509_cert::ext::Extension]);

impl<'a> Extensions<'a> {
    fn of(certificate: &'a X509) -> Result<Self, Rejection> {
        let all = certificate.tbs_certificate.extensions.as_deref().unwrap_or_default();
        let mut seen = BTreeSet::new();
        match all.iter().find(|extension| !seen.insert(extension.extn_id)) {
            Some(twice) => Err(invalid(format!("the extension {} twice", twice.extn_id))),
            None => Ok(Self(all)),
        }
    }

    fn find(&self, id: ObjectIdentifier) -> Option<&'a [u8]> {
        self.0.iter().find(|extension| extension.extn_id == id).map(|extension| extension.extn_value.as_bytes())
    }

    fn parse<T: Decode<'a>>(&self, name: &str, id: ObjectIdentifier) -> Result<Option<T>, Rejection> {
        let parsed = self.find(id).map(T::from_der).transpose();
        parsed.map_err(|error| invalid(format!("its {name} cannot be parsed: {error}")))
    }

    /// It may sign and is not an authority. The verifier sees to the extended key usage.
    fn check_use(&self) -> Result<(), Rejection> {
        let signs = |usage: KeyUsage| usage.0.contains(KeyUsages::DigitalSignature);
        if !self.parse("key usage", KEY_USAGE)?.is_some_and(signs) {
            return Err(invalid("its key usage does not include digital signatures"));
        }
        if self.parse("basic constraints", BASIC_CONSTRAINTS)?.is_some_and(|basic: BasicConstraints| basic.ca) {
            return Err(invalid("it is an authority's certificate"));
        }
        if self.find(POISON).is_some() {
            return Err(invalid("it is a precertificate"));
        }
        Ok(())
    }

    /// The one subject alternative name. Each kind must look like its kind, because patterns compare texts only: an
    /// e-mail address that reads as a URI could be taken for a pipeline.
    fn identity(&self) -> Result<String, Rejection> {
        let names: SubjectAltName = self
            .parse("subject alternative name", SUBJECT_ALT_NAME)?
            .ok_or_else(|| invalid("it has no subject alternative name"))?;
        let [name] = names.0.as_slice() else {
            return Err(invalid(format!("{} subject alternative names, expected one", names.0.len())));
        };
        let (kind, text) = match name {
            GeneralName::Rfc822Name(text) => (Kind::Email, text.as_str().to_owned()),
            GeneralName::UniformResourceIdentifier(text) => (Kind::Uri, text.as_str().to_owned()),
            GeneralName::OtherName(other) if other.type_id == USERNAME => {
                let value = other.value.to_der().map_err(|error| invalid(error.to_string()))?;
                (Kind::Username, utf8(&value).ok_or_else(|| invalid("its username is no UTF-8 string"))?.to_owned())
            }
            _ => {
                return Err(invalid("its subject alternative name is neither a URI, an e-mail address nor a username"));
            }
        };
        if kind.fits(&text) { Ok(text) } else { Err(invalid(format!("{text:?} is not {}", kind.name()))) }
    }

    /// Fulcio's texts by their number: bare up to 6, in DER from 8 on.
    fn fulcio(&self) -> Result<BTreeMap<u8, String>, Rejection> {
        let mut found = BTreeMap::new();
        for extension in self.0 {
            let Some(number) = fulcio_number(extension.extn_id) else { continue };
            let bytes = extension.extn_value.as_bytes();
            let text = if number <= 6 { std::str::from_utf8(bytes).ok() } else { utf8(bytes) };
            let text = text.filter(|text| !text.chars().any(char::is_control));
            let text = text.ok_or_else(|| invalid(format!("the extension {} is no text", extension.extn_id)))?;
            found.insert(number, text.to_owned());
        }
        Ok(found)
    }
}

#[derive(Clone, Copy)]
enum Kind {
    Email,
    Uri,
    Username,
}

impl Kind {
    const fn name(self) -> &'static str {
        match self {
            Self::Email => "an e-mail address",
            Self::Uri => "a URI",
            Self::Username => "a username as Fulcio writes it",
        }
    }

    fn fits(self, text: &str) -> bool {
        let count = |wanted: char| text.chars().filter(|c| *c == wanted).count();
        let foreign = |c: char| c.is_control() || c == ' ';
        let scheme = |text: &str| {
            text.starts_with(|c: char| c.is_ascii_alphabetic())
                && text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.'))
        };
        !text.chars().any(foreign)
            && match self {
                Self::Email => count('@') == 1 && !text.contains([':', '/', '!']),
                Self::Uri => text.split_once(':').is_some_and(|(before, _)| scheme(before)),
                Self::Username => count('!') == 1 && !text.contains([':', '/', '@']),
            }
    }
}

fn fulcio_number(id: ObjectIdentifier) -> Option<u8> {
    if id.parent()? != FULCIO {
        return None;
    }
    let number = u8::try_from(id.arcs().last()?).ok()?;
    matches!(number, 1..=6 | 8..=24).then_some(number)
}

fn utf8(der: &[u8]) -> Option<&str> {
    Utf8StringRef::from_der(der).ok().map(|text| text.as_str())
}

fn invalid(why: impl AsRef<str>) -> Rejection {
    Rejection::new(Reason::CertificateInvalid, format!("the certificate: {}", why.as_ref()))
}

pub(super) const fn oid(text: &str) -> ObjectIdentifier {
    ObjectIdentifier::new_unwrap(text)
}

/// Fulcio's arc.
const FULCIO: ObjectIdentifier = oid("1.3.6.1.4.1.57264.1");
/// The type of a subject alternative name that is a username.
const USERNAME: ObjectIdentifier = oid("1.3.6.1.4.1.57264.1.7");
const KEY_USAGE: ObjectIdentifier = oid("2.5.29.15");
const BASIC_CONSTRAINTS: ObjectIdentifier = oid("2.5.29.19");
const SUBJECT_ALT_NAME: ObjectIdentifier = oid("2.5.29.17");
pub(super) const SCT_LIST: ObjectIdentifier = oid("1.3.6.1.4.1.11129.2.4.2");
const POISON: ObjectIdentifier = oid("1.3.6.1.4.1.11129.2.4.3");
/// The most bytes of one certificate; Fulcio's have about 900.
pub(super) const MAX_CERTIFICATE: usize = 16 << 10;
