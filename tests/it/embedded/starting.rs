//! What a start needs, and what is said where it is not there.

use super::*;

#[tokio::test]
async fn the_first_start_makes_a_key_that_nobody_else_reads_and_the_next_ones_use_it() {
    use std::os::unix::fs::PermissionsExt;
    let scene = Scene::new().await;
    scene.lab.signed("team/app");
    let program = scene.serve().await;
    assert_eq!(program.status(&scene.client, &manifest("team/app", "1")).await, 200);
    program.until(&scene.client, "store_pending_writes", "", 0).await;
    program.kill();
    let key = fs::read(scene.key()).expect("it was made");
    assert_eq!((key.len(), key.iter().filter(|byte| byte.is_ascii_hexdigit()).count()), (65, 64));
    let mode = |path: &Path| fs::metadata(path).expect("it is there").permissions().mode() & 0o777;
    assert_eq!((mode(&scene.key()), mode(&scene.store()), mode(&scene.folder)), (0o600, 0o600, 0o700));

    scene.hide_signatures("team/app");
    let program = scene.serve().await;
    assert_eq!(program.status(&scene.client, &manifest("team/app", "1")).await, 200, "{}", program.log());
    program.kill();
    assert_eq!(fs::read(scene.key()).expect("it is there"), key);

    // With another key, nothing of that is believed: the registry is asked, which does not tell.
    fs::remove_file(scene.key()).expect("it is there");
    let program = scene.serve().await;
    assert_eq!(program.status(&scene.client, &manifest("team/app", "1")).await, 503, "{}", program.log());
    let rejected = program.metric(&scene.client, "store_records_rejected_total", "cause=\"seal\"").await;
    assert!(rejected > 0, "{}", program.log());
}

#[tokio::test]
async fn a_key_is_replaced_while_the_one_before_still_opens() {
    let scene = Scene::new().await;
    scene.lab.signed("team/app");
    let path = manifest("team/app", "1");
    let with_keys = |keys: &str| {
        let text = fs::read_to_string(&scene.config).expect("a file");
        let rest: String = text.lines().filter(|line| !line.starts_with("store:")).flat_map(|l| [l, "\n"]).collect();
        let store = format!("store: {{ embedded: {{ path: kept/store.redb }}, keys: [ {keys} ] }}\n");
        fs::write(&scene.config, rest + &store).expect("a file");
    };
    let beside = |name: &str| scene.config.with_file_name(name);
    write(&beside("old.key"), "5e".repeat(31).as_bytes(), 0o600);
    with_keys("old.key");
    contains(&scene.refused().await, &["old.key` has 31 bytes, and needs 32", "openssl rand -hex 32"]);
    write(&beside("old.key"), (1..=32).collect::<Vec<u8>>().as_slice(), 0o644);
    contains(&scene.refused().await, &["old.key` may be read or written by others (mode 0644)", "chmod 0600"]);
    with_keys("none.key");
    contains(&scene.refused().await, &["none.key` cannot be read: No such file", "openssl rand -hex 32"]);

    write(&beside("old.key"), (1..=32).collect::<Vec<u8>>().as_slice(), 0o600);
    write(&beside("new.key"), b"wXl2q3i0e7YyB1p3mE2b5kq8d1n4v7c0z9a6s3f2h1g=\n", 0o400);
    with_keys("old.key");
    let program = scene.serve().await;
    assert_eq!(program.status(&scene.client, &path).await, 200);
    program.until(&scene.client, "store_pending_writes", "", 0).await;
    program.kill();
    assert!(!scene.key().exists(), "none is made where some are named");

    scene.hide_signatures("team/app");
    for (keys, status) in [("new.key, old.key", 200), ("new.key", 503)] {
        with_keys(keys);
        let program = scene.serve().await;
        assert_eq!(program.status(&scene.client, &path).await, status, "{keys}: {}", program.log());
        program.kill();
    }
}

#[tokio::test]
async fn a_second_process_on_the_file_says_who_holds_it_and_what_to_do() {
    let scene = Scene::new().await;
    let first = scene.serve().await;
    let said = scene.refused().await;
    let path = scene.store().display().to_string();
    contains(&said, &[&path, "held by another countersign", "`store.embedded.path`", "`store.kind: redis`"]);
    scene.lab.signed("team/app");
    assert_eq!(first.status(&scene.client, &manifest("team/app", "1")).await, 200, "the first goes on");
    first.kill();
    scene.serve().await;
}

#[tokio::test]
async fn where_the_file_cannot_be_it_is_said_what_to_do() {
    let scene = Scene::new().await;
    fs::write(&scene.folder, "a file, where the folder should be").expect("a file");
    contains(&scene.refused().await, &["kept` cannot be made", "`store.kind: memory`"]);
    fs::remove_file(&scene.folder).expect("it is there");

    let shown = scene.folder.display();
    fs::create_dir(&scene.folder).expect("a folder");
    let read_only = format!("mount -t tmpfs -o ro tmpfs '{shown}'");
    let said = refusal(Program::serve_among(&read_only, &scene.config).await);
    contains(&said, &["cannot be opened for reading and writing: Read-only file system", "`store.embedded.path`"]);

    scene.serve().await.kill();
    let with_a_file = format!("mount --bind '{shown}' '{shown}'; mount -o remount,bind,ro '{shown}'");
    let said = refusal(Program::serve_among(&with_a_file, &scene.config).await);
    contains(&said, &["Read-only file system", "`store.kind: memory`"]);
}

/// What explains needs no store of the proxy, and leaves the one that it has alone.
#[tokio::test]
async fn what_explains_does_not_touch_the_file() {
    let scene = Scene::new().await;
    scene.lab.signed("team/app");
    let program = scene.serve().await;
    let mut verify = std::process::Command::new(env!("CARGO_BIN_EXE_countersign"));
    verify.args(["verify", "registry.demo/team/app:1", "--config"]).arg(&scene.config);
    let output = tokio::task::spawn_blocking(move || verify.output()).await.expect("it ends").expect("it runs");
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    drop(program);
}
