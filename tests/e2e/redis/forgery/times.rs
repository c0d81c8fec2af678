//! What once was true is put back when it is not any more: an Allow under another policy, from before a revocation, or
//! past its own end. Within its bounds a replay is possible (`docs/store.md`), and no further.

use std::cell::Cell;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use super::rejected;
use super::scene::Scene;
use crate::support::image::crane;
use crate::support::lab::{FOREIGN, RELEASE, signed_by};
use crate::support::process::poll;

#[test]
fn an_allow_under_another_policy_counts_under_none_but_that() {
    let scene = Scene::start();
    scene.restore();
    let path = scene.signed.manifest_path();
    let stricter = signed_by(FOREIGN);
    let replica = scene.replica_under(&stricter, &[&scene.key], "");
    assert_eq!(replica.ask("GET", &path).status, 403, "what is allowed there is denied here:\n{}", replica.log());
    let allow = scene.stored(&scene.verdict(&scene.signed)).to_vec();
    let keys = scene.redis.keys(&format!("countersign:1:verdicts:*{}*", scene.signed.digest));
    assert!(keys.len() >= 2, "one verdict a policy: {keys:?}");
    for key in &keys {
        scene.set(key, &allow);
    }
    let replica = scene.replica_under(&stricter, &[&scene.key], "");
    for method in ["HEAD", "GET"] {
        assert_eq!(replica.ask(method, &path).status, 403, "{}", replica.log());
    }
    assert!(rejected(&replica, "verdicts") > 0.0);
    scene.is_served(&scene.replica(&[&scene.key], ""), "under its own policy");
}

#[test]
fn an_allow_from_before_a_revocation_brings_nothing_back() {
    let scene = Scene::start();
    let revoked = signed_by(RELEASE) + &format!("revoked: {{ digests: [ \"{}\" ] }}\n", scene.signed.digest);
    scene.restore();
    let replica = scene.replica_under(&revoked, &[&scene.key], "");
    assert_eq!(replica.ask("GET", &scene.signed.manifest_path()).status, 403);
    // All that was ever stored about it, wherever a verdict on it could be.
    let allow = scene.stored(&scene.verdict(&scene.signed)).to_vec();
    for key in scene.redis.keys(&format!("countersign:1:verdicts:*{}*", scene.signed.digest)) {
        scene.set(&key, &allow);
    }
    let replica = scene.replica_under(&revoked, &[&scene.key], "");
    let layer = scene.signed.blob_path(&Scene::layer(&scene.signed));
    for path in [scene.signed.manifest_path(), scene.signed.tag_path(), layer] {
        assert_eq!(replica.ask("GET", &path).status, 403, "{path}\n{}", replica.log());
    }
}

#[test]
fn an_allow_that_is_put_back_after_its_time_counts_no_more() {
    let scene = Scene::start();
    let short = "cache: { allow: 3s, evidenceMaxAge: 3s }\n";
    redis::cmd("FLUSHALL").exec(&mut scene.redis.client()).expect("Redis does it");
    scene.is_served(&scene.replica(&[&scene.key], short), "first");
    let (key, all) = (scene.verdict(&scene.signed), scene.all());
    take_signature_away(&scene);
    let path = scene.signed.manifest_path();
    let put_back = || all.iter().for_each(|(key, value)| scene.set_bytes(key, value));
    let refused = || {
        put_back();
        let replica = scene.replica(&[&scene.key], short);
        let status = replica.ask("GET", &path).status;
        assert!(matches!(status, 200 | 403), "{status}\n{}", replica.log());
        assert!(status == 200 || rejected(&replica, "verdicts") > 0.0, "it was read, and not believed");
        status == 403
    };
    assert!(poll(Duration::from_secs(30), refused), "{key} counts for ever");
    put_back();
    let replica = scene.replica(&[&scene.key], short);
    assert_eq!(replica.ask("GET", &path).status, 403, "and never again");
}

/// O65: an older reading is worth what it was worth when it was read, for as long as it would have been.
#[test]
fn evidence_that_is_put_back_allows_until_it_is_too_old_and_no_longer() {
    let scene = Scene::start();
    // A machine that is busy takes many seconds to ask for the first time.
    let age = Duration::from_secs(30);
    let short = "cache: { allow: 1s, deny: 1s, evidenceMaxAge: 30s }\n";
    redis::cmd("FLUSHALL").exec(&mut scene.redis.client()).expect("Redis does it");
    let began = Instant::now();
    scene.is_served(&scene.replica(&[&scene.key], short), "first");
    let mut read = scene.all();
    read.retain(|(key, _)| key.starts_with(b"countersign:1:evidence:"));
    assert!(!read.is_empty());
    take_signature_away(&scene);
    let path = scene.signed.manifest_path();
    // Each time somebody puts back what there was when the image was signed, and nothing else.
    let status = || {
        redis::cmd("FLUSHALL").exec(&mut scene.redis.client()).expect("Redis does it");
        for (key, value) in &read {
            scene.set_bytes(key, value);
        }
        let replica = scene.replica(&[&scene.key], short);
        let status = replica.ask("GET", &path).status;
        assert!(matches!(status, 200 | 403), "{status}\n{}", replica.log());
        status
    };
    let allowed = Cell::new(false);
    let refused = || {
        let status = status();
        allowed.set(allowed.get() || status == 200);
        status == 403
    };
    assert!(poll(Duration::from_secs(90), refused), "it counts for ever");
    // The reading began in the second in which it was asked for, or later.
    assert!(began.elapsed() + Duration::from_secs(1) >= age, "it did not count at all");
    assert!(allowed.get(), "and longer than the verdict, which had ended");
    assert_eq!(status(), 403, "and never again");
}

#[test]
fn an_exemption_that_has_expired_stays_expired() {
    let scene = Scene::start();
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_secs();
    let end = i64::try_from(now + 10).expect("a date");
    let end = jiff::Timestamp::from_second(end).expect("a date");
    let image = format!("{}/{}@{}", crate::support::proxy::REGISTRY, scene.unsigned.repository, scene.unsigned.digest);
    let policy = signed_by(RELEASE)
        + &format!("exemptions:\n  - {{ match: [ \"{image}\" ], reason: LAB-1, expires: \"{end}\" }}\n");
    let (path, replica) = (scene.unsigned.manifest_path(), scene.replica_under(&policy, &[&scene.key], ""));
    assert_eq!(replica.ask("GET", &path).status, 200, "{}", replica.log());
    let all = scene.all();
    let expired = || {
        for (key, value) in &all {
            scene.set_bytes(key, value);
        }
        replica.ask("GET", &path).status == 403
    };
    assert!(poll(Duration::from_secs(30), expired), "{}", replica.log());
    // Every verdict that was ever stored about it, in the place of every one.
    for (_, value) in all.iter().filter(|(key, _)| key.starts_with(b"countersign:1:verdicts:")) {
        for key in scene.redis.keys(&format!("countersign:1:verdicts:*{}*", scene.unsigned.digest)) {
            scene.set(&key, value);
        }
        let replica = scene.replica_under(&policy, &[&scene.key], "");
        assert_eq!(replica.ask("GET", &path).status, 403, "{}", replica.log());
    }
}

/// From now on the image is none that policy allows.
fn take_signature_away(scene: &Scene) {
    let signature = format!("{}:{}.sig", scene.signed.name(), scene.signed.digest.replace(':', "-"));
    crane(["copy", &scene.unsigned.direct(), &signature]);
}
