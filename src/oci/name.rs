//! Names of the distribution specification: registry, repository, tag, and what they make together.

use std::borrow::Borrow;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use super::digest::Digest;

/// A registry's canonical name: lower-case `host` or `host:port`, without the default port 443.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Registry(Arc<str>);

/// A repository's name, such as `team/app`: the path between `/v2/` and `/manifests/`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Repository(Arc<str>);

/// A tag: a mutable name of a manifest in one repository.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Tag(Arc<str>);

/// The text is not a name of the distribution specification.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a {what} of the OCI distribution specification")]
pub struct ParseNameError {
    what: &'static str,
}

impl FromStr for Registry {
    type Err = ParseNameError;

    /// Parses a registry and makes it canonical; the aliases of Docker Hub become `docker.io`.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const ERROR: ParseNameError = ParseNameError { what: "registry" };
        if text.len() > 255 || !text.is_ascii() {
            return Err(ERROR);
        }
        let lower = text.to_ascii_lowercase();
        let (host, port) = match lower.rsplit_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (lower.as_str(), None),
        };
        let label = |label: &str| {
            !label.is_empty()
                && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
                && !label.starts_with('-')
                && !label.ends_with('-')
        };
        if !host.split('.').all(label) {
            return Err(ERROR);
        }
        let number = |port: &str| port.bytes().all(|b| b.is_ascii_digit()) && port.parse::<u16>().is_ok_and(|n| n > 0);
        if port.is_some_and(|port| !number(port)) {
            return Err(ERROR);
        }
        let canonical = match port {
            Some("443") | None => host,
            Some(_) => &lower,
        };
        Ok(match canonical {
            alias if HUB.contains(&alias) => Self("docker.io".into()),
            other => Self(other.into()),
        })
    }
}

impl Registry {
    /// Whether `text`, if it is a registry at all, is its own canonical form.
    pub fn is_plain(text: &str) -> bool {
        let spelt = text.ends_with(":443") || text.bytes().any(|b| b.is_ascii_uppercase());
        !spelt && !HUB.iter().any(|alias| text.starts_with(alias))
    }
}

/// As text, so that a map by registry can be asked without making one.
impl Borrow<str> for Registry {
    fn borrow(&self) -> &str {
        &self.0
    }
}

/// Other names of `docker.io`.
const HUB: [&str; 2] = ["index.docker.io", "registry-1.docker.io"];

impl FromStr for Repository {
    type Err = ParseNameError;

    /// Parses `[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*(/…)*`, at most 255 characters.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.len() <= 255 && text.split('/').all(is_path_component) {
            Ok(Self(text.into()))
        } else {
            Err(ParseNameError { what: "repository" })
        }
    }
}

/// Whether `text` is one component of a repository's name.
fn is_path_component(text: &str) -> bool {
    let alphanumeric = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    let (bytes, mut at) = (text.as_bytes(), 0);
    let while_so = |from: usize, so: &dyn Fn(u8) -> bool| bytes[from..].iter().take_while(|b| so(**b)).count();
    loop {
        let word = while_so(at, &alphanumeric);
        at += word;
        if word == 0 || at == bytes.len() {
            return word > 0;
        }
        let separator = while_so(at, &|b| matches!(b, b'.' | b'_' | b'-'));
        let joins = |separator: &[u8]| matches!(separator, b"." | b"_" | b"__") || separator.iter().all(|b| *b == b'-');
        if separator == 0 || !joins(&bytes[at..at + separator]) {
            return false;
        }
        at += separator;
    }
}

impl FromStr for Tag {
    type Err = ParseNameError;

    /// Parses `[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}`.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let word = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
        let mut bytes = text.bytes();
        let first = bytes.next().is_some_and(word);
        if first && text.len() <= 128 && bytes.all(|b| word(b) || b == b'.' || b == b'-') {
            Ok(Self(text.into()))
        } else {
            Err(ParseNameError { what: "tag" })
        }
    }
}

macro_rules! text {
    ($($name:ident),*) => {$(
        impl $name {
            /// The name as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    )*};
}
text!(Registry, Repository, Tag);

macro_rules! as_text {
    ($($name:ident),*) => {$(
        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(&self.0)
            }
        }
        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = std::borrow::Cow::<str>::deserialize(deserializer)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }
    )*};
}
as_text!(Registry, Repository);

/// A repository of a registry: where an image lives.
#[derive(Debug, Clone, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub struct Image {
    /// The registry that holds it.
    pub registry: Registry,
    /// Its repository there.
    pub repository: Repository,
}

impl Image {
    /// The image that a client calls `repository` at `registry`: what is `nginx` on Docker Hub is `library/nginx`.
    ///
    /// # Errors
    /// If it is not a repository's name.
    pub fn parse(registry: Registry, repository: &str) -> Result<Self, ParseNameError> {
        let official = registry.as_str() == "docker.io" && !repository.contains('/');
        let repository = if official { format!("library/{repository}").parse() } else { repository.parse() }?;
        Ok(Self { registry, repository })
    }

    /// The manifest `digest` of this repository.
    pub fn at(&self, digest: Digest) -> Subject {
        Subject { image: self.clone(), digest }
    }
}

impl fmt::Display for Image {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.registry, self.repository)
    }
}

/// A manifest by content: what a verdict is about.
#[derive(Debug, Clone, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub struct Subject {
    /// Where it lives.
    pub image: Image,
    /// Its digest.
    pub digest: Digest,
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}", self.image, self.digest)
    }
}

/// How a request names a manifest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reference {
    /// By content.
    Digest(Digest),
    /// By mutable name.
    Tag(Tag),
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Digest(digest) => fmt::Display::fmt(digest, f),
            Self::Tag(tag) => fmt::Display::fmt(tag, f),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn registries_become_canonical() {
        for (written, canonical) in [
            ("Registry.Company.com", "registry.company.com"),
            ("registry.company.com:443", "registry.company.com"),
            ("localhost:5000", "localhost:5000"),
            ("registry-1.docker.io", "docker.io"),
            ("index.docker.io:443", "docker.io"),
            ("registry-1.docker.io:5000", "registry-1.docker.io:5000"),
        ] {
            assert_eq!(written.parse::<Registry>().expect(written).as_str(), canonical);
            assert!(!Registry::is_plain(written) || written == canonical, "{written}");
        }
        for bad in ["", ":", "a:", "a:b", "a:0", "a:70000", "a b", "a/b", "-a.b", "a..b", "[::1]", "ä.de", "a:+5"] {
            assert!(bad.parse::<Registry>().is_err(), "{bad}");
        }
    }

    #[test]
    fn repositories_follow_the_grammar() {
        for good in ["a", "team/app", "a.b_c__d-e---f", "manifests", "blobs/tags"] {
            assert!(good.parse::<Repository>().is_ok(), "{good}");
        }
        let long = "a/".repeat(200);
        for bad in ["", "/a", "a/", "a//b", "A", "a..b", "a___b", "-a", "a-", "a._b", "..", "a%2fb", "a b", &long] {
            assert!(bad.parse::<Repository>().is_err(), "{bad}");
        }
    }

    #[test]
    fn tags_follow_the_grammar() {
        for good in ["1", "v1.2.3", "_x", "sha256-ab.sig"] {
            assert!(good.parse::<Tag>().is_ok(), "{good}");
        }
        for bad in ["", ".a", "-a", "a:b", "a/b", &"a".repeat(129)] {
            assert!(bad.parse::<Tag>().is_err(), "{bad}");
        }
    }
}
