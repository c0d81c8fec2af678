use std::fs;
use std::os::unix::fs::symlink;

use sigstore_verify::trust_root::SIGSTORE_PRODUCTION_TRUSTED_ROOT as ROOT;
use tempfile::TempDir;

use super::super::trust;
use super::*;
use crate::clock::Clock;
use crate::demo::signer::Signer;
use crate::policy::Name;
use crate::telemetry::Metrics;
use crate::telemetry::log::tests::captured;

/// A folder with a policy, and what is counted of it.
struct Scene {
    folder: TempDir,
    metrics: Arc<Metrics>,
}

impl Scene {
    fn new() -> Self {
        let scene = Self { folder: tempfile::tempdir().expect("a directory"), metrics: Arc::default() };
        scene.write("a.pub", &key());
        scene.write("policy.yaml", &policy("first"));
        scene
    }

    fn path(&self, name: &str) -> std::path::PathBuf {
        self.folder.path().join(name)
    }

    fn write(&self, name: &str, text: &str) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().expect("a directory")).expect("a directory");
        fs::write(path, text).expect("a file");
    }

    /// Puts a file where another may be, in one step.
    fn replace(&self, name: &str, text: &str) {
        self.write("new", text);
        fs::rename(self.path("new"), self.path(name)).expect("a file");
    }

    /// Lets the link `name` lead to `to`, in one step, as the kubelet does.
    fn swap(&self, name: &str, to: &str) {
        symlink(to, self.path("..tmp")).expect("a link");
        fs::rename(self.path("..tmp"), self.path(name)).expect("a link");
    }

    async fn start(&self, name: &str) -> Reloader {
        let settings = trust::Settings { cache: None, refresh: Duration::ZERO, max_stale: Duration::ZERO };
        let trust = trust::Upkeep { settings, clock: Arc::new(Clock::default()), metrics: self.metrics.trust() };
        let started = Reloader::start(self.path(name), false, Vec::new(), self.metrics.clone(), trust);
        started.await.expect("a good policy")
    }

    /// How many reloads there were, good ones and others, and whether the last one failed.
    fn reloads(&self) -> (u64, u64, bool) {
        let text = self.metrics.render();
        let value = |series: &str| {
            let line = text.lines().find_map(|line| line.strip_prefix(&format!("countersign_{series} ")));
            line.expect("it is there").parse::<u64>().expect("a number")
        };
        let total = |result: &str| value(&format!("policy_reloads_total{{result=\"{result}\"}}"));
        (total("loaded"), total("failed"), value("policy_reload_failed") == 1)
    }
}

fn key() -> String {
    Signer::generate().expect("a key").public_key_pem()
}

fn policy(name: &str) -> String {
    format!(
        "authorities:\n  a: {{ key: {{ file: a.pub, insecureSkipTransparencyLog: true }} }}\npolicies:\n- name: {name}\n  \
         match: [ r.io/** ]\n  mode: enforce\n  require: {{ signature: {{ by: a }} }}\ndefault: deny\n"
    )
}

/// The policies in force.
fn in_force(reloader: &Reloader) -> Vec<String> {
    reloader.current().load().policies.all().iter().map(|policy| policy.name().to_string()).collect()
}

#[tokio::test]
async fn a_policy_that_changes_counts_without_a_signal() {
    let scene = Scene::new();
    let reloader = scene.start("policy.yaml").await;
    let snapshot = reloader.current().load();
    for _ in 0..2 {
        reloader.notice().await;
    }
    scene.write("policy.yaml", &policy("first"));
    scene.replace("a.pub", &fs::read_to_string(scene.path("a.pub")).expect("a key"));
    reloader.notice().await;
    assert!(Arc::ptr_eq(&reloader.current().load(), &snapshot), "written again, they say the same");
    assert_eq!(scene.reloads(), (0, 0, false));

    scene.write("policy.yaml", &policy("second"));
    reloader.notice().await;
    assert_eq!(in_force(&reloader), ["second"]);
    scene.replace("policy.yaml", &policy("third"));
    reloader.notice().await;
    assert_eq!((in_force(&reloader), scene.reloads()), (vec!["third".into()], (2, 0, false)));

    let fingerprint = |reloader: &Reloader| {
        let snapshot = reloader.current().load();
        let name = Name::new("a").expect("a name");
        snapshot.policies.authority(&name).expect("an authority").keys()[0].fingerprint()
    };
    let before = fingerprint(&reloader);
    scene.write("a.pub", &key());
    reloader.notice().await;
    assert_ne!(fingerprint(&reloader), before, "a key is part of it");
}

#[tokio::test]
async fn a_volume_of_kubernetes_is_swapped_as_a_whole() {
    let scene = Scene::new();
    for version in ["1", "2", "3"] {
        scene.write(&format!("volume/..{version}/policy.yaml"), &policy(version));
    }
    scene.write("volume/a.pub", &key());
    scene.swap("volume/..data", "..1");
    symlink("..data/policy.yaml", scene.path("volume/policy.yaml")).expect("a link");
    let (file, folder) = (scene.start("volume/policy.yaml").await, scene.start("volume").await);
    for (old, new) in [("1", "2"), ("2", "3")] {
        scene.swap("volume/..data", &format!("..{new}"));
        fs::remove_dir_all(scene.path(&format!("volume/..{old}"))).expect("a directory");
        for reloader in [&file, &folder] {
            reloader.notice().await;
            assert_eq!(in_force(reloader), [new]);
        }
    }
}

#[tokio::test]
async fn a_file_more_or_less_in_a_directory_counts() {
    let scene = Scene::new();
    scene.write("d/1.yaml", &policy("first").replace("a.pub", "../a.pub"));
    let reloader = scene.start("d").await;
    scene.write("d/2.yaml", "policies:\n- name: second\n  match: [ r.io/** ]\n  require: { signature: { by: a } }\n");
    reloader.notice().await;
    assert_eq!(in_force(&reloader), ["first", "second"]);
    fs::remove_file(scene.path("d/2.yaml")).expect("a file");
    reloader.notice().await;
    assert_eq!(in_force(&reloader), ["first"]);
    fs::remove_dir_all(scene.path("d")).expect("a directory");
    reloader.notice().await;
    assert_eq!((in_force(&reloader), scene.reloads()), (vec!["first".into()], (2, 1, true)), "gone, it stays in force");
}

#[tokio::test]
async fn what_is_still_being_written_waits() {
    let scene = Scene::new();
    let reloader = scene.start("policy.yaml").await;
    scene.write("policy.yaml", &policy("half"));
    let (last, seen) = (reloader.attempt(), reloader.sources().await.expect("it looks"));
    scene.write("policy.yaml", &policy("whole"));
    reloader.take(&last, &seen).await;
    assert_eq!((in_force(&reloader), scene.reloads()), (vec!["first".into()], (0, 0, false)));
    reloader.notice().await;
    assert_eq!((in_force(&reloader), scene.reloads()), (vec!["whole".into()], (1, 0, false)));
}

#[tokio::test]
async fn an_operator_who_was_faster_is_not_followed_by_another_reload() {
    let scene = Scene::new();
    let reloader = scene.start("policy.yaml").await;
    scene.write("policy.yaml", &policy("second"));
    let (last, seen) = (reloader.attempt(), reloader.sources().await.expect("it looks"));
    reloader.reload().await.expect("a good policy");
    reloader.take(&last, &seen).await;
    reloader.notice().await;
    assert_eq!(scene.reloads(), (1, 0, false));
}

#[tokio::test]
async fn trusted_roots_are_looked_after_by_themselves_unless_they_were_what_failed() {
    let scene = Scene::new();
    let keyless = policy("keyless").replace(
        "  a: { key: { file: a.pub, insecureSkipTransparencyLog: true } }",
        "  a: { keyless: { trustRoot: r, issuer: i, identity: x } }",
    );
    let keyless = format!("trustRoots: {{ r: {{ file: root.json }} }}\n{keyless}");
    let reloader = scene.start("policy.yaml").await;
    scene.write("root.json", "{");
    scene.write("policy.yaml", &keyless);
    for _ in 0..2 {
        reloader.notice().await;
    }
    assert_eq!((in_force(&reloader), scene.reloads()), (vec!["first".into()], (0, 1, true)));
    scene.write("root.json", ROOT);
    reloader.notice().await;
    assert_eq!((in_force(&reloader), scene.reloads()), (vec!["keyless".into()], (1, 1, false)));
    scene.write("root.json", "{");
    reloader.notice().await;
    assert_eq!(scene.reloads(), (1, 1, false));
}

#[test]
fn where_a_repository_did_not_answer_the_same_files_are_tried_again_later() {
    let scene = Scene::new();
    let sources = || Sources::look(&scene.path("policy.yaml"), None);
    let errors = PolicyErrors::from(crate::yaml::FileError::whole("policy.yaml", "it did not answer"));
    assert!(!Attempt::succeeded(sources()).outdated(&sources()));
    assert!(!Attempt::failed(sources(), &errors, false).outdated(&sources()));
    let later = Attempt::failed(sources(), &errors, true);
    assert!(later.failed_alike(&Attempt::failed(sources(), &errors, true)), "once is enough in the log");
    let other = PolicyErrors::from(crate::yaml::FileError::whole("policy.yaml", "it answered with nonsense"));
    assert!(!later.failed_alike(&Attempt::failed(sources(), &other, true)));
    assert!(!Attempt::succeeded(sources()).failed_alike(&later));
    assert!(!later.outdated(&sources()));
    let due = Attempt { again: Some(Instant::now()), ..later };
    assert!(due.outdated(&sources()));
}

#[test]
fn what_is_wrong_is_said_once_with_its_place() {
    let scene = Scene::new();
    let wrong = policy("first").replace("mode: enforce", "mode: enforced");
    let log = captured(true, "info", || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(async {
            let reloader = scene.start("policy.yaml").await;
            scene.write("policy.yaml", &wrong);
            for _ in 0..3 {
                reloader.notice().await;
            }
            assert_eq!((in_force(&reloader), scene.reloads()), (vec!["first".into()], (0, 1, true)));
            scene.write("policy.yaml", "policies: [");
            for _ in 0..2 {
                reloader.notice().await;
            }
            let loaded = scene.metrics.render().contains("countersign_policy_loaded_timestamp_seconds 0");
            assert!(!loaded, "when the policy in force was loaded is shown all the while");
            scene.write("policy.yaml", &policy("first"));
            for _ in 0..2 {
                reloader.notice().await;
            }
            assert_eq!(scene.reloads(), (1, 2, false));
        });
    });
    let lines: Vec<serde_json::Value> = log.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let path = scene.path("policy.yaml").display().to_string();
    let said = |line: &serde_json::Value| {
        let text = |field: &str| line[field].as_str().unwrap_or_default().replace(&path, "policy.yaml");
        [text("level"), text("message"), text("errors")]
    };
    let refused = "the policy cannot be loaded; the one in force stays";
    let place = "policy.yaml:6:9: policies[0].mode: `enforced` is not one of `enforce`, `audit`\n  6 |   mode: enforced\n    |         ^";
    assert_eq!(said(&lines[0]), ["ERROR", refused, place]);
    assert_eq!(said(&lines[1])[..2], ["ERROR", refused]);
    assert!(said(&lines[1])[2].starts_with("policy.yaml:1:"), "{}", lines[1]);
    assert_eq!(said(&lines[2]), ["INFO", "policy reloaded", ""]);
    assert_eq!(lines.len(), 3, "{log}");
}
