//! What a policy text says of one repository, whatever the digest and the time.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use super::Revision;
use crate::clock::Timestamp;
use crate::oci::{Digest, Image};
use crate::policy::{Exemption, Mode, Name, Policies, Policy};

/// The policies and exemptions whose scopes cover a repository, and what follows from them alone.
#[derive(Debug)]
pub(super) struct Rules {
    pub(super) policies: Vec<Arc<Policy>>,
    exemptions: Vec<Covering>,
    /// Of everything that is not about single digests.
    revision: Revision,
    pub(super) trust_roots: Vec<Name>,
    /// The first instants at which keys of the policies that are obeyed no longer count, in order.
    keys_end: Vec<Timestamp>,
}

/// An exemption that covers the repository: whole, or these digests of it.
#[derive(Debug)]
struct Covering {
    exemption: Arc<Exemption>,
    digests: Option<Vec<Digest>>,
}

impl Covering {
    fn covers(&self, digest: &Digest) -> bool {
        self.digests.as_ref().is_none_or(|digests| digests.contains(digest))
    }
}

impl Rules {
    /// What `policies` say of `image`.
    pub(super) fn new(policies: &Policies, image: &Image) -> Self {
        let covers = |scopes: &[crate::policy::Scope]| scopes.iter().any(|scope| scope.matches(image));
        let governs = |policy: &&Arc<Policy>| covers(&policy.matches) && !covers(&policy.except);
        let governing: Vec<_> = policies.all.iter().filter(governs).cloned().collect();
        let exemptions: Vec<_> = policies.exemptions.iter().filter_map(|one| covering(one, image)).collect();
        let whole = exemptions.iter().filter(|one| one.digests.is_none()).map(|one| &one.exemption);
        Self {
            revision: policies.revision(&governing, whole),
            trust_roots: roots_of(&governing),
            keys_end: ends_of(governing.iter().filter(|policy| policy.mode() == Mode::Enforce)),
            policies: governing,
            exemptions,
        }
    }

    /// The exemptions that cover `digest`, expired or not.
    pub(super) fn exempting(&self, digest: &Digest) -> impl Iterator<Item = &Arc<Exemption>> {
        self.exemptions.iter().filter(|one| one.covers(digest)).map(|one| &one.exemption)
    }

    /// The revision of all that is said of `digest`, by `policies` whose rules these are.
    pub(super) fn revision(&self, policies: &Policies, digest: &Digest) -> Revision {
        if self.exemptions.iter().any(|one| one.digests.is_some() && one.covers(digest)) {
            policies.revision(&self.policies, self.exempting(digest))
        } else {
            self.revision
        }
    }

    /// The first instant, after `now`, at which a key no longer counts. What has ended already carries no verdict that is
    /// made now.
    pub(super) fn keys_end(&self, now: Timestamp) -> Timestamp {
        let after = self.keys_end.partition_point(|end| *end <= now);
        self.keys_end.get(after).copied().unwrap_or(Timestamp::FOREVER)
    }
}

fn covering(exemption: &Arc<Exemption>, image: &Image) -> Option<Covering> {
    let scopes = exemption.scopes.iter().filter(|scope| scope.scope.matches(image));
    let named: Vec<Option<Digest>> = scopes.map(|scope| scope.digest).collect();
    let digests = if named.contains(&None) { None } else { Some(named.iter().flatten().copied().collect()) };
    (!named.is_empty()).then(|| Covering { exemption: exemption.clone(), digests })
}

/// The trusted roots that the authorities of `policies` use, in order, each once.
fn roots_of(policies: &[Arc<Policy>]) -> Vec<Name> {
    let authorities = policies.iter().flat_map(|policy| policy.authorities());
    let names = authorities.filter_map(|authority| authority.trust_root.clone());
    names.collect::<BTreeSet<_>>().into_iter().collect()
}

/// When keys of `policies` end, each instant once. The last instant of a key still counts.
fn ends_of<'a>(policies: impl Iterator<Item = &'a Arc<Policy>>) -> Vec<Timestamp> {
    let authorities = policies.flat_map(|policy| policy.authorities());
    let ends = authorities.map(|authority| authority.validity.not_after.plus(ONE_SECOND));
    ends.collect::<BTreeSet<_>>().into_iter().collect()
}

const ONE_SECOND: Duration = Duration::from_secs(1);
