use std::future::Future;
use std::sync::Barrier;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::task::Poll;
use std::time::Duration;

use futures_util::future::join_all;
use futures_util::poll;

use super::*;

fn pool(threads: usize, queue: usize) -> Pool {
    Pool::new(Verification { threads, queue, time: Duration::from_secs(2) })
}

/// A job that waits for its gate and says when it begins.
struct Gated {
    began: Receiver<()>,
    gate: Sender<()>,
}

fn gated() -> (impl FnOnce() + Send + 'static, Gated) {
    let (started, began) = channel();
    let (gate, opened) = channel::<()>();
    let job = move || {
        started.send(()).expect("somebody waits");
        // An error means that the test is over.
        let _ = opened.recv();
    };
    (job, Gated { began, gate })
}

/// A job of `pool` that has begun, and what it ends by.
async fn begun<'p>(pool: &'p Pool) -> (std::pin::Pin<Box<dyn Future<Output = Result<(), Unfinished>> + 'p>>, Gated) {
    let (job, gated) = gated();
    let mut run: std::pin::Pin<Box<dyn Future<Output = _> + 'p>> = Box::pin(pool.run(job));
    assert!(poll!(&mut run).is_pending());
    gated.began.recv().expect("it begins");
    (run, gated)
}

/// One more job is refused at once, without waiting for anything.
async fn assert_busy(pool: &Pool) {
    let mut more = Box::pin(pool.run(|| ()));
    assert_eq!(poll!(&mut more), Poll::Ready(Err(Unfinished::Busy)));
}

#[tokio::test]
async fn a_full_queue_refuses_at_once_and_takes_again_when_there_is_room() {
    let pool = pool(1, 1);
    let (first, held) = begun(&pool).await;
    let mut second = Box::pin(pool.run(|| 2));
    assert!(poll!(&mut second).is_pending());
    for _ in 0..3 {
        assert_busy(&pool).await;
    }
    held.gate.send(()).expect("the job waits");
    assert_eq!((first.await, second.await), (Ok(()), Ok(2)));
    assert_eq!(pool.run(|| 3).await, Ok(3));
}

#[tokio::test]
async fn a_job_whose_waiter_went_away_before_it_began_never_runs_and_leaves_its_place() {
    let pool = pool(1, 1);
    let (first, held) = begun(&pool).await;
    let ran = Arc::new(AtomicUsize::new(0));
    let count = |by: usize| {
        let ran = ran.clone();
        move || ran.fetch_add(by, Ordering::SeqCst)
    };
    let mut gone = Box::pin(pool.run(count(1)));
    assert!(poll!(&mut gone).is_pending());
    drop(gone);
    let mut next = Box::pin(pool.run(count(10)));
    assert!(poll!(&mut next).is_pending(), "the place is free");
    held.gate.send(()).expect("the job waits");
    assert_eq!((first.await, next.await), (Ok(()), Ok(0)));
    assert_eq!(ran.load(Ordering::SeqCst), 10);
}

#[tokio::test]
async fn a_job_whose_waiter_went_away_while_it_ran_keeps_its_thread_until_it_ends() {
    let pool = pool(1, 1);
    let (first, held) = begun(&pool).await;
    drop(first);
    let mut second = Box::pin(pool.run(|| 2));
    assert!(poll!(&mut second).is_pending());
    assert_busy(&pool).await;
    held.gate.send(()).expect("the job still waits");
    assert_eq!(second.await, Ok(2));
}

#[tokio::test]
async fn a_panic_ends_one_job_and_nothing_else() {
    let pool = pool(2, 1);
    for _ in 0..10 {
        let broken = pool.run(|| std::panic::resume_unwind(Box::new("as a panic would"))).await;
        assert_eq!(broken, Err::<(), _>(Unfinished::Broken));
    }
    let barrier = Arc::new(Barrier::new(2));
    let meet = || {
        let barrier = barrier.clone();
        pool.run(move || barrier.wait().is_leader())
    };
    let (one, other) = tokio::join!(meet(), meet());
    assert_ne!(one.expect("it ran"), other.expect("it ran"), "both threads are there");
}

#[tokio::test]
async fn as_many_run_at_once_as_there_are_threads_and_no_more() {
    let pool = pool(3, 100);
    let (now, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let barrier = Arc::new(Barrier::new(3));
    let jobs = (0..30).map(|_| {
        let (now, most, barrier) = (now.clone(), most.clone(), barrier.clone());
        pool.run(move || {
            most.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
            // Nobody passes before three have met.
            barrier.wait();
            now.fetch_sub(1, Ordering::SeqCst);
        })
    });
    assert!(join_all(jobs).await.iter().all(Result::is_ok));
    assert_eq!(most.load(Ordering::SeqCst), 3);
}

#[test]
fn what_did_not_finish_is_no_verdict() {
    use crate::reason::Class;
    assert_eq!(Unfinished::Busy.reason().class(), Class::Unavailable);
    assert_eq!(Unfinished::Broken.reason().class(), Class::Unavailable);
}
