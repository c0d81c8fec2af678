//! Known attacks on the program as a whole, each test named by its row in `tests/attacks/table.tsv`.

use countersign::demo::registry::Options;
use futures_util::future::join_all;

use crate::support::expect::{denied, served};
use crate::support::lab::Lab;
use crate::support::scene::{manifest, two_teams};

/// Two policies with keys of their own, and images that each of them allows or refuses, all at once.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn b03_many_images_under_two_policies_at_once() {
    let lab = Lab::start(Options::default()).await;
    two_teams(&lab);

    let mut images = Vec::new();
    for n in 0..50 {
        for (team, signer, fine) in [
            ("ours", &lab.signer, true),
            ("ours", &lab.foreign, false),
            ("theirs", &lab.foreign, true),
            ("theirs", &lab.signer, false),
        ] {
            let image = lab.unsigned(&format!("{team}/app{n}-{fine}")).manifest;
            signer.sign_bundle(lab.registry(), &image).expect("signs");
            images.push((image, fine));
        }
    }
    let paths: Vec<_> = images.iter().map(|(image, _)| manifest(&image.repository, image.digest)).collect();
    let answers = join_all(paths.iter().map(|path| lab.get(path))).await;
    for ((image, fine), answer) in images.iter().zip(&answers) {
        if *fine { served(answer, image.digest, "signed") } else { denied(answer, "signature_missing") }
    }
}

/// What is remembered is the decision, with all that it rests on.
#[tokio::test]
async fn b29_a_remembered_image_is_still_refused_for_what_it_lacks() {
    let lab = Lab::start(Options::default()).await;
    let good = lab.signed("team/app").manifest;
    let lacking = lab.unsigned("team/lacking").manifest;
    lab.signer
        .attest_bundle(lab.registry(), &lacking, "https://cyclonedx.org/bom", &serde_json::json!({}))
        .expect("signs");
    for _ in 0..3 {
        served(&lab.get(&manifest("team/app", good.digest)).await, good.digest, "signed");
        denied(&lab.get(&manifest("team/lacking", lacking.digest)).await, "signature_missing");
        denied(&lab.get(&manifest("team/lacking", "1")).await, "signature_missing");
    }
}
