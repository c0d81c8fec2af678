//! The outermost layer: one log line a request, written when the last byte of its answer has gone, or nobody wants it.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Instant;

use bytes::Bytes;
use http::header::CONTENT_LENGTH;
use http::{Method, Request, Response, StatusCode};
use http_body::{Body as _, Frame, SizeHint};

use crate::body::{Body, BodyError};
use crate::listener::ClientAddress;
use crate::telemetry::log::{self, Ending};
use crate::telemetry::metrics::InUse;
use crate::telemetry::{Answer, Facts};

/// The line of one request; it is written when this is dropped, however that comes about.
pub(super) struct Line {
    request: log::Request,
    began: Instant,
    status: Option<StatusCode>,
    facts: Option<Arc<Facts>>,
    sent: u64,
    /// Bytes of the body, if they are known.
    length: Option<u64>,
    ended: bool,
    _in_flight: InUse,
}

impl Line {
    pub(super) fn begin(request: &Request<ClientAddress>, in_flight: InUse) -> Self {
        Self {
            request: log::Request::of(request, Some(request.body().0)),
            began: Instant::now(),
            status: None,
            facts: None,
            sent: 0,
            length: None,
            ended: request.method() == Method::HEAD,
            _in_flight: in_flight,
        }
    }

    /// Logs what `answer` comes to.
    pub(super) async fn observe(self, answer: impl Future<Output = Answer>) -> Response<Body> {
        let answer = answer.await;
        self.observed(answer)
    }

    /// Logs what came of `answer`.
    pub(super) fn observed(mut self, answer: Answer) -> Response<Body> {
        let Answer { response, facts } = answer;
        self.status = Some(response.status());
        self.facts = Some(facts);
        let announced = response.headers().get(CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse().ok());
        self.length = announced.or_else(|| response.body().size_hint().exact());
        response.map(|body| Body::new(Observed { body, line: self }))
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        // hyper does not ask for more than the announced length.
        let complete = self.status.is_some() && (self.ended || self.length == Some(self.sent));
        let ending =
            Ending { status: self.status, took: self.began.elapsed(), bytes_sent: self.sent, aborted: !complete };
        log::request_line(&self.request, &ending, self.facts.as_deref().unwrap_or(&Facts::default()));
    }
}

/// A body that notes in its line how it ends.
struct Observed {
    body: Body,
    line: Line,
}

impl http_body::Body for Observed {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let polled = Pin::new(&mut self.body).poll_frame(cx);
        match &polled {
            Poll::Ready(Some(Ok(frame))) => {
                self.line.sent += frame.data_ref().map_or(0, |data| data.len() as u64);
            }
            Poll::Ready(None) => self.line.ended = true,
            Poll::Ready(Some(Err(_))) | Poll::Pending => {}
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
