//! The bytes of a blob on their way: hashed where they are all of it, and cut where they are not what they should be.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use aws_lc_rs::digest::{Context as Hash, SHA256};
use bytes::Bytes;
use futures_util::Stream;

use crate::body::BodyError;
use crate::oci::Digest;
use crate::reason::Reason;
use crate::telemetry::Metrics;
use crate::upstream::UpstreamError;

/// A stream that ends with an error, and is counted, if it is not as long as it should be or does not hash to its
/// digest. Then its last chunk has not left it: nobody gets a wrong blob to its end.
pub(super) struct Transfer<S> {
    inner: S,
    digest: Digest,
    /// What to hash with, if the whole blob is sent.
    hash: Option<Hash>,
    /// Bytes that are still to come, if that is known.
    left: Option<u64>,
    /// What may be the end, where nobody said how long it is.
    held: Option<Bytes>,
    ended: bool,
    metrics: Arc<Metrics>,
}

/// Why a transfer was cut.
#[derive(Debug, thiserror::Error)]
enum Cut {
    #[error("{}: the blob does not hash to {digest}", Reason::UpstreamDigestMismatch)]
    Digest { digest: Digest },
    #[error("{}: the registry sent more or fewer bytes than it announced", Reason::UpstreamDigestMismatch)]
    Length,
    #[error(transparent)]
    Upstream(#[from] UpstreamError),
}

impl<S> Transfer<S> {
    /// All of the blob `digest`, in `length` bytes if that is known.
    pub(super) fn whole(inner: S, digest: Digest, length: Option<u64>, metrics: Arc<Metrics>) -> Self {
        Self { hash: Some(Hash::new(&SHA256)), ..Self::part(inner, digest, length, metrics) }
    }

    /// A part of it: nobody but who has the rest can check its bytes.
    pub(super) fn part(inner: S, digest: Digest, length: Option<u64>, metrics: Arc<Metrics>) -> Self {
        Self { inner, digest, hash: None, left: length, held: None, ended: false, metrics }
    }

    fn take(&mut self, chunk: Bytes) -> Result<Option<Bytes>, Cut> {
        if let Some(left) = &mut self.left {
            *left = left.checked_sub(chunk.len() as u64).ok_or(Cut::Length)?;
        }
        let Some(hash) = &mut self.hash else { return Ok(Some(chunk)) };
        hash.update(&chunk);
        match self.left {
            // The end is known, and this is not it.
            Some(1..) => Ok(Some(chunk)),
            Some(0) => self.right().map(|()| Some(chunk)),
            None => Ok(self.held.replace(chunk)),
        }
    }

    fn end(&mut self) -> Result<Option<Bytes>, Cut> {
        if self.left.is_some_and(|left| left > 0) {
            return Err(Cut::Length);
        }
        self.right().map(|()| self.held.take())
    }

    /// Whether what came is the blob, as far as that can be told; told once.
    fn right(&mut self) -> Result<(), Cut> {
        let right = self.hash.take().is_none_or(|hash| hash.finish().as_ref() == self.digest.as_bytes());
        if right { Ok(()) } else { Err(Cut::Digest { digest: self.digest }) }
    }

    fn cut(&mut self, why: Cut) -> BodyError {
        self.ended = true;
        self.held = None;
        let cause = match &why {
            Cut::Digest { .. } | Cut::Length => "corrupt",
            Cut::Upstream(UpstreamError::Timeout) => "timeout",
            Cut::Upstream(_) => "broken",
        };
        self.metrics.blob_cut(cause);
        if cause == "corrupt" {
            tracing::error!(image.digest = %self.digest, "the registry sent a corrupt blob; the transfer was cut: {why}");
        } else {
            tracing::warn!(image.digest = %self.digest, "the transfer of a blob was cut: {why}");
        }
        why.into()
    }
}

impl<S: Stream<Item = Result<Bytes, UpstreamError>> + Unpin> Stream for Transfer<S> {
    type Item = Result<Bytes, BodyError>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        while !self.ended {
            let given = match ready!(Pin::new(&mut self.inner).poll_next(cx)) {
                Some(Ok(chunk)) if chunk.is_empty() => Ok(None),
                Some(Ok(chunk)) => self.take(chunk),
                Some(Err(error)) => Err(error.into()),
                None => {
                    let last = self.end();
                    self.ended = true;
                    last
                }
            };
            match given {
                Ok(None) => {}
                Ok(Some(chunk)) => return Poll::Ready(Some(Ok(chunk))),
                Err(why) => return Poll::Ready(Some(Err(self.cut(why)))),
            }
        }
        Poll::Ready(None)
    }
}

#[cfg(test)]
mod tests {
    use futures_util::{StreamExt, stream};

    use super::*;

    async fn read(transfer: impl Stream<Item = Result<Bytes, BodyError>>) -> (String, bool) {
        let chunks: Vec<_> = transfer.collect().await;
        let whole = chunks.iter().all(Result::is_ok);
        let text = chunks.into_iter().flatten().map(|chunk| String::from_utf8_lossy(&chunk).into_owned());
        (text.collect(), whole)
    }

    fn chunks(chunks: &[&'static str]) -> impl Stream<Item = Result<Bytes, UpstreamError>> + Unpin + use<> {
        stream::iter(chunks.iter().map(|chunk| Ok(Bytes::from_static(chunk.as_bytes()))).collect::<Vec<_>>())
    }

    async fn whole(sent: &[&'static str], digest: Digest, length: Option<u64>) -> (String, bool) {
        read(Transfer::whole(chunks(sent), digest, length, Arc::default())).await
    }

    #[tokio::test]
    async fn the_last_chunk_leaves_only_if_the_whole_is_right() {
        let digest = Digest::of(b"abcd");
        for length in [None, Some(4)] {
            assert_eq!(whole(&["ab", "", "cd"], digest, length).await, ("abcd".into(), true));
            assert_eq!(whole(&["ab", "cX"], digest, length).await, ("ab".into(), false));
            let half = if length.is_some() { "ab" } else { "" };
            assert_eq!(whole(&["ab"], digest, length).await, (half.into(), false));
            assert_eq!(whole(&["abcd"], digest, length).await, ("abcd".into(), true));
        }
        assert_eq!(whole(&[], Digest::of(b""), Some(0)).await, (String::new(), true));
        assert_eq!(whole(&[], digest, Some(4)).await, (String::new(), false));
    }

    #[tokio::test]
    async fn what_is_longer_than_it_should_be_is_cut_before_more_is_read() {
        let endless = stream::iter(0..).map(|_| Ok(Bytes::from_static(b"abcd")));
        let transfer = Transfer::whole(Box::pin(endless), Digest::of(b"abcd"), Some(10), Arc::default());
        assert_eq!(read(transfer).await, ("abcdabcd".into(), false));
        let part = Transfer::part(chunks(&["ab", "cd", "ef"]), Digest::of(b"abcd"), Some(5), Arc::default());
        assert_eq!(read(part).await, ("abcd".into(), false));
        let part = Transfer::part(chunks(&["ab", "cd"]), Digest::of(b"abcd"), Some(4), Arc::default());
        assert_eq!(read(part).await, ("abcd".into(), true));
    }

    #[tokio::test]
    async fn each_cut_is_counted_by_its_cause() {
        let metrics = Arc::new(Metrics::new());
        for error in [UpstreamError::Timeout, UpstreamError::Transport("reset".into())] {
            let sent = stream::iter([Ok(Bytes::from_static(b"ab")), Err(error)]);
            read(Transfer::whole(sent, Digest::of(b"abcd"), None, metrics.clone())).await;
        }
        read(Transfer::whole(chunks(&["ab"]), Digest::of(b"abcd"), None, metrics.clone())).await;
        let shown = metrics.render();
        for cause in ["corrupt", "timeout", "broken"] {
            assert!(shown.contains(&format!("countersign_blobs_cut_total{{cause=\"{cause}\"}} 1\n")), "{shown}");
        }
    }
}
