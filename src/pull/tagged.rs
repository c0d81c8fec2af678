//! What the indexes list that tags of a repository name, and the indexes within those: read once within bounds, and
//! remembered as digests alone.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use futures_util::future::join_all;

use super::nested::indexes;
use super::{Fetch, PullError};
use crate::limits::Limits;
use crate::oci::{Digest, Image, Manifest, Reference};
use crate::upstream::UpstreamError;

/// The indexes that tags of a repository name.
#[derive(Debug, Default)]
pub struct Tagged {
    /// Each once, in the order of their tags.
    outermost: Vec<Digest>,
    /// What each of them, and each index within one, lists.
    read: BTreeMap<Digest, Listed>,
    /// How many digests that is.
    digests: usize,
    /// Why there may be more.
    pub incomplete: Option<String>,
    /// Whether that is because the registry did not tell: it may, the next time.
    pub(super) unread: bool,
}

/// What one index lists, in order.
#[derive(Debug)]
struct Listed {
    all: Vec<Digest>,
    /// Of those, the indexes.
    indexes: Vec<Digest>,
}

impl Tagged {
    /// Nothing, because the registry did not tell.
    pub(super) fn unread(why: String) -> Self {
        Self { incomplete: Some(why), unread: true, ..Self::default() }
    }

    /// The indexes that tags name and that list `digest`, at any depth.
    pub fn listing(&self, digest: &Digest) -> Vec<Digest> {
        let lists = |(index, listed): (&Digest, &Listed)| listed.all.binary_search(digest).is_ok().then_some(*index);
        let mut above: Vec<Digest> = self.read.iter().filter_map(lists).collect();
        let mut found: BTreeSet<Digest> = above.iter().copied().collect();
        while let Some(inner) = above.pop() {
            let outer = self.read.iter().filter(|(_, listed)| listed.indexes.binary_search(&inner).is_ok());
            above.extend(outer.map(|(index, _)| *index).filter(|index| found.insert(*index)));
        }
        self.outermost.iter().copied().filter(|index| found.contains(index)).collect()
    }

    /// About how many bytes it takes in memory.
    pub(super) fn weight(&self) -> usize {
        let digests = self.outermost.len() + self.digests;
        OVERHEAD * (1 + self.read.len()) + digests * size_of::<Digest>()
    }

    /// Reads what `references` name in the repository `image`, and the indexes within.
    pub(super) async fn read(&mut self, fetch: &Fetch, limits: &Limits, image: &Image, references: Vec<Reference>) {
        let spent = AtomicU64::new(0);
        let mut level = references;
        for depth in 0..limits.index_depth.max(1) {
            let mut within = BTreeSet::new();
            while !level.is_empty() {
                // What is read at once fits whatever its size.
                let left = BYTES.max(limits.manifest).saturating_sub(spent.load(Ordering::Relaxed));
                let fits = usize::try_from(left / limits.manifest.max(1)).unwrap_or(usize::MAX);
                if fits == 0 {
                    return self.more(format!("its indexes are longer than the {BYTES} bytes that are searched"));
                }
                let rest = level.split_off(level.len().min(fits.min(AT_ONCE)));
                let read = level.iter().map(|reference| fetch.past_memory(image, reference, &spent));
                let read = join_all(read).await;
                level = rest;
                for manifest in read {
                    match manifest {
                        Ok(manifest) if manifest.media_type().is_index() => {
                            if !self.keep(&manifest, depth == 0) {
                                return self.more(format!("its indexes list more than {DIGESTS} manifests"));
                            }
                            within.extend(indexes(&manifest));
                        }
                        // What is gone, and what nobody is served, lists nothing.
                        Ok(_) | Err(PullError::Upstream(UpstreamError::NotFound) | PullError::Content { .. }) => {}
                        Err(error) => self.missed(&error),
                    }
                }
            }
            within.retain(|index| !self.read.contains_key(index));
            if self.read.len() + within.len() > INDEXES {
                return self.more(format!("it has more than the {INDEXES} indexes that are searched"));
            }
            level = within.into_iter().map(Reference::Digest).collect();
        }
    }

    /// Whether there was room for what `index` lists.
    fn keep(&mut self, index: &Arc<Manifest>, by_tag: bool) -> bool {
        let digest = index.digest();
        if by_tag && !self.outermost.contains(&digest) {
            self.outermost.push(digest);
        }
        if self.read.contains_key(&digest) {
            return true;
        }
        let within: BTreeSet<Digest> = indexes(index).collect();
        let digests = self.digests + index.listed().len() + within.len();
        if digests > DIGESTS {
            return false;
        }
        self.digests = digests;
        self.read.insert(digest, Listed { all: index.listed().to_vec(), indexes: within.into_iter().collect() });
        true
    }

    /// There may be more: the registry did not tell, because of `error`.
    pub(super) fn missed(&mut self, error: &PullError) {
        self.more(format!("what its tags name could not be read: {error}"));
        self.unread = true;
    }

    /// There may be more, because of `why`.
    pub(super) fn more(&mut self, why: String) {
        self.incomplete = Some(why);
    }
}

/// Bytes of manifests that one search reads from the registry; a single one is read whatever its limit.
const BYTES: u64 = 32 << 20;
/// Manifests that are read at once.
const AT_ONCE: usize = 8;
/// Indexes that are read, those within each other counted.
const INDEXES: usize = 128;
/// Digests that are remembered of one repository.
const DIGESTS: usize = 32_768;
/// What an entry takes besides its digests.
const OVERHEAD: usize = 256;
