//! Blobs: from the registry itself, or from where it keeps them.

use bytes::Bytes;
use http::header::{HeaderValue, RANGE};
use http::{Method, StatusCode};
use url::Url;

use super::super::auth::Scope;
use super::super::message::Response;
use super::super::redirect::{self, Way};
use super::super::{BlobAnswer, BlobResponse, Operation, UpstreamError, body, connection};
use super::{Ask, Upstream};
use crate::oci::{Digest, Repository};

impl Upstream {
    /// A blob of at most `max` bytes, held and hashed.
    pub async fn small_blob(&self, repository: &Repository, digest: &Digest, max: u64) -> Result<Bytes, UpstreamError> {
        let mut tries_left = 1;
        let bytes = loop {
            let mut response = self.whole(repository, digest).await?;
            match self.connection.read(&mut response, max).await {
                // Its connection broke in the middle.
                Err(UpstreamError::Transport(_)) if tries_left > 0 => tries_left -= 1,
                read => break read?,
            }
        };
        let actual = Digest::of(&bytes);
        if actual == *digest { Ok(bytes) } else { Err(UpstreamError::DigestMismatch { expected: *digest, actual }) }
    }

    /// Whether whoever passes a blob on is to look at its digest.
    pub fn checks_blobs(&self) -> bool {
        !self.settings.insecure_skip_blob_digest
    }

    async fn whole(&self, repository: &Repository, digest: &Digest) -> Result<Response, UpstreamError> {
        let ask = Ask::new(Operation::Blob(digest));
        match self.blob_or_redirect(repository, ask, &[StatusCode::OK]).await? {
            Found::Here(response) => Ok(response),
            Found::Away(target) => {
                let response = self.redirector.follow(&Method::GET, target, None).await?;
                elsewhere(response, &[StatusCode::OK])
            }
        }
    }

    /// A blob as it streams, or its headers, or where to ask for it; `range` is a `Range` header for a GET.
    pub async fn blob(
        &self,
        method: &Method,
        repository: &Repository,
        digest: &Digest,
        range: Option<&HeaderValue>,
    ) -> Result<BlobAnswer, UpstreamError> {
        let mut ask = Ask::new(Operation::Blob(digest));
        if *method == Method::HEAD {
            ask = ask.head();
        }
        ask.headers.extend(range.map(|value| (RANGE, value.clone())));
        let response = match self.blob_or_redirect(repository, ask, &BLOB_STATUSES).await? {
            Found::Here(response) => response,
            Found::Away(target) if self.redirector.relays() => {
                self.redirector.allow(&target)?;
                let location = HeaderValue::from_str(target.as_str());
                return location.map(BlobAnswer::Elsewhere).map_err(|_| UpstreamError::Malformed("it leads nowhere"));
            }
            Found::Away(target) => {
                let response = self.redirector.follow(method, target, range).await?;
                // Signed addresses are often good for one method only, and some registries sign them for GET whatever
                // they are asked.
                if *method == Method::HEAD && response.status().is_client_error() {
                    return self.measured(repository, digest).await.map(BlobAnswer::Sent);
                }
                elsewhere(response, &BLOB_STATUSES)?
            }
        };
        BlobResponse::new(response, method, range.is_some(), self.connection.pace).map(BlobAnswer::Sent)
    }

    /// What a HEAD of a blob would say, by asking for its first byte.
    async fn measured(&self, repository: &Repository, digest: &Digest) -> Result<BlobResponse, UpstreamError> {
        let range = HeaderValue::from_static("bytes=0-0");
        let ask = Ask::new(Operation::Blob(digest)).with(RANGE, "bytes=0-0");
        let hoped = [StatusCode::OK, StatusCode::PARTIAL_CONTENT];
        let response = match self.blob_or_redirect(repository, ask, &hoped).await? {
            Found::Here(response) => response,
            Found::Away(target) => {
                let response = self.redirector.follow(&Method::GET, target, Some(&range)).await?;
                elsewhere(response, &hoped)?
            }
        };
        BlobResponse::new(response, &Method::GET, true, self.connection.pace)?.measured()
    }

    /// The registry's own answer, or where it sends whoever asks.
    async fn blob_or_redirect(
        &self,
        repository: &Repository,
        ask: Ask<'_>,
        hoped: &[StatusCode],
    ) -> Result<Found, UpstreamError> {
        let operation = ask.operation;
        let request = self.request(&operation.path(repository), ask);
        let response = self.at_home(operation, &request, &Scope::pull(repository)).await?;
        match self.redirector.way(&response)? {
            Way::Away(target) => {
                body::discard(response).await;
                Ok(Found::Away(target))
            }
            Way::Here | Way::Home(_) if hoped.contains(&response.status()) => Ok(Found::Here(response)),
            Way::Here | Way::Home(_) => Err(connection::refusal(response).await),
        }
    }
}

/// An answer of another host, if it has one of the `hoped` statuses.
fn elsewhere(response: Response, hoped: &[StatusCode]) -> Result<Response, UpstreamError> {
    if hoped.contains(&response.status()) { Ok(response) } else { Err(redirect::unhoped(&response)) }
}

/// A blob, or where it is.
enum Found {
    Here(Response),
    Away(Url),
}

const BLOB_STATUSES: [StatusCode; 3] = [StatusCode::OK, StatusCode::PARTIAL_CONTENT, StatusCode::RANGE_NOT_SATISFIABLE];
