//! What a certificate is to say, before an authority signs it: every extension is a value that can be changed, doubled
//! or left out.

use std::io;

use rcgen::{CertificateParams, CustomExtension, DistinguishedName, DnType, Issuer};

use super::authority::{BEGIN, END};
use super::der;
use super::identity::Identity;
use super::key::Key;

/// An extension of a certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Extension {
    /// Its object identifier.
    pub oid: Vec<u64>,
    /// Whether who does not know it must refuse the certificate.
    pub critical: bool,
    /// Its value, which should be DER and need not.
    pub value: Vec<u8>,
}

impl Extension {
    /// One that is not critical.
    pub fn new(oid: &[u64], value: Vec<u8>) -> Self {
        Self { oid: oid.to_vec(), critical: false, value }
    }

    /// One that is.
    pub fn critical(oid: &[u64], value: Vec<u8>) -> Self {
        Self { critical: true, ..Self::new(oid, value) }
    }

    /// The extended key usage, as it stands in Fulcio's certificates.
    pub fn usage(purposes: &[&[u64]]) -> Self {
        let purposes: Vec<u8> = purposes.iter().flat_map(|purpose| der::oid(purpose)).collect();
        Self::new(EXTENDED_KEY_USAGE, der::tlv(0x30, &purposes))
    }

    /// The subject alternative names; critical, as the subject is empty.
    pub fn names(identity: &Identity) -> Self {
        let names: Vec<u8> = identity.names.iter().flat_map(super::San::der).collect();
        Self::critical(SUBJECT_ALTERNATIVE_NAME, der::tlv(0x30, &names))
    }

    /// The key usage, by its bits: `0x80` is `digitalSignature`, `0x04` `keyCertSign`.
    pub fn key_usage(bits: u8) -> Self {
        let unused = u8::try_from(bits.trailing_zeros().min(7)).unwrap_or_default();
        Self::critical(KEY_USAGE, der::tlv(0x03, &[unused, bits]))
    }

    /// The basic constraints of an authority.
    pub fn authority() -> Self {
        Self::critical(BASIC_CONSTRAINTS, der::sequence(&[der::tlv(0x01, &[0xff])]))
    }
}

/// What a certificate is to say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template {
    /// The common name; empty in Fulcio's certificates.
    pub subject: String,
    /// From when it is valid, in seconds since 1970.
    pub not_before: i64,
    /// Until when, itself included.
    pub not_after: i64,
    /// Its extensions, in order.
    pub extensions: Vec<Extension>,
}

impl Template {
    /// What Fulcio says of `identity` at `now`: a certificate for ten minutes.
    pub fn of(identity: &Identity, now: i64) -> Self {
        let mut extensions =
            vec![Extension::key_usage(0x80), Extension::usage(&[CODE_SIGNING]), Extension::names(identity)];
        extensions.extend(identity.extensions());
        Self { subject: String::new(), not_before: now, not_after: now + 600, extensions }
    }

    /// A time stamp authority's: its one purpose is critical.
    pub fn stamping() -> Self {
        let usage = Extension { critical: true, ..Extension::usage(&[TIME_STAMPING]) };
        let extensions = vec![Extension::key_usage(0x80), usage];
        Self { subject: "virtual tsa".into(), not_before: BEGIN, not_after: END, extensions }
    }

    /// An authority's.
    pub fn authority(subject: &str, not_before: i64, not_after: i64, extensions: Vec<Extension>) -> Self {
        let mut all = vec![Extension::key_usage(0x06), Extension::authority()];
        all.extend(extensions);
        Self { subject: subject.into(), not_before, not_after, extensions: all }
    }

    /// The extension `oid`, to be changed.
    pub fn extension(&mut self, oid: &[u64]) -> Option<&mut Extension> {
        self.extensions.iter_mut().find(|one| one.oid == oid)
    }

    /// Without the extension `oid`.
    #[must_use]
    pub fn without(mut self, oid: &[u64]) -> Self {
        self.extensions.retain(|one| one.oid != oid);
        self
    }

    /// With `extension` in the place of that of the same kind, or at the end.
    #[must_use]
    pub fn with(mut self, extension: Extension) -> Self {
        match self.extension(&extension.oid) {
            Some(known) => *known = extension,
            None => self.extensions.push(extension),
        }
        self
    }

    /// The certificate for `key`, signed by `signer` in the name `issuer`.
    pub(super) fn sign(&self, key: &Key, issuer: &str, issuer_key: &Key) -> io::Result<Vec<u8>> {
        let mut named = CertificateParams::default();
        named.distinguished_name = name(issuer);
        let issuer = Issuer::from_params(&named, issuer_key.pair());
        let certificate = self.params().signed_by(key.pair(), &issuer).map_err(io::Error::other)?;
        Ok(certificate.der().to_vec())
    }

    fn params(&self) -> CertificateParams {
        let mut params = CertificateParams::default();
        params.distinguished_name = name(&self.subject);
        params.not_before = rcgen::date_time_ymd(1970, 1, 1) + seconds(self.not_before);
        params.not_after = rcgen::date_time_ymd(1970, 1, 1) + seconds(self.not_after);
        params.custom_extensions = self.extensions.iter().map(custom).collect();
        params
    }
}

fn name(common: &str) -> DistinguishedName {
    let mut name = DistinguishedName::new();
    if !common.is_empty() {
        name.push(DnType::OrganizationName, "sigstore.virtual.test");
        name.push(DnType::CommonName, common);
    }
    name
}

fn custom(extension: &Extension) -> CustomExtension {
    let mut custom = CustomExtension::from_oid_content(&extension.oid, extension.value.clone());
    custom.set_criticality(extension.critical);
    custom
}

/// Times before 1970 are taken for 1970.
fn seconds(at: i64) -> std::time::Duration {
    std::time::Duration::from_secs(at.try_into().unwrap_or_default())
}

/// `keyUsage`.
pub const KEY_USAGE: &[u64] = &[2, 5, 29, 15];
/// `extKeyUsage`.
pub const EXTENDED_KEY_USAGE: &[u64] = &[2, 5, 29, 37];
/// `subjectAltName`.
pub const SUBJECT_ALTERNATIVE_NAME: &[u64] = &[2, 5, 29, 17];
/// `basicConstraints`.
pub const BASIC_CONSTRAINTS: &[u64] = &[2, 5, 29, 19];
/// `id-kp-codeSigning`.
pub const CODE_SIGNING: &[u64] = &[1, 3, 6, 1, 5, 5, 7, 3, 3];
/// `id-kp-serverAuth`.
pub const SERVER_AUTH: &[u64] = &[1, 3, 6, 1, 5, 5, 7, 3, 1];
/// `id-kp-timeStamping`.
pub const TIME_STAMPING: &[u64] = &[1, 3, 6, 1, 5, 5, 7, 3, 8];
