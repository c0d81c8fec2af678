//! Blobs: streamed from the registry, never held, and cut before the end if they are not what they should be.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use aws_lc_rs::digest::{Context as Hash, SHA256};
use bytes::Bytes;
use futures_util::Stream;
use http::header::{CONTENT_LENGTH, CONTENT_RANGE, ETAG, HeaderValue, IF_RANGE, RANGE};
use http::{HeaderMap, Method, Response, StatusCode};

use crate::admission::Admitted;
use crate::body::{self, Body};
use crate::oci::{Blob, Digest, Repository, media_type};
use crate::pull::PullError;
use crate::reason::Reason;
use crate::respond;
use crate::upstream::{Upstream, UpstreamError};

/// Answers with an admitted blob, whole or in the ranges asked for.
pub async fn serve(
    upstream: &Upstream,
    repository: &Repository,
    admitted: &Admitted<Blob>,
    method: &Method,
    request: &HeaderMap,
) -> Result<Response<Body>, PullError> {
    let digest = admitted.content().0;
    let sent = upstream.blob(method.clone(), repository, &digest, request.get(RANGE), request.get(IF_RANGE)).await?;
    let status = match sent.status {
        200 => StatusCode::OK,
        206 => StatusCode::PARTIAL_CONTENT,
        416 => StatusCode::RANGE_NOT_SATISFIABLE,
        other => return Err(PullError::Upstream(UpstreamError::Status(other))),
    };
    // Never the registry's own type: some answer a manifest's, and a client would take the blob for one.
    let parts = sent.byteranges.filter(|_| status == StatusCode::PARTIAL_CONTENT);
    let content_type = parts.unwrap_or(HeaderValue::from_static(media_type::OCTET_STREAM));
    let body = if *method == Method::HEAD {
        body::empty()
    } else if status == StatusCode::OK {
        body::stream(Checked::new(sent.body, digest))
    } else {
        body::stream(sent.body)
    };
    let mut response = respond::blob(admitted, status, content_type, body);
    let headers = response.headers_mut();
    // The registry's error behind a 416 is not passed on, so its length is not either.
    let length = if status == StatusCode::RANGE_NOT_SATISFIABLE { Some(0) } else { sent.content_length };
    if let Some(length) = length {
        headers.insert(CONTENT_LENGTH, HeaderValue::from(length));
    }
    for (name, value) in [(CONTENT_RANGE, sent.content_range), (ETAG, sent.etag)] {
        if let Some(value) = value {
            headers.insert(name, value);
        }
    }
    Ok(response)
}

/// A stream that holds back its newest chunk until it knows whether the whole hashes to the digest.
struct Checked<S> {
    inner: S,
    hash: Option<Hash>,
    expected: Digest,
    held: Option<Bytes>,
}

impl<S> Checked<S> {
    fn new(inner: S, expected: Digest) -> Self {
        Self { inner, hash: Some(Hash::new(&SHA256)), expected, held: None }
    }
}

/// The registry sent other bytes than the digest promises; the client sees a broken transfer.
#[derive(Debug, thiserror::Error)]
#[error("{}: the blob does not hash to {expected}", Reason::UpstreamDigestMismatch)]
struct Corrupt {
    expected: Digest,
}

impl<S: Stream<Item = Result<Bytes, UpstreamError>> + Unpin> Stream for Checked<S> {
    type Item = Result<Bytes, body::BodyError>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        loop {
            match ready!(Pin::new(&mut self.inner).poll_next(cx)) {
                Some(Ok(chunk)) if chunk.is_empty() => {}
                Some(Ok(chunk)) => {
                    if let Some(hash) = &mut self.hash {
                        hash.update(&chunk);
                    }
                    if let Some(previous) = self.held.replace(chunk) {
                        return Poll::Ready(Some(Ok(previous)));
                    }
                }
                Some(Err(error)) => {
                    self.held = None;
                    return Poll::Ready(Some(Err(error.into())));
                }
                None => {
                    let Some(hash) = self.hash.take() else { return Poll::Ready(None) };
                    if hash.finish().as_ref() == self.expected.as_bytes() {
                        return Poll::Ready(self.held.take().map(Ok));
                    }
                    let expected = self.expected;
                    tracing::error!(image.digest = %expected, "the registry sent a corrupt blob; the transfer was cut");
                    return Poll::Ready(Some(Err(Corrupt { expected }.into())));
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use futures_util::{StreamExt, stream};

    use super::*;

    async fn read(chunks: &[&'static str], digest: Digest) -> (String, bool) {
        let inner =
            stream::iter(chunks.iter().map(|chunk| Ok(Bytes::from_static(chunk.as_bytes()))).collect::<Vec<_>>());
        let mut checked = Checked::new(inner, digest);
        let (mut text, mut whole) = (String::new(), true);
        while let Some(chunk) = checked.next().await {
            match chunk {
                Ok(chunk) => text += std::str::from_utf8(&chunk).expect("text"),
                Err(_) => whole = false,
            }
            if !whole {
                break;
            }
        }
        (text, whole)
    }

    #[tokio::test]
    async fn the_last_chunk_leaves_only_if_the_whole_is_right() {
        assert_eq!(read(&["ab", "", "cd"], Digest::of(b"abcd")).await, ("abcd".into(), true));
        assert_eq!(read(&["ab", "cX"], Digest::of(b"abcd")).await, ("ab".into(), false));
        assert_eq!(read(&["ab"], Digest::of(b"abcd")).await, (String::new(), false));
        assert_eq!(read(&[], Digest::of(b"")).await, (String::new(), true));
    }
}
