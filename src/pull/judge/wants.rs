//! Where evidence is looked for.

use std::time::Duration;

use crate::discovery::Wants;
use crate::policy::{Governing, Leaf};

/// How evidence is looked for.
#[derive(Debug, Clone, Copy)]
pub(super) struct How {
    /// How old what was read may be.
    pub(super) max_age: Duration,
    /// Whether referrers are looked through where legacy signatures are all that is wanted. Those have a tag of their
    /// own, and only clients that are told to store them as referrers: who has allowed by the tag needs no more.
    pub(super) thorough: bool,
}

/// Which sources of evidence the policies can make use of.
pub(super) fn wants(governing: &Governing, thorough: bool) -> Wants {
    let mut wants = Wants { bundle: false, signatures: false, attestations: false, referrers: false };
    for policy in governing.remaining() {
        wants.bundle |= policy.formats().bundle;
        for leaf in policy.require().leaves() {
            wants.signatures |= policy.formats().legacy && matches!(leaf, Leaf::Signature { .. });
            wants.attestations |= policy.formats().legacy && matches!(leaf, Leaf::Attestation(_));
        }
    }
    wants.referrers = wants.bundle || wants.attestations || thorough && wants.signatures;
    wants
}
