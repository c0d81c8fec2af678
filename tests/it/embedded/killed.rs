//! A process that is killed while it writes, over and over.

use countersign::oci::Digest;

use super::*;
use crate::support::expect::{denied, unsure};
use crate::support::scene::blob;

/// How often it is killed.
const ROUNDS: usize = 8;

/// What was on the disk is there after each kill, and allows without the registry; what policy refuses stays refused; and
/// the file was never damaged.
#[tokio::test]
async fn what_was_on_the_disk_survives_every_kill_and_nothing_else_opens() {
    let scene = Scene::new().await;
    scene.lab.unsigned("team/unsigned");
    let mut on_disk: Vec<String> = Vec::new();
    for round in 0..ROUNDS {
        let program = scene.serve().await;
        assert!(!program.log().contains("damaged"), "round {round}:\n{}", program.log());
        for repository in &on_disk {
            let status = program.status(&scene.client, &manifest(repository, "1")).await;
            assert_eq!(status, 200, "round {round}: {repository} was on the disk:\n{}", program.log());
        }
        assert_eq!(program.status(&scene.client, &manifest("team/unsigned", "1")).await, 403, "round {round}");
        assert_eq!(program.metric(&scene.client, "verifications_total", "result=\"verified\"").await, 0);

        let known: Vec<_> = (0..4).map(|each| format!("team/known-{round}-{each}")).collect();
        for repository in &known {
            scene.lab.signed(repository);
            assert_eq!(program.status(&scene.client, &manifest(repository, "1")).await, 200);
        }
        program.until(&scene.client, "store_pending_writes", "", 0).await;
        for repository in known {
            scene.hide_signatures(&repository);
            on_disk.push(repository);
        }

        // Something is being written when it is killed, a little later each time.
        let (client, id) = (scene.client.clone(), program.id());
        for each in 0..6 {
            scene.lab.signed(&format!("team/unknown-{round}-{each}"));
        }
        let pulls = async {
            for each in 0..6 {
                program.status(&client, &manifest(&format!("team/unknown-{round}-{each}"), "1")).await;
            }
        };
        let kill = async {
            tokio::time::sleep(Duration::from_millis(7 * round as u64)).await;
            let killed = std::process::Command::new("kill").args(["-KILL", &id.to_string()]).status();
            assert!(killed.expect("it runs").success());
        };
        tokio::join!(pulls, kill);
        drop(program);
    }
    let aside = fs::read_dir(&scene.folder).expect("a folder").flatten().map(|entry| entry.file_name());
    let names: Vec<_> = aside.map(|name| name.to_string_lossy().into_owned()).collect();
    assert!(names.iter().all(|name| ["store.redb", "store.key"].contains(&name.as_str())), "{names:?}");
}

/// What was admitted just before a kill is not known afterwards; nobody gets a final no because of that. After an orderly end
/// all is known.
#[tokio::test]
async fn what_a_kill_loses_is_left_open_for_a_while_and_an_orderly_end_loses_nothing() {
    let scene = Scene::new().await;
    scene.lab.unsigned("team/unsigned");
    // An index, which no tag helps to find, its image, and a layer of that; an image, and a layer of it.
    let goods = |number: u8| {
        let (multi, app) = (format!("team/multi-{number}"), format!("team/app-{number}"));
        let (index, images) = scene.lab.signed_index(&multi);
        scene.lab.registry().untag(&multi, "1");
        let image = scene.lab.signed(&app);
        let parents = [manifest(&multi, index.digest), manifest(&app, "1")];
        let members =
            [manifest(&multi, images[0].manifest.digest), blob(&multi, images[0].layer), blob(&app, image.layer)];
        (parents, members)
    };
    let [(kept, known), (lost, unknown)] = [goods(1), goods(2)];
    let (stray, client) = (blob("team/app-1", Digest::of(b"stray")), &scene.client);
    let all = async |program: &Program, paths: &[String]| {
        for path in paths {
            assert_eq!(program.status(client, path).await, 200, "{path}:\n{}", program.log());
        }
    };
    let program = scene.serve().await;
    all(&program, &kept).await;
    program.stop();

    let program = scene.serve().await;
    all(&program, &known).await;
    denied(&program.get(client, &stray).await, "not_a_member");
    program.until(client, "store_pending_writes", "", 0).await;
    // As the file is when the program is killed before it writes again.
    let before = scene.folder.join("before");
    fs::copy(scene.store(), &before).expect("a file");
    all(&program, &lost).await;
    all(&program, &unknown).await;
    program.kill();
    fs::rename(&before, scene.store()).expect("they are there");

    let program = scene.serve().await;
    all(&program, &known).await;
    for path in unknown.iter().chain([&stray]) {
        unsure(&program.get(client, path).await, "membership_incomplete");
    }
    denied(&program.get(client, &manifest("team/unsigned", "1")).await, "unsigned");
    all(&program, &lost).await;
    all(&program, &unknown).await;
}

/// An index that lists an image is refused by now, and a newer one that may run was lost: that is not a final no.
#[tokio::test]
async fn an_image_of_an_index_that_a_kill_lost_is_left_open_though_an_older_one_is_refused() {
    let scene = Scene::new().await;
    let (lab, client, app) = (&scene.lab, &scene.client, "team/app");
    let child = lab.unsigned(app).manifest;
    lab.registry().untag(app, "1");
    let (old, new) = (lab.index_over(app, None, &[&child]), lab.index_over(app, None, &[&child, &child]));
    lab.signer.sign_bundle(lab.registry(), &old).expect("signs");
    lab.foreign.sign_bundle(lab.registry(), &new).expect("signs");
    let program = scene.serve().await;
    assert_eq!(program.status(client, &manifest(app, old.digest)).await, 200, "{}", program.log());
    program.stop();

    lab.distrust_signer();
    let program = scene.serve().await;
    let path = manifest(app, child.digest);
    denied(&program.get(client, &path).await, "signature_missing");
    program.until(client, "store_pending_writes", "", 0).await;
    let before = scene.folder.join("before");
    fs::copy(scene.store(), &before).expect("a file");
    assert_eq!(program.status(client, &manifest(app, new.digest)).await, 200, "{}", program.log());
    assert_eq!(program.status(client, &path).await, 200, "{}", program.log());
    program.kill();
    fs::rename(&before, scene.store()).expect("they are there");

    let program = scene.serve().await;
    unsure(&program.get(client, &path).await, "membership_incomplete");
    assert_eq!(program.status(client, &manifest(app, new.digest)).await, 200, "{}", program.log());
    assert_eq!(program.status(client, &path).await, 200, "{}", program.log());
}

/// The file is damaged between two runs: it is set aside, said aloud, and images are verified again.
#[tokio::test]
async fn a_damaged_file_is_set_aside_and_images_are_verified_again() {
    let scene = Scene::new().await;
    scene.lab.signed("team/app");
    scene.lab.unsigned("team/unsigned");
    let program = scene.serve().await;
    assert_eq!(program.status(&scene.client, &manifest("team/app", "1")).await, 200);
    program.until(&scene.client, "store_pending_writes", "", 0).await;
    program.kill();
    let whole = fs::read(scene.store()).expect("a file");
    let noise = whole.iter().enumerate().map(|(at, byte)| if at < 4096 { *byte } else { byte ^ 0x55 });
    let damaged: [(&str, Vec<u8>); 2] = [("cut off", whole[..whole.len() / 2].to_vec()), ("noise", noise.collect())];
    for (what, bytes) in damaged {
        fs::write(scene.store(), &bytes).expect("a file");
        let program = scene.serve().await;
        contains(&program.log(), &["the store is damaged: set aside", "store.redb.corrupt-"]);
        assert_eq!(program.status(&scene.client, &manifest("team/app", "1")).await, 200, "{what}: {}", program.log());
        assert_eq!(program.metric(&scene.client, "verifications_total", "result=\"verified\"").await, 1, "{what}");
        assert_eq!(program.status(&scene.client, &manifest("team/unsigned", "1")).await, 403, "{what}");
        program.kill();
        let aside = |name: &str| name.starts_with("store.redb.corrupt-");
        let names = fs::read_dir(&scene.folder).expect("a folder").flatten().map(|entry| entry.file_name());
        let names = names.filter(|name| aside(&name.to_string_lossy())).count();
        assert_eq!(names, 1, "only the last one is kept");
    }
}
