//! What clients and registries can write to have somebody else asked.

use std::sync::LazyLock;

use http::{HeaderMap, HeaderValue, Request};
use regex::Regex;
use url::Url;

use crate::oci::{Reference, Registry};
use crate::route::{self, Page, Registries, Route};
use crate::upstream::Operation;
use crate::upstream::link::{self, Next};

/// A request, as method, target and `Host` with a line each: it is refused, or the registry is asked at an address of
/// the distribution specification, for the name that was asked for and no other.
///
/// # Panics
/// If the promise is broken.
pub fn route(data: &[u8]) {
    let mut parts = data.splitn(3, |byte| *byte == b'\n');
    let mut next = || parts.next().unwrap_or_default();
    let request = Request::builder().method(next()).uri(next()).header("host", next()).body(());
    let Ok(request) = request else { return };
    let request = request.into_parts().0;
    let Ok(route) = route::parse(&request, &REGISTRIES) else { return };
    assert!(["GET", "HEAD"].contains(&request.method.as_str()), "{request:?}");
    let asked = request.uri.path();
    let (registry, path, page) = match &route {
        Route::Ping => return assert!(["/v2/", "/v2"].contains(&asked)),
        Route::Blob(pull) => {
            let path = Operation::Blob(&pull.digest).path(&pull.image.repository);
            (&pull.image.registry, path, None)
        }
        Route::Manifest(pull) => {
            let path = Operation::Manifest(&pull.reference).path(&pull.image.repository);
            if let Reference::Tag(tag) = &pull.reference {
                assert_eq!(Operation::Resolve(tag).path(&pull.image.repository), path);
            }
            (&pull.image.registry, path, None)
        }
        Route::Referrers(image, digest, page) => {
            (&image.registry, Operation::Referrers(digest).path(&image.repository), Some(page))
        }
        Route::Tags(image, page) => (&image.registry, Operation::Tags.path(&image.repository), Some(page)),
        Route::Catalog(registry, page) => (registry, Operation::CATALOG_PATH.to_string(), Some(page)),
    };
    assert!(CONFIGURED.contains(&registry.as_str()), "{registry}");
    assert!(GRAMMAR.is_match(&path), "{asked} came to {path}");
    let named = asked.trim_start_matches("/v2/");
    let suffix = path.trim_start_matches("/v2/").trim_start_matches("library/");
    assert!(named.ends_with(suffix), "{asked} came to {path}");
    leads(&path, page.and_then(Page::query).as_deref());
    if let Some(page) = page {
        let target = page.target();
        assert!(target.bytes().all(|b| b.is_ascii_graphic() && !b"<>\"".contains(&b)), "{target}");
        assert_eq!(page.path, asked);
    }
}

/// The values of `Link` headers, one a line: they lead nowhere but to another page of the list that was asked for.
///
/// # Panics
/// If the promise is broken.
pub fn link(data: &[u8]) {
    let mut headers = HeaderMap::new();
    for value in data.split(|byte| *byte == b'\n').filter_map(|line| HeaderValue::from_bytes(line).ok()) {
        headers.append(http::header::LINK, value);
    }
    let path = "/v2/a/tags/list";
    let asked = Url::parse(&format!("{DIAL}{path}?n=2")).expect("a URL");
    let registry: Registry = "r.io".parse().expect("a registry");
    let Next::Query(query) = link::next(&headers, &asked, &registry) else { return };
    leads(path, Some(&query));
    if let Some(next) = Page::default().next(&query) {
        leads(path, next.query().as_deref());
    }
}

/// Where a request goes that is built from these parts, as the upstream's client builds it.
fn leads(path: &str, query: Option<&str>) {
    let mut url = Url::parse(DIAL).expect("a URL");
    url.set_path(path);
    url.set_query(query);
    assert_eq!((url.origin(), url.path()), (Url::parse(DIAL).expect("a URL").origin(), path));
    assert_eq!((url.username(), url.password(), url.fragment()), ("", None, None));
    assert!(url.as_str().bytes().all(|byte| byte.is_ascii_graphic()), "{url}");
}

const DIAL: &str = "https://internal.company.com:8443";

const CONFIGURED: [&str; 4] = ["docker.io", "localhost:5000", "other.io", "r.io"];

static REGISTRIES: LazyLock<Registries> = LazyLock::new(|| {
    let name = |name: &str| name.parse::<Registry>().expect("a registry");
    let aliases = |of: &str| if of == "r.io" { vec![name("mirror.io")] } else { Vec::new() };
    Registries::new(CONFIGURED.map(|one| (name(one), aliases(one))))
});

/// The paths of the distribution specification, written down once more.
static GRAMMAR: LazyLock<Regex> = LazyLock::new(|| {
    let part = "[a-z0-9]+(?:(?:\\.|_|__|-+)[a-z0-9]+)*";
    let digest = "sha256:[0-9a-f]{64}";
    let tag = "[A-Za-z0-9_][A-Za-z0-9._-]{0,127}";
    let ends = format!("manifests/(?:{digest}|{tag})|blobs/{digest}|referrers/{digest}|tags/list");
    Regex::new(&format!("\\A/v2/(?:_catalog|{part}(?:/{part})*/(?:{ends}))\\z")).expect("a pattern")
});
