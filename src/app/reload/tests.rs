//! Policy and trusted roots, swapped while requests go on.

use std::path::Path;
use std::time::Duration;

use sigstore_verify::trust_root::{SIGSTORE_PRODUCTION_TRUSTED_ROOT as OLD, SIGSTORE_STAGING_TRUSTED_ROOT as NEW};
use tempfile::TempDir;
use tokio::time::timeout;

use super::*;
use crate::clock::{Clock, Timestamp};
use crate::oci::Digest;
use crate::policy::Name;
use crate::reason::Reason;
use crate::trust::TrustRevision;
use crate::trust::double::{Mirror, NOW};

struct Scene {
    folder: TempDir,
    mirror: Mirror,
    metrics: Arc<Metrics>,
    clock: Arc<Clock>,
}

impl Scene {
    async fn new() -> Self {
        let (folder, mirror) = (tempfile::tempdir().expect("a directory"), Mirror::start(OLD).await);
        let scene = Self { folder, mirror, metrics: Arc::default(), clock: Arc::new(Clock::fixed(NOW)) };
        scene.name_mirror(&scene.mirror, "deny");
        scene
    }

    /// Writes a policy whose root is the mirror's.
    fn name_mirror(&self, mirror: &Mirror, default: &str) {
        std::fs::write(self.path().join("root.json"), mirror.get("1.root.json")).expect("a file");
        let text = format!(
            "trustRoots: {{ r: {{ tuf: {{ mirror: '{}', root: root.json }} }} }}\nauthorities:\n  ci: {{ keyless: {{ \
             trustRoot: r, issuer: i, identity: x }} }}\npolicies:\n- name: p\n  match: [ r.io/** ]\n  require: {{ \
             signature: {{ by: ci }} }}\ndefault: {default}\n",
            mirror.url()
        );
        std::fs::write(self.path().join("policy.yaml"), text).expect("a file");
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    async fn start(&self) -> Result<Reloader, StartError> {
        let settings = trust::Settings { cache: None, refresh: Duration::ZERO, max_stale: Duration::ZERO };
        let upkeep = trust::Upkeep { settings, clock: self.clock.clone(), metrics: self.metrics.trust() };
        Reloader::start(self.path().join("policy.yaml"), false, Vec::new(), self.metrics.clone(), upkeep).await
    }
}

/// What a request sees that begins now.
fn seen(reloader: &Reloader) -> (Result<Digest, Reason>, TrustRevision) {
    let snapshot = reloader.current().load();
    let governing = snapshot.policies.governing(&crate::test_support::subject(), NOW);
    let name = Name::new("r").expect("a name");
    let digest = snapshot.trust.usable(&name).map(|root| root.digest()).map_err(|unusable| unusable.reason);
    (digest, snapshot.trust.revision(&governing))
}

fn digest(text: &str) -> Digest {
    Digest::of(text.as_bytes())
}

#[tokio::test]
async fn a_rotation_and_an_expiry_count_for_the_next_request() {
    let mut scene = Scene::new().await;
    let reloader = scene.start().await.expect("it starts");
    let first = seen(&reloader);
    assert_eq!(first.0, Ok(digest(OLD)));
    let snapshot = reloader.current().load();
    for kind in [Kind::Tuf, Kind::Files] {
        reloader.look(kind).await;
        assert!(Arc::ptr_eq(&reloader.current().load(), &snapshot), "nothing new is no new snapshot");
    }
    scene.mirror.repository.rotate();
    scene.mirror.release(NEW);
    reloader.look(Kind::Tuf).await;
    let second = seen(&reloader);
    assert_eq!(second.0, Ok(digest(NEW)));
    assert_ne!(second.1, first.1);
    scene.mirror.down(true);
    scene.clock.set(Timestamp(NOW.0 + 86_401));
    // Noticed even by those who look at files only, while the mirror is being waited for.
    reloader.look(Kind::Files).await;
    let third = seen(&reloader);
    assert_eq!(third.0, Err(Reason::TrustRootExpired));
    assert!(![first.1, second.1].contains(&third.1), "what was decided before is not found");
}

#[tokio::test]
async fn nobody_waits_for_a_mirror_that_hangs() {
    let scene = Scene::new().await;
    let reloader = scene.start().await.expect("it starts");
    let before = scene.mirror.asked().len();
    scene.mirror.hang();
    let looking = tokio::spawn({
        let reloader = reloader.clone();
        async move { reloader.look(Kind::Tuf).await }
    });
    while scene.mirror.asked().len() == before {
        tokio::task::yield_now().await;
    }
    assert_eq!(seen(&reloader).0, Ok(digest(OLD)));
    scene.name_mirror(&scene.mirror, "audit");
    timeout(Duration::from_secs(10), reloader.reload()).await.expect("it does not wait").expect("a good policy");
    timeout(Duration::from_secs(10), reloader.look(Kind::Files)).await.expect("nor do files");
    assert_eq!(seen(&reloader).0, Ok(digest(OLD)));
    assert!(!looking.is_finished());
    looking.abort();
}

#[tokio::test]
async fn a_repository_that_is_new_is_waited_for_or_the_reload_fails() {
    let scene = Scene::new().await;
    let reloader = scene.start().await.expect("it starts");
    let other = Mirror::start(NEW).await;
    other.down(true);
    scene.name_mirror(&other, "deny");
    let error = reloader.reload().await.expect_err("it is down").to_string();
    assert!(error.contains("policy.yaml:1:20: trustRoots.r.tuf: ") && error.contains("503"), "{error}");
    assert_eq!(seen(&reloader).0, Ok(digest(OLD)));
    assert!(scene.metrics.render().contains("countersign_policy_reload_failed 1"));
    other.down(false);
    reloader.reload().await.expect("it is up");
    assert_eq!(seen(&reloader).0, Ok(digest(NEW)));
}

#[tokio::test]
async fn a_start_without_network_says_what_to_do() {
    let scene = Scene::new().await;
    scene.mirror.down(true);
    let error = scene.start().await.map(|_| ()).expect_err("it is down");
    assert!(matches!(error, StartError::TrustRoots(_)), "{error}");
    let text = error.to_string();
    assert!(text.contains("nothing is kept of it without `trust.cache`: let the proxy reach it once"), "{text}");
}
