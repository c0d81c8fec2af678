//! How a pull ends without content.

use crate::membership::Doubt;
use crate::oci::manifest::ManifestError;
use crate::outcome::{Denial, Indeterminate};
use crate::reason::{Class, Reason};
use crate::upstream::UpstreamError;

/// Why there is nothing to serve.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PullError {
    /// The content itself cannot be served, under any policy.
    #[error("{detail}")]
    Content {
        /// The reason.
        reason: Reason,
        /// The same for people.
        detail: String,
    },
    /// The policy's no.
    #[error("{}", .0.detail)]
    Denied(Denial),
    /// No verdict could be reached.
    #[error("{}", .0.detail)]
    Indeterminate(Denial),
    /// The registry did not give it.
    #[error(transparent)]
    Upstream(UpstreamError),
}

impl PullError {
    /// No verdict, for this reason.
    pub fn unsure(reason: Reason, detail: impl Into<String>) -> Self {
        Self::Indeterminate(Denial::new(reason, detail))
    }

    /// The reason that is answered, logged and counted.
    pub fn reason(&self) -> Reason {
        match self {
            Self::Content { reason, .. } => *reason,
            Self::Denied(denial) | Self::Indeterminate(denial) => denial.reason,
            Self::Upstream(error) => error.reason(),
        }
    }

    /// Of two reasons why nothing lists a digest: the one that could still change is the one to report.
    pub fn weightier(first: Option<Self>, second: Self) -> Option<Self> {
        match first {
            Some(first) if first.is_unsure() || !second.is_unsure() => Some(first),
            _ => Some(second),
        }
    }

    fn is_unsure(&self) -> bool {
        self.reason().class() == Class::Unavailable
    }
}

impl From<ManifestError> for PullError {
    fn from(error: ManifestError) -> Self {
        let reason = match &error {
            ManifestError::Ambiguous(_) => Reason::ManifestAmbiguous,
            ManifestError::DigestMismatch { .. } => {
                return Self::unsure(Reason::UpstreamDigestMismatch, error.to_string());
            }
            ManifestError::DescriptorMismatch(_) => Reason::DescriptorMismatch,
            ManifestError::ForeignUrls(_) => Reason::ForeignUrls,
            ManifestError::Limits(_) => Reason::ManifestLimits,
            ManifestError::Malformed(_) => Reason::ManifestMalformed,
            ManifestError::MediaTypeUnsupported(_) => Reason::MediaTypeUnsupported,
        };
        Self::Content { reason, detail: error.to_string() }
    }
}

impl From<Doubt> for PullError {
    fn from(doubt: Doubt) -> Self {
        let reason = match doubt {
            Doubt::Down(_) => Reason::StoreUnavailable,
            Doubt::Forged => Reason::MembershipIncomplete,
        };
        Self::unsure(reason, doubt.to_string())
    }
}

impl From<UpstreamError> for PullError {
    fn from(error: UpstreamError) -> Self {
        Self::Upstream(error)
    }
}

impl From<Indeterminate> for PullError {
    fn from(Indeterminate(denial): Indeterminate) -> Self {
        Self::Indeterminate(denial)
    }
}
