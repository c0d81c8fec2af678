//! The authorities that the attestors become: each once, however many policies use it.

use std::collections::{BTreeMap, BTreeSet};

use super::wildcard::Identity;

/// All authorities that were met so far.
#[derive(Debug, Default)]
pub(super) struct Authorities(Vec<Authority>);

/// Which authority: its number.
pub(super) type Id = usize;

/// Who is trusted to sign.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Authority {
    pub(super) kind: Kind,
    pub(super) trust: Trust,
}

/// How an authority signs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Kind {
    /// With this key.
    Key { pem: String, fingerprint: String },
    /// With a certificate that says this.
    Keyless { issuer: String, identity: Identity, pins: Vec<(&'static str, String)> },
}

/// By what its signatures are verified.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Trust {
    pub(super) root: Option<Root>,
    pub(super) skip_transparency_log: bool,
    pub(super) skip_certificate_transparency: bool,
}

/// A trusted root.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Root {
    /// Of Sigstore's public instance.
    PublicGood,
    /// A file that has to be written: what it is called, and what must be in it.
    Own { name: String, holds: Vec<String> },
}

/// Authorities of which some or all must have signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Signers {
    All(Vec<Self>),
    Any(Vec<Self>),
    AtLeast(usize, Vec<Self>),
    By(Signer),
}

/// Who must have signed, and with which annotations.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Signer {
    pub(super) id: Id,
    pub(super) annotations: BTreeMap<String, String>,
}

impl Authorities {
    /// The number of `authority`, which is new or known.
    pub(super) fn add(&mut self, authority: Authority) -> Id {
        self.0.iter().position(|known| *known == authority).unwrap_or_else(|| {
            self.0.push(authority);
            self.0.len() - 1
        })
    }

    pub(super) fn get(&self, id: Id) -> Option<&Authority> {
        self.0.get(id)
    }

    /// The names of those that are used, by number: what they are, as far as a name can say it.
    pub(super) fn names(&self, used: &BTreeSet<Id>) -> Vec<(Id, String)> {
        let mut names: Vec<(Id, String)> = Vec::new();
        for (id, authority) in self.0.iter().enumerate().filter(|(id, _)| used.contains(id)) {
            let name = authority.name();
            names.push((id, unique(&name, names.iter().map(|(_, name)| name.as_str()))));
        }
        names
    }
}

impl Authority {
    fn name(&self) -> String {
        match &self.kind {
            Kind::Key { fingerprint, .. } => {
                format!("key-{}", fingerprint.rsplit(':').next().unwrap_or_default().get(..8).unwrap_or_default())
            }
            Kind::Keyless { issuer, identity, .. } => {
                let issuer = match issuer.as_str() {
                    "https://token.actions.githubusercontent.com" => "github",
                    "https://gitlab.com" => "gitlab",
                    "https://accounts.google.com" => "google",
                    other => other.split("://").nth(1).unwrap_or(other),
                };
                let identity = identity.start();
                let path = identity
                    .split_once("://")
                    .map_or(identity.as_str(), |(_, rest)| rest.split_once('/').map_or("", |(_, path)| path));
                let path: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).take(2).collect();
                word(&format!("{issuer}-{}", path.join("-")))
            }
        }
    }
}

impl Signers {
    /// Such a list; of a single one, itself.
    pub(super) fn of(mut list: Vec<Self>, make: impl FnOnce(Vec<Self>) -> Self) -> Option<Self> {
        if list.len() > 1 { Some(make(list)) } else { list.pop() }
    }

    /// The same, as those who attest: only signatures have annotations.
    pub(super) fn attesting(&self) -> Self {
        let all = |of: &[Self]| of.iter().map(Self::attesting).collect();
        match self {
            Self::All(of) => Self::All(all(of)),
            Self::Any(of) => Self::Any(all(of)),
            Self::AtLeast(n, of) => Self::AtLeast(*n, all(of)),
            Self::By(signer) => Self::By(Signer { id: signer.id, annotations: BTreeMap::new() }),
        }
    }

    /// Every authority in it.
    pub(super) fn ids(&self) -> Vec<Id> {
        match self {
            Self::All(of) | Self::Any(of) | Self::AtLeast(_, of) => of.iter().flat_map(Self::ids).collect(),
            Self::By(signer) => vec![signer.id],
        }
    }
}

/// `name`, with a number behind it if it is taken.
pub(super) fn unique<'a>(name: &str, taken: impl IntoIterator<Item = &'a str>) -> String {
    let taken: BTreeSet<&str> = taken.into_iter().collect();
    let free = |name: &String| !taken.contains(name.as_str());
    let numbered = (2..).map(|number| format!("{name}-{number}"));
    std::iter::once(name.to_string()).chain(numbered).find(free).unwrap_or_default()
}

/// What a name may be of `text`: letters, digits, dots, and hyphens for the rest.
pub(super) fn word(text: &str) -> String {
    let kept = |c: char| if c.is_ascii_alphanumeric() || c == '.' || c == '_' { c.to_ascii_lowercase() } else { '-' };
    let text: String = text.chars().map(kept).collect();
    let parts: Vec<&str> = text.split('-').filter(|part| !part.is_empty()).collect();
    let text: String = parts.join("-").trim_start_matches(['.', '_']).chars().take(64).collect();
    if text.is_empty() { "unnamed".into() } else { text }
}
