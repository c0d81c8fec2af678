//! Evidence that was read: what was read completely is judged again, under another policy or trusted root, without asking
//! the registry. Memory is in front, the store behind it.
//!
//! Only complete readings are kept: what one lacks might be what the next policy wants. Nobody is believed for longer
//! because of it: how old the evidence may be, the caller says each time.

use std::pin::{Pin, pin};
use std::sync::Arc;
use std::time::Duration;

use moka::future::Cache;

use crate::clock::Timestamp;
use crate::discovery::{Share, Wants};
use crate::evidence::EvidenceSet;
use crate::flight::Flights;
use crate::oci::{Image, Subject};

mod stored;

mod writing;

pub use stored::Stored;
pub use writing::Writing;

/// The evidence of the subjects that were judged lately, and the readings under way.
#[derive(Debug)]
pub struct Held {
    kept: Cache<Subject, Arc<Reading>>,
    reading: Flights<About, Landed>,
    stored: Stored,
}

/// What evidence is asked for: about what, and where.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct About {
    /// What it is about.
    pub subject: Subject,
    /// The repositories, beside the subject's own, that may hold it; each once.
    pub elsewhere: Vec<Image>,
    /// The sources in each of them.
    pub wants: Wants,
}

/// What was read, and where.
#[derive(Debug)]
struct Reading {
    about: About,
    set: Arc<EvidenceSet>,
}

/// Where evidence came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// Memory.
    Memory,
    /// The store.
    Store,
    /// The registry, a moment ago.
    Registry,
    /// Another request that was reading it already.
    Another {
        /// Whether that one had it from memory or the store.
        held: bool,
    },
}

/// What a reading that others waited for gave them.
#[derive(Debug, Clone)]
struct Landed {
    set: Arc<EvidenceSet>,
    held: bool,
}

/// How old evidence may be.
#[derive(Debug, Clone, Copy)]
struct Young {
    now: Timestamp,
    max_age: Duration,
}

impl Held {
    /// Holds about `bytes` of evidence in memory, none of it for longer than `longest`, before what is `stored`.
    pub fn new(bytes: u64, longest: Duration, stored: Stored) -> Self {
        let weigh = |_: &Subject, reading: &Arc<Reading>| u32::try_from(reading.size()).unwrap_or(u32::MAX);
        // By a clock that nobody can set back, too.
        let kept = Cache::builder().max_capacity(bytes).weigher(weigh).time_to_live(longest).build();
        Self { kept, reading: Flights::default(), stored }
    }

    /// What is held and was read less than `max_age` before `now`, else what `read` finds: once for all who ask at the
    /// same time. What comes from the store takes its `share` of memory.
    pub async fn get(
        &self,
        about: &About,
        now: Timestamp,
        max_age: Duration,
        share: &Share,
        read: impl Future<Output = EvidenceSet>,
    ) -> (Arc<EvidenceSet>, Origin) {
        let young = Young { now, max_age };
        if let Some(set) = self.remembered(about, young).await {
            return (set, Origin::Memory);
        }
        Box::pin(self.get_together(about, young, share, read)).await
    }

    async fn get_together(
        &self,
        about: &About,
        young: Young,
        share: &Share,
        read: impl Future<Output = EvidenceSet>,
    ) -> (Arc<EvidenceSet>, Origin) {
        let mut anew = pin!(self.anew(about, young, share, read));
        loop {
            let mut origin = None;
            let Landed { set, held } = self.reading.join(about, pin!(land(anew.as_mut(), &mut origin))).await;
            // Who had it read may be content with what is older than this one takes.
            if origin.is_some() || !held || young.is(set.read_at) {
                return (set, origin.unwrap_or(Origin::Another { held }));
            }
        }
    }

    /// The writes to the store that are under way.
    pub fn writing(&self) -> Writing {
        self.stored.writing()
    }

    async fn anew(
        &self,
        about: &About,
        young: Young,
        share: &Share,
        read: impl Future<Output = EvidenceSet>,
    ) -> (Arc<EvidenceSet>, Origin) {
        // Another reading may have come to its end since.
        if self.kept.contains_key(&about.subject)
            && let Some(set) = self.remembered(about, young).await
        {
            return (set, Origin::Memory);
        }
        if let Some(set) = self.stored.read(about, |read_at| young.is(read_at), share).await {
            let set = Arc::new(set);
            self.keep(about, &set).await;
            return (set, Origin::Store);
        }
        let set = Arc::new(read.await);
        if set.unread.is_empty() && !set.incomplete {
            self.keep(about, &set).await;
            self.stored.write(about, &set);
        }
        (set, Origin::Registry)
    }

    async fn remembered(&self, about: &About, young: Young) -> Option<Arc<EvidenceSet>> {
        let reading = self.kept.get(&about.subject).await?;
        (young.is(reading.set.read_at) && reading.serves(about)).then(|| reading.set.clone())
    }

    async fn keep(&self, about: &About, set: &Arc<EvidenceSet>) {
        let reading = Reading { about: about.clone(), set: set.clone() };
        self.kept.insert(about.subject.clone(), Arc::new(reading)).await;
    }
}

/// What `anew` comes to, for all who wait; and for the one who read, where it came from.
async fn land(anew: Pin<&mut impl Future<Output = (Arc<EvidenceSet>, Origin)>>, origin: &mut Option<Origin>) -> Landed {
    let (set, from) = anew.await;
    *origin = Some(from);
    Landed { set, held: from.held() }
}

impl Origin {
    /// Whether the registry was not asked for it now.
    pub fn held(self) -> bool {
        matches!(self, Self::Memory | Self::Store | Self::Another { held: true })
    }

    /// The metric label.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Memory => "hit",
            Self::Store => "stored",
            Self::Registry => "miss",
            Self::Another { .. } => "joined",
        }
    }
}

impl Young {
    /// A clock that was set back makes nothing younger.
    fn is(self, read_at: Timestamp) -> bool {
        self.now < read_at.plus(self.max_age) && read_at <= self.now.plus(EARLIER)
    }
}

impl Reading {
    /// Whether reading `about` now would look nowhere else. Where it would look in fewer repositories, what the others
    /// gave should not count any more.
    fn serves(&self, about: &About) -> bool {
        let (read, asked) = (&self.about, about);
        let same_places = read.elsewhere.len() == asked.elsewhere.len()
            && asked.elsewhere.iter().all(|place| read.elsewhere.contains(place));
        read.subject == asked.subject && same_places && read.wants.include(asked.wants)
    }

    fn size(&self) -> usize {
        OVERHEAD + self.set.size()
    }
}

/// Requests that began so much earlier than a reading may use it.
const EARLIER: Duration = Duration::from_mins(1);
/// What an entry takes besides the evidence.
const OVERHEAD: usize = 512;

#[cfg(test)]
mod tests;
