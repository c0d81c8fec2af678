//! Evidence in memory: what was read completely is judged again, under another policy or trusted root, without asking
//! the registry.
//!
//! Only complete readings are kept: what one lacks might be what the next policy wants. Nobody is believed for longer
//! because of it: how old the evidence may be, the caller says each time.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use moka::future::Cache;

use crate::cache::Lookup;
use crate::clock::Timestamp;
use crate::discovery::Wants;
use crate::evidence::EvidenceSet;
use crate::oci::{Image, Subject};

/// The evidence of the subjects that were judged lately, and the readings under way.
#[derive(Debug)]
pub struct Held {
    kept: Cache<Subject, Arc<Reading>>,
    /// Readings under way; nothing stays in it.
    flights: Cache<About, Arc<EvidenceSet>>,
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

impl Held {
    /// Holds about `bytes` of evidence, none of it for longer than `longest`.
    pub fn new(bytes: u64, longest: Duration) -> Self {
        let weigh = |_: &Subject, reading: &Arc<Reading>| u32::try_from(reading.size()).unwrap_or(u32::MAX);
        // By a clock that nobody can set back, too.
        let kept = Cache::builder().max_capacity(bytes).weigher(weigh).time_to_live(longest).build();
        Self { kept, flights: Cache::builder().max_capacity(AT_ONCE).time_to_live(LANDED).build() }
    }

    /// What is held and was read less than `max_age` before `now`, else what `read` finds: once for all who ask at the
    /// same time. A [`Lookup::Hit`] cost the registry nothing.
    pub async fn get(
        &self,
        about: &About,
        now: Timestamp,
        max_age: Duration,
        read: impl Future<Output = EvidenceSet>,
    ) -> (Arc<EvidenceSet>, Lookup) {
        if let Some(held) = self.held(about, now, max_age).await {
            return (held, Lookup::Hit);
        }
        let mut lookup = Lookup::Joined;
        let anew = async {
            // Another reading may have come to its end since.
            if let Some(held) = self.held(about, now, max_age).await {
                lookup = Lookup::Hit;
                return held;
            }
            lookup = Lookup::Miss;
            let set = Arc::new(read.await);
            self.keep(about, &set).await;
            set
        };
        let set = Box::pin(self.flights.get_with_by_ref(about, anew)).await;
        if lookup != Lookup::Joined {
            self.flights.invalidate(about).await;
        }
        (set, lookup)
    }

    async fn held(&self, about: &About, now: Timestamp, max_age: Duration) -> Option<Arc<EvidenceSet>> {
        let reading = self.kept.get(&about.subject).await?;
        let read_at = reading.set.read_at;
        // A clock that was set back makes nothing younger.
        let young = now < read_at.plus(max_age) && read_at <= now.plus(EARLIER);
        (young && reading.serves(about)).then(|| reading.set.clone())
    }

    async fn keep(&self, about: &About, set: &Arc<EvidenceSet>) {
        if set.unread.is_empty() && !set.incomplete {
            let reading = Reading { about: about.clone(), set: set.clone() };
            self.kept.insert(about.subject.clone(), Arc::new(reading)).await;
        }
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
/// Readings under way at once.
const AT_ONCE: u64 = 10_000;
/// How long a reading that has ended stands among those under way, should whoever made it be gone.
const LANDED: Duration = Duration::from_secs(1);
/// What an entry takes besides the evidence.
const OVERHEAD: usize = 512;

#[cfg(test)]
mod tests;
