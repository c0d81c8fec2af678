//! What an organisation demands of its images: data, and which policies govern which image. No I/O.
//!
//! Every policy that matches an image governs it, and all of them must hold: adding one can only deny more. What may
//! loosen is separate and explicit: `default`, exemptions and audit mode.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use crate::clock::Timestamp;
use crate::oci::{Digest, Image, Tag};

pub mod attestation;

pub mod authority;

pub mod condition;

pub mod file;

pub mod governing;

pub mod identity;

pub mod kyverno;

pub mod public_key;

mod rehearsal;

mod revision;

pub mod revoked;

pub mod scope;

pub mod tree;

pub mod trust_root;

pub use attestation::{Attestation, FieldPath, On, Select};
pub use authority::{Authority, Kind, Validity};
pub use condition::Condition;
pub use governing::Governing;
pub use identity::{Extension, Keyless, Pattern, Pin};
pub use public_key::{KeyError, PublicKey};
pub use revoked::{Revoked, RevokedIdentity};
pub use scope::Scope;
pub use tree::{Held, Leaf, Requirement, Shortfall, Signer, Truth};
pub use trust_root::{TrustRoot, TrustSource, TufSource};

/// All that one policy text says. Only [`mod@file`] makes one, by parsing.
#[derive(Debug)]
pub struct Policies {
    authorities: BTreeMap<Name, Arc<Authority>>,
    trust_roots: BTreeMap<Name, Arc<TrustRoot>>,
    all: Vec<Arc<Policy>>,
    exemptions: Vec<Arc<Exemption>>,
    revoked: Revoked,
    /// Over all revocations: hashed once, because there may be many, and every request asks for the revision.
    revoked_content: Digest,
    default: Mode,
    audit: bool,
    remembered: governing::Remembered,
}

/// The name of a policy or of an authority, as the file gives it.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
pub struct Name(Arc<str>);

/// What must hold for the images in its scopes. Its fields are private: nobody decides under a policy of their own.
#[derive(Debug)]
pub struct Policy {
    name: Name,
    matches: Vec<Scope>,
    except: Vec<Scope>,
    mode: Mode,
    require: Requirement,
    formats: Formats,
    evidence: Option<Image>,
    refuse_tags: Vec<Tag>,
    /// Whose evidence it asks for, each once.
    authorities: Vec<Arc<Authority>>,
    /// Over everything above and the keys that its authorities resolve to.
    content: Digest,
}

/// Whether a policy is obeyed or only watched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Refuse what does not satisfy it.
    Enforce,
    /// Serve, and say what would have been refused.
    Audit,
}

/// Which storage formats count as evidence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Formats {
    /// Sigstore bundles, version 0.3, found as referrers.
    pub bundle: bool,
    /// cosign's tags `sha256-….sig` and `.att`.
    pub legacy: bool,
}

/// How one piece of evidence is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Format {
    /// A Sigstore bundle.
    Bundle,
    /// cosign's legacy tags.
    Legacy,
}

impl Formats {
    /// Whether `format` counts.
    pub const fn accept(self, format: Format) -> bool {
        match format {
            Format::Bundle => self.bundle,
            Format::Legacy => self.legacy,
        }
    }
}

/// A written, reasoned permission to serve without some or all policies.
#[derive(Debug)]
pub struct Exemption {
    scopes: Vec<ExemptionScope>,
    policies: Option<Vec<Name>>,
    reason: String,
    expires: Option<Timestamp>,
    /// Over everything above.
    content: Digest,
}

/// What an exemption covers: repositories, or one digest of them.
#[derive(Debug)]
pub struct ExemptionScope {
    scope: Scope,
    digest: Option<Digest>,
}

impl Policies {
    /// Every policy, in the order of the file.
    pub fn all(&self) -> &[Arc<Policy>] {
        &self.all
    }

    /// The same policies, with every refusal that they make only watched if `audit`.
    #[must_use]
    pub fn audited(self, audit: bool) -> Self {
        Self { audit, ..self }
    }

    /// Every exemption, in the order of the file, expired or not.
    pub fn exemptions(&self) -> &[Arc<Exemption>] {
        &self.exemptions
    }

    /// What must never be served or believed again.
    pub fn revoked(&self) -> &Revoked {
        &self.revoked
    }

    /// Every authority by its name.
    pub fn authorities(&self) -> impl Iterator<Item = &Arc<Authority>> {
        self.authorities.values()
    }

    /// The trusted roots that it declares, by name.
    pub fn trust_roots(&self) -> &BTreeMap<Name, Arc<TrustRoot>> {
        &self.trust_roots
    }

    /// The authority `name`; loading made sure that every name which a policy uses exists.
    pub fn authority(&self, name: &Name) -> Option<&Arc<Authority>> {
        self.authorities.get(name)
    }
}

impl Policy {
    /// Its name.
    pub fn name(&self) -> &Name {
        &self.name
    }

    /// Whether it is obeyed or only watched.
    pub fn mode(&self) -> Mode {
        self.mode
    }

    /// What must hold.
    pub fn require(&self) -> &Requirement {
        &self.require
    }

    /// Whose evidence it asks for, each once.
    pub fn authorities(&self) -> &[Arc<Authority>] {
        &self.authorities
    }

    /// Which formats of evidence it accepts.
    pub fn formats(&self) -> Formats {
        self.formats
    }

    /// Where evidence may be as well as beside the image.
    pub fn evidence(&self) -> Option<&Image> {
        self.evidence.as_ref()
    }

    /// Whether it refuses requests by this tag, whatever the content.
    pub fn refuses(&self, tag: &Tag) -> bool {
        self.refuse_tags.contains(tag)
    }
}

impl Exemption {
    /// Why it exists, in its author's words.
    pub fn reason(&self) -> &str {
        &self.reason
    }

    /// When it ends, if it does.
    pub fn expires(&self) -> Option<Timestamp> {
        self.expires
    }

    /// Whether it takes `policy` away.
    pub fn covers(&self, policy: &Name) -> bool {
        self.policies.as_ref().is_none_or(|names| names.contains(policy))
    }

    /// Whether it names no policies and so takes all of them away.
    pub fn covers_all(&self) -> bool {
        self.policies.is_none()
    }
}

impl Name {
    /// Takes a non-empty text as a name.
    pub fn new(text: &str) -> Option<Self> {
        (!text.is_empty() && text.len() <= 128).then(|| Self(text.into()))
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&*self.0, f)
    }
}
