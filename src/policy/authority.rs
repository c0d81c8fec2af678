//! Who is trusted to sign: an authority is one or more public keys, or an identity that certificates name.

use super::{Keyless, Name, PublicKey};
use crate::clock::Timestamp;

/// One acceptable source of trust.
#[derive(Debug)]
pub struct Authority {
    pub(super) name: Name,
    pub(super) kind: Kind,
    pub(super) trust_root: Option<Name>,
    pub(super) skip_transparency_log: bool,
    pub(super) skip_certificate_transparency: bool,
    pub(super) validity: Validity,
}

/// Since when and until when a key's signatures count: by their verified time, or by the present where they have none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Validity {
    /// The first instant.
    pub not_before: Timestamp,
    /// The last instant.
    pub not_after: Timestamp,
}

impl Validity {
    /// Without bounds.
    pub const ALWAYS: Self = Self { not_before: Timestamp(0), not_after: Timestamp::FOREVER };

    /// Whether `instant` is within it.
    pub fn contains(&self, instant: Timestamp) -> bool {
        self.not_before <= instant && instant <= self.not_after
    }
}

/// How an authority signs.
#[derive(Debug)]
pub enum Kind {
    /// With a certificate that names it.
    Keyless(Keyless),
    /// With any of these keys.
    Keys(Vec<PublicKey>),
}

impl Authority {
    /// An authority without a policy text, for tests of verification.
    #[cfg(test)]
    pub(crate) fn of_keys(name: &str, keys: Vec<PublicKey>) -> Self {
        let name = Name::new(name).expect("a name");
        Self {
            name,
            kind: Kind::Keys(keys),
            trust_root: None,
            skip_transparency_log: true,
            skip_certificate_transparency: false,
            validity: Validity::ALWAYS,
        }
    }

    /// The same keys under other demands, for tests of verification.
    #[cfg(test)]
    pub(crate) fn demanding(self, log: bool, validity: Validity) -> Self {
        Self { skip_transparency_log: !log, validity, ..self }
    }

    /// The same whose certificates need not have been logged, for tests of verification.
    #[cfg(test)]
    pub(crate) fn without_certificate_log(self) -> Self {
        Self { skip_certificate_transparency: true, ..self }
    }

    /// The same keys with the trusted root `name`, for tests of verification.
    #[cfg(test)]
    pub(crate) fn rooted(self, name: &str) -> Self {
        Self { trust_root: Name::new(name), ..self }
    }

    /// An authority outside any policy, for judging one file: no policy can name it.
    pub fn alone(kind: Kind, trust_root: Name) -> Self {
        Self {
            name: trust_root.clone(),
            kind,
            trust_root: Some(trust_root),
            skip_transparency_log: false,
            skip_certificate_transparency: false,
            validity: Validity::ALWAYS,
        }
    }

    /// Its name in the policy file.
    pub fn name(&self) -> &Name {
        &self.name
    }

    /// How it signs.
    pub fn kind(&self) -> &Kind {
        &self.kind
    }

    /// Its keys: any of them will do.
    pub fn keys(&self) -> &[PublicKey] {
        match &self.kind {
            Kind::Keyless(_) => &[],
            Kind::Keys(keys) => keys,
        }
    }

    /// The trusted root that its certificates, log entries and time stamps are verified against.
    pub fn trust_root(&self) -> Option<&Name> {
        self.trust_root.as_ref()
    }

    /// Whether it is spelled out that no transparency log entry is demanded.
    pub fn skips_transparency_log(&self) -> bool {
        self.skip_transparency_log
    }

    /// Whether it is spelled out that its certificates need not have been logged.
    pub fn skips_certificate_transparency(&self) -> bool {
        self.skip_certificate_transparency
    }

    /// When its keys' signatures count.
    pub fn validity(&self) -> Validity {
        self.validity
    }
}
