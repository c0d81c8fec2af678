//! Admission, audited leaf two: binds a verdict to content. What is not [`Admitted`] cannot be answered with.

use crate::clock::Timestamp;
use crate::decide::Verdict;
use crate::oci::{Blob, Digest, Manifest};
use crate::outcome::{Basis, Denial, Outcome};
use crate::policy::{Governing, Policies};
use crate::reason::Reason;

/// Content that may be served, and on what grounds. Only [`admit`] and [`admit_member`] make one.
#[derive(Debug)]
pub struct Admitted<T> {
    content: T,
    basis: Basis,
    stale: bool,
    fresh_until: Timestamp,
}

/// Content that has a digest of its own. Sealed: a new kind of content could claim any digest.
pub trait Addressed: sealed::Sealed {
    /// What it hashes to, or for a blob what it will be checked against while it streams.
    fn digest(&self) -> Digest;

    /// The digests that it lets clients ask for, in order.
    fn listed(&self) -> &[Digest];
}

mod sealed {
    pub trait Sealed {}
    impl Sealed for crate::oci::Blob {}
    impl Sealed for crate::oci::Manifest {}
    impl Sealed for std::sync::Arc<crate::oci::Manifest> {}
}

impl Addressed for Blob {
    fn digest(&self) -> Digest {
        self.0
    }

    fn listed(&self) -> &[Digest] {
        &[]
    }
}

impl Addressed for Manifest {
    fn digest(&self) -> Digest {
        Self::digest(self)
    }

    fn listed(&self) -> &[Digest] {
        Self::listed(self)
    }
}

impl Addressed for std::sync::Arc<Manifest> {
    fn digest(&self) -> Digest {
        Manifest::digest(self)
    }

    fn listed(&self) -> &[Digest] {
        Manifest::listed(self)
    }
}

/// Admits `content` on a verdict about exactly its digest, in its repository, under what governs it now.
///
/// # Errors
/// The verdict's own denial; `child_denied` if the content lists a revoked digest; `internal` if verdict and content
/// do not belong together, which no caller should bring about.
pub fn admit<T: Addressed>(
    content: T,
    verdict: &Verdict,
    governing: &Governing,
    policies: &Policies,
    now: Timestamp,
) -> Result<Admitted<T>, Denial> {
    let basis = match verdict.outcome() {
        Outcome::Allow(basis) => basis.clone(),
        Outcome::Deny(denial) => return Err(denial.clone()),
    };
    if content.digest() != governing.subject().digest || !verdict.key().is_about(governing.subject()) {
        return Err(Denial::new(Reason::Internal, "the verdict is about other content"));
    }
    if verdict.key().scope.policy != governing.revision() || now >= verdict.valid_until() {
        return Err(Denial::new(Reason::Internal, "the verdict no longer holds"));
    }
    without_revoked(&content, policies)?;
    Ok(Admitted { content, basis, stale: verdict.is_stale(), fresh_until: verdict.fresh_until() })
}

/// Admits `content` because an admitted manifest of the same repository lists it.
///
/// # Errors
/// `not_a_member` if the manifest does not list it, or lets nothing through; `revoked` and `child_denied` as for [`admit`].
pub fn admit_member<T: Addressed>(
    content: T,
    parent: &Admitted<std::sync::Arc<Manifest>>,
    policies: &Policies,
) -> Result<Admitted<T>, Denial> {
    if !parent.confers() {
        return Err(Denial::new(Reason::NotAMember, "an index of evidence lets through nothing that it lists"));
    }
    if !parent.content.lists(&content.digest()) {
        return Err(Denial::new(Reason::NotAMember, "the manifest does not list it"));
    }
    if policies.revokes(&content.digest()) {
        return Err(Denial::new(Reason::Revoked, "the digest is on the list of revoked digests"));
    }
    without_revoked(&content, policies)?;
    let basis = Basis::Member { of: Manifest::digest(&parent.content) };
    // What the indexes within an index list may be told otherwise the next time.
    let fresh_until = if parent.content.lists_indexes() { Timestamp(0) } else { parent.fresh_until };
    Ok(Admitted { content, basis, stale: parent.stale, fresh_until })
}

fn without_revoked(content: &impl Addressed, policies: &Policies) -> Result<(), Denial> {
    match policies.first_revoked(content.listed()) {
        Some(revoked) => Err(Denial::new(Reason::ChildDenied, format!("it lists {revoked}, which is revoked"))),
        None => Ok(()),
    }
}

impl<T> Admitted<T> {
    /// The content.
    pub fn content(&self) -> &T {
        &self.content
    }

    /// On what grounds it is served.
    pub fn basis(&self) -> &Basis {
        &self.basis
    }

    /// Whether it is, or is listed by, the last known good.
    pub fn is_stale(&self) -> bool {
        self.stale
    }

    /// When the verdict that it rests on has to be judged anew; past, if only a look at this very request allows it.
    pub fn fresh_until(&self) -> Timestamp {
        self.fresh_until
    }
}

impl Admitted<std::sync::Arc<Manifest>> {
    /// Whether it lets through what it lists. An index that passes as evidence does not: each is judged on its own.
    pub fn confers(&self) -> bool {
        self.basis != Basis::Evidence || !self.content.media_type().is_index()
    }
}

#[cfg(test)]
mod tests;
