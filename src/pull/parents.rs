//! Members: the manifests that list a digest and are admitted now, and the record of what an admitted one lists.

use std::sync::Arc;

use super::{Ask, PullError, Puller, blob_is_manifest};
use crate::admission::Admitted;
use crate::membership::Kind;
use crate::oci::{Manifest, Subject};
use crate::reason::Reason;
use crate::upstream::UpstreamError;

impl Puller {
    /// The first manifest that lists `subject` as `kind` and is admitted now.
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
        let parents = match self.membership.parents(subject).await {
            Ok(parents) => parents,
            Err(down) => return Err(Some(PullError::unsure(Reason::StoreUnavailable, down.to_string()))),
        };
        if kind == Kind::Blob && parents.iter().any(|parent| parent.kind == Kind::Child) {
            return Err(Some(blob_is_manifest()));
        }
        let mut refused = None;
        for parent in parents.iter().filter(|parent| parent.kind == kind) {
            if ask.budget == 0 || depth >= self.limits.index_depth {
                let detail = "more manifests list this digest than are judged in one request; pull the index again";
                return Err(Some(PullError::unsure(Reason::MembershipIncomplete, detail)));
            }
            ask.budget -= 1;
            let parent = subject.image.at(parent.digest);
            match Box::pin(self.admitted(ask, &parent, None, depth + 1)).await {
                Ok(parent) if parent.confers() => return Ok(parent),
                // It lets nothing through; or the registry has forgotten it, so it lists nothing any more.
                Ok(_) | Err(PullError::Upstream(UpstreamError::NotFound)) => {}
                Err(why) => refused = PullError::weightier(refused, why),
            }
        }
        Err(refused)
    }

    /// Records what an admitted manifest lists; now and then again, because the store may forget.
    pub(super) async fn record(&self, subject: &Subject, admitted: &Admitted<Arc<Manifest>>) {
        if !admitted.confers() || self.recorded.get(subject).await.is_some() {
            return;
        }
        match self.membership.record(&subject.image, admitted).await {
            Ok(()) => self.recorded.insert(subject.clone(), ()).await,
            Err(down) => tracing::warn!(image.digest = %subject.digest, error = %down, "members not recorded"),
        }
    }
}
