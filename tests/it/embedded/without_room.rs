//! A disk that is full: before the start, and from some moment on.

use std::os::fd::AsRawFd;

use super::*;
use crate::support::scene::blob;

/// A disk of 8 MiB for the store alone, which the other side of the namespace sees under `/proc`.
fn small_disk(scene: &Scene) -> String {
    fs::create_dir(&scene.folder).expect("a folder");
    format!("mount -t tmpfs -o size=8m,mode=0700 tmpfs '{}'", scene.folder.display())
}

fn filler(scene: &Scene, program: &Program) -> PathBuf {
    let folder = scene.folder.strip_prefix("/").expect("an absolute path");
    Path::new(&format!("/proc/{}/root", program.id())).join(folder).join("filler")
}

/// Fills the disk to its last byte.
fn fill(path: &Path) {
    use std::io::Write;
    let mut file = fs::File::create(path).expect("a file");
    while file.write(&[7; 4096]).is_ok_and(|written| written > 0) {}
}

/// Nobody signed it. While the store does not tell whether an allowed index lists it, the proxy cannot either.
async fn refused(scene: &Scene, program: &Program) {
    let status = program.status(&scene.client, &manifest("team/unsigned", "1")).await;
    assert!([403, 503].contains(&status), "{status}: {}", program.log());
}

#[tokio::test]
async fn a_disk_that_fills_up_stops_no_pull_and_when_it_has_room_what_was_admitted_meanwhile_is_written() {
    let scene = Scene::new().await;
    scene.lab.unsigned("team/unsigned");
    let program = Program::serve_among(&small_disk(&scene), &scene.config).await.expect("it serves");
    let filler = filler(&scene, &program);
    fill(&filler);
    let mut layers = Vec::new();
    let pull = async |each: usize| {
        let repository = format!("team/app-{each}");
        let image = scene.lab.signed(&repository);
        assert_eq!(program.status(&scene.client, &manifest(&repository, "1")).await, 200, "{}", program.log());
        refused(&scene, &program).await;
        blob(&repository, image.layer)
    };
    let began = std::time::Instant::now();
    while program.metric(&scene.client, "store_up", "").await != 0 {
        assert!(began.elapsed() < Duration::from_mins(1), "it is never noticed:\n{}", program.log());
        layers.push(pull(layers.len()).await);
    }
    contains(&program.log(), &["the store failed; verdicts are come to without it", "No space left on device"]);
    contains(&program.admin(&scene.client, "/readyz").await, &["store: fails; pulls go on without it"]);
    // So often that in the end only what nobody comes to again waits to be written.
    let failures = |log: &str| log.matches("the store failed").count() + log.matches("the store stays closed").count();
    while failures(&program.log()) < 4 {
        assert!(began.elapsed() < Duration::from_mins(1), "it is not tried again:\n{}", program.log());
        layers.push(pull(layers.len()).await);
    }

    fs::remove_file(&filler).expect("it is there");
    while program.metric(&scene.client, "store_up", "").await != 1 {
        assert!(began.elapsed() < Duration::from_mins(2), "it never comes back:\n{}", program.log());
        layers.push(pull(layers.len()).await);
    }
    program.until(&scene.client, "store_pending_writes", "", 0).await;
    assert!(!program.log().contains("panicked"), "{}", program.log());

    // The disk lasts as long as somebody has its folder open.
    let disk = fs::File::open(filler.parent().expect("a folder")).expect("it is there");
    program.stop();
    for kept in [scene.store(), scene.key()] {
        let name = kept.file_name().expect("a name").to_str().expect("UTF-8");
        fs::copy(format!("/proc/self/fd/{}/{name}", disk.as_raw_fd()), &kept).expect("there is room");
    }
    let program = scene.serve().await;
    for layer in &layers {
        assert_eq!(program.status(&scene.client, layer).await, 200, "{layer} of {}: {}", layers.len(), program.log());
    }
}

#[tokio::test]
async fn a_disk_that_is_full_at_the_start_says_so_and_images_are_verified_all_the_same() {
    let scene = Scene::new().await;
    scene.lab.signed("team/app");
    scene.lab.unsigned("team/unsigned");
    let mounts = small_disk(&scene);
    let folder = scene.folder.display();
    let key = "5eed".repeat(16);
    let full = format!(
        "{mounts}\n(umask 077; echo {key} > '{folder}/store.key')\nyes > '{folder}/filler' 2>/dev/null || true"
    );
    let program = Program::serve_among(&full, &scene.config).await.expect("it serves");
    contains(&program.log(), &["the store is down; verdicts are come to without it", "No space left on device"]);
    assert_eq!(program.status(&scene.client, &manifest("team/app", "1")).await, 200, "{}", program.log());
    refused(&scene, &program).await;
    contains(&program.admin(&scene.client, "/readyz").await, &["store: fails; pulls go on without it"]);

    // Without a key there is nothing to go on with.
    let scene = Scene::new().await;
    let full = format!("{}\nyes > '{}/filler' 2>/dev/null || true", small_disk(&scene), scene.folder.display());
    let said = refusal(Program::serve_among(&full, &scene.config).await);
    contains(&said, &["store.key` cannot be made: No space left on device", "openssl rand -hex 32"]);
}
