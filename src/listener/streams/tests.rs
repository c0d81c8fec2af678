//! On short times rather than a paused clock; nothing here waits for long, and what must not end is asked at once.

use futures_util::{FutureExt, StreamExt, stream};
use http_body_util::BodyExt;

use super::*;
use crate::body;

const SHORT: Duration = Duration::from_millis(20);
const LONG: Duration = Duration::from_mins(1);

fn streams(idle: Duration, stall: Duration, once: bool) -> Arc<Streams> {
    Streams::new(Bounds { idle, stall, once })
}

fn fine() -> Body {
    body::full(Bytes::from_static(b"fine"))
}

/// `first`, and then nothing for ever.
fn stuck_after(first: &'static str) -> Body {
    let first = stream::iter([Ok::<_, std::convert::Infallible>(Bytes::from_static(first.as_bytes()))]);
    body::stream(first.chain(stream::pending()))
}

fn over(streams: &Streams) -> Option<Over> {
    streams.over().now_or_never()
}

#[tokio::test]
async fn a_connection_without_requests_is_enough_and_then_too_much() {
    let streams = streams(SHORT, LONG, false);
    assert_eq!(over(&streams), None);
    assert_eq!(streams.over().await, Over::Enough);
    assert_eq!(over(&streams), None);
    assert_eq!(streams.over().await, Over::Abused);
}

#[tokio::test]
async fn a_request_keeps_it_as_long_as_the_registry_lets_it_wait() {
    let streams = streams(SHORT, SHORT, false);
    let mut waiting = stream_of(&streams, stuck_after("some"));
    assert!(waiting.frame().await.is_some());
    assert!(waiting.frame().now_or_never().is_none(), "the registry gives no more");
    let unanswered = streams.begin();
    tokio::time::sleep(3 * SHORT).await;
    assert_eq!(over(&streams), None);
    drop((waiting, unanswered));
    assert_eq!(streams.over().await, Over::Enough);
}

/// O70.
#[tokio::test]
async fn a_client_that_takes_nothing_of_what_is_there_is_cut_off() {
    let all = streams(LONG, SHORT, false);
    let busy = stream_of(&all, fine());
    drop(busy);
    let mut taken = stream_of(&all, stuck_after("some"));
    assert!(taken.frame().await.is_some());
    assert_eq!(over(&all), None);
    assert_eq!(all.over().await, Over::Abused);
    drop(taken);

    // Not even the first piece.
    let all = streams(LONG, SHORT, false);
    let untouched = stream_of(&all, fine());
    assert_eq!(all.over().await, Over::Abused);
    drop(untouched);
}

#[tokio::test]
async fn a_long_frame_is_given_in_pieces() {
    let streams = streams(LONG, LONG, false);
    let bytes: Vec<u8> = (0..=255).cycle().take(2 * PIECE + 1).collect();
    let mut body = stream_of(&streams, body::full(bytes.clone().into()));
    let mut given = Vec::new();
    while let Some(frame) = body.frame().await {
        assert!(!given.is_empty() || !body.is_end_stream());
        given.push(frame.expect("no error").into_data().expect("data"));
    }
    assert_eq!(given.iter().map(Bytes::len).collect::<Vec<_>>(), [PIECE, PIECE, 1]);
    assert_eq!(given.concat(), bytes);
}

#[tokio::test]
async fn requests_that_are_taken_back_add_up_and_answered_ones_make_up_for_them() {
    let streams = streams(LONG, LONG, false);
    let answered = async |body: Body| {
        let mut body = stream_of(&streams, body);
        while body.frame().await.is_some() {}
    };
    for _ in 0..MOST_TAKEN_BACK {
        drop(streams.begin());
    }
    assert_eq!(over(&streams), None);
    for _ in 0..MOST_TAKEN_BACK {
        answered(fine()).await;
        drop(stream_of(&streams, body::empty()));
        drop(stream_of(&streams, stuck_after("some")));
        drop(streams.begin());
    }
    assert_eq!(over(&streams), None);
    drop(streams.begin());
    assert_eq!(over(&streams), Some(Over::Abused));
}

#[tokio::test]
async fn only_one_request_is_wanted_where_connections_are_turned_away() {
    let streams = streams(LONG, LONG, true);
    assert_eq!(over(&streams), None);
    let request = streams.begin();
    assert_eq!(over(&streams), Some(Over::Enough));
    assert_eq!(over(&streams), None);
    drop(request);
}

fn stream_of(streams: &Arc<Streams>, body: Body) -> Watched {
    streams.begin().answered(body)
}
