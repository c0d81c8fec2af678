//! The kinds of warnings, by words that do not change.

macro_rules! codes {
    ($($variant:ident $word:literal $meaning:literal)*) => {
        /// A kind of warning or note.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(in crate::policy::file) enum Code {
            $(#[doc = $meaning] $variant,)*
        }

        impl Code {
            /// All of them.
            #[cfg(test)]
            pub(in crate::policy::file) const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The word for it.
            pub(in crate::policy::file) const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word,)* }
            }
        }
    };
}

codes! {
    Anyone "anyone" "Whoever has an account at the issuer can sign."
    DefaultAudit "default_audit" "What no enforced policy matches is served."
    DuplicateBranch "duplicate_branch" "A branch of a requirement repeats another."
    ExceptIdle "except_idle" "An `except` takes nothing away."
    ExemptionBroad "exemption_broad" "An exemption covers whatever will be pushed to many repositories."
    ExemptionEndless "exemption_endless" "An exemption never expires."
    ExemptionExpired "exemption_expired" "An exemption has expired."
    ExemptionIdle "exemption_idle" "An exemption exempts nothing from anything."
    FieldUnknown "field_unknown" "A condition or `ageFrom` names a field that there is not."
    FunctionMismatch "function_mismatch" "A condition calls a function that cannot read its predicate type."
    IdentityImpossible "identity_impossible" "No certificate of the issuer says so."
    Insecure "insecure" "An `insecure…` key is in use."
    IssuerUnknown "issuer_unknown" "No issuer is called so."
    KeyEnded "key_ended" "The validity of an authority's keys has ended."
    NoPolicies "no_policies" "There are no policies."
    PlainHttp "plain_http" "A trusted root comes over plain HTTP."
    PolicyIdle "policy_idle" "A policy governs nothing."
    RegexDot "regex_dot" "A dot in a regular expression means any character."
    RevocationIdle "revocation_idle" "A revoked identity is nobody's."
    ScopeUnreachable "scope_unreachable" "A scope can match no image of any upstream."
    SourceUnpinned "source_unpinned" "The identity names a file, and nothing says whose project ran it."
    Uncovered "uncovered" "No enforced policy covers these images."
    UnusedAuthority "unused_authority" "An authority is asked for by no policy."
    UnusedTrustRoot "unused_trust_root" "A trust root is used by no authority."
    UpstreamsUnknown "upstreams_unknown" "What depends on the configured registries is not told."
}
