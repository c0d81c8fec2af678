//! What governs one image: the policies that match it, the exemptions that cover it, and the revision of both.

use std::sync::Arc;

use aws_lc_rs::digest::{Context, SHA256};

use super::{Exemption, Mode, Name, Policies, Policy};
use crate::clock::Timestamp;
use crate::oci::{Digest, Image, Subject};

mod remembered;

mod rules;

pub(super) use remembered::Remembered;
use rules::Rules;

/// The identity of everything in a policy text that can change the verdict on one image: part of the verdict's key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub struct Revision(pub Digest);

/// The policies and exemptions that govern one subject now. Only [`Policies::governing`] makes one.
#[derive(Debug, Clone)]
pub struct Governing {
    subject: Subject,
    rules: Arc<Rules>,
    exemptions: Vec<Arc<Exemption>>,
    expired: Vec<Arc<Exemption>>,
    revoked: bool,
    default: Mode,
    audit: bool,
    revision: Revision,
    keys_end: Timestamp,
}

impl Policies {
    /// What governs `subject` at `now`.
    ///
    /// Which policies match depends on the registry and the repository only, and is found out once for each; exemptions
    /// and revocations depend on the digest too; nothing on the tag, because a client resolves the tag and then pulls by
    /// digest.
    pub fn governing(&self, subject: &Subject, now: Timestamp) -> Governing {
        let rules = self.remembered.rules(&subject.image, || Rules::new(self, &subject.image));
        let exempting = rules.exempting(&subject.digest).cloned();
        let (exemptions, expired) = exempting.partition(|exemption| exemption.expires.is_none_or(|end| now < end));
        Governing {
            subject: subject.clone(),
            exemptions,
            expired,
            revoked: self.revoked.digest(&subject.digest),
            default: self.default,
            audit: self.audit,
            revision: rules.revision(self, &subject.digest),
            keys_end: rules.keys_end(now),
            rules,
        }
    }

    /// Whether an exemption names a digest of the repository `image`, whichever.
    pub fn exempts_some_digest(&self, image: &Image) -> bool {
        let mut scopes = self.exemptions.iter().flat_map(|exemption| &exemption.scopes);
        scopes.any(|scope| scope.digest.is_some() && scope.scope.matches(image))
    }

    /// Whether `digest` is revoked, for everyone and in every mode.
    pub fn revokes(&self, digest: &Digest) -> bool {
        self.revoked.digest(digest)
    }

    /// The first of `listed`, which are in order, that is revoked.
    pub fn first_revoked<'a>(&self, listed: &'a [Digest]) -> Option<&'a Digest> {
        let revoked = self.revoked.digests();
        // An index may list ten thousand, and mostly nothing is revoked.
        if revoked.len() < listed.len() {
            return revoked.iter().find_map(|digest| listed.binary_search(digest).ok().map(|at| &listed[at]));
        }
        listed.iter().find(|digest| self.revokes(digest))
    }

    /// The revision under which `policies` and `exemptions` of this text are all that matches.
    fn revision<'a>(&self, policies: &[Arc<Policy>], exemptions: impl Iterator<Item = &'a Arc<Exemption>>) -> Revision {
        let mut hash = Context::new(&SHA256);
        hash.update(ENGINE);
        for policy in policies {
            hash.update(policy.content.as_bytes());
        }
        hash.update(b"exemptions");
        for exemption in exemptions {
            hash.update(exemption.content.as_bytes());
        }
        hash.update(self.revoked_content.as_bytes());
        let mut bytes = [0; 32];
        bytes.copy_from_slice(hash.finish().as_ref());
        Revision(Digest::from_bytes(bytes))
    }
}

impl Governing {
    /// What is governed.
    pub fn subject(&self) -> &Subject {
        &self.subject
    }

    /// Every policy that matches, enforced or audited.
    pub fn policies(&self) -> &[Arc<Policy>] {
        &self.rules.policies
    }

    /// The policies that are obeyed.
    fn enforced(&self) -> impl Iterator<Item = &Arc<Policy>> {
        self.rules.policies.iter().filter(|policy| policy.mode() == Mode::Enforce)
    }

    /// The policies that no exemption in force takes away.
    pub fn remaining(&self) -> impl Iterator<Item = &Arc<Policy>> {
        let exempted = |policy: &Policy| self.exemptions.iter().any(|exemption| exemption.covers(policy.name()));
        self.rules.policies.iter().filter(move |policy| !exempted(policy))
    }

    /// Where else their evidence may be, each place once; beside the image it may be always.
    pub fn evidence_elsewhere(&self) -> Vec<Image> {
        let mut places = Vec::new();
        for place in self.remaining().filter_map(|policy| policy.evidence()) {
            if *place != self.subject.image && !places.contains(place) {
                places.push(place.clone());
            }
        }
        places
    }

    /// The exemption that applies if no enforced policy remains: one for all policies, or for one that is enforced.
    pub fn exempting(&self) -> Option<&Arc<Exemption>> {
        let takes = |exemption: &Exemption| self.enforced().any(|policy| exemption.covers(policy.name()));
        self.exemptions.iter().find(|exemption| exemption.covers_all() || takes(exemption))
    }

    /// The exemptions in force.
    pub fn exemptions(&self) -> &[Arc<Exemption>] {
        &self.exemptions
    }

    /// When the first exemption that it rests on, or the first key of its policies, ends: no verdict outlives this.
    ///
    /// A signature whose time is verified goes on to count when its key has ended; it is only judged again. An exemption
    /// from policies that are only watched changes no answer, and so does its end.
    pub fn holds_until(&self) -> Timestamp {
        let enforced = |exemption: &Exemption| self.enforced().any(|policy| exemption.covers(policy.name()));
        let used = self.exemptions.iter().filter(|exemption| exemption.covers_all() || enforced(exemption));
        let exemptions = used.filter_map(|exemption| exemption.expires);
        exemptions.chain([self.keys_end]).min().unwrap_or(Timestamp::FOREVER)
    }

    /// The exemption that took `policy` away, or all policies if none is named, until it expired; of several the last.
    pub fn expired(&self, policy: Option<&Name>) -> Option<&Arc<Exemption>> {
        let covered = |exemption: &&Arc<Exemption>| match policy {
            Some(policy) => exemption.covers(policy),
            None => exemption.covers_all(),
        };
        self.expired.iter().filter(covered).max_by_key(|exemption| exemption.expires)
    }

    /// Whether the digest is revoked.
    pub fn revoked(&self) -> bool {
        self.revoked
    }

    /// Whether no enforced policy matches and `default` says that such images are only watched.
    pub fn left_to_audit(&self) -> bool {
        self.default == Mode::Audit && self.rules.policies.iter().all(|policy| policy.mode() == Mode::Audit)
    }

    /// Whether every refusal that policy makes is only watched (`policy.audit`, `serve --audit`).
    pub fn audits_all(&self) -> bool {
        self.audit
    }

    /// The trusted roots that its policies use, in order.
    pub fn trust_roots(&self) -> &[Name] {
        &self.rules.trust_roots
    }

    /// The revision of all of this.
    pub fn revision(&self) -> Revision {
        self.revision
    }
}

/// Raised whenever the same text would be decided differently.
const ENGINE: &[u8] = b"countersign decision engine 4";

#[cfg(test)]
mod tests;
