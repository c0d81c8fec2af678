//! The pull: from a parsed request to admitted content, in the order in which things happen.
//!
//! ```text
//! resolve the tag, once → the manifest's bytes by digest, re-hashed → what governs it
//!   → admitted as a member of an admitted index, or on its own verdict (cached, or discover → verify → decide)
//!   → what it lists is recorded
//! ```

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::admission::{Addressed, Admitted, admit, admit_member};
use crate::cache::Lookup;
use crate::clock::{Clock, Timestamp};
use crate::decide::Verdict;
use crate::limits::Limits;
use crate::membership::{Kind, Membership};
use crate::oci::{Blob, Digest, Manifest, Reference, Registry, Subject, Tag};
use crate::outcome::Denial;
use crate::policy::Governing;
use crate::reason::{Class, Reason};
use crate::route::{BlobPull, ManifestPull};
use crate::snapshot::{Current, Snapshot};
use crate::telemetry::Facts;
use crate::upstream::Upstream;

pub mod artifact;

pub mod case;

pub mod error;

mod expand;

pub mod explain;

pub mod fetch;

pub mod held;

pub mod judge;

pub mod nested;

mod note;

mod parents;

pub mod rehearse;

mod rest;

pub mod search;

pub mod standing;

pub mod tagged;

mod unlisted;

pub use artifact::Artifacts;
pub use case::{Case, Gathered, Piece};
pub use error::PullError;
pub use explain::{Explanation, Sight, Witness};
pub use fetch::Fetch;
pub use held::Held;
pub use judge::Judge;
pub use nested::Nested;
use note::{note, refused_tag};
use parents::Budget;
pub use rehearse::Rehearsed;
pub use search::Search;
pub use standing::Standing;
use unlisted::Unlisted;

pub use crate::select::Considered;

/// Everything that a pull needs.
#[derive(Debug)]
pub struct Puller {
    /// The registries behind the proxy.
    pub upstreams: Arc<BTreeMap<Registry, Arc<Upstream>>>,
    /// Policies and trust.
    pub current: Arc<Current>,
    /// Tags and manifests of the upstream.
    pub fetch: Arc<Fetch>,
    /// Verdicts.
    pub judge: Arc<Judge>,
    /// Who lists whom.
    pub membership: Membership,
    /// What is recorded already, and since when.
    pub recorded: moka::future::Cache<Subject, tokio::time::Instant>,
    /// The indexes whose images' blobs are recorded already.
    pub expanded: moka::future::Cache<Subject, ()>,
    /// What indexes list at any depth.
    pub nested: Nested,
    /// The indexes of a repository, where none is known to list a manifest.
    pub search: Search,
    /// The bounds.
    pub limits: Limits,
    /// The time.
    pub clock: Arc<Clock>,
}

/// One request on its way: what it decides under, and what is learned for its log line.
#[derive(Debug)]
pub struct Ask {
    snapshot: Arc<Snapshot>,
    now: Timestamp,
    /// The same by the clock of the last verdict from memory that admitted.
    judged: Option<Timestamp>,
    budget: Budget,
    /// What the client asked for by digest: indexes are searched for it if none is known to list it.
    sought: Option<Digest>,
    /// For the log line.
    pub facts: Facts,
}

impl Puller {
    /// Begins a request.
    pub fn ask(&self) -> Ask {
        let (snapshot, now, facts) = (self.current.load(), self.clock.now(), Facts::default());
        Ask { snapshot, now, judged: None, budget: Budget::new(self.limits.parents), sought: None, facts }
    }

    /// Whether what the request decides under is still in force.
    pub fn stands(&self, ask: &Ask) -> bool {
        self.current.is(&ask.snapshot)
    }

    /// Pulls one manifest, for HEAD and GET alike.
    pub async fn manifest(&self, ask: &mut Ask, pull: &ManifestPull) -> Result<Admitted<Arc<Manifest>>, PullError> {
        let digest = self.fetch.resolve(&pull.image, &pull.reference).await?;
        ask.facts.digest = Some(digest);
        let tag = match &pull.reference {
            Reference::Digest(_) => {
                ask.sought = Some(digest);
                None
            }
            Reference::Tag(tag) => Some(tag),
        };
        let subject = pull.image.at(digest);
        let admitted = self.admitted(ask, &subject, tag, 0).await?;
        self.record(ask, &subject, &admitted).await;
        Ok(admitted)
    }

    /// Admits one blob: some manifest that lists it must be admitted now. With it, the size which that manifest declares.
    pub async fn blob(&self, ask: &mut Ask, pull: &BlobPull) -> Result<(Admitted<Blob>, Option<u64>), PullError> {
        ask.facts.digest = Some(pull.digest);
        let (subject, blob) = (pull.image.at(pull.digest), Blob(pull.digest));
        let mut parent = self.parents(ask, &subject, Kind::Blob, 0).await;
        // What a manifest that is refused lists, one that is not may list as well.
        if parent.as_ref().is_err_and(Unlisted::may_be_listed) {
            let expanded = self.expand(ask, &pull.image).await;
            parent = self.parents(ask, &subject, Kind::Blob, 0).await;
            if let (Err(unlisted), Err(open)) = (&mut parent, expanded) {
                unlisted.doubt.get_or_insert(open);
            }
        }
        let refused = match parent {
            Ok(parent) => match admit_member(blob, &parent, &ask.snapshot.policies) {
                Ok(admitted) => return Ok((admitted, parent.content().size_of(&pull.digest))),
                Err(denial) => PullError::Denied(denial),
            },
            Err(unlisted) => self.unlisted(unlisted),
        };
        let governing = ask.snapshot.policies.governing(&subject, ask.now);
        let admitted = audited(ask, blob, &governing, refused)?;
        // Audit serves blobs that nothing is known to list, but a client must not take one for a manifest.
        if self.is_manifest(&subject).await? { Err(blob_is_manifest()) } else { Ok((admitted, None)) }
    }

    /// Admits the manifest `subject`, which the client asked for by `tag` or by digest.
    async fn admitted(
        &self,
        ask: &mut Ask,
        subject: &Subject,
        tag: Option<&Tag>,
        depth: usize,
    ) -> Result<Admitted<Arc<Manifest>>, PullError> {
        let manifest = self.fetch.manifest(subject).await?;
        let governing = ask.snapshot.policies.governing(subject, ask.now);
        let by_right = match refused_tag(ask, &governing, tag) {
            Some(denial) => Err(PullError::Denied(denial)),
            None => self.admitted_by_right(ask, &manifest, &governing, depth).await,
        };
        let admitted = by_right.or_else(|refused| audited(ask, manifest.clone(), &governing, refused))?;
        match self.nested.refused(&ask.snapshot.policies, subject, &manifest, ask.now).await {
            Ok(()) => Ok(admitted),
            Err(refused) => audited(ask, manifest, &governing, refused),
        }
    }

    /// Admits as a member of an admitted index, or on the manifest's own evidence.
    async fn admitted_by_right(
        &self,
        ask: &mut Ask,
        manifest: &Arc<Manifest>,
        governing: &Governing,
        depth: usize,
    ) -> Result<Admitted<Arc<Manifest>>, PullError> {
        // What is known to be signed needs no index, and nothing that is not in memory.
        if let Some((verdict, judged)) = self.judge.signed(&ask.snapshot, governing, manifest, ask.now).await
            && let Ok(admitted) = admit(manifest.clone(), &verdict, governing, &ask.snapshot.policies, ask.now)
        {
            (ask.facts.cache, ask.judged) = (Some(Lookup::Hit.label()), Some(judged));
            note(&mut ask.facts, verdict.would_deny());
            return Ok(admitted);
        }
        Box::pin(self.admitted_anew(ask, manifest, governing, depth)).await
    }

    async fn admitted_anew(
        &self,
        ask: &mut Ask,
        manifest: &Arc<Manifest>,
        governing: &Governing,
        depth: usize,
    ) -> Result<Admitted<Arc<Manifest>>, PullError> {
        let snapshot = ask.snapshot.clone();
        let unlisted = match self.parents(ask, governing.subject(), Kind::Child, depth).await {
            Ok(parent) => {
                if let Ok(admitted) = admit_member(manifest.clone(), &parent, &snapshot.policies) {
                    return Ok(admitted);
                }
                Unlisted::default()
            }
            Err(unlisted) => unlisted,
        };
        let (verdict, lookup) = self.judge.verdict(&snapshot, governing, manifest, ask.now).await?;
        ask.facts.cache = Some(lookup.label());
        if depth > 0 && lookup != Lookup::Hit {
            ask.budget.judged_anew();
        }
        let denial = match on_verdict(ask, manifest.clone(), governing, &verdict) {
            Ok(admitted) => return Ok(admitted),
            Err(denial) => denial,
        };
        // No index admits what is revoked, or lists what is.
        let final_for_all = matches!(denial.reason, Reason::Revoked | Reason::ChildDenied);
        let refused = match unlisted.refused {
            // A parent that could not be judged might have admitted it: that is not a no.
            Some(unsure) if unsure.reason().class() == Class::Unavailable => return Err(unsure),
            known => known.filter(|known| matches!(known, PullError::Denied(_))),
        };
        // Nor does one that is not known now: but an index that a tag names can be found all the same.
        let by_parents = Unlisted { refused, ..unlisted }.why().filter(|_| !final_for_all);
        let sought = ask.sought == Some(governing.subject().digest);
        if !sought || final_for_all || !search::may_help(governing, &snapshot.policies) {
            return Err(by_parents.unwrap_or(PullError::Denied(denial)));
        }
        match self.searched(ask, governing.subject(), &denial).await {
            Ok(parent) => admit_member(manifest.clone(), &parent, &snapshot.policies).map_err(|why| {
                // What confers nothing changes nothing.
                PullError::Denied(if why.reason == Reason::NotAMember { denial } else { why })
            }),
            Err(Some(unsure)) if unsure.reason().class() == Class::Unavailable => Err(unsure),
            // Who signs indexes looks for the reason there.
            Err(found) => {
                // An index without any evidence says less than the manifest's own.
                let found = found.filter(|found| found.reason() != Reason::Unsigned);
                Err(by_parents.or(found).unwrap_or(PullError::Denied(denial)))
            }
        }
    }
}

/// Admits `content` on its own verdict; what policies that are only watched would have refused leaves a note.
fn on_verdict<T: Addressed>(
    ask: &mut Ask,
    content: T,
    governing: &Governing,
    verdict: &Verdict,
) -> Result<Admitted<T>, Denial> {
    note(&mut ask.facts, verdict.would_deny());
    admit(content, verdict, governing, &ask.snapshot.policies, ask.now)
}

/// Serves what is refused all the same, where the operator asked for audit; what is refused otherwise stays so.
fn audited<T: Addressed>(
    ask: &mut Ask,
    content: T,
    governing: &Governing,
    refused: PullError,
) -> Result<Admitted<T>, PullError> {
    let (PullError::Denied(denial) | PullError::Indeterminate(denial)) = &refused else { return Err(refused) };
    let snapshot = &ask.snapshot;
    let Some(verdict) = Verdict::audited(denial, governing, snapshot.trust.revision(governing), ask.now) else {
        return Err(refused);
    };
    let admitted = admit(content, &verdict, governing, &snapshot.policies, ask.now).map_err(PullError::Denied)?;
    note(&mut ask.facts, verdict.would_deny());
    Ok(admitted)
}

fn blob_is_manifest() -> PullError {
    let detail = "this digest is a manifest; ask for it under /manifests/".to_string();
    PullError::Content { reason: Reason::BlobIsManifest, detail }
}
