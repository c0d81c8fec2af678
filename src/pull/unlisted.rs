//! What to say of a digest that nothing admitted is known to list.

use super::{PullError, Puller};
use crate::outcome::Denial;
use crate::reason::{Class, Reason};

/// Why nothing that lists a digest lets it through.
#[derive(Debug, Default)]
pub(super) struct Unlisted {
    /// What became of the manifests that are known to list it; nothing if none is.
    pub(super) refused: Option<PullError>,
    /// Why there may be others.
    pub(super) doubt: Option<PullError>,
}

impl Unlisted {
    /// Whether something else that is not known yet may list it, and would be admitted.
    pub(super) fn may_be_listed(&self) -> bool {
        let stays = |refused: &PullError| refused.reason().is_firm() || refused.reason().class() == Class::Unavailable;
        !self.refused.as_ref().is_some_and(stays)
    }

    /// What there is to be said, if anything; what could still change goes first. What a revoked manifest lists stays
    /// refused, in audit too, even if another may list it.
    pub(super) fn why(self) -> Option<PullError> {
        match (self.doubt, self.refused) {
            (_, Some(refused)) if refused.reason().is_firm() => Some(refused),
            (doubt, Some(refused)) => PullError::weightier(doubt, refused),
            (doubt, None) => doubt,
        }
    }
}

impl From<PullError> for Unlisted {
    fn from(refused: PullError) -> Self {
        Self { refused: Some(refused), doubt: None }
    }
}

impl Puller {
    /// What to say of a blob that nothing admitted is known to list.
    pub(super) fn unlisted(&self, mut unlisted: Unlisted) -> PullError {
        // What is known to be listed, and refused, is told so: that another manifest lists it, too, is rare.
        if unlisted.refused.is_none() && self.membership.may_have_missed_some() {
            let detail = "nothing admitted is known to list this blob, and the store was away a moment ago, or this proxy was \
                          started: what was admitted before may not be known here; pull the image again";
            unlisted.doubt.get_or_insert_with(|| PullError::unsure(Reason::MembershipIncomplete, detail));
        }
        unlisted.why().unwrap_or_else(|| {
            let detail = "no admitted manifest of this repository lists this blob; pull its image first";
            PullError::Denied(Denial::new(Reason::NotAMember, detail))
        })
    }
}
