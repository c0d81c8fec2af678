//! What a request asks for: parsed whole, or refused. Nothing that was not understood is ever forwarded, and nothing
//! that a client sends becomes part of an upstream URL except through a parsed name.
//!
//! Read are the method, the target and `Host`, and nothing else: no header changes what is asked for or how. The path
//! is taken apart from its end, because `manifests`, `blobs`, `tags` and `referrers` are good names of repositories.

use std::fmt;

use http::Method;
use http::request::Parts;

use crate::oci::{Digest, Image, Reference, Registry};
use crate::reason::Reason;

pub mod registries;

pub mod page;

mod named;

pub use page::Page;
pub use registries::Registries;

/// A request that was understood. HEAD and GET are one request with two forms of answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Route {
    /// A blob of a repository.
    Blob(BlobPull),
    /// The repositories of a registry.
    Catalog(Registry, Page),
    /// A manifest of a repository.
    Manifest(ManifestPull),
    /// `/v2/`: is this a registry?
    Ping,
    /// The referrers of a digest.
    Referrers(Image, Digest, Page),
    /// The tags of a repository.
    Tags(Image, Page),
}

/// A request for a manifest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ManifestPull {
    /// Where it lives.
    pub image: Image,
    /// How the client names it.
    pub reference: Reference,
}

/// A request for a blob.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BlobPull {
    /// Where it lives.
    pub image: Image,
    /// What it must hash to.
    pub digest: Digest,
}

/// Why a request was not understood.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{detail}")]
pub struct RouteError {
    /// The reason.
    pub reason: Reason,
    /// The same for people.
    pub detail: String,
}

impl RouteError {
    fn new(reason: Reason, detail: impl Into<String>) -> Self {
        Self { reason, detail: detail.into() }
    }
}

impl Route {
    /// The repository that it is about, if it is about one.
    pub fn image(&self) -> Option<&Image> {
        match self {
            Self::Blob(pull) => Some(&pull.image),
            Self::Manifest(pull) => Some(&pull.image),
            Self::Referrers(image, ..) | Self::Tags(image, _) => Some(image),
            Self::Catalog(..) | Self::Ping => None,
        }
    }

    /// The tag or digest that it is about, as asked.
    pub fn reference(&self) -> Option<Reference> {
        match self {
            Self::Blob(pull) => Some(Reference::Digest(pull.digest)),
            Self::Manifest(pull) => Some(pull.reference.clone()),
            Self::Referrers(_, digest, _) => Some(Reference::Digest(*digest)),
            Self::Catalog(..) | Self::Ping | Self::Tags(..) => None,
        }
    }
}

impl fmt::Display for Route {
    /// What it is about, as references are written; nothing for `/v2/`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Blob(pull) => write!(f, "{}@{}", pull.image, pull.digest),
            Self::Catalog(registry, _) => fmt::Display::fmt(registry, f),
            Self::Manifest(ManifestPull { image, reference: Reference::Digest(digest) })
            | Self::Referrers(image, digest, _) => write!(f, "{image}@{digest}"),
            Self::Manifest(ManifestPull { image, reference: Reference::Tag(tag) }) => write!(f, "{image}:{tag}"),
            Self::Ping => Ok(()),
            Self::Tags(image, _) => fmt::Display::fmt(image, f),
        }
    }
}

/// Parses a request, in a time that grows with its length and no faster.
///
/// # Errors
/// `method_unsupported`, `not_routed`, `name_invalid`, `digest_invalid`, `registry_unknown` or `routes_disagree`.
pub fn parse(request: &Parts, registries: &Registries) -> Result<Route, RouteError> {
    if request.method != Method::GET && request.method != Method::HEAD {
        let detail = "this proxy serves pulls only; push to the registry itself";
        return Err(RouteError::new(Reason::MethodUnsupported, detail));
    }
    let not_routed = || RouteError::new(Reason::NotRouted, "not an endpoint of the distribution API");
    if request.uri.scheme().is_some() || request.uri.authority().is_some() {
        return Err(not_routed());
    }
    let path = request.uri.path();
    if path == "/v2/" || path == "/v2" {
        return Ok(Route::Ping);
    }
    let rest = path.strip_prefix("/v2/").ok_or_else(not_routed)?;
    if rest.contains('%') {
        return Err(RouteError::new(Reason::NameInvalid, "names are written without percent-encoding"));
    }
    if rest == "_catalog" {
        return Ok(Route::Catalog(named::registry(request, registries, None)?, Page::of(&request.uri)?));
    }
    let mut pieces = rest.rsplitn(3, '/');
    let (Some(last), Some(kind), Some(name)) = (pieces.next(), pieces.next(), pieces.next()) else {
        return Err(not_routed());
    };
    let image = || named::image(request, registries, name);
    match kind {
        "blobs" => Ok(Route::Blob(BlobPull { image: image()?, digest: digest(last)? })),
        "manifests" => Ok(Route::Manifest(ManifestPull { image: image()?, reference: reference(last)? })),
        "referrers" => Ok(Route::Referrers(image()?, digest(last)?, Page::of(&request.uri)?)),
        "tags" if last == "list" => Ok(Route::Tags(image()?, Page::of(&request.uri)?)),
        _ => Err(not_routed()),
    }
}

fn digest(text: &str) -> Result<Digest, RouteError> {
    text.parse().map_err(|error| RouteError::new(Reason::DigestInvalid, format!("`{}`: {error}", cut(text))))
}

fn reference(text: &str) -> Result<Reference, RouteError> {
    if text.contains(':') {
        return digest(text).map(Reference::Digest);
    }
    let invalid = |error| RouteError::new(Reason::NameInvalid, format!("`{}`: {error}", cut(text)));
    text.parse().map(Reference::Tag).map_err(invalid)
}

/// What a client sent, short enough to repeat.
fn cut(text: &str) -> String {
    text.chars().take(100).collect()
}

#[cfg(test)]
mod tests;
