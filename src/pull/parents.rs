//! Members: the manifests that list a digest and are admitted now, and the record of what an admitted one lists.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::nested::indexes;
use super::{Ask, PullError, Puller, Unlisted, blob_is_manifest};
use crate::admission::{Admitted, admit_member};
use crate::membership::{self, Kind, Known};
use crate::oci::{Digest, Image, Manifest, Subject};
use crate::outcome::Denial;
use crate::reason::Reason;
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
    /// Why none is.
    pub(super) async fn parents(
        &self,
        ask: &mut Ask,
        subject: &Subject,
        kind: Kind,
        depth: usize,
    ) -> Result<Admitted<Arc<Manifest>>, Unlisted> {
        if let Some(parent) = self.near_parent(ask, subject, kind, depth).await {
            return Ok(parent);
        }
        // Where the store does not tell, what this proxy knows itself may do.
        let Known { parents, doubt } = self.membership.parents(subject).await;
        let mut refused = None;
        // An index may call a layer its child, which does not make it one.
        if kind == Kind::Blob
            && parents.iter().any(|parent| parent.kind == Kind::Child)
            && self.is_manifest(subject).await?
        {
            return Err(blob_is_manifest().into());
        }
        for parent in parents.iter().filter(|parent| parent.kind == kind) {
            let parent = subject.image.at(parent.digest);
            if depth > self.limits.index_depth || self.is_spent(ask, &parent).await {
                return Err(too_many().into());
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
        let mut doubt = doubt.map(PullError::from);
        // That those which are known are refused says nothing of a newer one.
        if ask.sought == Some(subject.digest) && self.membership.has_lost_some() {
            doubt.get_or_insert_with(forgotten);
        }
        Err(Unlisted { refused, doubt })
    }

    /// The newest manifest of which this proxy itself knows that it lists `subject` as `kind`, if what admits it is known,
    /// too: that needs nothing that is not in memory.
    async fn near_parent(
        &self,
        ask: &mut Ask,
        subject: &Subject,
        kind: Kind,
        depth: usize,
    ) -> Option<Admitted<Arc<Manifest>>> {
        let near = self.membership.near(subject).await?;
        // What an index calls its child may be a manifest.
        if kind == Kind::Blob && near.iter().any(|parent| parent.kind == Kind::Child) {
            return None;
        }
        let newest = near.iter().find(|parent| parent.kind == kind)?;
        let parent = subject.image.at(newest.digest);
        if depth > self.limits.index_depth || !self.is_near(ask, &parent, kind).await {
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

    /// Whether there is a verdict in memory on `parent`, or, if it lists blobs, on the newest index that lists it.
    async fn is_near(&self, ask: &Ask, parent: &Subject, lists: Kind) -> bool {
        let governing = ask.snapshot.policies.governing(parent, ask.now);
        if self.judge.remembers(&ask.snapshot, &governing, ask.now).await {
            return true;
        }
        let indexes = if lists == Kind::Blob { self.membership.near(parent).await } else { None };
        let Some(index) = indexes.as_deref().and_then(|near| near.iter().find(|index| index.kind == Kind::Child))
        else {
            return false;
        };
        let governing = ask.snapshot.policies.governing(&parent.image.at(index.digest), ask.now);
        self.judge.remembers(&ask.snapshot, &governing, ask.now).await
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
                    match self.parents(ask, subject, Kind::Child, 0).await.map_err(|none| none.refused) {
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

    /// Records what an admitted manifest lists, and the indexes within it; now and then again: the store may forget.
    pub(super) async fn record(&self, ask: &Ask, subject: &Subject, admitted: &Admitted<Arc<Manifest>>) {
        let is_recorded = |then| self.membership.is_recorded(then);
        if !admitted.confers() || self.recorded.get(subject).await.is_some_and(is_recorded) {
            return;
        }
        Box::pin(self.record_anew(ask, subject, admitted)).await;
    }

    /// The same, however lately it was recorded. Whether all of it is.
    async fn record_anew(&self, ask: &Ask, subject: &Subject, admitted: &Admitted<Arc<Manifest>>) -> bool {
        let began = tokio::time::Instant::now();
        let whole = self.record_deep(ask, &subject.image, admitted, &mut BTreeSet::new()).await;
        if whole {
            self.recorded.insert(subject.clone(), began).await;
        }
        whole
    }

    /// A node that holds an index within an index asks for what that one lists, and never for that one. Whether every
    /// index within was read, and all is recorded or will be.
    async fn record_deep(
        &self,
        ask: &Ask,
        image: &Image,
        parent: &Admitted<Arc<Manifest>>,
        seen: &mut BTreeSet<Digest>,
    ) -> bool {
        let mut whole = self.membership.record(image, parent).await;
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
                whole &= Box::pin(self.record_deep(ask, image, &within, seen)).await;
            }
        }
        whole
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

/// Who was answered an index goes on to its images, though this proxy was killed meanwhile.
fn forgotten() -> PullError {
    let detail = "no admitted index is known to list it, and this proxy was killed, or its store damaged, a moment ago: what was \
                  admitted just before may not be known any more; ask for its index again";
    PullError::unsure(Reason::MembershipIncomplete, detail)
}

pub(super) fn too_many() -> PullError {
    let detail = "more manifests list this digest than are judged in one request; ask for its image or index first";
    PullError::unsure(Reason::MembershipIncomplete, detail)
}

/// How many times more parents are looked at whose verdicts are in memory.
const WARM: usize = 8;
