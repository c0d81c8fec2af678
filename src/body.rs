//! The body of every answer, whatever it is made of.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use futures_util::{Stream, TryStreamExt};
use http_body::{Frame, SizeHint};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, StreamBody};

/// Why a body broke off; the connection is cut, because the status has been sent.
pub type BodyError = Box<dyn std::error::Error + Send + Sync>;

/// The body of an answer.
#[derive(Debug)]
pub struct Body(Kind);

#[derive(Debug)]
enum Kind {
    /// All there; nothing, if it is empty. Manifests are answered so: it needs no memory of its own.
    Whole(Bytes),
    /// Made piece by piece.
    Pieces(UnsyncBoxBody<Bytes, BodyError>),
}

impl Body {
    /// A body that makes its own frames.
    pub fn new(body: impl http_body::Body<Data = Bytes, Error = BodyError> + Send + 'static) -> Self {
        Self(Kind::Pieces(body.boxed_unsync()))
    }
}

/// A body that is all there.
pub const fn full(bytes: Bytes) -> Body {
    Body(Kind::Whole(bytes))
}

/// No body.
pub const fn empty() -> Body {
    full(Bytes::new())
}

/// A body that is passed on as it comes in. An error in it cuts the connection.
///
/// Once as many bytes as `Content-Length` says have been taken, nobody asks the stream for more: what checks a digest
/// has to do so before it gives its last chunk away.
pub fn stream<S, E>(stream: S) -> Body
where
    S: Stream<Item = Result<Bytes, E>> + Send + 'static,
    E: Into<BodyError> + 'static,
{
    Body::new(StreamBody::new(stream.map_ok(Frame::data).map_err(Into::into)))
}

impl http_body::Body for Body {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        match &mut self.0 {
            Kind::Whole(bytes) if bytes.is_empty() => Poll::Ready(None),
            Kind::Whole(bytes) => Poll::Ready(Some(Ok(Frame::data(std::mem::take(bytes))))),
            Kind::Pieces(body) => Pin::new(body).poll_frame(cx),
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.0 {
            Kind::Whole(bytes) => bytes.is_empty(),
            Kind::Pieces(body) => body.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.0 {
            Kind::Whole(bytes) => SizeHint::with_exact(bytes.len() as u64),
            Kind::Pieces(body) => body.size_hint(),
        }
    }
}
