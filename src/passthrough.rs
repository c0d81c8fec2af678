//! Tags, referrers and repositories: lists that the registry gives. No content passes here.
//!
//! Nothing of a list is relayed as it came: it is read within limits, and what was understood is written anew, with
//! links that lead through the proxy. A list that goes on where it cannot be followed is an error, never a shorter one.

use http::Response;

use crate::body::Body;
use crate::oci::media_type::ManifestType;
use crate::oci::{Digest, Image};
use crate::pull::PullError;
use crate::respond;
use crate::route::Page;
use crate::upstream::{self, Upstream, UpstreamError};

mod catalog;

mod referrers;

mod tags;

/// A request for a page of a list.
#[derive(Debug, Clone, Copy)]
pub struct Listing<'a> {
    /// Whom to ask.
    pub upstream: &'a Upstream,
    /// What for.
    pub page: &'a Page,
    /// What links begin with: the proxy's public origin, or nothing.
    pub origin: &'a str,
    /// Whether only the headers are wanted.
    pub head: bool,
}

impl Listing<'_> {
    /// The tags of a repository. Whoever may read it may know them, also those of images that are refused.
    pub async fn tags(&self, image: &Image) -> Result<Response<Body>, PullError> {
        let list = self.upstream.tags(&image.repository, self.page.query().as_deref(), MAX_BYTES).await?;
        let next = self.after(&list)?;
        let bytes = tags::rewritten(&list.bytes, &self.page.path)?;
        Ok(self.answer("application/json", bytes, next.as_ref()))
    }

    /// What refers to a digest. 404 if the registry has no such API, so that clients read the tag that stands in for it.
    pub async fn referrers(&self, image: &Image, digest: &Digest) -> Result<Response<Body>, PullError> {
        let query = self.page.query();
        let list = match self.upstream.referrers(&image.repository, digest, MAX_BYTES, query.as_deref()).await {
            Err(UpstreamError::Status(400 | 405 | 406)) => return Err(UpstreamError::NotFound.into()),
            list => list?,
        };
        let index = ManifestType::OciIndex;
        // A web page that answers 200 to everything is no referrers API.
        if ManifestType::parse(&list.content_type) != Some(index) {
            return Err(UpstreamError::NotFound.into());
        }
        let next = self.after(&list)?;
        let mut response = self.answer(index.as_str(), referrers::rewritten(&list.bytes)?, next.as_ref());
        if list.filtered && self.page.parameter("artifactType").is_some() {
            respond::filtered(response.headers_mut());
        }
        Ok(response)
    }

    /// The repositories of the registry that the caller `may` read, page by page as the distribution specification has
    /// it. The registry's own pages are not the caller's: their links name what it may not read.
    pub async fn catalog(&self, may: impl Fn(&str) -> bool) -> Result<Response<Body>, PullError> {
        let (names, more) = catalog::read(self.upstream, self.page, may).await?;
        let n = self.page.n().map(|n| ("n".into(), n.to_string()));
        let next = names.last().filter(|_| more).map(|last| Page {
            parameters: n.into_iter().chain([("last".into(), last.clone())]).collect(),
            ..self.page.clone()
        });
        Ok(self.answer("application/json", catalog::written(&names), next.as_ref()))
    }

    /// The page after `list`.
    fn after(&self, list: &upstream::Page) -> Result<Option<Page>, UpstreamError> {
        let next = list.next.as_deref().map(|query| self.page.next(query));
        match next {
            _ if list.foreign_next => Err(UpstreamError::Malformed("the list goes on at another host or path")),
            Some(None) => Err(UpstreamError::Malformed("the list goes on where it was, or where nobody can ask")),
            Some(next) => Ok(next),
            None => Ok(None),
        }
    }

    fn answer(&self, content_type: &'static str, bytes: Vec<u8>, next: Option<&Page>) -> Response<Body> {
        let target = next.map(|next| format!("{}{}", self.origin, next.target()));
        respond::list(content_type, bytes, self.head, target.as_deref())
    }
}

/// The longest page that is read, in bytes.
const MAX_BYTES: u64 = 4 << 20;
