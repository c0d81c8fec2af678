//! Blobs: streamed from the registry, never held, and cut before the end if they are not what they should be.
//!
//! Of the registry's headers a client sees none: what they say is said anew from what was understood. A blob never
//! changes, so its `ETag` is its digest, wherever it came from.

use std::sync::Arc;

use http::header::{CONTENT_LENGTH, CONTENT_RANGE, ETAG, HeaderValue};
use http::request::Parts;
use http::{Method, Response, StatusCode};

use crate::admission::Admitted;
use crate::body::{self, Body};
use crate::oci::{Blob, Digest, Repository, media_type};
use crate::pull::PullError;
use crate::respond;
use crate::telemetry::Metrics;
use crate::upstream::{BlobAnswer, BlobResponse, ContentRange, Upstream, UpstreamError};

mod range;

mod transfer;

use range::Asked;
use transfer::Transfer;

/// Answers with an admitted blob, whole or in the ranges asked for, or with where to ask for it.
///
/// `declared` is the size that the manifest says, if one is known to list the blob.
pub async fn serve(
    upstream: &Upstream,
    repository: &Repository,
    admitted: &Admitted<Blob>,
    declared: Option<u64>,
    request: &Parts,
    metrics: &Arc<Metrics>,
) -> Result<Response<Body>, PullError> {
    let digest = admitted.content().0;
    let etag = etag(&digest)?;
    let asked = Asked::of(request, &etag);
    if asked == Asked::Excessive {
        return Ok(unsatisfiable(admitted, declared));
    }
    let answer = upstream.blob(&request.method, repository, &digest, asked.header().as_ref()).await?;
    let mut sent = match answer {
        BlobAnswer::Elsewhere(location) => return Ok(respond::elsewhere(admitted, location)),
        BlobAnswer::Sent(sent) => sent,
    };
    agrees(&mut sent, &asked, declared)?;
    let status = match sent.status {
        200 => StatusCode::OK,
        206 => StatusCode::PARTIAL_CONTENT,
        416 => return Ok(unsatisfiable(admitted, declared.or(sent.content_range.and_then(|range| range.total)))),
        other => return Err(PullError::Upstream(UpstreamError::Status(other))),
    };
    // Never the registry's own type: some answer a manifest's, and a client would take the blob for one.
    let content_type = match &sent.boundary {
        Some(boundary) => value(&format!("multipart/byteranges; boundary=\"{boundary}\""))?,
        None => HeaderValue::from_static(media_type::OCTET_STREAM),
    };
    let length = sent.content_length;
    let body = if request.method == Method::HEAD {
        body::empty()
    } else if upstream.checks_blobs() && is_whole(&sent, declared) {
        body::stream(Transfer::whole(sent.body, digest, length, metrics.clone()))
    } else {
        body::stream(Transfer::part(sent.body, digest, length, metrics.clone()))
    };
    let mut response = respond::blob(admitted, status, content_type, body);
    let headers = response.headers_mut();
    headers.insert(ETAG, etag);
    if let Some(length) = length {
        headers.insert(CONTENT_LENGTH, HeaderValue::from(length));
    }
    if let Some(range) = sent.content_range {
        headers.insert(CONTENT_RANGE, value(&range.to_string())?);
    }
    Ok(response)
}

/// Checks what the registry says of its answer against what was asked and what the manifest declares, and completes it.
fn agrees(sent: &mut BlobResponse, asked: &Asked, declared: Option<u64>) -> Result<(), UpstreamError> {
    if sent.status != 206 {
        sent.boundary = None;
    }
    let total = match sent.status {
        200 => sent.content_length,
        _ => sent.content_range.and_then(|range| range.total),
    };
    if let (Some(declared), Some(actual)) = (declared, total)
        && declared != actual
    {
        return Err(UpstreamError::SizeMismatch { declared, actual });
    }
    if sent.status == 200 {
        sent.content_range = None;
        sent.content_length = sent.content_length.or(declared);
    }
    if sent.boundary.is_some() {
        sent.content_range = None;
    }
    let span = sent.content_range.and_then(|range| range.span).filter(|_| sent.status == 206);
    match (span, asked) {
        (None, Asked::Ranges(spans)) if spans.len() == 1 && sent.status == 206 => {
            Err(UpstreamError::Malformed("it comes in several parts, and one was asked for"))
        }
        (Some((first, last)), Asked::Ranges(spans)) => {
            let total = total.or(declared);
            let outside = total.is_some_and(|total| last >= total);
            if outside || matches!(spans[..], [span] if !span.is_met_by(first, last, total)) {
                return Err(UpstreamError::Malformed("it is another part of the blob than was asked for"));
            }
            let length = last - first + 1;
            if sent.content_length.is_some_and(|announced| announced != length) {
                return Err(UpstreamError::Malformed("its length is not that of its range"));
            }
            sent.content_length = Some(length);
            sent.content_range = Some(ContentRange { span: Some((first, last)), total });
            Ok(())
        }
        _ => Ok(()),
    }
}

/// Whether all bytes of the blob are sent, so that they can be checked.
fn is_whole(sent: &BlobResponse, declared: Option<u64>) -> bool {
    let all = sent.content_range.and_then(|range| Some((range.span?, range.total.or(declared)?)));
    sent.status == 200 || all.is_some_and(|((first, last), total)| first == 0 && last + 1 == total)
}

/// The blob has no such range, or so many are asked for that none is given. The registry's own error is not passed on.
fn unsatisfiable(admitted: &Admitted<Blob>, total: Option<u64>) -> Response<Body> {
    let content_type = HeaderValue::from_static(media_type::OCTET_STREAM);
    let mut response = respond::blob(admitted, StatusCode::RANGE_NOT_SATISFIABLE, content_type, body::empty());
    let headers = response.headers_mut();
    headers.insert(CONTENT_LENGTH, HeaderValue::from(0));
    let range = total.map(|total| ContentRange { span: None, total: Some(total) });
    if let Some(range) = range.and_then(|range| HeaderValue::from_str(&range.to_string()).ok()) {
        headers.insert(CONTENT_RANGE, range);
    }
    response
}

fn etag(digest: &Digest) -> Result<HeaderValue, UpstreamError> {
    value(&format!("\"{digest}\""))
}

fn value(text: &str) -> Result<HeaderValue, UpstreamError> {
    HeaderValue::from_str(text).map_err(|_| UpstreamError::Malformed("its headers cannot be passed on"))
}
