//! A registry in memory, of which everything can be pulled: the upstream of the demo and of the tests.
//!
//! It is filled from Rust and serves the pull half of the OCI distribution specification. It refuses every write, and
//! knows neither credentials nor limits: never put it where others can reach it.

use std::fmt;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use http::header::{ACCEPT_RANGES, ALLOW, CONTENT_RANGE, RANGE};
use http::{HeaderMap, Method, Response, StatusCode, Uri};
use http_body_util::Full;
use serde_json::{Value, json};

use super::answer::{CONTENT_DIGEST, document, linked, problem, with};
use super::contents::{Contents, Repository};
use super::range::{self, Part};
use super::server::{self, Running};
use crate::oci::Digest;
use crate::oci::error::ErrorCode;
use crate::oci::media_type::{ManifestType, OCTET_STREAM};

/// How the registry behaves.
#[derive(Debug, Clone)]
pub struct Options {
    /// The registry's own name, which cosign writes into legacy payloads.
    pub name: String,
    /// Whether it has the referrers API of OCI 1.1; without it, 404 and the fallback tag.
    pub referrers: bool,
    /// How many tags or referrers one answer lists before it links to the next; 0 is all of them.
    pub page: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self { name: "registry.demo".into(), referrers: true, page: 0 }
    }
}

/// A registry in memory. Its clones are one registry.
#[derive(Clone)]
pub struct Registry {
    options: Arc<Options>,
    contents: Arc<Mutex<Contents>>,
}

impl Registry {
    /// An empty registry that nobody can reach but through [`Registry::handle`].
    pub fn new(options: Options) -> Self {
        Self { options: Arc::new(options), contents: Arc::default() }
    }

    /// Serves it on a free port of 127.0.0.1, until the answer is dropped.
    ///
    /// # Errors
    /// If no port can be listened on.
    pub async fn serve(&self) -> io::Result<Running> {
        let registry = self.clone();
        server::serve(move |request| {
            let answer = registry.handle(request.method(), request.uri(), request.headers());
            async move { answer }
        })
        .await
    }

    /// How it behaves.
    pub fn options(&self) -> &Options {
        &self.options
    }

    /// Stores a manifest, lets `tag` name it, and lists it as a referrer if it has a `subject`.
    pub fn put_manifest(
        &self,
        repository: &str,
        media_type: &str,
        bytes: impl Into<Bytes>,
        tag: Option<&str>,
    ) -> Digest {
        self.lock().repository(repository).put_manifest(media_type, bytes.into(), tag)
    }

    /// Stores a blob. Nothing keeps it from being the bytes of a manifest, as in registries that serve both.
    pub fn put_blob(&self, repository: &str, bytes: impl Into<Bytes>) -> Digest {
        let bytes = bytes.into();
        let digest = Digest::of(&bytes);
        self.lock().repository(repository).blobs.insert(digest, bytes);
        digest
    }

    /// Lets `tag` name `digest`, whether or not that exists.
    pub fn tag(&self, repository: &str, tag: &str, digest: Digest) {
        self.lock().repository(repository).tags.insert(tag.into(), digest);
    }

    /// Takes a tag away.
    pub fn untag(&self, repository: &str, tag: &str) {
        self.lock().repository(repository).tags.remove(tag);
    }

    /// Takes a manifest or a blob away; tags that name it dangle.
    pub fn delete(&self, repository: &str, digest: &Digest) {
        self.lock().repository(repository).delete(digest);
    }

    /// The media type and the bytes of the manifest that a tag or a digest names.
    pub fn manifest(&self, repository: &str, reference: &str) -> Option<(String, Bytes)> {
        let contents = self.lock();
        contents.get(repository)?.manifest(reference).map(|(_, manifest)| manifest.clone())
    }

    /// Answers one request: a function of the registry's content only.
    pub fn handle(&self, method: &Method, uri: &Uri, headers: &HeaderMap) -> Response<Full<Bytes>> {
        let head = method == Method::HEAD;
        if !head && method != Method::GET {
            let refusal = problem(StatusCode::METHOD_NOT_ALLOWED, ErrorCode::Unsupported, "only pulls are served");
            return with(refusal, ALLOW, "GET, HEAD");
        }
        let answer = self.answer(uri, headers);
        if head { answer.map(|_| Full::default()) } else { answer }
    }

    fn answer(&self, uri: &Uri, headers: &HeaderMap) -> Response<Full<Bytes>> {
        let Some(rest) = uri.path().strip_prefix("/v2/") else {
            return problem(StatusCode::NOT_FOUND, ErrorCode::Unsupported, "not an endpoint of a registry");
        };
        if rest.is_empty() {
            return document("application/json", b"{}".to_vec().into());
        }
        // The name may itself contain `manifests` or `blobs`, so the path is read from its end.
        let mut parts = rest.rsplitn(3, '/');
        let (last, kind, name) = (parts.next(), parts.next(), parts.next());
        let (Some(last), Some(kind), Some(name)) = (last, kind, name) else {
            return problem(StatusCode::NOT_FOUND, ErrorCode::NameInvalid, "no repository in the path");
        };
        let contents = self.lock();
        let Some(repository) = contents.get(name) else {
            return problem(StatusCode::NOT_FOUND, ErrorCode::ManifestUnknown, "no such repository");
        };
        match kind {
            "manifests" => manifest(repository, last),
            "blobs" => blob(repository, last, headers),
            "referrers" if self.options.referrers => self.referrers(repository, last, uri),
            "tags" if last == "list" => self.tags(repository, name, uri),
            _ => problem(StatusCode::NOT_FOUND, ErrorCode::Unsupported, "not an endpoint of this registry"),
        }
    }

    fn referrers(&self, repository: &Repository, subject: &str, uri: &Uri) -> Response<Full<Bytes>> {
        let Ok(subject) = subject.parse::<Digest>() else {
            return problem(StatusCode::BAD_REQUEST, ErrorCode::DigestInvalid, "not a digest");
        };
        let (manifests, next) = self.page(repository.referrers(&subject), uri);
        let index = json!({ "schemaVersion": 2, "mediaType": ManifestType::OciIndex.as_str(), "manifests": manifests });
        linked(document(ManifestType::OciIndex.as_str(), index.to_string().into()), next, uri)
    }

    fn tags(&self, repository: &Repository, name: &str, uri: &Uri) -> Response<Full<Bytes>> {
        let all: Vec<Value> = repository.tags.keys().map(|tag| json!(tag)).collect();
        let (tags, next) = self.page(&all, uri);
        linked(document("application/json", json!({ "name": name, "tags": tags }).to_string().into()), next, uri)
    }

    /// The part of `all` that this request is about, and where the next one begins. The cursor is ours to choose:
    /// clients follow the link and do not look into it.
    fn page<'a>(&self, all: &'a [Value], uri: &Uri) -> (&'a [Value], Option<usize>) {
        let query = uri.query().unwrap_or_default();
        let parameter = |name: &str| {
            let mut pairs = query.split('&').filter_map(|pair| pair.split_once('='));
            pairs.find(|(key, _)| *key == name).and_then(|(_, value)| value.parse::<usize>().ok())
        };
        let begin = parameter("from").unwrap_or(0).min(all.len());
        let size = match parameter("n").unwrap_or(self.options.page) {
            0 => all.len(),
            size => size,
        };
        let end = begin.saturating_add(size).min(all.len());
        (&all[begin..end], (end < all.len()).then_some(end))
    }

    fn lock(&self) -> MutexGuard<'_, Contents> {
        // Every change is one insertion, so a panic elsewhere leaves nothing half done.
        self.contents.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Registry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Registry({})", self.options.name)
    }
}

fn manifest(repository: &Repository, reference: &str) -> Response<Full<Bytes>> {
    match repository.manifest(reference) {
        Some((digest, (media_type, bytes))) => {
            with(document(media_type, bytes.clone()), CONTENT_DIGEST, &digest.to_string())
        }
        None => problem(StatusCode::NOT_FOUND, ErrorCode::ManifestUnknown, "no such manifest"),
    }
}

fn blob(repository: &Repository, digest: &str, headers: &HeaderMap) -> Response<Full<Bytes>> {
    let Some(bytes) = digest.parse().ok().and_then(|digest: Digest| repository.blobs.get(&digest)) else {
        return problem(StatusCode::NOT_FOUND, ErrorCode::BlobUnknown, "no such blob");
    };
    let wanted = headers.get(RANGE).and_then(|value| value.to_str().ok());
    let answer = match wanted.map_or(Part::Whole, |wanted| range::part(wanted, bytes.len())) {
        Part::Whole => document(OCTET_STREAM, bytes.clone()),
        Part::Slice(first, last) => {
            let mut answer = document(OCTET_STREAM, bytes.slice(first..=last));
            *answer.status_mut() = StatusCode::PARTIAL_CONTENT;
            with(answer, CONTENT_RANGE, &format!("bytes {first}-{last}/{}", bytes.len()))
        }
        Part::Outside => {
            let status = StatusCode::RANGE_NOT_SATISFIABLE;
            let refusal = problem(status, ErrorCode::Unsupported, "the blob has no such range");
            return with(refusal, CONTENT_RANGE, &format!("bytes */{}", bytes.len()));
        }
    };
    with(with(answer, ACCEPT_RANGES, "bytes"), CONTENT_DIGEST, digest)
}

#[cfg(test)]
mod tests;
