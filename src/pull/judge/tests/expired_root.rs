//! A trusted root whose TUF metadata has expired decides nothing; what it decided before may be the last known good.

use sigstore_verify::trust_root::SIGSTORE_PRODUCTION_TRUSTED_ROOT as ROOT;

use super::stored::forget;
use super::*;
use crate::clock::Clock;
use crate::trust::double::{Mirror, NOW};
use crate::trust::{self, Kind, Roots, Upkeep};

/// When the metadata expires.
const END: u64 = NOW.0 + 86_400;

/// A judge whose key has a trusted root from a TUF repository, which is of no use to it and part of its verdicts' key. A
/// second policy wants the same of a key without one.
async fn world() -> (World, Mirror, Roots, Upkeep, tempfile::TempDir) {
    let (mut world, mirror) = (World::new(LIMITS).await, Mirror::start(ROOT).await);
    world.judge_mut().lasting.last_known_good = Duration::from_mins(5);
    let folder = tempfile::tempdir().expect("a directory");
    std::fs::write(folder.path().join("root.json"), mirror.get("1.root.json")).expect("a file");
    let root = format!("trustRoots: {{ r: {{ tuf: {{ mirror: '{}', root: root.json }} }} }}\n", mirror.url());
    let text = policy(&world.registry.options().name, &world.signer.public_key_pem());
    let (keys, rules) = text.split_once("policies:\n").expect("policies");
    let (_, key) = keys.split_once("release-key:\n").expect("a key");
    let rooted = keys.replace("insecureSkip", "trustRoot: r\n      insecureSkip");
    let others =
        rules.replace("name: demo", "name: plain").replace("release-key", "plain").replace("default: deny", "");
    let text = format!("{root}{rooted}  plain:\n{key}policies:\n{others}\n{rules}");
    let policies = Arc::new(parse(&text, "policy.yaml", folder.path()).expect("a policy"));
    let settings = trust::Settings { cache: None, refresh: Duration::ZERO, max_stale: Duration::ZERO };
    let upkeep = Upkeep { settings, clock: Arc::new(Clock::fixed(NOW)), metrics: world.judge.metrics.trust() };
    let roots = Roots::load(&policies, &Roots::default(), &upkeep).await.expect("roots");
    world.snapshot = Arc::new(Snapshot { trust: roots.trust(&policies, NOW), policies });
    (world, mirror, roots, upkeep, folder)
}

/// The metadata expires while there is no newer one to be had.
async fn expire(world: &mut World, mirror: &Mirror, roots: &Roots, upkeep: &Upkeep) {
    let (now, policies) = (Timestamp(END + 1), world.snapshot.policies.clone());
    mirror.down(true);
    upkeep.clock.set(now);
    roots.renew(Kind::Tuf, &policies, upkeep).await;
    world.snapshot = Arc::new(Snapshot { trust: roots.trust(&policies, now), policies });
}

#[tokio::test]
async fn what_a_root_decided_before_it_expired_is_the_last_known_good_and_it_decides_nothing_new() {
    let (mut world, mirror, roots, upkeep, _folder) = world().await;
    let (known, unknown) = (world.push("team/app"), world.push("team/unknown"));
    world.sign(&known);
    world.sign(&unknown);
    assert_eq!(world.judged(&known, END - 10).await.0, Reason::Signed);

    expire(&mut world, &mirror, &roots, &upkeep).await;
    // It was to be judged again at `END + 50`, and outlives that by five minutes.
    for now in [END + 1, END + 349] {
        assert_eq!(world.judged(&known, now).await.0, Reason::Signed, "{now}");
        assert_eq!(world.judged(&unknown, now).await.0, Reason::TrustRootExpired, "{now}");
    }
    assert_eq!(world.judged(&known, END + 350).await.0, Reason::TrustRootExpired);
    forget(&mut world);
    assert_eq!(world.judged(&known, END + 349).await.0, Reason::Signed, "from the store");
    // With the registry away as well.
    world.break_down(true);
    assert_eq!(world.judged(&known, END + 349).await.0, Reason::Signed);
    let stale = world.judge.metrics.render();
    assert!(stale.contains(r#"verdict_cache_requests_total{result="stale"} 4"#), "{stale}");
}

#[tokio::test]
async fn what_was_denied_since_a_root_expired_is_not_the_last_known_good() {
    let (mut world, mirror, roots, upkeep, _folder) = world().await;
    let image = world.push("team/app");
    world.sign(&image);
    assert_eq!(world.judged(&image, END - 10).await.0, Reason::Signed);
    expire(&mut world, &mirror, &roots, &upkeep).await;
    // The signature is taken away, which the other policy notices when it is read again.
    world.unsigned.store(true, Ordering::SeqCst);
    assert_eq!(world.judged(&image, END + 60).await.0, Reason::Unsigned);
    world.break_down(true);
    assert_ne!(world.judged(&image, END + 61).await.0, Reason::Signed);
    forget(&mut world);
    assert_ne!(world.judged(&image, END + 61).await.0, Reason::Signed, "nor from the store");
}
