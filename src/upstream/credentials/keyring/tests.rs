//! Renewal: files that change, helpers that fail, and how often anybody is asked.

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use super::super::helper::tests::install;
use super::super::login::Login;
use super::super::{Secret, SecretSource};
use super::*;
use crate::telemetry::Metrics;

/// A folder with a file of credentials, and helpers.
struct World {
    folder: tempfile::TempDir,
    metrics: Metrics,
}

impl World {
    fn new(content: &str) -> Self {
        let world = Self { folder: tempfile::tempdir().expect("a folder"), metrics: Metrics::default() };
        world.write(content);
        world
    }

    fn file(&self) -> PathBuf {
        self.folder.path().join("config.json")
    }

    fn write(&self, content: &str) {
        fs::write(self.file(), content).expect("a file");
    }

    /// A helper that writes a line into `asked` each time.
    fn helper(&self, script: &str) {
        let count = format!("echo >>{}/asked\n{script}", self.folder.path().display());
        install(&self.folder.path().join("docker-credential-test"), &count);
    }

    fn asked(&self) -> usize {
        fs::read_to_string(self.folder.path().join("asked")).map_or(0, |text| text.lines().count())
    }

    /// A keyring that looks each time it is used, and remembers helpers for ever.
    fn keyring(&self, change: impl FnOnce(&mut Bounds)) -> Arc<Keyring> {
        self.of(Credentials::DockerConfig(self.file()), change).expect("usable")
    }

    fn of(&self, from: Credentials, change: impl FnOnce(&mut Bounds)) -> Result<Arc<Keyring>, CredentialsError> {
        let mut bounds = Bounds {
            search: self.folder.path().into(),
            look: Duration::ZERO,
            remember: Duration::from_hours(1),
            ask_again: Duration::from_hours(1),
            helper: Duration::from_mins(1),
            patience: Duration::from_mins(1),
        };
        change(&mut bounds);
        let names = vec!["reg.io".parse().expect("a name")];
        Keyring::new(from, names, bounds, self.metrics.credentials()).map(Arc::new)
    }

    fn shows(&self, line: &str) -> bool {
        self.metrics.render().lines().any(|shown| shown == format!("countersign_{line}"))
    }
}

fn entry(auth: &str) -> String {
    format!(r#"{{"auths":{{"reg.io":{{"auth":"{auth}"}}}}}}"#)
}

fn basic(username: &str, password: &str) -> Login {
    Login::basic(username, &Secret::from(password.to_string())).expect("usable")
}

async fn login(keyring: &Arc<Keyring>) -> Login {
    keyring.session().await.expect("credentials").login().clone()
}

const HELPER: &str = r#"{"credHelpers":{"reg.io":"test"}}"#;

#[tokio::test]
async fn a_file_that_changes_is_read_again_and_one_that_does_not_keeps_the_session() {
    let world = World::new(&entry("dTpw"));
    let keyring = world.keyring(|_| {});
    let first = keyring.session().await.expect("credentials");
    assert_eq!(*first.login(), basic("u", "p"));
    // The same in other words: tokens are kept.
    world.write(&entry("dTpw").replace(':', " : "));
    assert!(Arc::ptr_eq(&first, &keyring.session().await.expect("credentials")));
    assert!(keyring.replaced(&first).await.is_none());
    world.write(&entry("dTpx"));
    let second = keyring.replaced(&first).await.expect("others");
    assert_eq!(*second.login(), basic("u", "q"));
    assert!(Arc::ptr_eq(&second, &keyring.replaced(&first).await.expect("others")), "nobody reads again");
}

/// Kubernetes leads a link elsewhere.
#[tokio::test]
async fn a_link_that_leads_elsewhere_is_followed() {
    let world = World::new("");
    let at = |name: &str| world.folder.path().join(name);
    for (name, password) in [("one", "p1"), ("two", "p2")] {
        fs::create_dir(at(name)).expect("a folder");
        fs::write(at(name).join("password"), format!("{password}\n")).expect("a file");
    }
    let lead = |to: &str| {
        std::os::unix::fs::symlink(to, at("new")).expect("a link");
        fs::rename(at("new"), at("data")).expect("a link");
    };
    lead("one");
    let password = SecretSource::File(at("data").join("password"));
    let from = Credentials::Basic { username: "u".to_string(), password };
    let keyring = world.of(from, |_| {}).expect("usable");
    assert_eq!(login(&keyring).await, basic("u", "p1"));
    lead("two");
    assert_eq!(login(&keyring).await, basic("u", "p2"));
}

#[tokio::test]
async fn what_is_broken_changes_nothing_and_is_counted() {
    let world = World::new(&entry("dTpw"));
    let keyring = world.keyring(|_| {});
    for broken in ["{", "{}", &entry("hunter2"), r#"{"credHelpers":{"reg.io":"nobody"}}"#] {
        world.write(broken);
        assert_eq!(login(&keyring).await, basic("u", "p"), "{broken}");
        assert!(world.shows("credentials_reload_failed 1"), "{broken}");
    }
    fs::remove_file(world.file()).expect("a file");
    assert_eq!(login(&keyring).await, basic("u", "p"));
    world.write(&entry("dTpx"));
    assert_eq!(login(&keyring).await, basic("u", "q"));
    assert!(world.shows("credentials_reload_failed 0"));
    assert!(world.shows(r#"credentials_reloads_total{result="failed"} 5"#), "{}", world.metrics.render());
}

#[tokio::test]
async fn what_cannot_be_used_at_the_start_is_an_error() {
    for (content, expected) in [
        ("{", "not a docker configuration (line 1, column 1)"),
        ("{}", "no entry for `reg.io`; `docker login reg.io` makes one"),
    ] {
        let world = World::new(content);
        let error = world.of(Credentials::DockerConfig(world.file()), |_| {}).expect_err(content).to_string();
        assert_eq!(error, format!("`{}`: {expected}", world.file().display()));
    }
    let world = World::new("\n");
    let error = world.of(Credentials::Bearer(SecretSource::File(world.file())), |_| {}).expect_err("empty");
    assert!(error.to_string().ends_with("config.json`: it is empty"), "{error}");
}

#[tokio::test]
async fn one_helper_answers_for_all_who_wait() {
    let world = World::new(HELPER);
    world.helper(r#"echo '{"Username":"u","Secret":"p"}'"#);
    let keyring = world.keyring(|_| {});
    for session in futures_util::future::join_all((0..16).map(|_| keyring.session())).await {
        assert_eq!(*session.expect("credentials").login(), basic("u", "p"));
    }
    assert_eq!(world.asked(), 1);
    assert_eq!(login(&keyring).await, basic("u", "p"));
    assert_eq!(world.asked(), 1, "it is remembered");
}

#[tokio::test]
async fn a_helper_is_asked_again_when_its_time_has_come() {
    let world = World::new(HELPER);
    world.helper(r#"echo '{"Username":"u","Secret":"p"}'"#);
    let keyring = world.keyring(|bounds| bounds.remember = Duration::ZERO);
    assert_eq!(login(&keyring).await, basic("u", "p"));
    world.helper("exit 1");
    assert_eq!(login(&keyring).await, basic("u", "p"), "what works goes on working");
    assert!(world.asked() > 1);
}

#[tokio::test]
async fn a_rejection_asks_a_helper_again_once_and_no_storm() {
    let world = World::new(HELPER);
    world.helper(r#"echo '{"Username":"u","Secret":"p"}'"#);
    let keyring = world.keyring(|bounds| bounds.ask_again = Duration::ZERO);
    let first = keyring.session().await.expect("credentials");
    world.helper(r#"echo '{"Username":"u","Secret":"q"}'"#);
    let renewed = futures_util::future::join_all((0..16).map(|_| keyring.replaced(&first))).await;
    for session in renewed {
        assert_eq!(*session.expect("others").login(), basic("u", "q"));
    }
    assert_eq!(world.asked(), 2);
    let patient = world.keyring(|_| {});
    let session = patient.session().await.expect("credentials");
    for _ in 0..3 {
        assert!(patient.replaced(&session).await.is_none());
    }
    assert_eq!(world.asked(), 3, "it was asked a moment ago");
}

#[tokio::test]
async fn a_helper_that_fails_leaves_nothing_to_send_and_is_left_alone() {
    let world = World::new(HELPER);
    world.helper("echo it is locked >&2; exit 1");
    let keyring = world.keyring(|_| {});
    for _ in 0..3 {
        let error = keyring.session().await.expect_err("none");
        let why = "`docker-credential-test` failed (exit status: 1)".to_string();
        assert_eq!(error, UpstreamError::CredentialsUnavailable { why });
        assert_eq!(error.reason(), crate::reason::Reason::UpstreamCredentialsRejected);
    }
    assert_eq!(world.asked(), 1);
    // A change of the file is a reason to ask at once.
    world.helper(r#"echo '{"Username":"u","Secret":"p"}'"#);
    world.write(&format!("{HELPER}\n"));
    assert_eq!(login(&keyring).await, basic("u", "p"));
}

#[tokio::test]
async fn a_helper_that_knows_nothing_leaves_it_to_the_next() {
    let world = World::new(r#"{"credsStore":"test","auths":{"reg.io":{"auth":"dTpw"}}}"#);
    world.helper("echo credentials not found in native keychain; exit 1");
    assert_eq!(login(&world.keyring(|_| {})).await, basic("u", "p"));
    world.write(HELPER);
    let error = world.keyring(|_| {}).session().await.expect_err("none");
    let why = "no entry for `reg.io`".to_string();
    assert_eq!(error, UpstreamError::CredentialsUnavailable { why });
}
