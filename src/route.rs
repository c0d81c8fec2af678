//! What a request asks for: parsed whole, or refused. Nothing that was not understood is ever forwarded, and nothing
//! that a client sends becomes part of an upstream URL except through a parsed name.

use http::Method;
use http::request::Parts;

use crate::oci::{Digest, Image, Reference, Registry, Repository};
use crate::reason::Reason;

pub mod registries;

pub use registries::Registries;

/// A request that was understood. HEAD and GET are one request with two forms of answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Route {
    /// A blob of a repository.
    Blob(BlobPull),
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

/// Which part of a list. Beside the distribution specification's `n` and `last` a registry may put a cursor of its own
/// into the link to the next page, so other parameters are passed on as well, decoded and bounded.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Page {
    /// What the registry is asked.
    pub parameters: Vec<(String, String)>,
    /// The `ns` of the request, which links to the next page repeat. It is not for the registry.
    pub ns: Option<String>,
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

/// Parses a request.
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
    let query = request.uri.query().unwrap_or_default();
    let pieces: Vec<&str> = rest.split('/').collect();
    let (kind, name, last) = match pieces.as_slice() {
        [name @ .., kind @ ("blobs" | "manifests" | "referrers" | "tags"), last] if !name.is_empty() => {
            (*kind, name.join("/"), *last)
        }
        _ => return Err(not_routed()),
    };
    if kind == "tags" && last != "list" {
        return Err(not_routed());
    }
    let image = image(request, registries, &name, query)?;
    let digest = || {
        let invalid = |error| RouteError::new(Reason::DigestInvalid, format!("`{}`: {error}", cut(last)));
        last.parse::<Digest>().map_err(invalid)
    };
    Ok(match kind {
        "blobs" => Route::Blob(BlobPull { image, digest: digest()? }),
        "manifests" => Route::Manifest(ManifestPull { image, reference: reference(last)? }),
        "referrers" => Route::Referrers(image, digest()?, page(query)?),
        _ => Route::Tags(image, page(query)?),
    })
}

fn reference(text: &str) -> Result<Reference, RouteError> {
    if text.contains(':') {
        let invalid = |error| RouteError::new(Reason::DigestInvalid, format!("`{}`: {error}", cut(text)));
        return text.parse().map(Reference::Digest).map_err(invalid);
    }
    let invalid = |error| RouteError::new(Reason::NameInvalid, format!("`{}`: {error}", cut(text)));
    text.parse().map(Reference::Tag).map_err(invalid)
}

/// Which registry and repository: everything that names a registry must agree.
fn image(request: &Parts, registries: &Registries, name: &str, query: &str) -> Result<Image, RouteError> {
    let unknown = |name: &str| {
        RouteError::new(Reason::RegistryUnknown, format!("the registry `{}` is not configured here", cut(name)))
    };
    let mut named: Vec<Registry> = Vec::new();
    for (key, value) in url::form_urlencoded::parse(query.as_bytes()) {
        if key == "ns" {
            named.push(registries.find(&value).ok_or_else(|| unknown(&value))?);
            if named.len() > 1 {
                return Err(RouteError::new(Reason::RoutesDisagree, "the parameter `ns` is given twice"));
            }
        }
    }
    let mut repository = name;
    if let Some((first, rest)) = name.split_once('/')
        && let Some(registry) = registries.find(first)
    {
        named.push(registry);
        repository = rest;
    }
    let mut hosts = request.headers.get_all(http::header::HOST).iter();
    named.extend(hosts.next().and_then(|host| registries.find(host.to_str().ok()?)));
    if hosts.next().is_some() {
        return Err(RouteError::new(Reason::RoutesDisagree, "the header `Host` is given twice"));
    }
    let registry = match named.split_first() {
        None => registries.only().ok_or_else(|| unknown(""))?,
        Some((first, rest)) if rest.iter().all(|other| other == first) => first.clone(),
        Some(_) => {
            let all = named.iter().map(Registry::as_str).collect::<Vec<_>>().join("` and `");
            return Err(RouteError::new(Reason::RoutesDisagree, format!("the request names both `{all}`")));
        }
    };
    let invalid = |error| RouteError::new(Reason::NameInvalid, format!("`{}`: {error}", cut(repository)));
    let repository: Repository = repository.parse().map_err(invalid)?;
    Ok(Image { registry, repository })
}

/// The parameters of a list. A repeated one is refused: which of the two counts is not for us to guess.
fn page(query: &str) -> Result<Page, RouteError> {
    let mut page = Page::default();
    for (key, value) in url::form_urlencoded::parse(query.as_bytes()) {
        if key == "ns" {
            page.ns = Some(value.into_owned());
            continue;
        }
        let named = key.len() <= 32 && key.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        let number = || value.parse::<u32>().is_ok_and(|n| n <= MAX_PAGE);
        let repeated = page.parameters.iter().any(|(other, _)| *other == key);
        if !named || value.len() > MAX_VALUE || (key == "n" && !number()) || repeated {
            let detail = format!("the parameter `{}` is not acceptable", cut(&key));
            return Err(RouteError::new(Reason::NameInvalid, detail));
        }
        page.parameters.push((key.into_owned(), value.into_owned()));
    }
    Ok(page)
}

/// The largest page that a client may ask for.
const MAX_PAGE: u32 = 10_000;

/// The longest value of a parameter; cursors of some registries are encrypted.
const MAX_VALUE: usize = 1024;

/// What a client sent, short enough to repeat.
fn cut(text: &str) -> String {
    text.chars().take(100).collect()
}

#[cfg(test)]
mod tests;
