use sigstore_verify::trust_root::{SIGSTORE_PRODUCTION_TRUSTED_ROOT as OLD, SIGSTORE_STAGING_TRUSTED_ROOT as NEW};
use tempfile::TempDir;

use super::double::{Mirror, NOW, Repository as Owner};
use super::*;

const DAY: u64 = 86_400;

fn settings(cache: Option<&TempDir>) -> Settings {
    Settings { cache: cache.map(|directory| directory.path().join("tuf")), ..Settings::default() }
}

fn after(days: u64) -> Timestamp {
    Timestamp(NOW.0 + days * DAY)
}

fn digest(text: &str) -> Digest {
    Digest::of(text.as_bytes())
}

async fn refused(repository: &Repository, now: Timestamp, expected: &str) -> TufError {
    let error = repository.refresh(now).await.expect_err(expected);
    assert!(error.why.contains(expected), "{expected}: {error}");
    error
}

#[tokio::test]
async fn a_repository_vouches_for_its_trusted_root_until_the_first_of_its_metadata_expires() {
    let mirror = Mirror::start(OLD).await;
    let repository = Repository::new(&mirror.source(), &settings(None));
    let vouched = repository.refresh(NOW).await.expect("a root");
    assert_eq!((vouched.root.digest(), vouched.expires, vouched.refreshed), (digest(OLD), after(1), NOW));
    // Nothing is shown to it that is ours.
    for (path, headers) in mirror.asked() {
        assert!(!headers.contains_key("authorization") && !headers.contains_key("cookie"), "{path}: {headers:?}");
    }
}

#[tokio::test]
async fn a_release_is_taken_and_an_older_one_never_again() {
    let mut mirror = Mirror::start(OLD).await;
    let cache = tempfile::tempdir().expect("a directory");
    let repository = Repository::new(&mirror.source(), &settings(Some(&cache)));
    repository.refresh(NOW).await.expect("a root");
    mirror.release(NEW);
    assert_eq!(repository.refresh(NOW).await.expect("a root").root.digest(), digest(NEW));
    mirror.repository.version = 1;
    mirror.repository.trusted_root = OLD.into();
    mirror.publish();
    refused(&repository, NOW, "rollback").await;
    // Nor after a restart.
    let again = Repository::new(&mirror.source(), &settings(Some(&cache)));
    assert_eq!(again.kept(NOW).await.expect("kept").expect("kept").root.digest(), digest(NEW));
    refused(&again, NOW, "rollback").await;
    // Not even when what was kept has expired.
    let later = Repository::new(&mirror.source(), &settings(Some(&cache)));
    assert!(later.kept(after(2)).await.expect_err("expired").expired);
    mirror.repository.expires[0] = after(3).0;
    mirror.publish();
    refused(&later, after(2), "rollback").await;
}

#[tokio::test]
async fn what_was_kept_needs_no_network_and_is_verified_anew() {
    let mirror = Mirror::start(OLD).await;
    let cache = tempfile::tempdir().expect("a directory");
    let settings = settings(Some(&cache));
    let repository = Repository::new(&mirror.source(), &settings);
    assert!(repository.kept(NOW).await.expect("nothing").is_none());
    repository.refresh(NOW).await.expect("a root");
    mirror.down(true);
    let before = mirror.asked().len();
    let kept = Repository::new(&mirror.source(), &settings).kept(after(1)).await.expect("kept").expect("kept");
    assert_eq!((kept.root.digest(), kept.expires, kept.refreshed), (digest(OLD), after(1), NOW));
    assert_eq!(mirror.asked().len(), before);
    // Another mirror, or another pinned root, is another repository.
    let other = Mirror::start(OLD).await;
    assert!(Repository::new(&other.source(), &settings).kept(NOW).await.expect("nothing").is_none());
    // Whoever can write the file cannot forge what it says.
    let path = repository.kept_at.clone().expect("a path");
    let text = std::fs::read_to_string(&path).expect("a file");
    let forged = Shelf::default();
    sigstore_tuf::MetadataStore::store(&forged, "targets/trusted_root.json", NEW.as_bytes()).expect("stored");
    let (shelf, _) = Shelf::load(&path).expect("a shelf").expect("a shelf");
    sigstore_tuf::MetadataStore::store(&shelf, "targets/trusted_root.json", NEW.as_bytes()).expect("stored");
    for (name, file) in [("cut", text[..text.len() / 2].to_string()), ("empty", String::new())] {
        std::fs::write(&path, file).expect("a file");
        let error = Repository::new(&mirror.source(), &settings).kept(NOW).await.expect_err(name);
        assert!(!error.expired, "{name}: {error}");
    }
    for shelf in [forged, shelf] {
        shelf.save(&path, NOW).expect("saved");
        Repository::new(&mirror.source(), &settings).kept(NOW).await.expect_err("forged");
    }
}

#[tokio::test]
async fn expired_metadata_vouches_for_nothing_but_within_max_stale() {
    let mirror = Mirror::start(OLD).await;
    let repository = Repository::new(&mirror.source(), &settings(None));
    repository.refresh(after(1)).await.expect("the last instant counts");
    let late = Timestamp(after(1).0 + 1);
    let error = refused(&repository, late, "timestamp metadata expired").await;
    assert!(error.expired);
    let lenient = Settings { max_stale: Duration::from_secs(1), ..settings(None) };
    let lenient = Repository::new(&mirror.source(), &lenient);
    assert_eq!(lenient.refresh(late).await.expect("stale, but wanted").expires, after(1));
    refused(&lenient, Timestamp(late.0 + 1), "timestamp metadata expired").await;
    for (at, what) in [(1, "snapshot"), (2, "targets"), (3, "root")] {
        let mut mirror = Mirror::start(OLD).await;
        mirror.repository.expires[at] = NOW.0 - 1;
        mirror.publish();
        let repository = Repository::new(&mirror.source(), &settings(None));
        assert!(refused(&repository, NOW, &format!("{what} metadata expired")).await.expired, "{what}");
    }
}

#[tokio::test]
async fn a_rotation_changes_who_may_sign_at_once() {
    let mut mirror = Mirror::start(OLD).await;
    let source = mirror.source();
    let repository = Repository::new(&source, &settings(None));
    repository.refresh(NOW).await.expect("a root");
    let stolen = Owner::signed(&mirror.repository.timestamp(), &[&mirror.repository.key]);
    mirror.repository.rotate();
    mirror.release(NEW);
    assert_eq!(repository.refresh(NOW).await.expect("a root").root.digest(), digest(NEW));
    mirror.put("timestamp.json", stolen);
    refused(&repository, NOW, "threshold not met for role timestamp").await;
    // One who begins with the first root finds the way; a root that nobody signed for leads nowhere.
    mirror.publish();
    assert_eq!(
        Repository::new(&source, &settings(None)).refresh(NOW).await.expect("a root").root.digest(),
        digest(NEW)
    );
    let foreign = Mirror::start(OLD).await;
    mirror.put("3.root.json", foreign.get("1.root.json"));
    repository.refresh(NOW).await.expect_err("a foreign root");
}

#[tokio::test]
async fn nothing_that_was_changed_is_taken() {
    let mirror = Mirror::start(OLD).await;
    let target = format!("targets/{}.trusted_root.json", digest(OLD).hex());
    let foreign = Mirror::start(NEW).await;
    let mut twice: serde_json::Value = serde_json::from_slice(&mirror.get("timestamp.json")).expect("JSON");
    let one = twice["signatures"][0].clone();
    twice["signatures"].as_array_mut().expect("a list").push(one);
    for (path, bytes, expected) in [
        ("timestamp.json", foreign.get("timestamp.json"), "threshold not met for role timestamp: 0/1"),
        ("timestamp.json", twice.to_string().into_bytes(), "duplicate signature key id"),
        ("timestamp.json", vec![b' '; 20_000], "exceeds max"),
        ("timestamp.json", b"{}".to_vec(), "malformed metadata"),
        ("1.snapshot.json", foreign.get("1.snapshot.json"), "integrity check failed"),
        ("1.targets.json", foreign.get("1.targets.json"), "integrity check failed"),
        (&target, NEW.as_bytes().to_vec(), "exceeds max"),
        (&target, vec![b' '; OLD.len()], "integrity check failed"),
    ] {
        let good = mirror.get(path);
        mirror.put(path, bytes);
        let repository = Repository::new(&mirror.source(), &settings(None));
        assert!(!refused(&repository, NOW, expected).await.expired);
        mirror.put(path, good);
        repository.refresh(NOW).await.expect("good again");
    }
    // What is vouched for must be a trusted root all the same.
    let broken = Mirror::start("{ \"mediaType\": 1 }").await;
    refused(&Repository::new(&broken.source(), &settings(None)), NOW, "trusted_root.json").await;
}

#[tokio::test]
async fn one_key_is_one_signature_whatever_the_threshold() {
    let mut mirror = Mirror::start(OLD).await;
    mirror.repository.threshold = 2;
    mirror.publish();
    refused(&Repository::new(&mirror.source(), &settings(None)), NOW, "threshold not met").await;
}

#[tokio::test]
async fn a_mirror_that_dies_midway_leaves_what_was_kept_whole() {
    let mut mirror = Mirror::start(OLD).await;
    let cache = tempfile::tempdir().expect("a directory");
    let repository = Repository::new(&mirror.source(), &settings(Some(&cache)));
    repository.refresh(NOW).await.expect("a root");
    mirror.release(NEW);
    mirror.remove("2.targets.json");
    refused(&repository, NOW, "2.targets.json not found").await;
    let again = Repository::new(&mirror.source(), &settings(Some(&cache)));
    assert_eq!(again.kept(NOW).await.expect("kept").expect("kept").root.digest(), digest(OLD));
    mirror.down(true);
    refused(&again, NOW, "503").await;
    assert_eq!(again.kept(NOW).await.expect("kept").expect("kept").root.digest(), digest(OLD));
}

#[tokio::test]
async fn a_directory_that_cannot_be_written_costs_only_the_keeping() {
    let mirror = Mirror::start(OLD).await;
    let cache = tempfile::tempdir().expect("a directory");
    std::fs::write(cache.path().join("tuf"), "a file where the directory should be").expect("a file");
    let repository = Repository::new(&mirror.source(), &settings(Some(&cache)));
    repository.refresh(NOW).await.expect("a root");
}

#[test]
fn the_public_instance_needs_no_words() {
    let source = TufSource { mirror: None, root: None };
    let repository = Repository::new(&source, &Settings { cache: Some("c".into()), ..Settings::default() });
    assert!(repository.url().starts_with("https://"));
    Updater::new(StoreRepository::new(Shelf::default()), &repository.pinned).expect("the root that is built in");
    let name = repository.kept_at.expect("a path").display().to_string();
    assert!(name.starts_with("c/tuf-repo-cdn."), "{name}");
    // Names from outside make no paths.
    let name = file_name("http://[::1]:80/../../x", b"root");
    assert!(name.bytes().all(|b| b.is_ascii_alphanumeric() || b"-.".contains(&b)), "{name}");
}

/// Whatever a repository calls its files, all of them are one file of ours.
#[test]
fn a13_no_file_is_named_by_a_repository() {
    use sigstore_tuf::MetadataStore;

    let cache = tempfile::tempdir().expect("a directory");
    let (kept, shelf) = (cache.path().join("within/kept"), Shelf::default());
    for name in ["../../escaped", "/tmp/escaped", "1.root.json"] {
        shelf.store(name, b"content").expect("kept");
    }
    shelf.save(&kept, NOW).expect("written");
    let files: Vec<_> = std::fs::read_dir(cache.path().join("within")).expect("a directory").flatten().collect();
    assert_eq!(files.iter().map(std::fs::DirEntry::path).collect::<Vec<_>>(), std::slice::from_ref(&kept));
    assert_eq!(std::fs::read_dir(cache.path()).expect("a directory").count(), 1);
    let (again, _) = Shelf::load(&kept).expect("readable").expect("there");
    assert_eq!(again.load("../../escaped").expect("kept"), Some(b"content".to_vec()));
}

/// Nobody who may write beside the kept file leads the next one elsewhere.
#[test]
fn no_link_is_followed_and_nobody_else_reads() {
    use std::os::unix::fs::{PermissionsExt, symlink};

    let folder = tempfile::tempdir().expect("a directory");
    let (kept, precious) = (folder.path().join("kept"), folder.path().join("precious"));
    std::fs::write(&precious, "precious").expect("written");
    symlink(&precious, kept.with_extension("new")).expect("a link");
    Shelf::default().save(&kept, NOW).expect("written");
    assert_eq!(std::fs::read_to_string(&precious).expect("readable"), "precious");
    let metadata = std::fs::symlink_metadata(&kept).expect("there");
    assert!(metadata.is_file());
    assert_eq!(metadata.permissions().mode() & 0o777, 0o600);
}
