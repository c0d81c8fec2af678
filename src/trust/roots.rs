//! The trusted roots that a policy uses, kept up to date: files are read again, TUF repositories asked again.
//!
//! A root that cannot be read, or that lacks what an authority demands, changes nothing: the last good stays, until its
//! own metadata has expired.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;

use futures_util::future::join_all;

use super::{Root, Trust, Unusable, Upkeep, demands, file};
use crate::clock::Timestamp;
use crate::policy::{Name, Policies, TrustRoot, TrustSource};
use crate::reason::Reason;
use crate::yaml::{FileError, FileErrors};

mod entry;

use entry::Entry;

/// Every root that an authority uses.
#[derive(Debug, Clone, Default)]
pub struct Roots(BTreeMap<Name, Arc<Entry>>);

/// Which roots are looked at again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Those in files.
    Files,
    /// Those in TUF repositories whose time has come.
    Tuf,
}

impl Roots {
    /// Loads what `policies` use. Repositories that `known` has already are not asked; of others, what was kept on disk
    /// is taken, and only without it is the network waited for.
    ///
    /// # Errors
    /// For each root that there is no good content of, or that lacks what an authority demands.
    pub async fn load(policies: &Policies, known: &Self, upkeep: &Upkeep) -> Result<Self, FileErrors> {
        let used: BTreeSet<_> = policies.authorities().filter_map(|authority| authority.trust_root()).collect();
        let declared = policies.trust_roots().iter().filter(|(name, _)| used.contains(name));
        let loaded = join_all(declared.map(async |(name, declared)| {
            let known = known.0.get(name).filter(|entry| entry.source() == declared.source());
            (name, declared, Entry::load(name, declared.source(), known, upkeep).await)
        }));
        let (mut roots, mut wrong) = (BTreeMap::new(), Vec::new());
        for (name, declared, entry) in loaded.await {
            match entry {
                Ok(entry) => {
                    wrong.extend(entry.root().iter().flat_map(|root| problems(policies, name, declared, root)));
                    roots.insert(name.clone(), entry);
                }
                Err(why) => wrong.push(declared.problem(&why)),
            }
        }
        FileErrors::of(wrong)?;
        let roots = Self(roots);
        upkeep.metrics.announce(roots.0.keys().map(Name::as_str));
        roots.show(upkeep);
        Ok(roots)
    }

    /// What requests under `policies` see of them at `now`.
    pub fn trust(&self, policies: &Policies, now: Timestamp) -> Trust {
        let (mut roots, mut unusable) = (BTreeMap::new(), BTreeMap::new());
        for (name, entry) in &self.0 {
            // Asked again: the policy may have changed while the root was being refreshed.
            let fits = |root: Arc<Root>| match demands::unmet(policies, name, &root).into_iter().next() {
                None => Ok(root),
                Some(detail) => Err(Unusable { reason: Reason::TrustRootUnavailable, detail }),
            };
            match entry.usable(name, now).and_then(fits) {
                Ok(root) => drop(roots.insert(name.clone(), root)),
                Err(why) => {
                    // It decides nothing any more; what it did decide is known by its content.
                    let expired = entry.root().filter(|_| why.reason == Reason::TrustRootExpired);
                    roots.extend(expired.map(|root| (name.clone(), root)));
                    unusable.insert(name.clone(), why);
                }
            }
        }
        Trust::of(roots).without(unusable)
    }

    /// Looks at the roots of this kind again. What is new and good for `policies` counts from then on.
    pub async fn renew(&self, kind: Kind, policies: &Policies, upkeep: &Upkeep) {
        let of_kind = |entry: &Entry| matches!(entry.source(), TrustSource::File(_)) == (kind == Kind::Files);
        let due = self.0.iter().filter(|(_, entry)| of_kind(entry) && entry.due());
        join_all(due.map(|(name, entry)| entry.renew(name, policies, upkeep))).await;
        self.show(upkeep);
    }

    fn show(&self, upkeep: &Upkeep) {
        let now = upkeep.clock.now();
        for (name, entry) in &self.0 {
            let (refreshed, expires) = entry.times();
            upkeep.metrics.show(name.as_str(), now.0.saturating_sub(refreshed.0), expires.map(|end| end.0));
        }
    }
}

/// Reads the roots of `policies` that are files, and says what is wrong with them: for a check that has no network.
///
/// # Errors
/// As [`Roots::load`].
pub fn files(policies: &Policies) -> Result<(), FileErrors> {
    let wrong = policies.trust_roots().iter().filter_map(|(name, declared)| {
        let path: PathBuf = declared.file()?.into();
        Some(match file::read(&path) {
            Ok(root) => problems(policies, name, declared, &root),
            Err(why) => vec![declared.problem(&why)],
        })
    });
    FileErrors::of(wrong.flatten())
}

fn problems(policies: &Policies, name: &Name, declared: &TrustRoot, root: &Root) -> Vec<FileError> {
    demands::unmet(policies, name, root).iter().map(|why| declared.problem(why)).collect()
}
