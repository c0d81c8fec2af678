//! Every reason that the proxy gives, its meaning and its class: the one vocabulary of response, log, metric and
//! command line.

use std::fmt;

mod advice;

/// The header that marks an Allow which is answered though judging it anew could not reach a registry or a TUF repository:
/// the last known good. It stands beside the reason, which is that of the Allow.
pub const STALE_HEADER: &str = "countersign-stale";

/// What kind of answer a reason belongs to; it decides the HTTP status.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// Served.
    Allow,
    /// The policy, or the content itself, says no: 403, never 404.
    Deny,
    /// No answer could be reached now: 503, never cached.
    Unavailable,
    /// The request as such: this status.
    Request(u16),
}

macro_rules! reasons {
    ($($class:expr => { $($variant:ident $code:literal $meaning:literal)* })*) => {
        /// A reason code; its `Display` is the code itself.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Reason {
            $($(#[doc = $meaning] $variant,)*)*
        }

        impl Reason {
            /// Every reason there is.
            pub const ALL: &'static [Self] = &[$($(Self::$variant,)*)*];

            /// The code, as it stands in responses, logs, metrics and documentation.
            pub const fn code(self) -> &'static str {
                match self { $($(Self::$variant => $code,)*)* }
            }

            /// What the code means, in one short phrase.
            pub const fn meaning(self) -> &'static str {
                match self { $($(Self::$variant => $meaning,)*)* }
            }

            /// Whether audit leaves it as it is: what is revoked, and content that is not what it must be.
            pub const fn is_firm(self) -> bool {
                matches!(
                    self,
                    Self::BlobIsManifest
                        | Self::ChildDenied
                        | Self::DescriptorMismatch
                        | Self::ForeignUrls
                        | Self::IndexTooDeep
                        | Self::ManifestAmbiguous
                        | Self::ManifestLimits
                        | Self::ManifestMalformed
                        | Self::ManifestTooLarge
                        | Self::MediaTypeUnsupported
                        | Self::Revoked
                )
            }

            /// Whether it says only that a registry, or a TUF repository, cannot be asked now. What it would say may be the
            /// same as before; nothing else that is missing can be taken for that.
            pub const fn is_outage(self) -> bool {
                matches!(
                    self,
                    Self::TrustRootExpired | Self::UpstreamThrottled | Self::UpstreamTimeout | Self::UpstreamUnavailable
                )
            }

            /// The kind of answer it belongs to.
            pub const fn class(self) -> Class {
                match self { $($(Self::$variant => $class,)*)* }
            }
        }
    };
}

reasons! {
    Class::Allow => {
        Signed "signed" "the requirements hold"
        Member "member" "listed by an admitted manifest of this repository"
        Evidence "evidence" "a signature or attestation artifact, by content"
        Exempt "exempt" "an exemption covers it"
        Audited "audited" "would be refused; audit mode serves it"
    }
    Class::Deny => {
        NoPolicy "no_policy" "no enforced policy covers the image"
        Unsigned "unsigned" "no signature was found"
        FormatNotAccepted "format_not_accepted" "the policy does not accept evidence in this format"
        SignatureMissing "signature_missing" "no signature satisfies the policy"
        AttestationMissing "attestation_missing" "no attestation satisfies the policy"
        ThresholdNotMet "threshold_not_met" "too few distinct signers"
        ConditionFalse "condition_false" "a condition does not hold"
        ConditionError "condition_error" "a condition could not be evaluated"
        ChildDenied "child_denied" "the index lists a manifest that is refused"
        ConditionBudget "condition_budget" "a condition is too expensive for this document"
        TooOld "too_old" "the attestation is older than the policy allows"
        NoSigningTime "no_signing_time" "no verified time of signing"
        ExemptionExpired "exemption_expired" "the exemption has expired"
        Revoked "revoked" "the digest, or who signed, is revoked"
        TagRefused "tag_refused" "the policy refuses this tag"
        NotAMember "not_a_member" "no admitted manifest of this repository lists it"
        IdentityMismatch "identity_mismatch" "signed by another identity"
        IssuerMismatch "issuer_mismatch" "the identity comes from another issuer"
        ExtensionMismatch "extension_mismatch" "a pinned certificate extension differs"
        KeyMismatch "key_mismatch" "signed by another key"
        SignatureInvalid "signature_invalid" "the signature does not verify"
        SubjectMismatch "subject_mismatch" "the signature is about another digest"
        PredicateTypeMismatch "predicate_type_mismatch" "the statement is of another type"
        CertificateInvalid "certificate_invalid" "the certificate does not chain to the trusted root"
        CertificateExpired "certificate_expired" "the certificate was not valid when signing"
        SctMissing "sct_missing" "the certificate was not logged"
        SctInvalid "sct_invalid" "the proof that the certificate was logged is wrong"
        LogEntryMissing "log_entry_missing" "no transparency log entry"
        LogEntryInvalid "log_entry_invalid" "the transparency log entry is not authentic"
        LogEntryMismatch "log_entry_mismatch" "the transparency log entry is about something else"
        LogProofMissing "log_proof_missing" "the transparency log entry has no proof"
        TimestampMissing "timestamp_missing" "no signed time stamp"
        TimestampInvalid "timestamp_invalid" "the signed time stamp is not authentic"
        EvidenceMalformed "evidence_malformed" "the evidence cannot be parsed"
        EvidenceUnsupported "evidence_unsupported" "the evidence is of an unsupported kind"
        EvidenceTooLarge "evidence_too_large" "the evidence exceeds a limit"
        ManifestMalformed "manifest_malformed" "the manifest is not valid"
        ManifestAmbiguous "manifest_ambiguous" "the manifest can be read in two ways"
        ManifestTooLarge "manifest_too_large" "the manifest exceeds the size limit"
        MediaTypeUnsupported "media_type_unsupported" "the manifest's media type is not served"
        ManifestLimits "manifest_limits" "the manifest exceeds a limit"
        IndexTooDeep "index_too_deep" "indexes are nested too deeply"
        DescriptorMismatch "descriptor_mismatch" "a descriptor disagrees with its content"
        ForeignUrls "foreign_urls" "the manifest points outside the registry"
        BlobIsManifest "blob_is_manifest" "a manifest is not served as a blob"
        RegistryUnknown "registry_unknown" "the registry is not configured here"
        RoutesDisagree "routes_disagree" "the request names two registries"
        ClientForbidden "client_forbidden" "this caller may not read this repository"
    }
    Class::Unavailable => {
        UpstreamUnavailable "upstream_unavailable" "the registry could not be reached or failed"
        UpstreamTimeout "upstream_timeout" "the registry did not answer in time"
        UpstreamThrottled "upstream_throttled" "the registry asks to slow down"
        UpstreamCredentialsRejected "upstream_credentials_rejected" "the registry rejected the proxy's credentials"
        UpstreamDigestMismatch "upstream_digest_mismatch" "the registry sent other content than was asked for"
        EvidenceUnreadable "evidence_unreadable" "evidence could not be read from the registry"
        EvidenceIncomplete "evidence_incomplete" "there is more evidence than the limits allow to read"
        MembershipIncomplete "membership_incomplete" "it could not be told which admitted manifest lists it"
        RedirectRefused "redirect_refused" "the registry redirects to a host that is not allowed"
        TrustRootUnavailable "trust_root_unavailable" "the trusted root could not be loaded"
        TrustRootExpired "trust_root_expired" "the trusted root has expired"
        StoreUnavailable "store_unavailable" "the store does not answer"
        VerifierBusy "verifier_busy" "too many verifications are waiting"
        Overloaded "overloaded" "too many requests"
        AuditUnwritable "audit_unwritable" "the audit log cannot be written"
        Draining "draining" "the proxy is shutting down"
        Internal "internal" "an internal error"
    }
    Class::Request(400) => {
        NameInvalid "name_invalid" "not a valid name"
        DigestInvalid "digest_invalid" "not a valid digest"
    }
    Class::Request(404) => {
        NotRouted "not_routed" "not an endpoint of this proxy"
        UpstreamNotFound "upstream_not_found" "the registry does not have it"
    }
    Class::Request(405) => {
        MethodUnsupported "method_unsupported" "the proxy only serves pulls"
    }
    Class::Request(401) => {
        ClientUnauthenticated "client_unauthenticated" "credentials are required"
    }
    Class::Request(403) => {
        UpstreamRefusedClient "upstream_refused_client" "the registry refused the caller"
    }
}

impl serde::Serialize for Reason {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.code())
    }
}

impl<'de> serde::Deserialize<'de> for Reason {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let code = std::borrow::Cow::<str>::deserialize(deserializer)?;
        let known = Self::ALL.iter().find(|reason| reason.code() == code);
        known.copied().ok_or_else(|| serde::de::Error::custom("not a reason code"))
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn codes_are_distinct_and_safe_as_labels() {
        let codes: HashSet<_> = Reason::ALL.iter().map(|reason| reason.code()).collect();
        assert_eq!(codes.len(), Reason::ALL.len());
        assert!(codes.iter().all(|code| code.bytes().all(|b| b.is_ascii_lowercase() || b == b'_')));
    }
}
