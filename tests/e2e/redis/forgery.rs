//! Whoever can write everything in the shared store tries to have an image served that nobody signed: O66, and every way
//! that we know. Each time a replica without any memory of its own reads what was left there for it.

mod attacks;
mod elsewhere;
mod scene;
mod times;

use attacks::ATTACKS;
use scene::{ALLOWED, Scene};

use crate::support::http::Answer;
use crate::support::proxy::Proxy;

#[test]
fn nobody_who_writes_the_store_has_an_unsigned_image_served() {
    let scene = Scene::start();
    scene.restore();
    let control = scene.replica(&[&scene.key], "");
    scene.is_served(&control, "nothing is forged");
    assert!(control.metric("countersign_verifications_total", &[]) < 1.0, "the store is not believed at all");
    for of in ["verdicts", "members", "evidence"] {
        assert!(rejected(&control, of) < 1.0, "{of}");
    }
    for attack in ATTACKS {
        scene.restore();
        (attack.does)(&scene);
        let replica = scene.replica(&[&scene.key], "");
        for path in scene.forbidden() {
            for method in ["HEAD", "GET"] {
                let answer = replica.ask(method, &path);
                assert!(is_kept_back(&path, &answer), "{}: {path}\n{answer:?}\n{}", attack.name, replica.log());
            }
        }
        scene.is_served(&replica, attack.name);
        let rejected = rejected(&replica, attack.noticed);
        assert!(attack.noticed.is_empty() || rejected > 0.0, "{}: nothing was rejected", attack.name);
        // What the replica found out by itself has taken the forgery's place: another one believes it.
        let another = scene.replica(&[&scene.key], "");
        scene.is_served(&another, attack.name);
        assert_eq!(another.ask("GET", &scene.unsigned.manifest_path()).status, 403, "{}", attack.name);
    }
    assert!(ATTACKS.len() >= 10);
}

/// Whether that is how a new replica keeps back what nobody may have: of a blob that no manifest is known to list it cannot
/// tell whether one was admitted before it began.
fn is_kept_back(path: &str, answer: &Answer) -> bool {
    let reason = answer.header("countersign-reason");
    answer.status == 403 || path.contains("/blobs/") && answer.status == 503 && reason == Some("membership_incomplete")
}

/// Records that the replica did not believe.
fn rejected(replica: &Proxy, of: &str) -> f64 {
    replica.metric("countersign_store_records_rejected_total", &[&format!("=\"{of}\"")])
}

/// Shows that the attacks fail by the seal alone: who has a key in force can do what they try to.
#[test]
fn who_has_a_key_in_force_can_admit_and_who_has_a_retired_one_cannot() {
    let scene = Scene::start();
    let forged = |key: &[u8; 32]| {
        scene.restore();
        let record = scene.sealed_by(key, &scene.unsigned, &scene.body_about_the_unsigned());
        scene.set(&scene.verdict(&scene.unsigned), &record);
    };
    let path = scene.unsigned.manifest_path();

    forged(&scene.key.secret);
    let fooled = scene.replica(&[&scene.key], "");
    assert_eq!(fooled.ask("GET", &path).status, 200, "the record is not what it should be:\n{}", fooled.log());

    // The key was stolen, and replaced: for as long as it stands in `keys` it opens.
    let new = scene.new_key("new");
    forged(&scene.key.secret);
    let rotating = scene.replica(&[&new, &scene.key], "");
    assert_eq!(rotating.ask("GET", &path).status, 200);
    forged(&scene.key.secret);
    let rotated = scene.replica(&[&new], "");
    assert_eq!(rotated.ask("GET", &path).status, 403, "{}", rotated.log());
    assert!(rejected(&rotated, "verdicts") > 0.0);
    scene.is_served(&rotated, "by the new key");
    assert!(rotated.metric("countersign_decisions_total", &[ALLOWED]) > 0.0);
}
