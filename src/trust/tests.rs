//! Trusted roots of a policy, from its text to what a request sees.

use std::path::Path;
use std::time::Duration;

use sigstore_verify::trust_root::{
    SIGSTORE_GITHUB_TRUSTED_ROOT as GITHUB, SIGSTORE_PRODUCTION_TRUSTED_ROOT as OLD,
    SIGSTORE_STAGING_TRUSTED_ROOT as NEW,
};
use tempfile::TempDir;

use super::tuf::double::{Mirror, NOW};
use super::*;
use crate::clock::{Clock, Timestamp};
use crate::policy::Policies;
use crate::policy::file::parse;
use crate::telemetry::Metrics;

/// A directory with a policy, and what keeps its roots.
struct Scene {
    folder: TempDir,
    upkeep: Upkeep,
    metrics: Metrics,
}

impl Scene {
    fn new() -> Self {
        let (folder, metrics) = (tempfile::tempdir().expect("a directory"), Metrics::new());
        // Repositories are asked at every occasion.
        let settings =
            Settings { cache: Some(folder.path().join("tuf")), refresh: Duration::ZERO, max_stale: Duration::ZERO };
        let upkeep = Upkeep { settings, clock: Arc::new(Clock::fixed(NOW)), metrics: metrics.trust() };
        Self { folder, upkeep, metrics }
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    fn write(&self, name: &str, bytes: impl AsRef<[u8]>) {
        std::fs::write(self.path().join(name), bytes).expect("a file");
    }

    /// A policy whose trust root `r` is `source`, with these authorities.
    fn policies(&self, source: &str, authorities: &str) -> Policies {
        let text = format!("trustRoots: {{ r: {{ {source} }} }}\nauthorities:\n{authorities}");
        parse(&text, "policy.yaml", self.path()).expect(&text)
    }

    /// One whose root is the mirror's.
    fn mirrored(&self, mirror: &Mirror) -> Policies {
        self.write("root.json", mirror.get("1.root.json"));
        self.policies(&format!("tuf: {{ mirror: '{}', root: root.json }}", mirror.url()), CI)
    }

    async fn load(&self, policies: &Policies) -> Roots {
        Roots::load(policies, &Roots::default(), &self.upkeep).await.expect("roots")
    }

    fn metric(&self, series: &str) -> Option<String> {
        let text = self.metrics.render();
        text.lines().find_map(|line| Some(line.strip_prefix(series)?.trim().to_string()))
    }
}

const CI: &str = "  ci: { keyless: { trustRoot: r, issuer: i, identity: x } }\n";

fn name() -> Name {
    Name::new("r").expect("a name")
}

fn digest_in(roots: &Roots, policies: &Policies, now: Timestamp) -> Result<Digest, Unusable> {
    roots.trust(policies, now).usable(&name()).map(|root| root.digest())
}

fn digest(text: &str) -> Digest {
    Digest::of(text.as_bytes())
}

#[tokio::test]
async fn a_file_is_read_again_and_a_broken_one_changes_nothing() {
    let scene = Scene::new();
    scene.write("r.json", OLD);
    let policies = scene.policies("file: r.json", CI);
    let roots = scene.load(&policies).await;
    assert_eq!(digest_in(&roots, &policies, NOW), Ok(digest(OLD)));
    let renew = async |text: &str| {
        scene.write("r.json", text);
        roots.renew(Kind::Files, &policies, &scene.upkeep).await;
        digest_in(&roots, &policies, NOW)
    };
    assert_eq!(renew(NEW).await, Ok(digest(NEW)));
    let failed = r#"countersign_trust_root_refresh_failed{trust_root="r"}"#;
    for broken in
        ["", "{", "{ }", &NEW.replace("\"tlogs\"", "\"tlogs\": [ ], \"tlogs\""), &NEW.replace("ctlogs", "none")]
    {
        assert_eq!(renew(broken).await, Ok(digest(NEW)), "{broken}");
        assert_eq!(scene.metric(failed).as_deref(), Some("1"));
    }
    std::fs::remove_file(scene.path().join("r.json")).expect("it was there");
    roots.renew(Kind::Files, &policies, &scene.upkeep).await;
    assert_eq!(digest_in(&roots, &policies, NOW), Ok(digest(NEW)));
    scene.upkeep.clock.set(Timestamp(NOW.0 + 60));
    assert_eq!(renew(OLD).await, Ok(digest(OLD)));
    assert_eq!(scene.metric(failed).as_deref(), Some("0"));
    assert_eq!(scene.metric(r#"countersign_trust_root_age_seconds{trust_root="r"}"#).as_deref(), Some("0"));
}

#[tokio::test]
async fn what_is_wrong_with_a_root_is_told_where_it_is_declared() {
    let scene = Scene::new();
    let key = "  k: { key: { inline: 'PEM', trustRoot: r } }\n".replace("PEM", &key_pem());
    let without = |key: &str| {
        let mut root: serde_json::Value = serde_json::from_str(OLD).expect("JSON");
        root[key] = serde_json::json!([]);
        root.to_string()
    };
    let skip = |what: &str| CI.replace("identity: x", &format!("identity: x, insecureSkip{what}: true"));
    let both = skip("TransparencyLog: true, insecureSkipCertificateTransparency");
    for (root, authorities, expected) in [
        (OLD.to_string(), CI, None),
        (OLD.to_string(), &*key, None),
        (without("tlogs"), CI, Some("it has no transparency log, and authority `ci`")),
        (without("tlogs"), &key, Some("it has no transparency log, and authority `k`")),
        (without("tlogs"), &skip("TransparencyLog"), None),
        (without("ctlogs"), CI, Some("it has no certificate transparency log, and authority `ci`")),
        (without("ctlogs"), &key, None),
        (without("ctlogs"), &skip("CertificateTransparency"), None),
        (without("certificateAuthorities"), CI, Some("it has no certificate authority")),
        (without("timestampAuthorities"), CI, None),
        (GITHUB.to_string(), CI, Some("it has no transparency log")),
        (GITHUB.to_string(), &both, None),
        (
            GITHUB.replace("timestampAuthorities", "none"),
            &both,
            Some("it has neither a transparency log nor a time stamp"),
        ),
        ("{ }".to_string(), CI, Some("r.json`: not a trusted root: failed to parse JSON: missing field")),
    ] {
        scene.write("r.json", &root);
        let policies = scene.policies("file: r.json", authorities);
        let loaded = Roots::load(&policies, &Roots::default(), &scene.upkeep).await.map(|_| ());
        assert_eq!(loaded, files(&policies), "{authorities}");
        match expected {
            None => assert_eq!(loaded, Ok(()), "{authorities}"),
            Some(expected) => {
                let error = loaded.expect_err(expected).to_string();
                assert!(
                    error.starts_with("policy.yaml:1:26: trustRoots.r.file: ") && error.contains(expected),
                    "{error}"
                );
            }
        }
    }
    let gone = scene.policies("file: gone.json", CI);
    assert!(files(&gone).is_err_and(|error| error.to_string().contains("gone.json`: it does not exist")));
}

#[tokio::test]
async fn a_root_that_no_authority_uses_is_not_asked_for() {
    let scene = Scene::new();
    let key = format!("  k: {{ key: {{ inline: '{}', insecureSkipTransparencyLog: true }} }}\n", key_pem());
    let mirror = Mirror::start(OLD).await;
    scene.write("root.json", mirror.get("1.root.json"));
    let policies = scene.policies(&format!("tuf: {{ mirror: '{}', root: root.json }}", mirror.url()), &key);
    let roots = scene.load(&policies).await;
    assert_eq!(mirror.asked().len(), 0);
    assert_eq!(digest_in(&roots, &policies, NOW).expect_err("not loaded").reason, Reason::TrustRootUnavailable);
}

#[tokio::test]
async fn without_network_and_without_anything_kept_the_way_out_is_told() {
    let scene = Scene::new();
    let mirror = Mirror::start(OLD).await;
    let policies = scene.mirrored(&mirror);
    mirror.down(true);
    let error =
        Roots::load(&policies, &Roots::default(), &scene.upkeep).await.map(|_| ()).expect_err("down").to_string();
    for expected in [
        "policy.yaml:1:20: trustRoots.r.tuf: the TUF repository http://127.0.0.1:",
        "503",
        "nothing good was kept",
        "a `file` in its place",
    ] {
        assert!(error.contains(expected), "{expected}\n{error}");
    }
    // Once it has been there, a restart goes without.
    mirror.down(false);
    scene.load(&policies).await;
    mirror.down(true);
    let roots = scene.load(&policies).await;
    assert_eq!(digest_in(&roots, &policies, NOW), Ok(digest(OLD)));
}

#[tokio::test]
async fn a_repository_is_asked_in_the_background_and_keeps_deciding_until_it_expires() {
    let scene = Scene::new();
    let mut mirror = Mirror::start(OLD).await;
    let policies = scene.mirrored(&mirror);
    let roots = scene.load(&policies).await;
    let renew = async || {
        roots.renew(Kind::Tuf, &policies, &scene.upkeep).await;
        let now = scene.upkeep.clock.now();
        (digest_in(&roots, &policies, now).map_err(|unusable| unusable.reason), roots.trust(&policies, now))
    };
    let expiry = |days: u64| (NOW.0 + days * 86_400).to_string();
    let shown = r#"countersign_trust_root_expiry_timestamp_seconds{trust_root="r"}"#;
    assert_eq!(scene.metric(shown), Some(expiry(1)));
    mirror.release(NEW);
    assert_eq!(renew().await.0, Ok(digest(NEW)), "a release is taken");
    let count = |result: &str| {
        scene.metric(&format!(r#"countersign_trust_root_refreshes_total{{result="{result}",trust_root="r"}}"#))
    };
    assert_eq!((count("refreshed").as_deref(), count("failed").as_deref()), (Some("1"), Some("0")));
    mirror.down(true);
    scene.upkeep.clock.set(Timestamp(NOW.0 + 86_400));
    let (last, before) = renew().await;
    assert_eq!(last, Ok(digest(NEW)), "the last good decides");
    assert_eq!(count("failed").as_deref(), Some("1"));
    assert_eq!(scene.metric(r#"countersign_trust_root_age_seconds{trust_root="r"}"#).as_deref(), Some("86400"));
    scene.upkeep.clock.set(Timestamp(NOW.0 + 86_401));
    let (gone, after) = renew().await;
    assert_eq!(gone, Err(Reason::TrustRootExpired), "until it has expired");
    // A cached verdict is not found any more: its key has changed.
    let governing = governing(&scene.policies("file: x", &format!("{CI}{POLICY}")));
    assert_ne!(before.revision(&governing), after.revision(&governing));
    // What was decided by the root before can still be told from all else.
    assert_eq!(after.revision_of_content(&governing), Some(before.revision(&governing)));
    mirror.down(false);
    mirror.repository.expires[0] = NOW.0 + 3 * 86_400;
    mirror.release(NEW);
    assert_eq!(renew().await.0, Ok(digest(NEW)), "and again when it is refreshed");
    assert_eq!(scene.metric(shown), Some(expiry(3)));
}

#[tokio::test]
async fn what_has_expired_on_disk_starts_as_a_503_and_recovers() {
    let scene = Scene::new();
    let mut mirror = Mirror::start(OLD).await;
    let policies = scene.mirrored(&mirror);
    scene.load(&policies).await;
    mirror.down(true);
    scene.upkeep.clock.set(Timestamp(NOW.0 + 2 * 86_400));
    let roots = scene.load(&policies).await;
    let unusable = digest_in(&roots, &policies, scene.upkeep.clock.now()).expect_err("expired");
    assert_eq!(unusable.reason, Reason::TrustRootExpired);
    assert!(unusable.detail.contains("503"), "{}", unusable.detail);
    mirror.down(false);
    mirror.repository.expires[0] = NOW.0 + 3 * 86_400;
    mirror.release(NEW);
    roots.renew(Kind::Tuf, &policies, &scene.upkeep).await;
    assert_eq!(digest_in(&roots, &policies, scene.upkeep.clock.now()), Ok(digest(NEW)));
}

#[tokio::test]
async fn a_reload_asks_no_repository_that_it_knows() {
    let scene = Scene::new();
    let mirror = Mirror::start(OLD).await;
    let policies = scene.mirrored(&mirror);
    let roots = scene.load(&policies).await;
    let before = mirror.asked().len();
    mirror.down(true);
    let again = Roots::load(&policies, &roots, &scene.upkeep).await.expect("roots");
    assert_eq!((mirror.asked().len(), digest_in(&again, &policies, NOW)), (before, Ok(digest(OLD))));
    // Another repository under the same name is not that one.
    let other = Mirror::start(NEW).await;
    let policies = scene.mirrored(&other);
    let moved = Roots::load(&policies, &again, &scene.upkeep).await.expect("roots");
    assert_eq!(digest_in(&moved, &policies, NOW), Ok(digest(NEW)));
}

#[tokio::test]
async fn a_policy_that_demands_more_than_a_root_has_is_not_decided_by_it() {
    let scene = Scene::new();
    scene.write("r.json", GITHUB);
    let lax = CI.replace(
        "identity: x",
        "identity: x, insecureSkipTransparencyLog: true, insecureSkipCertificateTransparency: true",
    );
    let roots = scene.load(&scene.policies("file: r.json", &lax)).await;
    let strict = scene.policies("file: r.json", CI);
    assert_eq!(digest_in(&roots, &strict, NOW).expect_err("it has no logs").reason, Reason::TrustRootUnavailable);
}

const POLICY: &str = "policies: [ { name: p, match: [ r.io/** ], require: { signature: { by: ci } } } ]\n";

fn governing(policies: &Policies) -> Governing {
    policies.governing(&crate::test_support::subject(), NOW)
}

fn key_pem() -> String {
    crate::test_support::KEY_A.public_pem().replace('\n', "\n\n    ")
}
