//! What to do about a reason: the one wording of responses and of the command line.

use super::{Class, Reason};

impl Reason {
    /// What whoever reads it can do next, in one short phrase; nothing where there is nothing to do.
    pub const fn next_step(self) -> Option<&'static str> {
        Some(match self {
            Self::NoPolicy => "let a policy's `match` cover it; what none covers meets `default`",
            Self::Unsigned => "sign it with cosign; `countersign verify` says who has to",
            Self::FormatNotAccepted => "sign it in one of the policy's `formats`",
            Self::ConditionFalse | Self::ConditionError | Self::ConditionBudget => {
                "attest what satisfies the policy's condition, or change that"
            }
            Self::TooOld | Self::NoSigningTime => "sign and attest it anew, with a time stamp or a log entry",
            Self::ExemptionExpired => "sign it, or `countersign policy exempt` writes an exemption that lasts longer",
            Self::TagRefused => "ask for it by digest, or by another tag",
            Self::Revoked => "build, sign and push anew; or take it off `revoked` if that was a mistake",
            Self::ChildDenied => "push an index that does not list what is refused, and sign that",
            Self::NotAMember => "ask for its manifest by tag or digest; nodes do so when they pull anew",
            Self::BlobIsManifest => "ask for it under /manifests/",
            Self::ManifestMalformed
            | Self::ManifestAmbiguous
            | Self::ManifestTooLarge
            | Self::MediaTypeUnsupported
            | Self::ManifestLimits
            | Self::IndexTooDeep
            | Self::DescriptorMismatch
            | Self::ForeignUrls => "build and push it anew: no signature helps where the content itself is refused",
            Self::RegistryUnknown => "name one of the configured `upstreams`, or configure this one",
            Self::RoutesDisagree => "name one registry only",
            Self::ClientForbidden => "let an entry of `clients` read it",
            Self::UpstreamNotFound => {
                "look for a mistake in the name; some registries say so too if credentials are missing"
            }
            Self::UpstreamCredentialsRejected => "give the proxy `credentials` that may read it",
            Self::RedirectRefused => "if the host is yours, name it in `redirectHosts`",
            Self::EvidenceIncomplete => "delete evidence that nobody needs, or raise `limits`",
            Self::TrustRootUnavailable | Self::TrustRootExpired => {
                "see to the trusted root: nothing is believed without it"
            }
            other => match other.class() {
                Class::Deny => "`countersign verify` says who has to sign what",
                Class::Unavailable => "ask again; if it stays so, look at the registry and at the proxy's log",
                Class::Allow | Class::Request(_) => return None,
            },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_is_refused_is_told_what_to_do() {
        for reason in Reason::ALL {
            let refused = matches!(reason.class(), Class::Deny | Class::Unavailable);
            let step = reason.next_step();
            assert!(step.is_some() || !refused, "{reason}");
            assert!(step.is_none_or(|step| step.len() <= 90 && !step.ends_with('.')), "{reason}");
        }
    }
}
