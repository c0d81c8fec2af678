//! Tags and referrers: lists that the registry gives, bounded, with their links rewritten. No content passes here.

use http::{Response, StatusCode};

use crate::body::Body;
use crate::oci::{Digest, Image};
use crate::pull::PullError;
use crate::respond;
use crate::route::Page;
use crate::upstream::Upstream;

/// Relays the tags of a repository.
pub async fn tags(
    upstream: &Upstream,
    image: &Image,
    page: &Page,
    path: &str,
    head: bool,
) -> Result<Response<Body>, PullError> {
    let query: Vec<_> = page.parameters.iter().map(|(key, value)| (key.as_str(), value.clone())).collect();
    let list = upstream.tags(&image.repository, &query, MAX_LIST).await?;
    let next = list.next.map(|query| link(path, &query, page));
    Ok(respond::json(StatusCode::OK, "application/json", list.bytes.to_vec(), head, next.as_deref()))
}

/// Relays the referrers of a digest.
pub async fn referrers(
    upstream: &Upstream,
    image: &Image,
    digest: &Digest,
    page: &Page,
    path: &str,
    head: bool,
) -> Result<Response<Body>, PullError> {
    let query = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(&page.parameters).finish();
    let query = Some(query.as_str()).filter(|query| !query.is_empty());
    let list = upstream.referrers(&image.repository, digest, MAX_LIST, query).await?;
    let next = list.next.map(|query| link(path, &query, page));
    let index = "application/vnd.oci.image.index.v1+json";
    Ok(respond::json(StatusCode::OK, index, list.bytes.to_vec(), head, next.as_deref()))
}

/// Where the next page is: on this path, with the registry's query, and the name by which this registry was asked for.
fn link(path: &str, query: &str, page: &Page) -> String {
    let theirs = url::form_urlencoded::parse(query.as_bytes()).filter(|(key, _)| key != "ns");
    let ours = page.ns.as_deref().map(|ns| ("ns".into(), ns.into()));
    let query = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(theirs.chain(ours)).finish();
    format!("{path}?{query}")
}

/// The longest list that is relayed, in bytes.
const MAX_LIST: u64 = 4 << 20;
