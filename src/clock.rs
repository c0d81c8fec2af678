//! The time, as a value that tests can set.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Seconds since the Unix epoch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
pub struct Timestamp(pub u64);

impl Timestamp {
    /// An instant that no verdict outlives.
    pub const FOREVER: Self = Self(u64::MAX);

    /// Parses an instant of RFC 3339, such as `2026-12-02T00:00:00Z`; none before 1970.
    pub fn parse(text: &str) -> Option<Self> {
        let instant: jiff::Timestamp = text.parse().ok()?;
        u64::try_from(instant.as_second()).ok().map(Self)
    }

    /// How long ago `earlier` was; nothing if it is not earlier.
    pub const fn since(self, earlier: Self) -> Duration {
        Duration::from_secs(self.0.saturating_sub(earlier.0))
    }

    /// This instant, `later`; it saturates.
    #[must_use]
    pub const fn plus(self, later: Duration) -> Self {
        Self(self.0.saturating_add(later.as_secs()))
    }
}

/// As RFC 3339 writes it, in UTC.
impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match i64::try_from(self.0).ok().and_then(|second| jiff::Timestamp::from_second(second).ok()) {
            Some(instant) => instant.fmt(f),
            None => write!(f, "second {}", self.0),
        }
    }
}

/// Where the time comes from: the system, or a hand that a test moves.
#[derive(Debug, Default)]
pub struct Clock {
    /// Seconds set by hand; zero means the system's clock.
    fixed: AtomicU64,
}

impl Clock {
    /// A clock that stands still at `now` until [`Clock::set`] moves it.
    pub const fn fixed(now: Timestamp) -> Self {
        Self { fixed: AtomicU64::new(now.0) }
    }

    /// Moves a fixed clock.
    pub fn set(&self, now: Timestamp) {
        self.fixed.store(now.0, Ordering::Relaxed);
    }

    /// The present instant.
    pub fn now(&self) -> Timestamp {
        match self.fixed.load(Ordering::Relaxed) {
            0 => Timestamp(SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())),
            fixed => Timestamp(fixed),
        }
    }
}
