//! A child that is asked for before its index: its own evidence decides, else that of an index that a tag names.

use countersign::demo::images::{self, Image};
use countersign::demo::proxy;
use countersign::demo::registry::Options;
use countersign::oci::Digest;
use http::Method;
use serde_json::json;
use tokio::task::JoinSet;

use crate::support::expect::{denied, header, served, unsure};
use crate::support::lab::Lab;
use crate::support::registry_double::{Fault, Kind};
use crate::support::scene::{INDEX, blob, manifest};

const APP: &str = "team/multi";
const TAGS: &str = "/v2/team/multi/tags/list";

impl Lab {
    /// An image that nobody signed and no tag names.
    fn child(&self) -> Image {
        let image = self.unsigned(APP);
        self.registry().untag(APP, "1");
        image
    }

    /// Tags indexes that list nothing, each with an annotation of so many bytes.
    fn padded(&self, count: usize, bytes: usize) -> Vec<Digest> {
        let pad = "x".repeat(bytes);
        let put = |n: usize| {
            let annotations = json!({ "n": n.to_string(), "pad": pad });
            let index = json!({ "schemaVersion": 2, "mediaType": INDEX, "manifests": [], "annotations": annotations });
            self.registry().put_manifest(APP, INDEX, index.to_string(), Some(&format!("padded-{n}")))
        };
        (0..count).map(put).collect()
    }
}

#[tokio::test]
async fn o78_a_child_is_served_before_its_index_was_asked_for() {
    let lab = Lab::start(Options::default()).await;
    let (_, images) = lab.signed_index(APP);
    let child = &images[0];
    let path = manifest(APP, child.manifest.digest);
    assert_eq!(lab.head(&path).await.status, 200);
    served(&lab.get(&path).await, child.manifest.digest, "member");
    served(&lab.get(&blob(APP, child.layer)).await, child.layer, "member");
    assert_eq!(lab.double.count(Kind::Tags), 1, "from then on its index is known");
    served(&lab.get(&manifest(APP, images[1].manifest.digest)).await, images[1].manifest.digest, "member");
}

#[tokio::test]
async fn a_child_of_an_index_within_a_tagged_index_is_found_too() {
    let lab = Lab::start(Options::default()).await;
    let child = lab.child();
    let inner = lab.index_over(APP, None, &[&child.manifest]);
    let outer = lab.index_over(APP, Some("1"), &[&inner]);
    lab.signer.sign_bundle(lab.registry(), &outer).expect("signs");
    served(&lab.get(&manifest(APP, child.manifest.digest)).await, child.manifest.digest, "member");
}

#[tokio::test]
async fn c30_a_proxy_that_forgot_everything_serves_a_child_whose_index_is_on_the_node() {
    let lab = Lab::start(Options::default()).await;
    let (index, images) = lab.signed_index(APP);
    assert_eq!(lab.get(&manifest(APP, index.digest)).await.status, 200);
    let other = proxy::start_proxy(&lab.config).await.expect("another one, as after a restart");
    let url = format!("http://{}{}", other.address, manifest(APP, images[0].manifest.digest));
    served(&lab.client.get(&url).await.expect("an answer"), images[0].manifest.digest, "member");
    other.shutdown().await;
}

#[tokio::test]
async fn the_reason_of_an_index_that_is_not_admitted_is_the_childs() {
    let lab = Lab::start(Options::default()).await;
    let child = lab.child();
    let index = lab.index_over(APP, Some("1"), &[&child.manifest]);
    lab.foreign.sign_bundle(lab.registry(), &index).expect("signs");
    let answer = lab.get(&manifest(APP, child.manifest.digest)).await;
    denied(&answer, "signature_missing");
    assert_eq!(answer.given().cause.as_deref(), Some("key_mismatch"));
}

#[tokio::test]
async fn a_search_that_finds_nothing_leaves_the_childs_own_reason_and_is_remembered() {
    let lab = Lab::start(Options::default()).await;
    lab.signed_index(APP);
    let (one, other) = (lab.child().manifest.digest, lab.signed_bytes(APP, crate::support::scene::IMAGE, "{}").digest);
    for _ in 0..3 {
        denied(&lab.get(&manifest(APP, one)).await, "unsigned");
        assert_eq!(lab.get(&manifest(APP, other)).await.status, 403);
    }
    assert_eq!(lab.double.count(Kind::Tags), 1, "a loop of pulls is one search");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_who_ask_at_once_are_one_search() {
    let lab = std::sync::Arc::new(Lab::start(Options::default()).await);
    let digest = lab.child().manifest.digest;
    let mut pulls = JoinSet::new();
    for _ in 0..32 {
        let lab = lab.clone();
        pulls.spawn(async move { lab.get(&manifest(APP, digest)).await });
    }
    for answer in pulls.join_all().await {
        denied(&answer, "unsigned");
    }
    assert_eq!(lab.double.count(Kind::Tags), 1);
}

#[tokio::test]
async fn more_tags_than_are_searched_leave_a_digest_open_and_a_tag_denied() {
    let lab = Lab::start(Options::default()).await;
    let image = lab.unsigned(APP).manifest;
    for n in 0..64 {
        lab.registry().tag(APP, &format!("v{n:03}"), image.digest);
    }
    lab.registry().untag(APP, "1");
    denied(&lab.get(&manifest(APP, image.digest)).await, "unsigned");
    let other = Lab::start(Options::default()).await;
    let image = other.unsigned(APP).manifest;
    for n in 0..64 {
        other.registry().tag(APP, &format!("v{n:03}"), image.digest);
    }
    let answer = other.get(&manifest(APP, image.digest)).await;
    unsure(&answer, "membership_incomplete");
    assert!(
        answer.message().contains("unsigned") && answer.message().contains("ask for the index"),
        "{}",
        answer.message()
    );
    denied(&other.get(&manifest(APP, "1")).await, "unsigned");
    let index = other.index_over(APP, None, &[&image]);
    other.signer.sign_bundle(other.registry(), &index).expect("signs");
    assert_eq!(other.head(&manifest(APP, index.digest)).await.status, 200);
    served(&other.get(&manifest(APP, image.digest)).await, image.digest, "member");
}

#[tokio::test]
async fn tags_of_evidence_are_passed_over() {
    let lab = Lab::start(Options::default()).await;
    let (_, images) = lab.signed_index(APP);
    let digest = images[0].manifest.digest;
    for n in 0..100 {
        lab.registry().tag(APP, &format!("sha256-{n:064x}.sig"), digest);
    }
    served(&lab.get(&manifest(APP, digest)).await, digest, "member");
    assert_eq!(lab.double.count(Kind::Resolve), 1, "only the index's tag is asked for");
}

#[tokio::test]
async fn a_list_of_tags_that_cannot_be_read_leaves_it_open_and_one_that_is_not_there_does_not() {
    for (status, reason) in [(500, None), (401, None), (404, Some("unsigned")), (405, Some("unsigned"))] {
        let lab = Lab::start(Options::default()).await;
        let digest = lab.child().manifest.digest;
        lab.double.fault(Method::GET, TAGS, Fault::Status(status));
        let answer = lab.get(&manifest(APP, digest)).await;
        match reason {
            Some(reason) => denied(&answer, reason),
            None => unsure(&answer, "membership_incomplete"),
        }
    }
    for body in ["<html>", r#"{"name":"team/multi","tags":"1"}"#] {
        let lab = Lab::start(Options::default()).await;
        let digest = lab.child().manifest.digest;
        lab.double.fault(Method::GET, TAGS, Fault::Body(body.into()));
        unsure(&lab.get(&manifest(APP, digest)).await, "membership_incomplete");
    }
}

#[tokio::test]
async fn what_a_tag_names_and_cannot_be_read_leaves_it_open() {
    let lab = Lab::edited(Options::default(), |config| config + "cache: { deny: 1h }\n").await;
    let (index, images) = lab.signed_index(APP);
    lab.double.fault(Method::GET, &manifest(APP, index.digest), Fault::Status(500));
    let answer = lab.get(&manifest(APP, images[0].manifest.digest)).await;
    unsure(&answer, "membership_incomplete");
    // It rests, and is asked again long before a denial would be.
    lab.double.forget();
    unsure(&lab.get(&manifest(APP, images[0].manifest.digest)).await, "membership_incomplete");
    assert_eq!(lab.double.seen().len(), 0, "{:?}", lab.double.seen());
    lab.double.heal();
    let child = images[0].manifest.digest;
    served(&lab.get_after_rest(&manifest(APP, child), "member").await, child, "member");
    // A tag that dangles names nothing.
    let lab = Lab::start(Options::default()).await;
    let digest = lab.child().manifest.digest;
    lab.registry().tag(APP, "gone", Digest::of(b"gone"));
    denied(&lab.get(&manifest(APP, digest)).await, "unsigned");
}

#[tokio::test]
async fn nothing_is_searched_where_no_index_could_help() {
    let lab = Lab::start(Options::default()).await;
    let child = lab.child();
    let (digest, path) = (child.manifest.digest, manifest(APP, child.manifest.digest));
    denied(&lab.get(&blob(APP, child.layer)).await, "not_a_member");
    lab.set_policy(&(lab.policy() + &format!("revoked: {{ digests: [ \"{digest}\" ] }}\n"))).expect("a good policy");
    denied(&lab.get(&path).await, "revoked");
    lab.set_policy(&lab.policy().replace("by: release-key }", "by: release-key, on: platform }"))
        .expect("a good policy");
    denied(&lab.get(&path).await, "unsigned");
    lab.set_policy(proxy::EMPTY_POLICY).expect("a good policy");
    denied(&lab.get(&path).await, "no_policy");
    assert_eq!(lab.double.count(Kind::Tags), 0);
}

#[tokio::test]
async fn an_exempt_index_is_found_where_no_policy_asks_for_one() {
    let lab = Lab::start(Options::default()).await;
    let child = lab.child().manifest;
    let index = lab.index_over(APP, Some("1"), &[&child]);
    let exemption =
        format!("exemptions:\n  - match: [ \"registry.demo/{APP}@{}\" ]\n    reason: INC-1\n", index.digest);
    let platform = lab.policy().replace("by: release-key }", "by: release-key, on: platform }");
    lab.set_policy(&(platform + &exemption)).expect("a good policy");
    served(&lab.get(&manifest(APP, child.digest)).await, child.digest, "member");
}

#[tokio::test]
async fn parents_are_judged_within_a_limit_and_more_leave_it_open() {
    let lab = Lab::edited(Options::default(), |config| config + "limits: { parents: 2 }\n").await;
    let child = lab.child().manifest;
    let other = images::image(lab.registry(), APP, None, "another").manifest;
    for (tag, children) in [("1", vec![&child]), ("2", vec![&child, &other]), ("3", vec![&other, &child])] {
        lab.index_over(APP, Some(tag), &children);
    }
    let answer = lab.get(&manifest(APP, child.digest)).await;
    unsure(&answer, "membership_incomplete");
    assert_eq!(header(&answer, "retry-after"), "5");
    // The two are known by now, and do not count.
    denied(&lab.get(&manifest(APP, child.digest)).await, "unsigned");
}

#[tokio::test]
async fn a_digest_that_is_denied_again_costs_the_registry_nothing_however_large_its_indexes() {
    let edit = |config| config + "cache: { deny: 1h, manifests: 1MiB }\n";
    let lab = Lab::edited(Options::default(), edit).await;
    let path = manifest(APP, lab.child().manifest.digest);
    let padded = lab.padded(4, 600 << 10);
    for n in 0..4 {
        lab.registry().tag(APP, &format!("again-{n}"), padded[0]);
    }
    denied(&lab.get(&path).await, "unsigned");
    assert_eq!(lab.read_of(&padded), 4);
    lab.double.forget();
    for _ in 0..3 {
        denied(&lab.get(&path).await, "unsigned");
    }
    assert_eq!(lab.double.seen().len(), 0, "{:?}", lab.double.seen());
    let other = images::image(lab.registry(), APP, None, "another").manifest.digest;
    denied(&lab.get(&manifest(APP, other)).await, "unsigned");
    assert_eq!(lab.read_of(&padded), 0, "what they list is known");
}

#[tokio::test]
async fn a_search_reads_so_many_bytes_and_more_leave_it_open() {
    let lab = Lab::start(Options::default()).await;
    let path = manifest(APP, lab.child().manifest.digest);
    let bytes = (4 << 20) - 512;
    let padded = lab.padded(10, bytes);
    let answer = lab.get(&path).await;
    unsure(&answer, "membership_incomplete");
    assert!(answer.message().contains("longer than"), "{}", answer.message());
    let read = lab.read_of(&padded);
    assert!(read > 0 && read * bytes <= 32 << 20, "{read} of {} were read", padded.len());
}

#[tokio::test]
async fn what_was_found_is_remembered_a_while_even_if_no_denial_is() {
    let lab = Lab::edited(Options::default(), |config| config + "cache: { deny: 0s }\n").await;
    let path = manifest(APP, lab.child().manifest.digest);
    for _ in 0..3 {
        denied(&lab.get(&path).await, "unsigned");
    }
    assert_eq!(lab.double.count(Kind::Tags), 1);
}
