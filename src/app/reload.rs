//! What can change while the proxy runs: the policy, on demand or by itself, and the trusted roots.
//!
//! Both are swapped together, as one snapshot. Whatever is wrong changes nothing.

use std::panic::AssertUnwindSafe;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::FutureExt;
use tokio::time::sleep;

use super::StartError;
use crate::oci::Registry;
use crate::policy::file::{PolicyErrors, Sources, Written};
use crate::policy::{Exemption, Policies};
use crate::snapshot::{Current, Snapshot};
use crate::telemetry::Metrics;
use crate::trust::{self, Kind, Roots};

mod watch;

use watch::Attempt;

/// Reads the policy again and swaps it in; a wrong file keeps the old one. Keeps the trusted roots up to date.
#[derive(Debug, Clone)]
pub struct Reloader(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    path: PathBuf,
    audit: bool,
    /// The registries that evidence can be read from.
    registries: Vec<Registry>,
    metrics: Arc<Metrics>,
    trust: trust::Upkeep,
    current: Arc<Current>,
    /// What the current snapshot is made of.
    parts: Mutex<(Arc<Policies>, Roots)>,
    /// The last attempt to load the policy.
    attempt: Mutex<Arc<Attempt>>,
    /// One reload after the other.
    reloading: tokio::sync::Mutex<()>,
}

/// What was read to load a policy, and what came of it.
#[derive(Debug)]
struct Loaded {
    sources: Sources,
    parts: Result<(Arc<Policies>, Roots), NotLoaded>,
}

/// Why a policy was not loaded.
#[derive(Debug)]
struct NotLoaded {
    errors: PolicyErrors,
    /// Whether the same files may do later: a TUF repository did not answer.
    later: bool,
}

impl Reloader {
    /// Reads everything for the first time.
    pub(super) async fn start(
        path: PathBuf,
        audit: bool,
        registries: Vec<Registry>,
        metrics: Arc<Metrics>,
        trust: trust::Upkeep,
    ) -> Result<Self, StartError> {
        let attempt = Attempt::succeeded(Sources::look(&path, None));
        let policies = Arc::new(read(&path, &registries)?.audited(audit));
        trust::files(&policies)?;
        let roots = Roots::load(&policies, &Roots::default(), &trust).await.map_err(StartError::TrustRoots)?;
        announce(&metrics, &policies);
        let snapshot = Snapshot { trust: roots.trust(&policies, trust.clock.now()), policies: policies.clone() };
        let current = Arc::new(Current::new(snapshot));
        metrics.policy().in_force(&policies.fingerprint());
        let (parts, attempt) = (Mutex::new((policies, roots)), Mutex::new(Arc::new(attempt)));
        let reloading = tokio::sync::Mutex::default();
        Ok(Self(Arc::new(Inner { path, audit, registries, metrics, trust, current, parts, attempt, reloading })))
    }

    /// Where the current snapshot is found.
    pub(super) fn current(&self) -> Arc<Current> {
        self.0.current.clone()
    }

    /// Reads the policy and the trusted roots in files again. It waits for nothing but a TUF repository that is new.
    ///
    /// # Errors
    /// What is wrong, and where; everything stays as it was.
    pub async fn reload(&self) -> Result<(), PolicyErrors> {
        let _one_by_one = self.0.reloading.lock().await;
        let loaded = self.load().await;
        self.conclude(loaded, true)
    }

    async fn load(&self) -> Loaded {
        // Looked at first: what changes from now on is noticed, if not by this attempt.
        let sources = Sources::look(&self.0.path, Some(&self.attempt().sources));
        let parts = match read(&self.0.path, &self.0.registries) {
            Ok(policies) => {
                let policies = Arc::new(policies.audited(self.0.audit));
                let (_, known) = self.parts();
                let roots = Roots::load(&policies, &known, &self.0.trust).await;
                roots.map(|roots| (policies, roots)).map_err(|errors| NotLoaded { errors, later: true })
            }
            Err(errors) => Err(NotLoaded { errors, later: false }),
        };
        Loaded { sources, parts }
    }

    /// Takes what was loaded, or says why not: every time if the operator `asked`, else once for the same reason.
    fn conclude(&self, loaded: Loaded, asked: bool) -> Result<(), PolicyErrors> {
        match loaded.parts {
            Ok(parts) => {
                announce(&self.0.metrics, &parts.0);
                let fingerprint = parts.0.fingerprint();
                self.publish(Some(parts));
                // Said only now: whoever reads it is answered under this policy.
                self.0.metrics.policy().in_force(&fingerprint);
                self.0.metrics.policy().reload(true);
                self.remember(Attempt::succeeded(loaded.sources));
                tracing::info!("policy reloaded");
                Ok(())
            }
            Err(NotLoaded { errors, later }) => {
                self.0.metrics.policy().reload(false);
                let attempt = Attempt::failed(loaded.sources, &errors, later);
                if asked || !self.attempt().failed_alike(&attempt) {
                    tracing::error!(%errors, "the policy cannot be loaded; the one in force stays");
                }
                self.remember(attempt);
                Err(errors)
            }
        }
    }

    /// Looks after everything for ever: files every few seconds, TUF repositories when their time has come.
    pub(super) async fn keep(self) {
        tokio::join!(self.watch(), self.keep_up(Kind::Files), self.keep_up(Kind::Tuf));
    }

    async fn keep_up(&self, kind: Kind) {
        loop {
            // Whatever happens, somebody has to notice that a root expires.
            if AssertUnwindSafe(self.look(kind)).catch_unwind().await.is_err() {
                tracing::error!(?kind, "looking after the trusted roots failed; it goes on");
            }
            sleep(TICK).await;
        }
    }

    /// Looks at the trusted roots of this kind once.
    async fn look(&self, kind: Kind) {
        let (policies, roots) = self.parts();
        roots.renew(kind, &policies, &self.0.trust).await;
        self.publish(None);
    }

    /// Makes a snapshot of the parts, or of new ones. The time goes into it: what has expired decides nothing.
    fn publish(&self, new: Option<(Arc<Policies>, Roots)>) {
        let mut parts = self.0.parts.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(new) = new {
            *parts = new;
        }
        let (policies, roots) = &*parts;
        let trust = roots.trust(policies, self.0.trust.clock.now());
        let current = self.0.current.load();
        if Arc::ptr_eq(&current.policies, policies) && current.trust.same(&trust) {
            return;
        }
        self.0.current.swap(Snapshot { policies: policies.clone(), trust });
    }

    fn parts(&self) -> (Arc<Policies>, Roots) {
        self.0.parts.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Reads the policy, and refuses one that looks for evidence in a registry which is not configured.
fn read(path: &Path, registries: &[Registry]) -> Result<Policies, PolicyErrors> {
    let written = Written::load(path)?;
    written.evidence_within(registries)?;
    Ok(written.into_policies())
}

fn announce(metrics: &Metrics, policies: &Policies) {
    metrics.announce_policies(policies.all().iter().map(|policy| policy.name().as_str()));
    let end = |exemption: &Exemption| exemption.expires().map(|end| end.0);
    metrics.exemptions().announce(policies.exemptions().iter().map(|exemption| (exemption.reason(), end(exemption))));
}

/// How soon a changed file is noticed, and an expiry.
const TICK: Duration = Duration::from_secs(2);

#[cfg(test)]
mod tests;
