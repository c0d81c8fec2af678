//! Makes a good answer a bad one.

use std::io;

use bytes::Bytes;
use futures_util::stream;
use http::header::{CONTENT_LENGTH, HeaderName};
use http::{HeaderValue, Response, StatusCode};
use http_body::Frame;
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full, StreamBody};

use super::Fault;

pub(super) type Body = UnsyncBoxBody<Bytes, io::Error>;

/// Applies one fault; those that only delay have happened before.
pub(super) async fn spoil(answer: Response<Body>, fault: Fault) -> Response<Body> {
    let (mut head, body) = answer.into_parts();
    let body = match fault {
        Fault::Before(_) | Fault::Gate(_) => body,
        Fault::Body(bytes) => {
            head.headers.insert(CONTENT_LENGTH, HeaderValue::from(bytes.len()));
            whole(Full::new(bytes))
        }
        Fault::Endless(length) => {
            head.headers.remove(CONTENT_LENGTH);
            endless(length)
        }
        Fault::Flow(flow) => {
            head.status = StatusCode::OK;
            head.headers.clear();
            flow.begin().boxed_unsync()
        }
        Fault::Header(name, value) => {
            head.headers.insert(HeaderName::from_static(name), value.parse().expect("a header value"));
            // Of unknown length, or the server would notice that the header's is a lie.
            prefix(body, usize::MAX, End::Finish).await
        }
        Fault::NoHeader(name) => {
            head.headers.remove(name);
            prefix(body, usize::MAX, End::Finish).await
        }
        Fault::Reset(length) => prefix(body, length, End::Break).await,
        Fault::Stall(length) => prefix(body, length, End::Hang).await,
        Fault::Status(status) => {
            head.status = StatusCode::from_u16(status).expect("a status");
            head.headers.clear();
            whole(Full::from(r#"{"errors":[{"code":"UNKNOWN","message":"as the test wants it"}]}"#))
        }
    };
    Response::from_parts(head, body)
}

/// What comes after the part of a body that is sent.
#[derive(Clone, Copy)]
enum End {
    Break,
    Finish,
    Hang,
}

/// The first bytes of a body, and how it ends.
async fn prefix(body: Body, length: usize, end: End) -> Body {
    let bytes = body.collect().await.expect("an answer of the registry").to_bytes();
    let first = bytes.slice(..length.min(bytes.len()));
    let frames = stream::unfold(Some(first), move |first| async move {
        match (first, end) {
            (Some(first), _) => Some((Ok(Frame::data(first)), None)),
            (None, End::Break) => Some((Err(io::ErrorKind::ConnectionReset.into()), None)),
            (None, End::Finish) => None,
            (None, End::Hang) => std::future::pending().await,
        }
    });
    StreamBody::new(frames).boxed_unsync()
}

fn endless(length: u64) -> Body {
    const CHUNK: &[u8] = &[b' '; 64 << 10];
    let frames = stream::unfold(length, |left| async move {
        let size = usize::try_from(left).map_or(CHUNK.len(), |left| left.min(CHUNK.len()));
        (size > 0).then(|| (Ok(Frame::data(Bytes::from_static(&CHUNK[..size]))), left - size as u64))
    });
    StreamBody::new(frames).boxed_unsync()
}

/// A body that is sent as it is.
pub(super) fn whole(body: Full<Bytes>) -> Body {
    body.map_err(|never| match never {}).boxed_unsync()
}
