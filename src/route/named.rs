//! Which registry and repository a request means: `ns`, the first component of the name, and `Host`, as far as they
//! name one. They only choose among the configured registries, and all that are there must agree.

use http::header::HOST;
use http::request::Parts;
use url::form_urlencoded;

use super::{Registries, RouteError, cut};
use crate::oci::{Image, Registry};
use crate::reason::Reason;

/// The image of `name`, the path up to `/manifests/` and the like.
pub(super) fn image(request: &Parts, registries: &Registries, name: &str) -> Result<Image, RouteError> {
    let prefixed = name.split_once('/').and_then(|(first, rest)| Some((registries.exactly(first)?, rest)));
    let (prefix, repository) = prefixed.map_or((None, name), |(registry, rest)| (Some(registry), rest));
    let registry = registry(request, registries, prefix)?;
    let invalid = |error| RouteError::new(Reason::NameInvalid, format!("`{}`: {error}", cut(repository)));
    Image::parse(registry, repository).map_err(invalid)
}

/// The registry; `prefix` is the one that the path names.
pub(super) fn registry(
    request: &Parts,
    registries: &Registries,
    prefix: Option<Registry>,
) -> Result<Registry, RouteError> {
    let named = [ns(request, registries)?, prefix, host(request, registries)?];
    let mut named = named.iter().flatten();
    let Some(first) = named.next() else {
        return registries.only().ok_or_else(|| {
            let detail = "the request names none of the configured registries, and there are several";
            RouteError::new(Reason::RegistryUnknown, detail)
        });
    };
    match named.find(|other| *other != first) {
        None => Ok(first.clone()),
        Some(other) => {
            let detail = format!("the request names both `{first}` and `{other}`");
            Err(RouteError::new(Reason::RoutesDisagree, detail))
        }
    }
}

/// What containerd sends to a mirror. Unlike the other two it can name nothing but a registry.
fn ns(request: &Parts, registries: &Registries) -> Result<Option<Registry>, RouteError> {
    let query = request.uri.query().unwrap_or_default().as_bytes();
    let mut found = form_urlencoded::parse(query).filter(|(key, _)| key == "ns").map(|(_, value)| value);
    let Some(name) = found.next() else { return Ok(None) };
    if found.next().is_some() {
        return Err(RouteError::new(Reason::RoutesDisagree, "the parameter `ns` is given twice"));
    }
    let unknown = || {
        let detail = format!("the registry `{}` is not configured here", cut(&name));
        RouteError::new(Reason::RegistryUnknown, detail)
    };
    registries.find(&name).map(Some).ok_or_else(unknown)
}

/// `Host` is the proxy's own name, unless that is a registry's too.
fn host(request: &Parts, registries: &Registries) -> Result<Option<Registry>, RouteError> {
    let mut hosts = request.headers.get_all(HOST).iter();
    let first = hosts.next();
    if hosts.next().is_some() {
        return Err(RouteError::new(Reason::RoutesDisagree, "the header `Host` is given twice"));
    }
    Ok(first.and_then(|host| registries.find(host.to_str().ok()?)))
}
