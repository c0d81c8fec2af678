//! Whether the server still has what it has taken: asked together with the probe, so that nobody has to write it again and
//! again.
//!
//! A connection that breaks may lead to a server that lacks the last writes. One that goes on may have been emptied, which
//! takes away a mark that this replica leaves there; or evict, which the server counts.

use std::sync::{Mutex, MutexGuard, PoisonError};

use aws_lc_rs::rand;
use redis::{Pipeline, Value};
use tokio::time::Instant;

/// What is known of it.
#[derive(Debug)]
pub(super) struct Lasting {
    /// Where the mark is.
    mark: String,
    known: Mutex<Known>,
}

#[derive(Debug, Default)]
struct Known {
    /// When something may last have been forgotten.
    forgot: Option<Instant>,
    /// Whether the mark was left on this connection.
    is_marked: bool,
    /// Questions on this connection.
    asked: u32,
    /// What the server had evicted when it was last asked.
    evicted: Option<u64>,
}

impl Lasting {
    /// Of a server to which nothing was written yet.
    pub(super) fn new() -> Self {
        let mut own = [0; 8];
        // Replicas that share a mark do not see that it was gone: what they wrote, they write again within the hour.
        let _ = rand::fill(&mut own);
        Self { mark: format!("countersign:1:probe:{:016x}", u64::from_be_bytes(own)), known: Mutex::default() }
    }

    /// When something may last have been forgotten that was taken, and would be of use.
    pub(super) fn forgot(&self) -> Option<Instant> {
        self.known().forgot
    }

    /// There is a new connection.
    pub(super) fn begins(&self) {
        *self.known() = Known { forgot: Some(Instant::now()), ..Known::default() };
    }

    /// What is asked now: it writes the mark, and now and then it asks for the count of what was evicted.
    pub(super) fn probe(&self) -> Pipeline {
        let mut commands = Pipeline::new();
        commands.cmd("PTTL").arg(&self.mark);
        commands.cmd("SET").arg(&self.mark).arg(1).arg("PX").arg(60_000);
        let mut known = self.known();
        // At once for the first time: what was taken before that has to be written once more.
        if known.asked.is_multiple_of(COUNTED) {
            commands.cmd("INFO").arg("stats");
        }
        known.asked = known.asked.wrapping_add(1);
        commands
    }

    /// Learns from the answers to that; gives those that say whether the server reads and writes.
    pub(super) fn learn<'r>(&self, replies: &'r [Value]) -> &'r [Value] {
        let (probe, count) = replies.split_at(replies.len().min(2));
        let mut known = self.known();
        let is_gone = matches!(probe.first(), Some(Value::Int(NO_KEY)));
        if is_gone && known.is_marked {
            known.forgot = Some(Instant::now());
        }
        known.is_marked = true;
        if let Some(count) = count.first() {
            let evicted = evicted(count);
            // Who may not know that takes it that some was.
            if evicted.is_none() || evicted != known.evicted {
                known.forgot = Some(Instant::now());
            }
            known.evicted = evicted;
        }
        probe
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How many keys the server has evicted, as `INFO` says it.
fn evicted(info: &Value) -> Option<u64> {
    let Value::BulkString(text) = info else { return None };
    let mut lines = std::str::from_utf8(text).ok()?.lines();
    lines.find_map(|line| line.strip_prefix("evicted_keys:"))?.trim().parse().ok()
}

/// What `PTTL` says of a key that is not there.
const NO_KEY: i64 = -2;

/// Of so many probes, one asks for the count: each minute.
const COUNTED: u32 = 30;

#[cfg(test)]
mod tests {
    use super::*;

    fn info(evicted: &str) -> Value {
        Value::BulkString(format!("# Stats\r\nexpired_keys:7\r\nevicted_keys:{evicted}\r\n").into_bytes())
    }

    /// Whether it takes something for forgotten when these answers come.
    fn forgets(lasting: &Lasting, ttl: i64, count: Option<Value>) -> bool {
        let before = lasting.forgot();
        let replies: Vec<_> = [Value::Int(ttl), Value::Okay].into_iter().chain(count).collect();
        assert_eq!(lasting.learn(&replies), &replies[..2]);
        lasting.forgot() != before
    }

    #[test]
    fn what_may_be_gone_is_told_and_nothing_else() {
        let lasting = Lasting::new();
        assert_eq!(lasting.forgot(), None);
        for _ in 0..2 {
            lasting.begins();
            assert!(lasting.forgot().is_some(), "whom it speaks to may lack what another had");
            assert!(!forgets(&lasting, NO_KEY, None), "it left no mark yet");
            assert!(!forgets(&lasting, 59_000, None));
            assert!(forgets(&lasting, NO_KEY, None), "it was emptied");
            assert!(forgets(&lasting, 1, Some(info("0"))), "it may have evicted before it was asked");
            assert!(!forgets(&lasting, 1, Some(info("0"))));
            assert!(forgets(&lasting, 1, Some(info("12"))));
            assert!(!forgets(&lasting, 1, Some(info("12"))));
            assert!(forgets(&lasting, 1, Some(info("3"))), "it is another");
            for unknown in [info("many"), Value::Okay, Value::Nil] {
                assert!(forgets(&lasting, 1, Some(unknown.clone())) && forgets(&lasting, 1, Some(unknown)));
            }
        }
    }

    #[test]
    fn the_count_is_asked_for_at_first_and_each_minute() {
        let lasting = Lasting::new();
        let counted: Vec<_> = (0..60).filter(|_| lasting.probe().len() == 3).collect();
        assert_eq!(counted, [0, 30]);
        lasting.begins();
        assert_eq!(lasting.probe().len(), 3);
        assert_ne!(Lasting::new().mark, lasting.mark, "each replica has its own");
    }
}
