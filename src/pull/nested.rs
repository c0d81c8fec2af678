//! What an index lists at any depth. A node asks neither for an index nor for an image that it holds, so an index is
//! answered only if everything below it may run.
//!
//! Indexes within an index are told by what their descriptors say, as containerd and Docker do for what they hold; a
//! client that goes by what it is sent asks the proxy, which judges it then. Images are not read: who revokes, revokes
//! the manifest. What was read is a function of content, so a warm answer costs one look-up, and nothing at all where no
//! index lists an index.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use futures_util::{StreamExt, stream};
use moka::future::Cache;

use super::{Fetch, PullError};
use crate::clock::Timestamp;
use crate::limits::Limits;
use crate::oci::media_type::ManifestType;
use crate::oci::{Digest, Manifest, Subject};
use crate::outcome::Denial;
use crate::policy::Policies;
use crate::reason::Reason;
use crate::upstream::UpstreamError;

/// Reads indexes within indexes, and remembers what they come to.
#[derive(Debug)]
pub struct Nested {
    fetch: Arc<Fetch>,
    limits: Limits,
    known: Cache<Subject, Arc<Reach>>,
}

/// What the indexes within an index list.
#[derive(Debug)]
struct Reach {
    /// Every digest, in order.
    listed: Vec<Digest>,
    /// An index that the registry did not have.
    missing: Option<Digest>,
    /// Why the index cannot be served whatever is revoked.
    flaw: Option<PullError>,
    /// When it is read again, if it does not follow from content alone.
    until: Timestamp,
}

impl Nested {
    /// Reads by `fetch`, within `limits`.
    pub fn new(fetch: Arc<Fetch>, limits: Limits) -> Self {
        let weigh = |_: &Subject, reach: &Arc<Reach>| {
            u32::try_from(OVERHEAD + reach.listed.len() * size_of::<Digest>()).unwrap_or(u32::MAX)
        };
        Self { fetch, limits, known: Cache::builder().max_capacity(BYTES).weigher(weigh).build() }
    }

    /// Refuses `index`, which is `subject`, if an index within it lists what `policies` revoke, or cannot be served.
    ///
    /// # Errors
    /// `child_denied`, `index_too_deep`, `manifest_limits`; what kept an index within it from being read, if that is not
    /// its content.
    pub async fn refused(
        &self,
        policies: &Policies,
        subject: &Subject,
        index: &Manifest,
        now: Timestamp,
    ) -> Result<(), PullError> {
        // Boxed only where there is something to do.
        if index.lists_indexes() { Box::pin(self.refused_within(policies, subject, index, now)).await } else { Ok(()) }
    }

    async fn refused_within(
        &self,
        policies: &Policies,
        subject: &Subject,
        index: &Manifest,
        now: Timestamp,
    ) -> Result<(), PullError> {
        let reach = self.reach(subject, index, now).await?;
        if let Some(flaw) = &reach.flaw {
            return Err(flaw.clone());
        }
        let revoked = policies.revoked().digests();
        if let Some(digest) = revoked.iter().find(|digest| reach.listed.binary_search(digest).is_ok()) {
            let detail = format!("an index that it lists lists {digest}, which is revoked");
            return Err(PullError::Denied(Denial::new(Reason::ChildDenied, detail)));
        }
        match reach.missing {
            // A node may hold it all the same, and with it what is revoked.
            Some(missing) if !revoked.is_empty() => {
                let why = "which the registry does not have: push it, or an index without it";
                let detail =
                    format!("whether it lists what is revoked is not known; it lists the index {missing}, {why}");
                Err(PullError::unsure(Reason::MembershipIncomplete, detail))
            }
            _ => Ok(()),
        }
    }

    async fn reach(&self, subject: &Subject, index: &Manifest, now: Timestamp) -> Result<Arc<Reach>, PullError> {
        if let Some(known) = self.known.get(subject).await {
            if now < known.until {
                return Ok(known);
            }
            self.known.invalidate(subject).await;
        }
        let anew = async { self.read(subject, index, now).await.map(Arc::new) };
        Box::pin(self.known.try_get_with_by_ref(subject, anew)).await.map_err(Arc::unwrap_or_clone)
    }

    async fn read(&self, subject: &Subject, outermost: &Manifest, now: Timestamp) -> Result<Reach, PullError> {
        let (mut seen, mut listed) = (BTreeSet::new(), BTreeSet::new());
        let mut missing = None;
        let mut level: Vec<Digest> = indexes(outermost).collect();
        // The outermost is the first of them.
        for _ in 1..self.limits.index_depth {
            level.retain(|digest| seen.insert(*digest));
            if seen.len() > INDEXES {
                return Ok(Reach::flawed(too_many(&format!("{INDEXES} indexes"))));
            }
            let read = std::mem::take(&mut level).into_iter().map(|digest| self.within(subject, digest));
            let mut read = stream::iter(read).buffered(AT_ONCE);
            while let Some((digest, within)) = read.next().await {
                let within = match within {
                    Ok(within) => within,
                    Err(PullError::Upstream(UpstreamError::NotFound)) => {
                        missing = Some(digest);
                        continue;
                    }
                    Err(PullError::Content { reason, detail }) => {
                        let detail = format!("it lists the index {digest}, which cannot be served: {detail}");
                        let denial = Denial { cause: Some(reason), ..Denial::new(Reason::ChildDenied, detail) };
                        // The registry's headers have a part in it, and they may change.
                        return Ok(Reach { until: now.plus(AGAIN), ..Reach::flawed(PullError::Denied(denial)) });
                    }
                    Err(error) => {
                        let detail = format!("the index {digest}, which it lists, could not be read: {error}");
                        return Err(PullError::unsure(error.reason(), detail));
                    }
                };
                if within.media_type().is_index() {
                    listed.extend(within.listed());
                    level.extend(indexes(&within));
                }
                if listed.len() > self.limits.index_children {
                    return Ok(Reach::flawed(too_many(&format!("{} manifests", self.limits.index_children))));
                }
            }
        }
        if !level.is_empty() {
            let detail = format!("there are more than {} indexes within each other", self.limits.index_depth);
            return Ok(Reach::flawed(PullError::Content { reason: Reason::IndexTooDeep, detail }));
        }
        let until = if missing.is_some() { now.plus(AGAIN) } else { Timestamp::FOREVER };
        Ok(Reach { listed: listed.into_iter().collect(), missing, flaw: None, until })
    }

    async fn within(&self, subject: &Subject, digest: Digest) -> (Digest, Result<Arc<Manifest>, PullError>) {
        (digest, self.fetch.manifest(&subject.image.at(digest)).await)
    }
}

impl Reach {
    fn flawed(flaw: PullError) -> Self {
        Self { listed: Vec::new(), missing: None, flaw: Some(flaw), until: Timestamp::FOREVER }
    }
}

/// What `index` lists as an index, each as often as it does.
pub(super) fn indexes(index: &Manifest) -> impl Iterator<Item = Digest> {
    let entries = if index.lists_indexes() { index.entries() } else { &[] };
    let says = |media_type: &str| ManifestType::parse(media_type).is_some_and(ManifestType::is_index);
    entries.iter().filter(move |entry| says(&entry.media_type)).map(|entry| entry.digest)
}

fn too_many(what: &str) -> PullError {
    let detail = format!("it lists more than {what}, indexes within it counted: split it");
    PullError::Content { reason: Reason::ManifestLimits, detail }
}

/// Indexes that are read for one.
const INDEXES: usize = 64;
/// Of those, how many at once.
const AT_ONCE: usize = 8;
/// How long the registry is not asked again for what it did not have, or had in another shape.
const AGAIN: Duration = Duration::from_secs(15);
/// What all that is remembered may take.
const BYTES: u64 = 16 << 20;
/// What an entry takes besides its digests.
const OVERHEAD: usize = 512;
