//! `{"repositories": […]}`, as far as the caller may know them.

use serde::Deserialize;
use serde_json::json;
use url::form_urlencoded::Serializer;

use super::MAX_BYTES;
use crate::oci::Repository;
use crate::pull::PullError;
use crate::reason::Reason;
use crate::route::Page;
use crate::route::page::MAX_ENTRIES;
use crate::strict_json::{self, Object};
use crate::upstream::{Upstream, UpstreamError};

#[derive(Deserialize)]
struct List {
    #[serde(deserialize_with = "Option::deserialize")]
    repositories: Option<Vec<String>>,
}

/// The repositories after `last`, as many as `page` asks for, that the caller `may` know; and whether there may be more.
///
/// # Errors
/// If the registry fails, or lists too many in a row that the caller may not know.
pub(super) async fn read(
    upstream: &Upstream,
    page: &Page,
    may: impl Fn(&str) -> bool,
) -> Result<(Vec<String>, bool), PullError> {
    let wanted = page.n().unwrap_or(MAX_ENTRIES);
    let mut names = Vec::new();
    if wanted == 0 {
        return Ok((names, false));
    }
    let mut theirs = Some(first(page.parameter("last")));
    for _ in 0..MAX_PAGES {
        let Some(query) = theirs else { return Ok((names, false)) };
        let list = upstream.catalog(Some(&query), MAX_BYTES).await?;
        for name in repositories(&list.bytes)?.into_iter().filter(|name| may(name)) {
            if names.len() == wanted {
                return Ok((names, true));
            }
            names.push(name);
        }
        theirs = match list.next {
            _ if list.foreign_next => return Err(ELSEWHERE.into()),
            Some(next) if next == query => return Err(ELSEWHERE.into()),
            next => next,
        };
    }
    if names.is_empty() && theirs.is_some() {
        let detail = "too many repositories in a row are not for this caller to know";
        return Err(PullError::unsure(Reason::UpstreamUnavailable, detail));
    }
    Ok((names, theirs.is_some()))
}

/// The registry's first page, after the name that the client has seen last.
fn first(last: Option<&str>) -> String {
    let mut query = Serializer::new(String::new());
    query.append_pair("n", &MAX_ENTRIES.to_string());
    query.extend_pairs(last.map(|last| ("last", last)));
    query.finish()
}

fn repositories(bytes: &[u8]) -> Result<Vec<String>, UpstreamError> {
    const MALFORMED: UpstreamError = UpstreamError::Malformed("it is not a list of repositories");
    let Object(List { repositories }) = strict_json::parse(bytes).map_err(|_| MALFORMED)?;
    let all = repositories.unwrap_or_default().into_iter();
    Ok(all.filter(|name| name.parse::<Repository>().is_ok()).collect())
}

pub(super) fn written(names: &[String]) -> Vec<u8> {
    json!({ "repositories": names }).to_string().into_bytes()
}

const ELSEWHERE: UpstreamError = UpstreamError::Malformed("the list goes on at another host or path, or where it was");

/// Pages of the registry that are read for one of ours.
const MAX_PAGES: usize = 16;
