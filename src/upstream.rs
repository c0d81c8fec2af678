//! The registry behind the proxy: what the pull needs of it, and how it can fail.
//!
//! Everything that it answers is untrusted; sizes are bounded here, digests are recomputed by whoever reads.

use std::time::Duration;

use bytes::Bytes;

use crate::oci::{Digest, Reference, Repository, Tag};
use crate::reason::Reason;

pub mod auth;

pub mod body;

pub mod client;

pub mod credentials;

pub use client::Upstream;

/// A manifest as the registry sent it: bytes and announced type, nothing checked.
#[derive(Debug, Clone)]
pub struct RawManifest {
    /// The body, within the limit that was asked for.
    pub bytes: Bytes,
    /// The `Content-Type` header.
    pub content_type: String,
}

/// How an upstream request ended without the answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UpstreamError {
    /// It wants credentials that the proxy does not have, or rejects the ones it has.
    #[error("the registry rejected the proxy's credentials ({status})")]
    CredentialsRejected {
        /// Its answer.
        status: u16,
    },
    /// 404.
    #[error("the registry does not have it")]
    NotFound,
    /// It redirects where the configuration does not allow.
    #[error("the registry redirects to `{host}`, which is not allowed")]
    RedirectRefused {
        /// The host in `Location`.
        host: String,
    },
    /// Any other status.
    #[error("the registry answered {0}")]
    Status(u16),
    /// 429.
    #[error("the registry asks to slow down")]
    Throttled {
        /// Its `Retry-After`, if it gave one in seconds.
        retry_after: Option<Duration>,
    },
    /// A phase took longer than configured.
    #[error("the registry did not answer in time")]
    Timeout,
    /// The body is longer than the limit of this read.
    #[error("the answer is longer than {limit} bytes")]
    TooLarge {
        /// The limit, in bytes.
        limit: u64,
    },
    /// The connection failed.
    #[error("the registry could not be reached: {0}")]
    Transport(String),
}

impl UpstreamError {
    /// The reason that a client is given.
    pub fn reason(&self) -> Reason {
        match self {
            Self::CredentialsRejected { .. } => Reason::UpstreamCredentialsRejected,
            Self::NotFound => Reason::UpstreamNotFound,
            Self::RedirectRefused { .. } => Reason::RedirectRefused,
            Self::Status(_) | Self::TooLarge { .. } | Self::Transport(_) => Reason::UpstreamUnavailable,
            Self::Throttled { .. } => Reason::UpstreamThrottled,
            Self::Timeout => Reason::UpstreamTimeout,
        }
    }
}

/// What is asked for, with what is needed to ask for it.
#[derive(Debug, Clone, Copy)]
pub enum Operation<'a> {
    /// `HEAD /v2/<name>/manifests/<tag>`, for its digest.
    Resolve(&'a Tag),
    /// `GET /v2/<name>/manifests/<reference>`.
    Manifest(&'a Reference),
    /// `GET` or `HEAD /v2/<name>/blobs/<digest>`.
    Blob(&'a Digest),
    /// `GET /v2/<name>/referrers/<digest>`.
    Referrers(&'a Digest),
    /// `GET /v2/<name>/tags/list`.
    Tags,
    /// `GET /v2/`.
    Ping,
}

impl Operation<'_> {
    /// The operation's name as a metric label.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Resolve(_) => "resolve",
            Self::Manifest(_) => "manifest",
            Self::Blob(_) => "blob",
            Self::Referrers(_) => "referrers",
            Self::Tags => "tags",
            Self::Ping => "ping",
        }
    }

    /// The path of the request, built from parsed parts only.
    pub fn path(self, repository: &Repository) -> String {
        match self {
            Self::Resolve(tag) => format!("/v2/{repository}/manifests/{tag}"),
            Self::Manifest(reference) => format!("/v2/{repository}/manifests/{reference}"),
            Self::Blob(digest) => format!("/v2/{repository}/blobs/{digest}"),
            Self::Referrers(digest) => format!("/v2/{repository}/referrers/{digest}"),
            Self::Tags => format!("/v2/{repository}/tags/list"),
            Self::Ping => "/v2/".to_string(),
        }
    }
}
