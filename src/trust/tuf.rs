//! A trusted root from a TUF repository: the public-good one, or a mirror with a root of its own.
//!
//! Everything is verified from the pinned root each time, what was kept on disk as well. Expiry is judged by our clock.
//! No credentials are sent: the repository is anybody's to read.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use reqwest::{Client, redirect};
use sigstore_tuf::{HttpRepository, Repository as Source, Role, StoreRepository, TrustedMetadataSet, Updater};
use sigstore_verify::trust_root::{SigstoreInstance, TRUSTED_ROOT_TARGET};
use tokio::time::timeout;
use url::Url;

use super::{Root, Settings};
use crate::clock::Timestamp;
use crate::oci::Digest;
use crate::policy::TufSource;

#[cfg(test)]
pub(crate) mod double;

mod shelf;

use shelf::Shelf;

/// One repository, and the last good of it.
#[derive(Debug)]
pub(super) struct Repository {
    url: String,
    pinned: Vec<u8>,
    kept_at: Option<PathBuf>,
    shelf: Mutex<Shelf>,
    max_stale: Duration,
}

/// A trusted root that the repository's metadata vouches for.
#[derive(Debug)]
pub(super) struct Vouched {
    pub(super) root: Arc<Root>,
    /// When the first of the metadata expires.
    pub(super) expires: Timestamp,
    /// When the repository last said so.
    pub(super) refreshed: Timestamp,
}

/// Why a repository gave no trusted root.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{why}")]
pub(super) struct TufError {
    /// Whether the metadata is in order, but for its age.
    pub(super) expired: bool,
    pub(super) why: String,
}

impl Repository {
    /// Knows where the repository is; reads and asks nothing yet.
    pub(super) fn new(source: &TufSource, settings: &Settings) -> Self {
        let public = SigstoreInstance::PublicGood;
        let url = source.mirror.as_ref().map_or(public.tuf_url(), Url::as_str).to_string();
        let pinned = source.root.clone().unwrap_or_else(|| public.tuf_root().to_vec());
        let kept_at = settings.cache.as_ref().map(|directory| directory.join(file_name(&url, &pinned)));
        Self { url, pinned, kept_at, shelf: Mutex::default(), max_stale: settings.max_stale }
    }

    /// Where it is.
    pub(super) fn url(&self) -> &str {
        &self.url
    }

    /// What an operator can do who has nothing of it yet.
    pub(super) fn way_out(&self) -> String {
        let kept = match &self.kept_at {
            Some(path) => format!("nothing good was kept of it at `{}`", path.display()),
            None => "nothing is kept of it without `trust.cache`".into(),
        };
        format!("{kept}: let the proxy reach it once, name a `mirror` that it can reach, or a `file` in its place")
    }

    /// What was kept on disk, if there is something; it asks nobody.
    pub(super) async fn kept(&self, now: Timestamp) -> Result<Option<Vouched>, TufError> {
        let Some(path) = &self.kept_at else { return Ok(None) };
        let failed = |why: String| TufError { expired: false, why: format!("`{}`: {why}", path.display()) };
        let Some((held, refreshed)) = Shelf::load(path).map_err(failed)? else { return Ok(None) };
        let updater = Updater::new(StoreRepository::new(held.copy()), &self.pinned).map_err(|error| wrong(&error))?;
        // Even if it has expired, nothing older will do from now on.
        *self.last_good() = held.clone();
        self.vouched(updater.with_store(held), now, refreshed).await.map(Some)
    }

    /// Asks the repository. Whatever goes wrong, the last good stays.
    pub(super) async fn refresh(&self, now: Timestamp) -> Result<Vouched, TufError> {
        let failed = |why: String| TufError { expired: false, why };
        let client = client(&self.url).map_err(|error| failed(error.to_string()))?;
        let source = HttpRepository::new(&self.url).map_err(|error| wrong(&error))?.with_http_client(client);
        let late = || failed(format!("no complete answer within {} s", WITHIN.as_secs()));
        timeout(WITHIN, self.refresh_from(source, now)).await.map_err(|_| late())?
    }

    async fn refresh_from(&self, source: impl Source + 'static, now: Timestamp) -> Result<Vouched, TufError> {
        let held = self.last_good().copy();
        let updater = Updater::new(source, &self.pinned).map_err(|error| wrong(&error))?.with_store(held.clone());
        let vouched = self.vouched(updater, now, now).await?;
        if let Some(path) = &self.kept_at
            && let Err(why) = save(held.clone(), path.clone(), now).await
        {
            tracing::error!(path = %path.display(), why, "what the TUF repository said cannot be kept: a restart will need the network");
        }
        *self.last_good() = held;
        Ok(vouched)
    }

    async fn vouched(&self, mut updater: Updater, now: Timestamp, refreshed: Timestamp) -> Result<Vouched, TufError> {
        let failed = |why: String| TufError { expired: false, why };
        // What expired within `maxStale` still decides: judged as if it were that much earlier.
        let at = i64::try_from(now.0.saturating_sub(self.max_stale.as_secs())).unwrap_or(i64::MAX);
        let at = jiff::Timestamp::from_second(at).map_err(|error| failed(error.to_string()))?;
        updater.refresh(at).await.map_err(|error| wrong(&error))?;
        let bytes = updater.get_target(TRUSTED_ROOT_TARGET, at).await.map_err(|error| wrong(&error))?;
        let text = std::str::from_utf8(&bytes).map_err(|_| failed(format!("{TRUSTED_ROOT_TARGET} is not UTF-8")))?;
        let root = Root::parse(text).map_err(|error| failed(format!("{TRUSTED_ROOT_TARGET}: {error}")))?;
        let expires = expiry(updater.trusted()).ok_or_else(|| failed("metadata is missing".into()))?;
        Ok(Vouched { root: Arc::new(root), expires, refreshed })
    }

    fn last_good(&self) -> std::sync::MutexGuard<'_, Shelf> {
        self.shelf.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Waiting for the disk is no work for a thread that serves connections.
async fn save(shelf: Shelf, path: PathBuf, refreshed: Timestamp) -> Result<(), String> {
    let saving = tokio::task::spawn_blocking(move || shelf.save(&path, refreshed));
    saving.await.map_err(|_| "writing it did not finish".to_string())?
}

/// The first instant at which a part of the metadata that vouches expires.
fn expiry(trusted: &TrustedMetadataSet) -> Option<Timestamp> {
    let mut ends = vec![trusted.root().expires(), trusted.timestamp()?.expires(), trusted.snapshot()?.expires()];
    // Delegated roles were only read if one of them may have named the target.
    let mut roles = vec!["targets".to_string()];
    let mut seen = Vec::new();
    while let Some(role) = roles.pop() {
        let Some(targets) = trusted.targets_role(&role) else { continue };
        ends.push(targets.expires());
        seen.push(role);
        let delegated = targets.delegations.iter().flat_map(|delegations| &delegations.roles);
        roles.extend(delegated.map(|role| role.name.clone()).filter(|name| !seen.contains(name)));
    }
    let first = ends.into_iter().min()?.as_second();
    u64::try_from(first).ok().map(Timestamp)
}

fn wrong(error: &sigstore_tuf::Error) -> TufError {
    let mut why = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        why = format!("{why}: {error}");
        cause = error.source();
    }
    TufError { expired: matches!(error, sigstore_tuf::Error::Expired { .. }), why }
}

fn client(url: &str) -> reqwest::Result<Client> {
    let builder = Client::builder()
        .user_agent(concat!("countersign/", env!("CARGO_PKG_VERSION")))
        .referer(false)
        .redirect(redirect::Policy::limited(5))
        .connect_timeout(Duration::from_secs(10))
        .read_timeout(Duration::from_secs(15));
    // A proxy that the environment names leads out to the internet; plain HTTP is for mirrors that are near.
    if url.starts_with("http:") { builder.no_proxy().tls_certs_only([]).build() } else { builder.build() }
}

/// A name for people, and a digest that tells repositories apart.
fn file_name(url: &str, pinned: &[u8]) -> String {
    let host = Url::parse(url).ok().and_then(|url| url.host_str().map(str::to_string)).unwrap_or_default();
    let safe: String = host.chars().map(|c| if c.is_ascii_alphanumeric() || c == '.' { c } else { '-' }).collect();
    let identity = Digest::of(&[url.trim_end_matches('/').as_bytes(), &[0], pinned].concat());
    format!("{safe}-{}.json", &identity.hex()[..16])
}

/// How long one refresh may take in all.
const WITHIN: Duration = Duration::from_mins(1);

#[cfg(test)]
mod tests;
