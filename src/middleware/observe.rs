//! The outermost layer: one log line a request, written when the last byte of its answer has gone, or nobody wants it.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Instant;

use bytes::Bytes;
use futures_util::future::BoxFuture;
use http::header::CONTENT_LENGTH;
use http::{Method, Request, Response, StatusCode};
use http_body::{Frame, SizeHint};
use http_body_util::BodyExt;
use tower::Service;

use crate::body::{Body, BodyError};
use crate::listener::ClientAddress;
use crate::telemetry::log::{self, Ending};
use crate::telemetry::metrics::InUse;
use crate::telemetry::{Facts, Metrics};

/// Logs what `inner` answers.
#[derive(Debug, Clone)]
pub(super) struct Observe<S> {
    inner: S,
    metrics: Arc<Metrics>,
}

impl<S> Observe<S> {
    pub(super) fn new(inner: S, metrics: Arc<Metrics>) -> Self {
        Self { inner, metrics }
    }
}

impl<S, B, R> Service<Request<B>> for Observe<S>
where
    S: Service<Request<B>, Response = Response<R>, Error = Infallible>,
    S::Future: Send + 'static,
    R: http_body::Body<Data = Bytes, Error: Into<BodyError>> + Send + Unpin + 'static,
{
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let mut line = Line::begin(&request, self.metrics.request());
        let answer = self.inner.call(request);
        Box::pin(async move {
            let mut response = answer.await?;
            line.answered(&mut response);
            Ok(response.map(|body| Observed { body, line }.boxed_unsync()))
        })
    }
}

/// The line of one request; it is written when this is dropped, however that comes about.
struct Line {
    request: log::Request,
    began: Instant,
    status: Option<StatusCode>,
    facts: Facts,
    sent: u64,
    /// Bytes of the body, if they are known.
    length: Option<u64>,
    ended: bool,
    _in_flight: InUse,
}

impl Line {
    fn begin<B>(request: &Request<B>, in_flight: InUse) -> Self {
        let client = request.extensions().get::<ClientAddress>().map(|client| client.0);
        Self {
            request: log::Request::of(request, client),
            began: Instant::now(),
            status: None,
            facts: Facts::default(),
            sent: 0,
            length: None,
            ended: request.method() == Method::HEAD,
            _in_flight: in_flight,
        }
    }

    fn answered<R: http_body::Body>(&mut self, response: &mut Response<R>) {
        self.status = Some(response.status());
        self.facts = response.extensions_mut().remove().unwrap_or_default();
        let announced = response.headers().get(CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse().ok());
        self.length = announced.or_else(|| response.body().size_hint().exact());
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        // hyper does not ask for more than the announced length.
        let complete = self.status.is_some() && (self.ended || self.length == Some(self.sent));
        let ending =
            Ending { status: self.status, took: self.began.elapsed(), bytes_sent: self.sent, aborted: !complete };
        log::request_line(&self.request, &ending, &self.facts);
    }
}

/// A body that notes in its line how it ends.
struct Observed<R> {
    body: R,
    line: Line,
}

impl<R> http_body::Body for Observed<R>
where
    R: http_body::Body<Data = Bytes, Error: Into<BodyError>> + Unpin,
{
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
        polled.map(|frame| frame.map(|frame| frame.map_err(Into::into)))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
