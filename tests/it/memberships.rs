//! What is known of who lists what: without the store where that is warm, and no firm no where it may be lacking.

use std::time::Duration;

use countersign::demo::registry::Options;
use countersign::oci::Digest;

use crate::support::expect::{denied, served, unsure};
use crate::support::fickle::Fickle;
use crate::support::lab::Lab;
use crate::support::scene::{blob, manifest};

const APP: &str = "team/app";
const MULTI: &str = "team/multi";

#[tokio::test]
async fn a_warm_blob_asks_the_store_for_nothing() {
    let lab = Lab::start(Options::default()).await;
    let (image, (index, images)) = (lab.signed(APP), lab.signed_index(MULTI));
    let child = images[0].manifest.digest;
    for path in [manifest(APP, "1"), manifest(MULTI, index.digest), manifest(MULTI, child)] {
        assert_eq!(lab.get(&path).await.status, 200, "{path}");
    }
    let layers = [(blob(APP, image.layer), image.layer), (blob(MULTI, images[0].layer), images[0].layer)];
    // Verdicts and evidence are put behind the answers.
    let operations = async || {
        let mut all = Vec::new();
        for operation in ["get", "list", "add", "lease"] {
            all.push(lab.metric("store_operations_total", &[("operation", operation)]).await.expect("it is counted"));
        }
        all
    };
    let before = operations().await;
    assert!(before[..3].iter().all(|count| *count > 0), "{before:?}");
    for (path, layer) in &layers {
        for _ in 0..2 {
            served(&lab.get(path).await, *layer, "member");
            assert_eq!(lab.head(path).await.status, 200, "{path}");
        }
    }
    assert_eq!(operations().await, before);
    // What is in memory is a fact and no permission.
    lab.distrust_signer();
    for (path, _) in &layers {
        denied(&lab.get(path).await, "signature_missing");
    }
}

#[tokio::test]
async fn what_was_admitted_while_the_store_was_away_is_told_to_the_others_when_it_is_back() {
    let lab = Lab::start(Options::default()).await;
    let [(cut, first), (_, second)] = Fickle::ways();
    let [a, b] = [lab.replica(&first).await, lab.replica(&second).await];
    let (image, (index, images)) = (lab.signed(APP), lab.signed_index(MULTI));
    lab.registry().untag(MULTI, "1");
    cut.cut();
    served(&a.get(&manifest(APP, "1")).await, image.manifest.digest, "signed");
    served(&a.get(&manifest(MULTI, index.digest)).await, index.digest, "signed");
    let layers = [(blob(APP, image.layer), image.layer), (blob(MULTI, images[1].layer), images[1].layer)];
    for (path, layer) in &layers {
        served(&a.get(path).await, *layer, "member");
        // It began a moment ago, and cannot know what was admitted before.
        unsure(&b.get(path).await, "membership_incomplete");
    }
    cut.mend();
    for (path, layer) in &layers {
        let told = async { while b.head(path).await.status != 200 {} };
        tokio::time::timeout(Duration::from_secs(30), told).await.expect("nobody asks the first replica again");
        served(&b.get(path).await, *layer, "member");
    }
    for replica in [a, b] {
        replica.stop().await;
    }
}

#[tokio::test]
async fn a_store_that_is_away_keeps_nothing_back_that_can_be_found_without_it() {
    let lab = Lab::start(Options::default()).await;
    let [(cut, memory)] = Fickle::ways();
    let (index, images) = lab.signed_index(MULTI);
    let replica = lab.replica(&memory).await;
    cut.cut();
    // A tag leads to the index; and who knows the index knows what its images list.
    served(&replica.get(&manifest(MULTI, images[0].manifest.digest)).await, images[0].manifest.digest, "member");
    served(&replica.get(&blob(MULTI, images[1].layer)).await, images[1].layer, "member");
    // What cannot be found may be known to others.
    lab.registry().untag(MULTI, "1");
    unsure(&replica.get(&blob(MULTI, Digest::of(b"stray"))).await, "store_unavailable");
    let stranger = lab.unsigned(APP).manifest.digest;
    unsure(&replica.get(&manifest(APP, stranger)).await, "store_unavailable");
    cut.mend();
    denied(&replica.get(&manifest(APP, stranger)).await, "unsigned");
    served(&replica.get(&manifest(MULTI, index.digest)).await, index.digest, "signed");
    replica.stop().await;
}

#[tokio::test]
async fn what_a_revoked_index_lists_stays_refused_in_audit_while_the_store_is_away() {
    let lab = Lab::edited(Options::default(), |config| config.replace("policy: {", "policy: { audit: true,")).await;
    let [(cut, memory)] = Fickle::ways();
    let (index, images) = lab.signed_index(MULTI);
    lab.registry().untag(MULTI, "1");
    let replica = lab.replica(&memory).await;
    served(&replica.get(&manifest(MULTI, index.digest)).await, index.digest, "signed");
    let child = manifest(MULTI, images[0].manifest.digest);
    assert_eq!(replica.get(&child).await.status, 200);
    let revoked = format!("revoked: {{ digests: [ \"{}\" ] }}\n", index.digest);
    lab.set_policy(&(lab.policy() + &revoked)).expect("a policy");
    replica.reload().await;
    for is_cut in [false, true] {
        if is_cut {
            cut.cut();
        }
        for path in [&child, &blob(MULTI, images[0].layer)] {
            denied(&replica.get(path).await, "revoked");
        }
    }
    replica.stop().await;
}
