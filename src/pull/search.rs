//! The search for an index that lists a manifest, where none is known to: a child that is asked for before its index, as
//! after a restart with an empty memory.
//!
//! The indexes of a repository are those that its tags name. A registry that does not list tags (404 or 405) has none to
//! be found. Whatever else keeps the list from being read to its end leaves the answer open.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::{StreamExt, stream};
use moka::Expiry;
use moka::future::Cache;
use moka::policy::EvictionPolicy;
use tokio::time::timeout;

use super::tagged::Tagged;
use super::{Fetch, PullError, fetch};
use crate::limits::Limits;
use crate::oci::{Image, Reference, Registry, Tag, tags};
use crate::policy::{Governing, Mode, On, Policies};
use crate::upstream::{Upstream, UpstreamError};

/// Finds the indexes of a repository, once for all who search it at about the same time.
#[derive(Debug)]
pub struct Search {
    upstreams: Arc<BTreeMap<Registry, Arc<Upstream>>>,
    fetch: Arc<Fetch>,
    limits: Limits,
    found: Cache<Image, Arc<Tagged>>,
}

/// How long what was searched is remembered.
struct Remember(Duration);

impl Expiry<Image, Arc<Tagged>> for Remember {
    fn expire_after_create(&self, _: &Image, tagged: &Arc<Tagged>, _: Instant) -> Option<Duration> {
        Some(if tagged.unread { REST } else { self.0 })
    }
}

impl Search {
    /// Searches `upstreams` by way of `fetch`, within `limits`; each repository once in `remember`, which is five seconds
    /// at least, or once in two where the registry did not tell.
    pub fn new(
        upstreams: Arc<BTreeMap<Registry, Arc<Upstream>>>,
        fetch: Arc<Fetch>,
        limits: Limits,
        remember: Duration,
    ) -> Self {
        let weigh = |_: &Image, tagged: &Arc<Tagged>| u32::try_from(tagged.weight()).unwrap_or(u32::MAX);
        let found = Cache::builder().max_capacity(MEMORY).weigher(weigh);
        let found = found.expire_after(Remember(remember.max(LEAST)));
        // Whatever was searched last is remembered: it is asked for again at once.
        Self { upstreams, fetch, limits, found: found.eviction_policy(EvictionPolicy::lru()).build() }
    }

    /// The indexes of the repository `image`.
    pub async fn indexes(&self, image: &Image) -> Arc<Tagged> {
        let anew = async {
            let found = timeout(PATIENCE, self.read(image)).await;
            Arc::new(found.unwrap_or_else(|_| Tagged::unread("the registry took too long to list them".into())))
        };
        Box::pin(self.found.get_with_by_ref(image, anew)).await
    }

    async fn read(&self, image: &Image) -> Tagged {
        let (tags, more) = match self.tags(image).await {
            Ok(listed) => listed,
            Err(PullError::Upstream(UpstreamError::NotFound | UpstreamError::Status(405))) => return Tagged::default(),
            Err(error) => return Tagged::unread(format!("its tags could not be listed: {error}")),
        };
        let mut tagged = Tagged::default();
        if more {
            tagged.more(format!("it has more than the {TAGS} tags that are searched"));
        }
        let (mut named, mut seen) = (Vec::new(), BTreeSet::new());
        let resolved = tags.into_iter().map(|tag| self.resolve(image, tag));
        let mut resolved = stream::iter(resolved).buffered(AT_ONCE);
        while let Some(reference) = resolved.next().await {
            match reference {
                Ok(Reference::Digest(digest)) if !seen.insert(digest) => {}
                Ok(reference) => named.push(reference),
                // A tag that is gone names nothing.
                Err(PullError::Upstream(UpstreamError::NotFound)) => {}
                Err(error) => tagged.missed(&error),
            }
        }
        drop(resolved);
        tagged.read(&self.fetch, &self.limits, image, named).await;
        tagged
    }

    /// The tags that may name an index, the last of the list first: versions and dates sort the newest there. And whether
    /// there are more.
    async fn tags(&self, image: &Image) -> Result<(Vec<Tag>, bool), PullError> {
        let upstream = fetch::upstream(&self.upstreams, &image.registry)?;
        let page = upstream.tags(&image.repository, Some(&format!("n={LISTED}")), BYTES).await?;
        let all = tags::parse(&page.bytes).map_err(|_| UpstreamError::Malformed("it is not a list of tags"))?;
        let mut tags: Vec<Tag> = all.into_iter().rev().filter(|tag| !is_of_evidence(tag.as_str())).collect();
        let more = page.next.is_some() || page.foreign_next || tags.len() > TAGS;
        tags.truncate(TAGS);
        Ok((tags, more))
    }

    /// What `tag` names, or `tag` itself where the registry does not say: then it is read by it.
    async fn resolve(&self, image: &Image, tag: Tag) -> Result<Reference, PullError> {
        let upstream = fetch::upstream(&self.upstreams, &image.registry)?;
        let digest = upstream.resolve(&image.repository, &tag).await?;
        Ok(digest.map_or(Reference::Tag(tag), Reference::Digest))
    }
}

/// Whether an index could be admitted where what is governed is denied on its own evidence: something is required of
/// indexes, or one of them is exempt.
pub(super) fn may_help(governing: &Governing, policies: &Policies) -> bool {
    let enforced = governing.remaining().filter(|policy| policy.mode() == Mode::Enforce);
    let mut leaves = enforced.flat_map(|policy| policy.require().leaves());
    leaves.any(|leaf| leaf.on() == On::Index) || policies.exempts_some_digest(&governing.subject().image)
}

/// Whether a tag is of the form under which signatures and attestations are stored. Such a tag names no image; were it
/// to name one, its index would have to be asked for first.
fn is_of_evidence(tag: &str) -> bool {
    let hex = tag.strip_prefix("sha256-").and_then(|rest| rest.get(..64));
    hex.is_some_and(|hex| hex.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

/// Tags that are resolved and read in one search.
const TAGS: usize = 64;
/// Tags that are asked for at once; those of evidence are passed over.
const LISTED: usize = 1000;
/// The longest list, in bytes.
const BYTES: u64 = 1 << 20;
/// Tags that are resolved at once.
const AT_ONCE: usize = 8;
/// How long a search may take.
const PATIENCE: Duration = Duration::from_secs(15);
/// How long what was found is remembered at least, or each pull that is denied would be a search.
const LEAST: Duration = Duration::from_secs(5);
/// How long a registry that did not tell is left alone.
const REST: Duration = Duration::from_secs(2);
/// What all that is remembered may take, in bytes.
const MEMORY: u64 = 16 << 20;
