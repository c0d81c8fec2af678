//! What is true somewhere else is put where it is not: an Allow of another registry, or under another trusted root.

use std::fs;

use serde_json::Value;

use super::scene::Scene;
use super::{is_kept_back, rejected};
use crate::support::containerd::Version;
use crate::support::cosign::Cosign;
use crate::support::cosign::keyless::Form;
use crate::support::guarded::Lent;
use crate::support::lab::{Cell, RELEASE, signed_by};
use crate::support::proxy::{Proxy, REGISTRY};
use crate::support::registry::Kind;
use crate::support::sigstore::{GITLAB, Pipeline, sigstore};

#[test]
fn an_allow_of_another_registrys_repository_of_the_same_name_counts_there_only() {
    let scene = Scene::start();
    redis::cmd("FLUSHALL").exec(&mut scene.redis.client()).expect("Redis does it");
    let other = Cell { containerd: Version::V2, registry: Kind::Referrers, cosign: Cosign::Legacy }.lab();
    let there = scene.unsigned.copied_to(other.registry.address);
    assert_eq!(there.digest, scene.unsigned.digest);
    scene.lab.sign(Cosign::Legacy, RELEASE, &there);
    // One policy for both, so that nothing but the registry tells the verdicts apart.
    let policy = signed_by(RELEASE).replace("/**\" ]", &format!("/**\", \"{OTHER}/**\" ]"));
    let dial = other.registry.address;
    let replica = || {
        let lent = Lent {
            upstream: format!("  {OTHER}:\n    dial: \"http://{dial}\"\n    tls: {{ insecurePlainHttp: true }}\n"),
            may: format!(", \"{OTHER}/**\""),
            store: Some(scene.store(&[&scene.key])),
            ..Lent::default()
        };
        scene.lab.lent_under(&policy, &lent)
    };
    let at = |registry: &str| {
        let paths = [there.manifest_path(), there.blob_path(&Scene::layer(&there))];
        paths.map(|path| format!("{path}?ns={registry}"))
    };
    let first = replica();
    for path in at(OTHER) {
        let answer = first.ask("GET", &path);
        assert_eq!(answer.status, 200, "{path}: {answer:?}\n{}", first.log());
    }
    for path in at(REGISTRY) {
        assert!(is_kept_back(&path, &first.ask("GET", &path)), "{path}");
    }
    // Everything of the one is put in the place of the other's.
    for (key, value) in scene.all() {
        if let Some(at) = key.windows(OTHER.len()).position(|part| part == OTHER.as_bytes()) {
            scene.set_bytes(&[&key[..at], REGISTRY.as_bytes(), &key[at + OTHER.len()..]].concat(), &value);
        }
    }
    let replica = replica();
    for path in at(REGISTRY) {
        for method in ["HEAD", "GET"] {
            let answer = replica.ask(method, &path);
            assert!(is_kept_back(&path, &answer), "{path}: {answer:?}\n{}", replica.log());
        }
    }
    for of in ["verdicts", "members", "evidence"] {
        assert!(rejected(&replica, of) > 0.0, "{of}");
    }
    for path in at(OTHER) {
        assert_eq!(replica.ask("GET", &path).status, 200, "{path}");
    }
}

#[test]
fn an_allow_under_another_trusted_root_counts_under_none_but_that() {
    let scene = Scene::start();
    let image = scene.lab.push("rooted");
    Form::from(Cosign::Legacy).sign(&Pipeline::of("myorg/app"), &image);
    let good = sigstore().trusted_root();
    // By this one the logs were trusted before they had any entry.
    let folder = tempfile::tempdir().expect("a temporary folder");
    let ended = folder.path().join(good.file_name().expect("a file"));
    let text = fs::read_to_string(&good).expect("the file is there");
    let mut root: Value = serde_json::from_str(&text).expect("it is JSON");
    for log in root["tlogs"].as_array_mut().expect("there are two") {
        log["publicKey"]["validFor"]["end"] = "2020-01-02T00:00:00Z".into();
    }
    fs::write(&ended, root.to_string()).expect("the folder is writable");
    let policy = format!(
        "trustRoots: {{ lab: {{ file: trusted_root.json }} }}\n\
         authorities:\n  \
           ci: {{ keyless: {{ trustRoot: lab, issuer: {GITLAB}, identity: \"https://gitlab.com/myorg/**\" }} }}\n\
         policies:\n  \
           - {{ name: signed, match: [ \"{REGISTRY}/**\" ], require: {{ signature: {{ by: ci }} }} }}\n\
         default: deny\n"
    );
    let replica = |root: &std::path::PathBuf| {
        let lent = Lent { store: Some(scene.store(&[&scene.key])), ..Lent::default() };
        Proxy::start_with(&scene.lab.registry, std::slice::from_ref(root), &policy, &lent)
    };
    let path = image.manifest_path();
    let verdicts = || scene.redis.keys(&format!("countersign:1:verdicts:*{}*", image.digest));
    let first = replica(&good);
    assert_eq!(first.ask("GET", &path).status, 200, "{}", first.log());
    let all = scene.all();
    let allows = verdicts();
    assert_eq!(allows.len(), 1, "{allows:?}");
    let (_, allow) = all.iter().find(|(key, _)| *key == allows[0].as_bytes()).expect("it is stored");

    let stricter = replica(&ended);
    assert_eq!(stricter.ask("GET", &path).status, 403, "{}", stricter.log());
    let both = verdicts();
    assert_eq!(both.len(), 2, "one verdict for each root: {both:?}");
    for key in &both {
        scene.set(key, allow);
    }
    let attacked = replica(&ended);
    for method in ["HEAD", "GET"] {
        assert_eq!(attacked.ask(method, &path).status, 403, "{}", attacked.log());
    }
    assert!(rejected(&attacked, "verdicts") > 0.0);
    let control = replica(&good);
    assert_eq!(control.ask("GET", &path).status, 200, "{}", control.log());
    assert!(control.metric("countersign_verifications_total", &[]) < 1.0, "it counts under its own");
}

const OTHER: &str = "other.lab.test";
