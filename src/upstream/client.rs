//! The registry's operations, one method each.
//!
//! A request is built from parsed parts only; an answer comes back within its limits or as an [`UpstreamError`].

use std::sync::Arc;

use bytes::Bytes;
use http::header::{ACCEPT, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use http::{Method, StatusCode};
use url::Url;

use super::auth::{Authenticator, Scope};
use super::connection::{self, Connection};
use super::link::{self, Next};
use super::message::{Request, Response, usual_headers};
use super::realm::Home;
use super::redirect::{self, Redirector, Way};
use super::tls::Material;
use super::{BuildError, Operation, Page, RawManifest, Settings, UpstreamError, body};
use crate::oci::media_type::{ACCEPT_MANIFESTS, ManifestType};
use crate::oci::{Digest, Reference, Repository, Tag};
use crate::telemetry::Metrics;

mod blobs;

/// The registry behind the proxy.
#[derive(Debug)]
pub struct Upstream {
    pub(super) settings: Settings,
    dial: Url,
    pub(super) connection: Connection,
    /// What the connection's clients were made from at first.
    pub(super) made_from: Material,
    authenticator: Authenticator,
    pub(super) redirector: Redirector,
}

impl Upstream {
    /// Makes the client of one registry; nothing is sent yet. Reads credentials from their file.
    pub fn new(settings: Settings, metrics: Arc<Metrics>) -> Result<Self, BuildError> {
        let dial = settings.validated_dial()?;
        let home = Home::new(&settings.registry, &dial);
        let authenticator = Authenticator::new(settings.keyring(&metrics)?, home);
        let (connection, made_from) = settings.connection(metrics.clone())?;
        let redirector = Redirector::new(&settings, &made_from, metrics)?;
        Ok(Self { settings, dial, connection, made_from, authenticator, redirector })
    }

    /// The digest that the registry says `tag` names now, if it says one: its word only.
    pub async fn resolve(&self, repository: &Repository, tag: &Tag) -> Result<Option<Digest>, UpstreamError> {
        let ask = Ask::new(Operation::Resolve(tag)).head().with(ACCEPT, ACCEPT_MANIFESTS);
        let response = self.ask(repository, ask, &[StatusCode::OK]).await?;
        Ok(text(response.headers(), DOCKER_CONTENT_DIGEST).parse().ok())
    }

    /// A manifest of at most `max` bytes.
    pub async fn manifest(
        &self,
        repository: &Repository,
        reference: &Reference,
        max: u64,
    ) -> Result<RawManifest, UpstreamError> {
        let ask = Ask::new(Operation::Manifest(reference)).with(ACCEPT, ACCEPT_MANIFESTS);
        let Held { headers, bytes, .. } = self.held(repository, ask, max).await?;
        Ok(RawManifest { bytes, content_type: text(&headers, CONTENT_TYPE).to_string() })
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
        if !self.settings.referrers {
            return Err(UpstreamError::NotFound);
        }
        let mut ask = Ask::new(Operation::Referrers(digest)).with(ACCEPT, ManifestType::OciIndex.as_str());
        ask.query = page.map(str::to_string);
        Ok(self.page(self.held(repository, ask, max).await?))
    }

    /// A page of the repository's tags.
    pub async fn tags(&self, repository: &Repository, query: Option<&str>, max: u64) -> Result<Page, UpstreamError> {
        let mut ask = Ask::new(Operation::Tags).with(ACCEPT, "application/json");
        ask.query = query.map(str::to_string);
        Ok(self.page(self.held(repository, ask, max).await?))
    }

    /// A page of the registry's repositories.
    pub async fn catalog(&self, query: Option<&str>, max: u64) -> Result<Page, UpstreamError> {
        let mut ask = Ask::new(Operation::Catalog).with(ACCEPT, "application/json");
        ask.query = query.map(str::to_string);
        Ok(self.page(self.held_at(Operation::CATALOG_PATH, &Scope::catalog(), ask, max).await?))
    }

    /// Whether the registry answers, and takes the proxy's credentials.
    pub async fn ping(&self) -> Result<(), UpstreamError> {
        let request = self.request(Operation::PING_PATH, Ask::new(Operation::Ping));
        let response = self.exchange(Operation::Ping, &request, &Scope::none(), &[StatusCode::OK]).await?;
        body::discard(response).await;
        Ok(())
    }

    fn page(&self, held: Held) -> Page {
        let (next, foreign_next) = match link::next(&held.headers, &held.url, &self.settings.registry) {
            Next::None => (None, false),
            Next::Query(query) => (Some(query), false),
            Next::Foreign => (None, true),
        };
        let content_type = text(&held.headers, CONTENT_TYPE).to_string();
        let filters = text(&held.headers, OCI_FILTERS_APPLIED);
        let filtered = filters.split(',').any(|filter| filter.trim() == "artifactType");
        Page { bytes: held.bytes, content_type, next, foreign_next, filtered }
    }

    async fn held(&self, repository: &Repository, ask: Ask<'_>, max: u64) -> Result<Held, UpstreamError> {
        let path = ask.operation.path(repository);
        self.held_at(&path, &Scope::pull(repository), ask, max).await
    }

    /// An answer that is held whole; asked for once more if its connection broke in the middle.
    async fn held_at(&self, path: &str, scope: &Scope, ask: Ask<'_>, max: u64) -> Result<Held, UpstreamError> {
        let operation = ask.operation;
        let request = self.request(path, ask);
        let mut tries_left = 1;
        loop {
            let mut response = self.exchange(operation, &request, scope, &[StatusCode::OK]).await?;
            match self.connection.read(&mut response, max).await {
                Err(UpstreamError::Transport(_)) if tries_left > 0 => tries_left -= 1,
                read => {
                    let bytes = read?;
                    let (headers, url) = response.into_head();
                    return Ok(Held { headers, url, bytes });
                }
            }
        }
    }

    async fn ask(
        &self,
        repository: &Repository,
        ask: Ask<'_>,
        hoped: &[StatusCode],
    ) -> Result<Response, UpstreamError> {
        let operation = ask.operation;
        let request = self.request(&operation.path(repository), ask);
        self.exchange(operation, &request, &Scope::pull(repository), hoped).await
    }

    /// Sends a request as whom the registry wants to see, and takes one of the `hoped` statuses.
    async fn exchange(
        &self,
        operation: Operation<'_>,
        request: &Request,
        scope: &Scope,
        hoped: &[StatusCode],
    ) -> Result<Response, UpstreamError> {
        let response = self.at_home(operation, request, scope).await?;
        if hoped.contains(&response.status()) { Ok(response) } else { Err(connection::refusal(response).await) }
    }

    /// Sends a request, and again where the registry redirects to another path of its own.
    async fn at_home(
        &self,
        operation: Operation<'_>,
        request: &Request,
        scope: &Scope,
    ) -> Result<Response, UpstreamError> {
        let mut redirected = None;
        for _ in 0..=redirect::MAX_HOPS {
            let request = redirected.as_ref().unwrap_or(request);
            let response = self.authenticator.send(&self.connection, operation.name(), request, scope).await?;
            match self.redirector.way(&response)? {
                Way::Home(target) if operation.is_followed() => {
                    body::discard(response).await;
                    redirected = Some(Request { url: target, ..request.clone() });
                }
                Way::Here | Way::Home(_) | Way::Away(_) => return Ok(response),
            }
        }
        Err(redirect::too_many(&self.dial))
    }

    fn request(&self, path: &str, ask: Ask<'_>) -> Request {
        let mut url = self.dial.clone();
        match self.dial.path().trim_end_matches('/') {
            "" => url.set_path(path),
            before => url.set_path(&[before, path].concat()),
        }
        url.set_query(ask.query.as_deref());
        Request { method: ask.method, url, headers: ask.headers, body: Bytes::new() }
    }
}

/// An answer whose body was read.
struct Held {
    headers: HeaderMap,
    /// Where it came from.
    url: Url,
    bytes: Bytes,
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
        Self { operation, method: Method::GET, query: None, headers: usual_headers() }
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
fn text(headers: &HeaderMap, name: HeaderName) -> &str {
    headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
}

const DOCKER_CONTENT_DIGEST: HeaderName = HeaderName::from_static("docker-content-digest");
const OCI_FILTERS_APPLIED: HeaderName = HeaderName::from_static("oci-filters-applied");
