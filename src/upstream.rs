//! The registry behind the proxy: what the pull needs of it, and how it can fail.
//!
//! Everything that it answers is untrusted: sizes and times are bounded here, digests are recomputed by whoever reads.
//! It refuses to follow a redirect that the configuration does not allow, and to carry credentials to a host that is
//! not the registry's own.

use std::net::IpAddr;
use std::time::Duration;

use bytes::Bytes;

use crate::oci::{Digest, Reference, Repository, Tag};
use crate::reason::Reason;

pub mod client;

pub mod blob;

pub mod settings;

pub mod credentials;

mod docker_config;

mod connection;

mod http_client;

mod message;

mod hint;

mod breaker;

pub mod tls;

mod rotation;

mod auth;

pub(crate) mod realm;

pub(crate) mod challenge;

pub(crate) mod link;

mod body;

pub mod redirect;

pub use blob::{BlobAnswer, BlobResponse, ContentRange};
pub use client::Upstream;
pub use credentials::{Credentials, Secret, SecretSource};
pub use redirect::{Network, RedirectHost, Redirects};
pub use settings::{BuildError, Settings};
pub use tls::Tls;

/// A manifest as the registry sent it: bytes and announced type, nothing checked.
#[derive(Debug, Clone)]
pub struct RawManifest {
    /// The body, within the limit that was asked for.
    pub bytes: Bytes,
    /// The `Content-Type` header, empty if there is none.
    pub content_type: String,
}

/// One page of a list as the registry sent it: referrers, tags or repositories, nothing checked.
#[derive(Debug, Clone)]
pub struct Page {
    /// The body, within the limit that was asked for.
    pub bytes: Bytes,
    /// The `Content-Type` header, empty if there is none.
    pub content_type: String,
    /// The query that asks for the next page of the same list.
    pub next: Option<String>,
    /// The registry says that there is more, but not at this list: what was read is not all.
    pub foreign_next: bool,
    /// The registry says that it lists only the artifact type that was asked for.
    pub filtered: bool,
}

/// How an upstream request ended without the answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UpstreamError {
    /// It wants credentials that the proxy does not have, or rejects the ones it has.
    #[error("the registry refuses the proxy ({status}): its `credentials` are missing, wrong, or may not read this")]
    CredentialsRejected {
        /// Its answer.
        status: u16,
    },
    /// What the configuration names for credentials did not give any.
    #[error("the proxy has no credentials for the registry: {why}; its log says more")]
    CredentialsUnavailable {
        /// Why, without what only the operator may know.
        why: String,
    },
    /// The content is not what its digest says.
    #[error("the registry sent `{actual}` for `{expected}`")]
    DigestMismatch {
        /// What was asked for.
        expected: Digest,
        /// What the bytes hash to.
        actual: Digest,
    },
    /// It could not be reached several times in a row, so it was not asked.
    #[error("the {server} cannot be reached; it is asked again in {} s", .retry_after.as_secs())]
    LeftAlone {
        /// `registry`, `token server` or `storage`.
        server: &'static str,
        /// How long it is left alone, in whole seconds.
        retry_after: Duration,
    },
    /// The answer is not HTTP as the registry's specification has it.
    #[error("the registry's answer is malformed: {0}")]
    Malformed(&'static str),
    /// 404.
    #[error("the registry does not have it")]
    NotFound,
    /// It wants a token from a server that must not see the proxy's credentials, or cannot be asked at all.
    #[error("the registry asks for a token from `{host}`, which is not its own host; nothing was sent there")]
    RealmRefused {
        /// The host of the challenge's realm.
        host: String,
    },
    /// A host that a redirect leads to has an address that may not be dialled.
    #[error("its address {address} is not public")]
    NotPublic {
        /// The address.
        address: IpAddr,
    },
    /// Where it redirects to has no blob to give.
    #[error("the registry redirects to `{host}`, which {why}")]
    RedirectFailed {
        /// The host in `Location`.
        host: String,
        /// What became of the request.
        why: String,
    },
    /// It redirects where the configuration does not allow.
    #[error("the registry redirects to `{host}`, {why}")]
    RedirectRefused {
        /// The host in `Location`.
        host: String,
        /// Why not, and what would allow it.
        why: String,
    },
    /// The content has another size than its manifest declares.
    #[error("the registry has {actual} bytes of what the manifest says to be {declared} bytes long")]
    SizeMismatch {
        /// What the manifest says.
        declared: u64,
        /// What the registry says.
        actual: u64,
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
    /// 503.
    #[error("the registry answered 503")]
    Unavailable {
        /// Its `Retry-After`, if it gave one in seconds.
        retry_after: Option<Duration>,
    },
    /// The token server's failure. Apart from the registry's own, whose 404 and 405 mean something to callers.
    #[error("the registry's token server answered {status}")]
    TokenServer {
        /// Its answer.
        status: u16,
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
            Self::CredentialsRejected { .. } | Self::CredentialsUnavailable { .. } | Self::RealmRefused { .. } => {
                Reason::UpstreamCredentialsRejected
            }
            Self::DigestMismatch { .. } | Self::SizeMismatch { .. } => Reason::UpstreamDigestMismatch,
            Self::NotFound => Reason::UpstreamNotFound,
            Self::NotPublic { .. } | Self::RedirectRefused { .. } => Reason::RedirectRefused,
            Self::LeftAlone { .. }
            | Self::Malformed(_)
            | Self::RedirectFailed { .. }
            | Self::Status(_)
            | Self::TokenServer { .. }
            | Self::TooLarge { .. }
            | Self::Transport(_)
            | Self::Unavailable { .. } => Reason::UpstreamUnavailable,
            Self::Throttled { .. } => Reason::UpstreamThrottled,
            Self::Timeout => Reason::UpstreamTimeout,
        }
    }

    /// Whether the registry, or what stands before it, gave no answer of its own: it could not be reached, failed, or asks
    /// to slow down.
    pub fn is_outage(&self) -> bool {
        match self {
            Self::LeftAlone { .. }
            | Self::Throttled { .. }
            | Self::Timeout
            | Self::Transport(_)
            | Self::Unavailable { .. } => true,
            Self::Status(status) | Self::TokenServer { status } => *status >= 500,
            _ => false,
        }
    }

    /// When it is worth asking again, where that is known.
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::LeftAlone { retry_after, .. } => Some(*retry_after),
            Self::Throttled { retry_after } | Self::Unavailable { retry_after } => *retry_after,
            _ => None,
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
    /// `GET /v2/_catalog`.
    Catalog,
    /// `GET /v2/`.
    Ping,
}

impl Operation<'_> {
    /// The path of [`Operation::Ping`], which is about no repository.
    pub const PING_PATH: &'static str = "/v2/";
    /// The path of [`Operation::Catalog`], which is about all of them.
    pub const CATALOG_PATH: &'static str = "/v2/_catalog";

    /// The operation's name as a metric label.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Resolve(_) => "resolve",
            Self::Manifest(_) => "manifest",
            Self::Blob(_) => "blob",
            Self::Referrers(_) => "referrers",
            Self::Tags => "tags",
            Self::Catalog => "catalog",
            Self::Ping => "ping",
        }
    }

    /// Whether a redirect to another path of the registry is followed: where the answer's digest tells what it is. A
    /// list's own address says where its next page is.
    const fn is_followed(self) -> bool {
        matches!(self, Self::Resolve(_) | Self::Manifest(_) | Self::Blob(_))
    }

    /// The path of the request, built from parsed parts only.
    pub fn path(self, repository: &Repository) -> String {
        match self {
            Self::Resolve(tag) => format!("/v2/{repository}/manifests/{tag}"),
            Self::Manifest(reference) => format!("/v2/{repository}/manifests/{reference}"),
            Self::Blob(digest) => format!("/v2/{repository}/blobs/{digest}"),
            Self::Referrers(digest) => format!("/v2/{repository}/referrers/{digest}"),
            Self::Tags => format!("/v2/{repository}/tags/list"),
            Self::Catalog => Self::CATALOG_PATH.to_string(),
            Self::Ping => Self::PING_PATH.to_string(),
        }
    }
}

#[cfg(test)]
mod tests;
