//! Whether a server is asked at all: one that could not be reached several times in a row is left alone for a while.
//!
//! What it refuses costs a client no time. After the rest one request tries, and all others wait for what it learns. No
//! lock is taken, and nothing is written as long as all is well.

use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use crate::telemetry::Flag;

/// One server's.
#[derive(Debug)]
pub(super) struct Breaker {
    /// What it is about, for the log.
    name: String,
    began: Instant,
    /// Requests in a row that did not reach the server.
    failures: AtomicU32,
    /// Milliseconds from `began` until the server may be asked again; 0: it may be asked.
    until: AtomicU64,
    /// The same of the request that tries, after which another one may.
    trying: AtomicU64,
    /// How long the server is left alone next time, in milliseconds.
    rest: AtomicU64,
    /// How long a request may take.
    try_within: Duration,
    shown: Flag,
}

/// Leave to ask; what came of it is to be said.
#[derive(Debug)]
pub(super) struct Pass<'a> {
    breaker: &'a Breaker,
    /// Its request tries whether the server is back.
    tries: bool,
    said: bool,
}

impl Breaker {
    /// One that lets everything pass. `shown` is set while it does not.
    pub(super) fn new(name: String, try_within: Duration, shown: Flag) -> Self {
        let [until, trying, rest] = [0, 0, millis(SHORTEST_REST)].map(AtomicU64::new);
        Self { name, began: Instant::now(), failures: AtomicU32::new(0), until, trying, rest, try_within, shown }
    }

    /// Leave to ask now.
    ///
    /// # Errors
    /// How long the server is still left alone.
    pub(super) fn pass(&self, now: Instant) -> Result<Pass<'_>, Duration> {
        let until = self.until.load(Ordering::Acquire);
        if until == 0 {
            return Ok(Pass { breaker: self, tries: false, said: false });
        }
        let at = self.at(now);
        if at < until {
            return Err(Duration::from_millis(until - at));
        }
        let trying = self.trying.load(Ordering::Acquire);
        let mine = at.saturating_add(millis(self.try_within));
        if at < trying || self.trying.compare_exchange(trying, mine, Ordering::AcqRel, Ordering::Acquire).is_err() {
            // Another one tries, and soon knows.
            return Err(SHORTEST_REST);
        }
        Ok(Pass { breaker: self, tries: true, said: false })
    }

    fn reached(&self) {
        if self.failures.load(Ordering::Relaxed) != 0 {
            self.failures.store(0, Ordering::Relaxed);
        }
        if self.until.load(Ordering::Relaxed) != 0 && self.until.swap(0, Ordering::AcqRel) != 0 {
            self.rest.store(millis(SHORTEST_REST), Ordering::Relaxed);
            self.trying.store(0, Ordering::Release);
            self.shown.set(false);
            tracing::info!(server = %self.name, "the server answers again");
        }
    }

    fn unreached(&self, tried: bool, now: Instant) {
        let failures = self.failures.fetch_add(1, Ordering::Relaxed).saturating_add(1);
        let open = self.until.load(Ordering::Acquire) != 0;
        // Requests that were under way when it opened say nothing new.
        if !tried && (open || failures < FAILURES) {
            return;
        }
        let rest = self.rest.load(Ordering::Relaxed);
        self.rest.store((rest * 2).min(millis(LONGEST_REST)), Ordering::Relaxed);
        // Up to a quarter more, so that replicas do not come back together.
        let rest = rest + RandomState::new().hash_one(rest) % (rest / 4);
        self.until.store(self.at(now).saturating_add(rest), Ordering::Release);
        self.trying.store(0, Ordering::Release);
        self.shown.set(true);
        if !open {
            tracing::warn!(server = %self.name, failures, "the server cannot be reached; it is left alone for a while");
        }
    }

    /// `now` in milliseconds, never 0.
    fn at(&self, now: Instant) -> u64 {
        millis(now.saturating_duration_since(self.began)).saturating_add(1)
    }
}

impl Pass<'_> {
    /// The server is there, whatever it said.
    pub(super) fn reached(mut self) {
        self.said = true;
        self.breaker.reached();
    }

    /// It could not be connected to, or did not answer in time.
    pub(super) fn unreached(mut self, now: Instant) {
        self.said = true;
        self.breaker.unreached(self.tries, now);
    }
}

impl Drop for Pass<'_> {
    /// Whoever asked has left. If it was the one that tried, the next one does.
    fn drop(&mut self) {
        if self.tries && !self.said {
            self.breaker.trying.store(0, Ordering::Release);
        }
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// So many requests in a row.
const FAILURES: u32 = 5;
const SHORTEST_REST: Duration = Duration::from_secs(1);
const LONGEST_REST: Duration = Duration::from_secs(30);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::telemetry::Metrics;

    fn breaker() -> Breaker {
        Breaker::new(
            "r.io".into(),
            Duration::from_secs(18),
            Metrics::default().upstream_unreachable("r.io", "registry"),
        )
    }

    /// Lets a request fail.
    fn fail(breaker: &Breaker, now: Instant) {
        breaker.pass(now).expect("leave to ask").unreached(now);
    }

    /// One that has just opened, and when that was.
    fn opened() -> (Breaker, Instant) {
        let (breaker, now) = (breaker(), Instant::now());
        (0..FAILURES).for_each(|_| fail(&breaker, now));
        (breaker, now)
    }

    #[test]
    fn it_opens_after_failures_in_a_row_only() {
        let (breaker, now) = (breaker(), Instant::now());
        for _ in 0..3 {
            (1..FAILURES).for_each(|_| fail(&breaker, now));
            breaker.pass(now).expect("still closed").reached();
        }
        (0..FAILURES).for_each(|_| fail(&breaker, now));
        let left = breaker.pass(now).expect_err("open");
        assert!(left >= SHORTEST_REST && left <= SHORTEST_REST.mul_f32(1.25), "{left:?}");
    }

    #[test]
    fn one_request_tries_and_the_others_wait_for_it() {
        let (breaker, now) = opened();
        let later = now + Duration::from_secs(2);
        let tries = breaker.pass(later).expect("the rest is over");
        assert!(breaker.pass(later).is_err(), "two of them try");
        tries.reached();
        assert!(breaker.pass(later).is_ok_and(|pass| !pass.tries));
        // All is forgotten: it takes as many failures again, and the rest is short.
        (1..FAILURES).for_each(|_| fail(&breaker, later));
        assert!(breaker.pass(later).is_ok());
        fail(&breaker, later);
        assert!(breaker.pass(later).is_err_and(|left| left <= SHORTEST_REST.mul_f32(1.25)));
    }

    #[test]
    fn the_rest_doubles_with_every_try_that_fails_up_to_half_a_minute() {
        let (breaker, mut now) = opened();
        for seconds in [2, 4, 8, 16, 30, 30] {
            now += breaker.pass(now).expect_err("open");
            fail(&breaker, now);
            let left = breaker.pass(now).expect_err("open");
            let rest = Duration::from_secs(seconds);
            assert!(left >= rest && left <= rest.mul_f32(1.25), "{left:?} for {rest:?}");
        }
    }

    #[test]
    fn a_request_from_before_neither_prolongs_the_rest_nor_is_needed() {
        let (breaker, now) = (breaker(), Instant::now());
        let (one, other) = (breaker.pass(now).expect("closed"), breaker.pass(now).expect("closed"));
        (0..FAILURES).for_each(|_| fail(&breaker, now));
        let left = breaker.pass(now).expect_err("open");
        one.unreached(now);
        assert_eq!(breaker.pass(now).expect_err("open"), left);
        other.reached();
        assert!(breaker.pass(now).is_ok(), "it was reached after all");
    }

    #[test]
    fn a_try_that_is_given_up_leaves_the_next_one_to_try() {
        let (breaker, now) = opened();
        let later = now + Duration::from_secs(2);
        drop(breaker.pass(later).expect("it tries"));
        assert!(breaker.pass(later).is_ok_and(|pass| pass.tries));
        // One that never ends does not keep the others waiting for ever.
        let forgotten = breaker.pass(later).expect("it tries");
        assert!(breaker.pass(later + Duration::from_secs(17)).is_err());
        assert!(breaker.pass(later + Duration::from_secs(19)).is_ok());
        forgotten.reached();
    }
}
