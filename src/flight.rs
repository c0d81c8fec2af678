//! One of all who ask for the same at the same time does the work, and the others take what it comes to.

use std::collections::HashMap;
use std::hash::Hash;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::OnceCell;

/// The work under way, by what it is for. Nothing that has ended stays.
///
/// The lock is held for a look-up, never while anybody works; whoever can be answered from memory does not come here.
pub struct Flights<K, T> {
    under_way: Mutex<HashMap<K, Flight<T>>>,
}

struct Flight<T> {
    result: Arc<OnceCell<T>>,
    /// Who works or waits.
    seats: usize,
}

/// The place of one who works or waits.
struct Seat<'a, K: Eq + Hash, T> {
    flights: &'a Flights<K, T>,
    key: &'a K,
    result: Arc<OnceCell<T>>,
}

impl<K: Eq + Hash + Clone, T: Clone> Flights<K, T> {
    /// What `work` comes to; or what that of another one comes to who asked for the same `key` before and is not done. If
    /// that one goes away, the next in order does its own.
    /// (It is in its place already: it may be large, and is handed on.)
    pub async fn join(&self, key: &K, work: Pin<&mut impl Future<Output = T>>) -> T {
        let seat = self.seat(key);
        seat.result.get_or_init(|| work).await.clone()
    }

    fn seat<'a>(&'a self, key: &'a K) -> Seat<'a, K, T> {
        let mut under_way = self.lock();
        let result = if let Some(flight) = under_way.get_mut(key) {
            flight.seats += 1;
            flight.result.clone()
        } else {
            let result = Arc::default();
            under_way.insert(key.clone(), Flight { result: Arc::clone(&result), seats: 1 });
            result
        };
        Seat { flights: self, key, result }
    }
}

impl<K, T> Flights<K, T> {
    fn lock(&self) -> MutexGuard<'_, HashMap<K, Flight<T>>> {
        self.under_way.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<K: Eq + Hash, T> Drop for Seat<'_, K, T> {
    /// The first who leaves when the work is done ends the flight; or the last, if nobody did it.
    fn drop(&mut self) {
        let mut under_way = self.flights.lock();
        let Some(flight) = under_way.get_mut(self.key) else { return };
        // Another one may be under way by now.
        if !Arc::ptr_eq(&flight.result, &self.result) {
            return;
        }
        flight.seats -= 1;
        if flight.seats == 0 || self.result.initialized() {
            under_way.remove(self.key);
        }
    }
}

impl<K, T> Default for Flights<K, T> {
    fn default() -> Self {
        Self { under_way: Mutex::default() }
    }
}

impl<K, T> std::fmt::Debug for Flights<K, T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Flights").field("under_way", &self.lock().len()).finish()
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::future::pending;
    use std::panic::AssertUnwindSafe;
    use std::pin::pin;
    use std::time::Duration;

    use futures_util::FutureExt;
    use futures_util::future::join_all;
    use tokio::time::{sleep, timeout};

    use super::*;

    const SOON: Duration = Duration::from_millis(10);

    /// Works for a moment, is counted, and comes to `result`.
    async fn work(done: &Cell<usize>, result: usize) -> usize {
        sleep(SOON).await;
        done.set(done.get() + 1);
        result
    }

    async fn ask(
        flights: &Flights<&'static str, usize>,
        key: &'static str,
        work: impl Future<Output = usize>,
    ) -> usize {
        flights.join(&key, pin!(work)).await
    }

    #[tokio::test(start_paused = true)]
    async fn one_works_for_all_who_ask_for_the_same_and_nothing_stays() {
        let (flights, done) = (Flights::default(), Cell::new(0));
        let asked = (0..64_usize).map(|n| ask(&flights, if n % 2 == 0 { "even" } else { "odd" }, work(&done, n)));
        let got = join_all(asked).await;
        assert_eq!(done.get(), 2);
        assert!(got.iter().enumerate().all(|(n, got)| *got == n % 2), "{got:?}");
        assert!(flights.lock().is_empty());
        assert_eq!(ask(&flights, "even", work(&done, 7)).await, 7, "what has ended is not given again");
    }

    #[tokio::test(start_paused = true)]
    async fn if_the_one_who_works_goes_away_the_next_in_order_does() {
        let (flights, done) = (Flights::default(), Cell::new(0));
        let first = timeout(SOON, ask(&flights, "x", pending()));
        let others = join_all((1..4).map(|n| ask(&flights, "x", work(&done, n))));
        let (first, others) = tokio::join!(first, others);
        assert!(first.is_err());
        assert_eq!((others, done.get()), (vec![1, 1, 1], 1));
        assert!(flights.lock().is_empty());
    }

    #[tokio::test(start_paused = true)]
    async fn if_the_one_who_works_panics_the_next_in_order_works() {
        let (flights, done) = (Flights::default(), Cell::new(0));
        let panics = AssertUnwindSafe(ask(&flights, "x", async {
            sleep(SOON).await;
            panic!("as it should");
        }));
        let (first, second) = tokio::join!(panics.catch_unwind(), ask(&flights, "x", work(&done, 2)));
        assert!(first.is_err());
        assert_eq!((second, done.get()), (2, 1));
        assert!(flights.lock().is_empty());
    }

    #[tokio::test(start_paused = true)]
    async fn if_all_go_away_the_flight_has_ended() {
        let flights = Flights::default();
        let gone = join_all((0..3).map(|_| timeout(SOON, ask(&flights, "x", pending())))).await;
        assert!(gone.iter().all(Result::is_err) && flights.lock().is_empty());
    }

    /// Whoever took what an earlier flight came to, and leaves late, does not end the one that is under way since.
    #[tokio::test(start_paused = true)]
    async fn who_leaves_late_ends_no_other_flight() {
        let flights = Flights::default();
        let (early, late) = (flights.seat(&()), flights.seat(&()));
        early.result.set(1).expect("nobody else has");
        drop(early);
        let new = flights.seat(&());
        assert!(!new.result.initialized());
        drop(late);
        assert_eq!(flights.lock().get(&()).map(|flight| flight.seats), Some(1));
        drop(new);
        assert!(flights.lock().is_empty());
    }
}
