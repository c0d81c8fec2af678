//! The registry's operations, one method each.
//!
//! A request is built from parsed parts only; an answer comes back within its limits or as an [`UpstreamError`].

use std::sync::Arc;

use bytes::Bytes;
use http::header::{ACCEPT, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, IF_RANGE, RANGE};
use http::{Method, StatusCode};
use reqwest::{Request, Response};
use url::Url;

use super::auth::{Authenticator, Scope};
use super::connection::{self, Connection};
use super::link::{self, Next};
use super::realm::Home;
use super::{BlobResponse, BuildError, Operation, Page, RawManifest, Settings, UpstreamError, body};
use crate::oci::media_type::{ACCEPT_MANIFESTS, ManifestType};
use crate::oci::{Digest, Reference, Registry, Repository, Tag};
use crate::telemetry::Metrics;

/// The registry behind the proxy.
#[derive(Debug)]
pub struct Upstream {
    registry: Registry,
    dial: Url,
    referrers: bool,
    connection: Connection,
    authenticator: Authenticator,
}

impl Upstream {
    /// Makes the client of one registry; nothing is sent yet. Reads credentials from their file.
    pub fn new(settings: Settings, metrics: Arc<Metrics>) -> Result<Self, BuildError> {
        let dial = settings.validated_dial()?;
        let home = Home::new(&settings.registry, &dial);
        let authenticator = Authenticator::new(settings.keyring(&metrics)?, home);
        let connection = settings.connection(metrics)?;
        Ok(Self { registry: settings.registry, dial, referrers: settings.referrers, connection, authenticator })
    }

    /// The digest that the registry says `tag` names now, if it says one: its word only.
    pub async fn resolve(&self, repository: &Repository, tag: &Tag) -> Result<Option<Digest>, UpstreamError> {
        let ask = Ask::new(Operation::Resolve(tag)).head().with(ACCEPT, ACCEPT_MANIFESTS);
        let response = self.ask(repository, ask, &[StatusCode::OK]).await?;
        Ok(text(&response, DOCKER_CONTENT_DIGEST).parse().ok())
    }

    /// A manifest of at most `max` bytes.
    pub async fn manifest(
        &self,
        repository: &Repository,
        reference: &Reference,
        max: u64,
    ) -> Result<RawManifest, UpstreamError> {
        let ask = Ask::new(Operation::Manifest(reference)).with(ACCEPT, ACCEPT_MANIFESTS);
        let response = self.ask(repository, ask, &[StatusCode::OK]).await?;
        let content_type = text(&response, CONTENT_TYPE).to_string();
        Ok(RawManifest { bytes: self.connection.read(response, max).await?, content_type })
    }

    /// A blob of at most `max` bytes, held and hashed.
    pub async fn small_blob(&self, repository: &Repository, digest: &Digest, max: u64) -> Result<Bytes, UpstreamError> {
        let response = self.ask(repository, Ask::new(Operation::Blob(digest)), &[StatusCode::OK]).await?;
        let bytes = self.connection.read(response, max).await?;
        let actual = Digest::of(&bytes);
        if actual == *digest { Ok(bytes) } else { Err(UpstreamError::DigestMismatch { expected: *digest, actual }) }
    }

    /// A blob as it streams, or its headers; `range` and `if_range` are the client's.
    pub async fn blob(
        &self,
        method: Method,
        repository: &Repository,
        digest: &Digest,
        range: Option<&HeaderValue>,
        if_range: Option<&HeaderValue>,
    ) -> Result<BlobResponse, UpstreamError> {
        let mut ask = Ask::new(Operation::Blob(digest));
        if method == Method::HEAD {
            ask = ask.head();
        }
        ask.headers.extend(range.map(|value| (RANGE, value.clone())));
        ask.headers.extend(if_range.map(|value| (IF_RANGE, value.clone())));
        let hoped = [StatusCode::OK, StatusCode::PARTIAL_CONTENT, StatusCode::RANGE_NOT_SATISFIABLE];
        let response = self.ask(repository, ask, &hoped).await?;
        BlobResponse::new(response, &method, range.is_some(), self.connection.pace)
    }

    /// A page of the manifests whose subject is `digest`; the first, or the one that an earlier page named. A registry
    /// that is configured without referrers is not asked: [`UpstreamError::NotFound`].
    pub async fn referrers(
        &self,
        repository: &Repository,
        digest: &Digest,
        max: u64,
        page: Option<&str>,
    ) -> Result<Page, UpstreamError> {
        if !self.referrers {
            return Err(UpstreamError::NotFound);
        }
        let mut ask = Ask::new(Operation::Referrers(digest)).with(ACCEPT, ManifestType::OciIndex.as_str());
        ask.query = page.map(str::to_string);
        self.page(repository, ask, max).await
    }

    /// A page of the repository's tags; `query` holds what the client may choose (`n`, `last`).
    pub async fn tags(
        &self,
        repository: &Repository,
        query: &[(&str, String)],
        max: u64,
    ) -> Result<Page, UpstreamError> {
        let mut ask = Ask::new(Operation::Tags).with(ACCEPT, "application/json");
        let encoded = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(query).finish();
        ask.query = Some(encoded).filter(|encoded| !encoded.is_empty());
        self.page(repository, ask, max).await
    }

    /// Whether the registry answers, and takes the proxy's credentials.
    pub async fn ping(&self) -> Result<(), UpstreamError> {
        let request = self.request(Operation::PING_PATH, &Ask::new(Operation::Ping));
        let response = self.exchange(Operation::Ping, request, Scope::none(), &[StatusCode::OK]).await?;
        body::discard(response).await;
        Ok(())
    }

    async fn page(&self, repository: &Repository, ask: Ask<'_>, max: u64) -> Result<Page, UpstreamError> {
        let response = self.ask(repository, ask, &[StatusCode::OK]).await?;
        let (next, foreign_next) = match link::next(response.headers(), response.url(), &self.registry) {
            Next::None => (None, false),
            Next::Query(query) => (Some(query), false),
            Next::Foreign => (None, true),
        };
        let content_type = text(&response, CONTENT_TYPE).to_string();
        Ok(Page { bytes: self.connection.read(response, max).await?, content_type, next, foreign_next })
    }

    async fn ask(
        &self,
        repository: &Repository,
        ask: Ask<'_>,
        hoped: &[StatusCode],
    ) -> Result<Response, UpstreamError> {
        let request = self.request(&ask.operation.path(repository), &ask);
        self.exchange(ask.operation, request, Scope::pull(repository), hoped).await
    }

    /// Sends a request as whom the registry wants to see, and takes one of the `hoped` statuses.
    async fn exchange(
        &self,
        operation: Operation<'_>,
        request: Request,
        scope: Scope,
        hoped: &[StatusCode],
    ) -> Result<Response, UpstreamError> {
        let response = self.authenticator.send(&self.connection, operation.name(), request, &scope).await?;
        if hoped.contains(&response.status()) { Ok(response) } else { Err(connection::refusal(response).await) }
    }

    fn request(&self, path: &str, ask: &Ask<'_>) -> Request {
        let mut url = self.dial.clone();
        url.set_path(&format!("{}{path}", self.dial.path().trim_end_matches('/')));
        url.set_query(ask.query.as_deref());
        let mut request = Request::new(ask.method.clone(), url);
        *request.headers_mut() = ask.headers.clone();
        request
    }
}

/// A request before it has an address.
struct Ask<'a> {
    operation: Operation<'a>,
    method: Method,
    query: Option<String>,
    headers: HeaderMap,
}

impl<'a> Ask<'a> {
    fn new(operation: Operation<'a>) -> Self {
        Self { operation, method: Method::GET, query: None, headers: HeaderMap::new() }
    }

    fn head(mut self) -> Self {
        self.method = Method::HEAD;
        self
    }

    fn with(mut self, name: HeaderName, value: &'static str) -> Self {
        self.headers.insert(name, HeaderValue::from_static(value));
        self
    }
}

/// A header that is readable, or nothing.
fn text(response: &Response, name: HeaderName) -> &str {
    response.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
}

const DOCKER_CONTENT_DIGEST: HeaderName = HeaderName::from_static("docker-content-digest");
