//! Helpers that are small shell scripts.

use std::process::Command as Program;
use std::time::Instant;

use super::*;

/// A folder with a helper `test` that runs `script`.
fn folder(script: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    install(&folder.path().join("docker-credential-test"), script);
    folder
}

/// Writes a program. Another process does it: while one of ours has the file open, nobody can run it.
pub(in crate::upstream) fn install(path: &Path, script: &str) {
    let writing = r#"printf '#!/bin/sh\n%s\n' "$2" >"$1.new" && chmod 700 "$1.new" && mv "$1.new" "$1""#;
    let status = Program::new("/bin/sh").args(["-c", writing, "install"]).arg(path).arg(script).status();
    assert!(status.expect("sh starts").success());
}

async fn ask(script: &str) -> Result<Answer, HelperError> {
    let folder = folder(script);
    let helper = Helper::new("test").expect("a name");
    helper.get(folder.path().as_os_str(), "reg.io:5000", Duration::from_mins(1)).await
}

#[tokio::test]
async fn a_helper_is_told_the_server_and_answers() {
    let script = r#"server=$(cat); test "$1 $#" = "get 1" || exit 9
        printf '{"ServerURL":"%s","Username":"u-%s","Secret":"p"}' "$server" "$server""#;
    let secret = |text: &str| Secret::from(text.to_string());
    assert_eq!(ask(script).await.expect("an answer"), Answer::Password("u-reg.io:5000".to_string(), secret("p")));
    let token = r#"echo '{"ServerURL":"x","Username":"<token>","Secret":"t"}'"#;
    assert_eq!(ask(token).await.expect("an answer"), Answer::Identity(secret("t")));
}

#[tokio::test]
async fn a_helper_may_know_nothing() {
    for script in [
        "echo credentials not found in native keychain; exit 1",
        r#"echo '{"ServerURL":"","Username":"","Secret":""}'"#,
    ] {
        assert_eq!(ask(script).await.expect("an answer"), Answer::NotFound, "{script}");
    }
}

#[tokio::test]
async fn a_failure_says_who_failed_and_the_first_line_of_why() {
    let program = "`docker-credential-test`";
    for (script, expected) in [
        ("echo; printf 'no \\033[31mway\\n' >&2; echo more >&2; exit 3", "failed (exit status: 3): no  [31mway"),
        ("echo on stdout; exit 1", "failed (exit status: 1): on stdout"),
        (r#"echo '{"Secret":"hunter2"}'; exit 1"#, "failed (exit status: 1): it did not say why"),
        ("kill -KILL $$", "failed (signal: 9 (SIGKILL)): it did not say why"),
        ("echo hunter2", "did not answer with `Username` and `Secret` in JSON"),
        (r#"echo '{"Username":"u","Secret":["hunter2"]}'"#, "did not answer with `Username` and `Secret` in JSON"),
        (r#"echo '{"Username":"u","Secret":""}'"#, "did not answer with `Username` and `Secret` in JSON"),
        (r#"echo '{"Username":"","Secret":"hunter2"}'"#, "did not answer with `Username` and `Secret` in JSON"),
    ] {
        let said = ask(script).await.expect_err(script).to_string();
        assert_eq!(said, format!("{program} {expected}"));
    }
    let long = ask("head -c 300000 /dev/zero | tr '\\0' x >&2; exit 1").await.expect_err("it failed").to_string();
    assert_eq!(long.matches('x').count(), MAX_LINE + "exit".matches('x').count(), "{long}");
}

#[tokio::test]
async fn a_helper_is_bounded() {
    let endless = ask("while :; do echo hunter2hunter2hunter2; done").await.expect_err("it does not end");
    assert_eq!(endless.to_string(), "`docker-credential-test` answered with more than 65536 bytes");
    // It waits for a line that never comes, and whoever holds the pipe is gone when it is ended.
    let folder = folder("exec sleep 600");
    let (helper, began) = (Helper::new("test").expect("a name"), Instant::now());
    let late = helper.get(folder.path().as_os_str(), "reg.io", Duration::from_secs(1)).await;
    assert_eq!(late.expect_err("too late").to_string(), "`docker-credential-test` did not answer within 1 s");
    assert!(began.elapsed() < Duration::from_mins(5), "it was waited for");
}

#[tokio::test]
async fn only_absolute_directories_of_the_path_count() {
    let folder = folder("echo hunter2");
    let helper = Helper::new("test").expect("a name");
    assert!(helper.find(folder.path().as_os_str()).is_some());
    for search in ["", ".", ":", "relative/bin", "/nowhere:"] {
        assert_eq!(helper.find(search.as_ref()), None, "{search}");
        let error = helper.get(search.as_ref(), "reg.io", Duration::from_mins(1)).await.expect_err(search);
        assert_eq!(error.to_string(), "`docker-credential-test` is not in an absolute directory of PATH");
    }
    let plain = folder.path().join("docker-credential-plain");
    std::fs::write(plain, "not a program").expect("a file");
    assert_eq!(Helper::new("plain").expect("a name").find(folder.path().as_os_str()), None);
}

#[test]
fn a_name_names_one_program() {
    for name in ["", "/bin/sh", "../evil", "a/b", "a b", "a\n", "$(id)", "a\0b", &"a".repeat(101)] {
        assert_eq!(Helper::new(name), None, "{name:?}");
    }
    for name in ["ecr-login", "gcloud", "acr_env", "osxkeychain.exe"] {
        assert_eq!(Helper::new(name).map(|helper| helper.program()), Some(format!("docker-credential-{name}")));
    }
}
