//! Parents are judged anew at each use: which of several, how many, and under which policy.

use countersign::demo::images::{Image, Stored};
use countersign::demo::registry::Options;
use countersign::oci::Digest;
use http::Method;
use serde_json::{Value, json};

use crate::support::expect::{denied, served, unsure};
use crate::support::lab::Lab;
use crate::support::registry_double::Fault;
use crate::support::scene::{IMAGE, INDEX, authority, blob, manifest, rule};

const APP: &str = "team/app";

impl Lab {
    /// Signs `count` images that list the config and the layer of one, and pulls each.
    async fn alike(&self, count: usize) -> Image {
        let image = self.unsigned(APP);
        let (_, bytes) = self.registry().manifest(APP, "1").expect("pushed");
        let mut document: Value = serde_json::from_slice(&bytes).expect("a manifest");
        for n in 0..count {
            document["annotations"] = json!({ "n": n.to_string() });
            let stored: Stored = self.signed_bytes(APP, IMAGE, document.to_string());
            served(&self.get(&manifest(APP, stored.digest)).await, stored.digest, "signed");
        }
        image
    }
}

#[tokio::test]
async fn images_that_list_a_blob_are_judged_within_a_limit_for_each_request() {
    let edit = |config| config + "limits: { parents: 2 }\ncache: { deny: 1h }\n";
    let lab = Lab::edited(Options::default(), edit).await;
    let image = lab.alike(5).await;
    let layer = blob(APP, image.layer);
    served(&lab.get(&layer).await, image.layer, "member");
    lab.distrust_signer();
    for _ in 0..2 {
        let answer = lab.get(&layer).await;
        unsure(&answer, "membership_incomplete");
        assert!(answer.message().contains("ask for its image or index first"), "{}", answer.message());
    }
    // Four are known to be refused by now, and the last is judged.
    denied(&lab.get(&layer).await, "signature_missing");
    lab.set_policy(&lab.policy()).expect("a good policy");
    served(&lab.get(&layer).await, image.layer, "member");
}

#[tokio::test]
async fn more_images_than_are_remembered_leave_it_open_whether_an_older_one_lists_a_blob() {
    let lab = Lab::edited(Options::default(), |config| config + "limits: { parents: 100 }\n").await;
    let image = lab.alike(64).await;
    let layer = blob(APP, image.layer);
    served(&lab.get(&layer).await, image.layer, "member");
    lab.distrust_signer();
    unsure(&lab.get(&layer).await, "membership_incomplete");
}

#[tokio::test]
async fn an_index_with_more_images_than_are_read_for_a_blob_hides_no_other() {
    let lab = Lab::start(Options::default()).await;
    let (_, images) = lab.signed_index(APP);
    let entry = |n: u8| json!({ "mediaType": IMAGE, "size": 2, "digest": Digest::of(&[n]) });
    let entries: Vec<_> = (0..65).map(entry).collect();
    let large = json!({ "schemaVersion": 2, "mediaType": INDEX, "manifests": entries }).to_string();
    let small = lab.head(&manifest(APP, "1")).await;
    let large = lab.signed_bytes(APP, INDEX, large);
    assert_eq!((small.status, lab.head(&manifest(APP, large.digest)).await.status), (200, 200));
    served(&lab.get(&blob(APP, images[0].layer)).await, images[0].layer, "member");
    unsure(&lab.get(&blob(APP, Digest::of(b"stray"))).await, "membership_incomplete");
}

#[tokio::test]
async fn a_child_goes_on_by_another_index_when_the_known_one_is_denied() {
    let lab = Lab::edited(Options::default(), |config| config + "cache: { deny: 0s }\n").await;
    let child = lab.unsigned(APP).manifest;
    lab.registry().untag(APP, "1");
    let (one, other) = (lab.index_over(APP, None, &[&child]), lab.index_over(APP, Some("2"), &[&child, &child]));
    lab.signer.sign_bundle(lab.registry(), &one).expect("signs");
    assert_eq!(lab.head(&manifest(APP, one.digest)).await.status, 200);
    lab.distrust_signer();
    let path = manifest(APP, child.digest);
    denied(&lab.get(&path).await, "signature_missing");
    lab.foreign.sign_bundle(lab.registry(), &other).expect("signs");
    served(&lab.get(&path).await, child.digest, "member");
}

#[tokio::test]
async fn c13_an_index_confers_what_it_lists_and_its_children_confer_nothing_on_it() {
    let lab = Lab::start(Options::default()).await;
    let (signed, unsigned) = (lab.signed(APP).manifest, lab.unsigned("team/other"));
    let index = lab.index_over(APP, Some("index"), &[&signed]);
    denied(&lab.get(&manifest(APP, "index")).await, "unsigned");
    served(&lab.get(&manifest(APP, signed.digest)).await, signed.digest, "signed");
    denied(&lab.get(&manifest(APP, index.digest)).await, "unsigned");
    // A signed index that lists it confers nothing in another repository.
    let listed = lab.index_over(APP, Some("listed"), &[&unsigned.manifest]);
    lab.signer.sign_bundle(lab.registry(), &listed).expect("signs");
    assert_eq!(lab.get(&manifest(APP, "listed")).await.status, 200);
    denied(&lab.get(&manifest("team/other", unsigned.manifest.digest)).await, "unsigned");
    denied(&lab.get(&blob("team/other", unsigned.layer)).await, "not_a_member");
}

#[tokio::test]
async fn c16_a_verdict_is_that_of_one_repository_one_policy_and_one_moment() {
    let lab = Lab::start(Options::default()).await;
    let keys = authority("ours", &lab.signer.public_key_pem()) + &authority("theirs", &lab.foreign.public_key_pem());
    let under = |strict: &str| {
        let rules = rule("lax", "registry.demo/lax/**", "enforce", "ours", "")
            + &rule("strict", "registry.demo/strict/**", "enforce", strict, "");
        format!("authorities:\n{keys}policies:\n{rules}default: deny\n")
    };
    lab.set_policy(&under("theirs")).expect("a good policy");
    let lax = lab.signed("lax/app").manifest;
    let (media_type, bytes) = lab.registry().manifest("lax/app", "1").expect("pushed");
    lab.registry().put_manifest("strict/app", &media_type, bytes, Some("1"));
    let strict = Stored { repository: "strict/app".into(), ..lax.clone() };
    lab.signer.sign_bundle(lab.registry(), &strict).expect("signs");
    for _ in 0..2 {
        served(&lab.get(&manifest("lax/app", lax.digest)).await, lax.digest, "signed");
        denied(&lab.get(&manifest("strict/app", lax.digest)).await, "signature_missing");
    }
    // Each policy is its own: what one says is judged anew when it is edited.
    lab.set_policy(&under("ours")).expect("a good policy");
    served(&lab.get(&manifest("strict/app", lax.digest)).await, lax.digest, "signed");
    // What could not be told is no verdict.
    let unread = lab.signed("lax/unread").manifest;
    lab.double.fault(Method::GET, "/v2/lax/unread/referrers/", Fault::Status(500));
    unsure(&lab.get(&manifest("lax/unread", "1")).await, "evidence_unreadable");
    lab.double.heal();
    served(&lab.get_after_rest(&manifest("lax/unread", "1"), "signed").await, unread.digest, "signed");
}
