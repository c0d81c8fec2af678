//! Bodies: the only place that reads one.
//!
//! A body that is held is bounded in size and in time; one that is passed on is bounded between its chunks.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures_util::stream::{self, BoxStream, StreamExt};
use http::header::CONTENT_ENCODING;
use http_body_util::BodyExt;
use hyper::body::Incoming;
use tokio::time::timeout;

use super::message::Response;
use super::{UpstreamError, connection};

/// The time that a body may take.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pace {
    /// Between two chunks.
    pub(super) idle: Duration,
    /// For all of a body that is held.
    pub(super) total: Duration,
}

/// Reads a body of at most `limit` bytes.
pub(super) async fn read(response: &mut Response, limit: u64, pace: Pace) -> Result<Bytes, UpstreamError> {
    let announced = response.length().unwrap_or(0);
    if announced > limit {
        return Err(UpstreamError::TooLarge { limit });
    }
    plain(response)?;
    let collect = async {
        let mut held = BytesMut::with_capacity(usize::try_from(announced.min(TRUSTED_LENGTH)).unwrap_or(0));
        while let Some(chunk) = chunk(response.body_mut(), pace.idle).await {
            let chunk = chunk?;
            if held.len() as u64 + chunk.len() as u64 > limit {
                return Err(UpstreamError::TooLarge { limit });
            }
            held.extend_from_slice(&chunk);
        }
        Ok(held.freeze())
    };
    timeout(pace.total, collect).await.unwrap_or(Err(UpstreamError::Timeout))
}

/// The body as it comes; it ends after its first error.
pub(super) fn stream(
    response: Response,
    idle: Duration,
) -> Result<BoxStream<'static, Result<Bytes, UpstreamError>>, UpstreamError> {
    plain(&response)?;
    let next = move |body: Option<Incoming>| async move {
        let mut body = body?;
        match chunk(&mut body, idle).await? {
            Ok(chunk) => Some((Ok(chunk), Some(body))),
            Err(error) => Some((Err(error), None)),
        }
    };
    Ok(stream::unfold(Some(response.into_body()), next).boxed())
}

fn plain(response: &Response) -> Result<(), UpstreamError> {
    let encodings = response.headers().get_all(CONTENT_ENCODING);
    if encodings.iter().all(|encoding| encoding.as_bytes().eq_ignore_ascii_case(b"identity")) {
        return Ok(());
    }
    Err(UpstreamError::Malformed("it is encoded, though only the identity was accepted"))
}

/// The next bytes, unless it was the end.
async fn chunk(body: &mut Incoming, idle: Duration) -> Option<Result<Bytes, UpstreamError>> {
    loop {
        match timeout(idle, body.frame()).await {
            Ok(None) => return None,
            Ok(Some(Ok(frame))) => {
                // Headers that come last say nothing here.
                if let Ok(bytes) = frame.into_data() {
                    return Some(Ok(bytes));
                }
            }
            Ok(Some(Err(error))) => return Some(Err(connection::broken(&error))),
            Err(_) => return Some(Err(UpstreamError::Timeout)),
        }
    }
}

/// Reads what is left of an answer that nobody wants, so that its connection can be used again; gives up soon.
pub(super) async fn discard(mut response: Response) {
    let pace = Pace { idle: DISCARD_WITHIN, total: DISCARD_WITHIN };
    let _ = read(&mut response, DISCARD_LENGTH, pace).await;
}

/// A length that is believed before the bytes are there.
const TRUSTED_LENGTH: u64 = 1 << 20;
const DISCARD_LENGTH: u64 = 64 << 10;
const DISCARD_WITHIN: Duration = Duration::from_millis(500);
