//! Asking a running proxy as a node does, so that what it comes to stands in its memory.

use std::error::Error;
use std::path::{Path, PathBuf};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Method};
use http_body_util::{BodyExt, Limited};
use reqwest::{Certificate, Client, redirect};
use serde_json::Value;
use url::Url;

use super::answer::{Answer, Asked, Listed, outcome_by};
use super::said::Said;
use crate::evidence::printable;
use crate::oci::media_type::ManifestType;
use crate::oci::{Digest, Image, Manifest, Reference};
use crate::route::ManifestPull;
use crate::upstream::{Operation, Tls};

/// A running proxy.
#[derive(Debug)]
pub(super) struct Proxy {
    client: Client,
    url: Url,
}

/// What it answered.
struct Given {
    status: u16,
    headers: HeaderMap,
    body: Bytes,
}

impl Proxy {
    /// The proxies at `urls`, of which HTTPS is believed by the authorities in the file `ca`, or by the system's.
    ///
    /// # Errors
    /// What is wrong with the file, or with the system.
    pub(super) fn all(urls: &[Url], ca: Option<&Path>) -> Result<Vec<Self>, String> {
        let tls = Tls { ca: ca.map(PathBuf::from), ..Tls::default() };
        if let Some(problem) = tls.problems().first() {
            return Err(problem.to_string());
        }
        let mut builder = Client::builder()
            .user_agent(concat!("countersign/", env!("CARGO_PKG_VERSION")))
            .no_proxy()
            .redirect(redirect::Policy::none())
            .connect_timeout(CONNECT)
            .timeout(PATIENCE);
        if let Some(path) = ca {
            let unusable = |why: &(dyn Error + 'static)| format!("`{}`: {}", path.display(), causes(why));
            let pem = std::fs::read(path).map_err(|error| unusable(&error))?;
            builder = builder.tls_certs_only(Certificate::from_pem_bundle(&pem).map_err(|error| unusable(&error))?);
        } else if urls.iter().all(|url| url.scheme() == "http") {
            // A machine without the system's authorities can still speak plain HTTP.
            builder = builder.tls_certs_only([]);
        }
        let client = builder.build().map_err(|error| format!("no HTTP client can be made: {}", causes(&error)))?;
        Ok(urls.iter().map(|url| Self { client: client.clone(), url: url.clone() }).collect())
    }

    /// Its address, as it was given.
    pub(super) fn name(&self) -> &str {
        self.url.as_str().trim_end_matches('/')
    }

    /// Whether anything answers there.
    ///
    /// # Errors
    /// Why not.
    pub(super) async fn ping(&self) -> Result<(), String> {
        self.send(&Method::HEAD, Operation::PING_PATH, None).await.map(drop)
    }

    /// Asks for an image: HEAD by tag, then by digest, with its bytes if they list others.
    pub(super) async fn ask(&self, pull: &ManifestPull) -> Asked {
        let asked = self.asked(pull).await.unwrap_or_else(|why| Asked::ended(Answer::none(&why)));
        Asked { answer: Answer { proxy: Some(self.name().into()), ..asked.answer }, ..asked }
    }

    async fn asked(&self, pull: &ManifestPull) -> Result<Asked, String> {
        let given = self.manifest(&Method::HEAD, &pull.image, &pull.reference).await?;
        if given.status != 200 {
            // The answer to HEAD has no body to say why.
            let given = self.manifest(&Method::GET, &pull.image, &pull.reference).await?;
            return Ok(Asked::ended(given.answer(pull)?));
        }
        let answer = given.answer(pull)?;
        let digest = match &pull.reference {
            Reference::Digest(digest) => *digest,
            Reference::Tag(_) => given.digest().ok_or("its answer names no digest")?,
        };
        let is_index = ManifestType::parse(given.header("content-type")).is_some_and(ManifestType::is_index);
        let by_digest = ManifestPull { image: pull.image.clone(), reference: Reference::Digest(digest) };
        if !is_index {
            let given = match &pull.reference {
                Reference::Digest(_) => return Ok(Asked::ended(answer)),
                Reference::Tag(_) => self.manifest(&Method::HEAD, &pull.image, &by_digest.reference).await?,
            };
            return Ok(Asked::ended(given.answer(&by_digest)?));
        }
        let given = self.manifest(&Method::GET, &pull.image, &by_digest.reference).await?;
        let answer = given.answer(&by_digest)?;
        if given.status != 200 {
            return Ok(Asked::ended(answer));
        }
        let index = Manifest::parse(given.body.clone(), &digest, given.header("content-type"), CHILDREN);
        let index = index.map_err(|error| format!("its answer is no index: {error}"))?;
        let listed = index.entries().iter();
        let lists = listed.map(|entry| Listed { digest: entry.digest, platform: entry.platform.clone() });
        Ok(Asked { answer, lists: lists.collect() })
    }

    async fn manifest(&self, method: &Method, image: &Image, reference: &Reference) -> Result<Given, String> {
        let path = Operation::Manifest(reference).path(&image.repository);
        self.send(method, &path, Some(image.registry.as_str())).await
    }

    /// Sends a request without a body for `path`, about the registry `ns`.
    async fn send(&self, method: &Method, path: &str, ns: Option<&str>) -> Result<Given, String> {
        let mut url = self.url.clone();
        url.set_path(&format!("{}{path}", url.path().trim_end_matches('/')));
        if let Some(ns) = ns {
            url.query_pairs_mut().append_pair("ns", ns);
        }
        let response = self.client.request(method.clone(), url).send().await.map_err(|error| causes(&error))?;
        let (parts, body) = http::Response::from(response).into_parts();
        let body = Limited::new(body, LIMIT).collect().await.map_err(|error| causes(&*error))?.to_bytes();
        Ok(Given { status: parts.status.as_u16(), headers: parts.headers, body })
    }
}

impl Given {
    /// What it says about `pull`.
    fn answer(&self, pull: &ManifestPull) -> Result<Answer, String> {
        let reason = self.header("countersign-reason");
        if reason.is_empty() {
            let status = self.status;
            return Err(format!("it answered {status} without `Countersign-Reason`: it is no Countersign"));
        }
        let body: Option<Value> = serde_json::from_slice(&self.body).ok();
        let message = body.as_ref().and_then(|body| body["errors"][0]["message"].as_str());
        let name = match &pull.reference {
            Reference::Digest(digest) => format!("{}@{digest}", pull.image.repository),
            Reference::Tag(tag) => format!("{}:{tag}", pull.image.repository),
        };
        let Said { cause, policy, detail } = Said::of(message.unwrap_or_default(), reason, &name);
        let (outcome, reason) = (outcome_by(reason, self.status), Some(printable(reason)));
        Ok(Answer { proxy: None, child: None, outcome, reason, cause, policy, detail: printable(&detail) })
    }

    fn digest(&self) -> Option<Digest> {
        self.header("docker-content-digest").parse().ok()
    }

    fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }
}

/// An address of a proxy.
///
/// # Errors
/// What is wrong with it.
pub(super) fn url(text: &str) -> Result<Url, String> {
    let url: Url = text.parse().map_err(|_| "it is not an address such as http://countersign.internal:5000")?;
    let bare =
        url.query().is_none() && url.fragment().is_none() && url.username().is_empty() && url.password().is_none();
    if matches!(url.scheme(), "http" | "https") && url.has_host() && bare {
        Ok(url)
    } else {
        Err("it has to be http:// or https://, a host, and at most a port and a path".into())
    }
}

/// The error with its causes; the outermost says only that sending failed.
fn causes(error: &(dyn Error + 'static)) -> String {
    let innermost = std::iter::successors(error.source(), |error| (*error).source());
    let text = innermost.map(ToString::to_string).collect::<Vec<_>>().join(": ");
    if text.is_empty() { error.to_string() } else { text }
}

/// As many manifests as the proxy lets an index list by default.
const CHILDREN: usize = 10_000;
/// The longest manifest.
const LIMIT: usize = 16 << 20;
const CONNECT: Duration = Duration::from_secs(5);
/// A cold verification reads several things from a registry that may be slow.
const PATIENCE: Duration = Duration::from_mins(1);
