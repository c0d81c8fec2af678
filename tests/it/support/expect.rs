//! What an answer must be.

use countersign::demo::client::Answer;
use countersign::oci::Digest;
use serde_json::Value;

/// It is the content `digest`, served for `reason`.
#[track_caller]
pub(crate) fn served(answer: &Answer, digest: Digest, reason: &str) {
    assert_eq!((answer.status, header(answer, "countersign-reason")), (200, reason), "{}", answer.message());
    assert_eq!(Digest::of(&answer.body), digest, "other bytes than were asked for");
    assert_eq!(header(answer, "docker-content-digest"), digest.to_string());
}

/// It is a denial for `reason`: 403 in body, header and code.
#[track_caller]
pub(crate) fn denied(answer: &Answer, reason: &str) {
    refused(answer, 403, "DENIED", reason);
}

/// It says that the proxy could not tell, for `reason`: 503, and when to ask again.
#[track_caller]
pub(crate) fn unsure(answer: &Answer, reason: &str) {
    refused(answer, 503, "UNAVAILABLE", reason);
    let wait: u64 = header(answer, "retry-after").parse().expect("a Retry-After in seconds");
    assert!(wait > 0);
}

/// It is an error with this status, code and reason, and nothing else.
#[track_caller]
pub(crate) fn refused(answer: &Answer, status: u16, code: &str, reason: &str) {
    assert_eq!((answer.status, answer.given().reason.as_str()), (status, reason), "{}", answer.message());
    assert_eq!(header(answer, "countersign-reason"), reason);
    assert_eq!(header(answer, "cache-control"), "no-store");
    let body: Value = serde_json::from_slice(&answer.body).expect("an OCI error");
    assert_eq!(body["errors"][0]["code"], code);
}

/// A header that must not be repeated; empty if there is none.
#[track_caller]
pub(crate) fn header<'a>(answer: &'a Answer, name: &str) -> &'a str {
    let mut values = answer.headers.get_all(name).iter();
    let first = values.next().map_or("", |value| value.to_str().expect("text"));
    assert!(values.next().is_none(), "`{name}` is there twice");
    first
}
