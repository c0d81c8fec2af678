//! Members: the manifests that list a digest and are admitted now, and the record of what an admitted one lists.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::nested::indexes;
use super::{Ask, PullError, Puller, blob_is_manifest};
use crate::admission::{Admitted, admit_member};
use crate::membership::{self, Kind};
use crate::oci::{Digest, Image, Manifest, Subject};
use crate::outcome::Denial;
use crate::reason::Reason;
use crate::store::StoreDown;
use crate::upstream::UpstreamError;

/// How many parents may still be looked at for one request.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Budget {
    /// Those on which there is no verdict in memory.
    anew: usize,
    /// All.
    all: usize,
}

impl Budget {
    pub(super) fn new(anew: usize) -> Self {
        Self { anew, all: anew.saturating_mul(WARM) }
    }

    /// A parent was judged.
    pub(super) fn judged_anew(&mut self) {
        self.anew = self.anew.saturating_sub(1);
    }
}

impl Puller {
    /// The first manifest that lists `subject` as `kind` and is admitted now; the newest admitted is asked first.
    ///
    /// # Errors
    /// Why none is; `None` if no manifest is known to list it.
    pub(super) async fn parents(
        &self,
        ask: &mut Ask,
        subject: &Subject,
        kind: Kind,
        depth: usize,
    ) -> Result<Admitted<Arc<Manifest>>, Option<PullError>> {
        if kind == Kind::Child
            && let Some(parent) = self.near_parent(ask, subject, depth).await
        {
            return Ok(parent);
        }
        let (parents, mut refused) = match self.membership.parents(subject).await {
            Ok(parents) => (parents, None),
            // What this proxy knows itself may do; who else lists it, nobody can tell.
            Err(down) => (self.membership.near(subject).await.unwrap_or_default().to_vec(), Some(down.into())),
        };
        // An index may call a layer its child, which does not make it one.
        if kind == Kind::Blob
            && parents.iter().any(|parent| parent.kind == Kind::Child)
            && self.is_manifest(subject).await?
        {
            return Err(Some(blob_is_manifest()));
        }
        for parent in parents.iter().filter(|parent| parent.kind == kind) {
            let parent = subject.image.at(parent.digest);
            if depth > self.limits.index_depth || self.is_spent(ask, &parent).await {
                return Err(Some(too_many()));
            }
            match Box::pin(self.admitted(ask, &parent, None, depth + 1)).await {
                Ok(parent) if parent.confers() => return Ok(parent),
                // It lets nothing through; or the registry has forgotten it, so it lists nothing any more.
                Ok(_) | Err(PullError::Upstream(UpstreamError::NotFound)) => {}
                Err(why) => refused = PullError::weightier(refused, of_parent(&parent, kind, why)),
            }
        }
        // The oldest were forgotten to make room: one of them may be admitted now.
        if parents.len() >= membership::KEPT {
            refused = PullError::weightier(refused, too_many());
        }
        Err(refused)
    }

    /// The newest manifest of which this proxy itself knows that it lists `subject`, if it is known to be signed: that
    /// needs nothing that is not in memory.
    async fn near_parent(&self, ask: &mut Ask, subject: &Subject, depth: usize) -> Option<Admitted<Arc<Manifest>>> {
        let near = self.membership.near(subject).await?;
        let newest = near.iter().find(|parent| parent.kind == Kind::Child)?;
        let parent = subject.image.at(newest.digest);
        let governing = ask.snapshot.policies.governing(&parent, ask.now);
        if depth > self.limits.index_depth || !self.judge.remembers(&ask.snapshot, &governing, ask.now).await {
            return None;
        }
        let noted = ask.facts.would_deny.len();
        match Box::pin(self.admitted(ask, &parent, None, depth + 1)).await {
            Ok(parent) if parent.confers() => Some(parent),
            // It is asked once more among all, and notes it then.
            Ok(_) | Err(_) => {
                ask.facts.would_deny.truncate(noted);
                None
            }
        }
    }

    /// What to say of a blob that no manifest is known to list.
    pub(super) fn unlisted(&self) -> PullError {
        if self.membership.may_have_missed_some() {
            let detail = "no manifest is known to list this blob, and the store was away a moment ago: what was admitted \
                          meanwhile may not be known here; pull the image again";
            return PullError::unsure(Reason::MembershipIncomplete, detail);
        }
        let detail = "no admitted manifest of this repository lists this blob; pull its image first";
        PullError::Denied(Denial::new(Reason::NotAMember, detail))
    }

    /// Whether the registry has a manifest `subject`, of any kind.
    pub(super) async fn is_manifest(&self, subject: &Subject) -> Result<bool, PullError> {
        match self.fetch.manifest(subject).await {
            Ok(_) | Err(PullError::Content { .. }) => Ok(true),
            Err(PullError::Upstream(UpstreamError::NotFound)) => Ok(false),
            Err(unsure) => Err(unsure),
        }
    }

    /// An admitted index that a tag names and that lists `subject`, at any depth; it is recorded, and from then on known.
    ///
    /// # Errors
    /// Why none is; `None` if there is none. `own` is the denial that stands then.
    pub(super) async fn searched(
        &self,
        ask: &mut Ask,
        subject: &Subject,
        own: &Denial,
    ) -> Result<Admitted<Arc<Manifest>>, Option<PullError>> {
        let tagged = self.search.indexes(&subject.image).await;
        let mut refused = None;
        for index in tagged.listing(&subject.digest).into_iter().map(|digest| subject.image.at(digest)) {
            if self.is_spent(ask, &index).await {
                return Err(Some(too_many()));
            }
            let judged = Box::pin(self.admitted(ask, &index, None, 1)).await;
            match judged {
                Ok(index_admitted) if !index_admitted.confers() => {}
                Ok(index_admitted) => {
                    // The store may have forgotten it since it was recorded last.
                    let whole = self.record_anew(ask, &index, &index_admitted).await;
                    if index_admitted.content().lists(&subject.digest) {
                        return Ok(index_admitted);
                    }
                    match self.parents(ask, subject, Kind::Child, 0).await {
                        Err(None) if !whole => refused = PullError::weightier(refused, unread(&index)),
                        Err(None) => {}
                        known => return known,
                    }
                }
                // What is gone, and what nobody is served, lists nothing.
                Err(PullError::Upstream(UpstreamError::NotFound) | PullError::Content { .. }) => {}
                Err(why) => refused = PullError::weightier(refused, of_parent(&index, Kind::Child, why)),
            }
        }
        if let Some(why) = &tagged.incomplete {
            let detail = format!(
                "it is denied by itself ({}: {}), and an index that lists it may not have been found: {why}; ask for the \
                 index first",
                own.reason, own.detail
            );
            refused = PullError::weightier(refused, PullError::unsure(Reason::MembershipIncomplete, detail));
        }
        Err(refused)
    }

    /// Whether `parent` may not be judged for this request any more.
    pub(super) async fn is_spent(&self, ask: &mut Ask, parent: &Subject) -> bool {
        if ask.budget.all == 0 {
            return true;
        }
        ask.budget.all -= 1;
        if ask.budget.anew > 0 {
            return false;
        }
        let governing = ask.snapshot.policies.governing(parent, ask.now);
        !self.judge.remembers(&ask.snapshot, &governing, ask.now).await
    }

    /// Records what an admitted manifest lists, and what the indexes within it list; now and then again, because the
    /// store may forget.
    pub(super) async fn record(&self, ask: &Ask, subject: &Subject, admitted: &Admitted<Arc<Manifest>>) {
        if !admitted.confers() || self.recorded.get(subject).await.is_some() {
            return;
        }
        Box::pin(self.record_anew(ask, subject, admitted)).await;
    }

    /// The same, however lately it was recorded. Whether all of it is.
    async fn record_anew(&self, ask: &Ask, subject: &Subject, admitted: &Admitted<Arc<Manifest>>) -> bool {
        match self.record_deep(ask, &subject.image, admitted, &mut BTreeSet::new()).await {
            Ok(true) => {
                self.recorded.insert(subject.clone(), ()).await;
                true
            }
            Ok(false) => false,
            Err(down) => {
                tracing::warn!(image.digest = %subject.digest, error = %down, "members not recorded");
                false
            }
        }
    }

    /// A node that holds an index within an index asks for what that one lists, and never for that one. Whether every
    /// index within was read.
    async fn record_deep(
        &self,
        ask: &Ask,
        image: &Image,
        parent: &Admitted<Arc<Manifest>>,
        seen: &mut BTreeSet<Digest>,
    ) -> Result<bool, StoreDown> {
        self.membership.record(image, parent).await?;
        let mut whole = true;
        for digest in indexes(parent.content()) {
            if !seen.insert(digest) {
                continue;
            }
            // It was read within bounds to admit what lists it.
            let within = match self.fetch.manifest(&image.at(digest)).await {
                Ok(within) => within,
                // What is gone, and what nobody is served, lists nothing.
                Err(PullError::Upstream(UpstreamError::NotFound) | PullError::Content { .. }) => continue,
                Err(_) => {
                    whole = false;
                    continue;
                }
            };
            if let Ok(within) = admit_member(within, parent, &ask.snapshot.policies) {
                whole &= Box::pin(self.record_deep(ask, image, &within, seen)).await?;
            }
        }
        Ok(whole)
    }
}

/// What the refusal of a parent is to what it lists: its own, but a flaw of an index is none of its children's, so that
/// audit may serve them. What a revoked manifest lists stays refused.
fn of_parent(parent: &Subject, kind: Kind, why: PullError) -> PullError {
    if kind == Kind::Blob || !why.reason().is_firm() || why.reason() == Reason::Revoked {
        return why;
    }
    let detail = format!("{}, which lists it, is refused itself: {why}", parent.digest);
    PullError::Denied(Denial { cause: Some(why.reason()), ..Denial::new(Reason::NotAMember, detail) })
}

fn unread(index: &Subject) -> PullError {
    let detail = format!("not all that {} lists, which may list it, could be read", index.digest);
    PullError::unsure(Reason::MembershipIncomplete, detail)
}

pub(super) fn too_many() -> PullError {
    let detail = "more manifests list this digest than are judged in one request; ask for its image or index first";
    PullError::unsure(Reason::MembershipIncomplete, detail)
}

/// How many times more parents are looked at whose verdicts are in memory.
const WARM: usize = 8;
