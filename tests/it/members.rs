//! Children and blobs: through a manifest that is admitted now, in the same repository, or not at all.

use countersign::demo::images::{Stored, image_for};
use countersign::demo::registry::Options;
use countersign::oci::Digest;
use http::header::RANGE;
use http::{HeaderMap, Method};

use crate::support::expect::{denied, header, served, unsure};
use crate::support::lab::Lab;
use crate::support::registry_double::{Fault, Kind};
use crate::support::scene::{INDEX, blob, manifest};

const OCTETS: &str = "application/octet-stream";

#[tokio::test]
async fn the_children_of_a_signed_index_are_served_and_what_they_list() {
    let lab = Lab::start(Options::default()).await;
    let (index, images) = lab.signed_index("team/multi");
    served(&lab.get(&manifest("team/multi", "1")).await, index.digest, "signed");
    for image in &images {
        let child = lab.get(&manifest("team/multi", image.manifest.digest)).await;
        served(&child, image.manifest.digest, "member");
        for digest in [image.config, image.layer] {
            served(&lab.get(&blob("team/multi", digest)).await, digest, "member");
        }
    }
}

#[tokio::test]
async fn a_child_that_nobody_signed_is_denied_until_its_index_was_asked_for() {
    let lab = Lab::start(Options::default()).await;
    let (index, images) = lab.signed_index("team/multi");
    // An index that no tag names is not found.
    lab.registry().untag("team/multi", "1");
    let child = manifest("team/multi", images[0].manifest.digest);
    denied(&lab.get(&child).await, "unsigned");
    denied(&lab.get(&blob("team/multi", images[0].layer)).await, "not_a_member");
    // A node that holds the index already asks no more than this.
    assert_eq!(lab.head(&manifest("team/multi", index.digest)).await.status, 200);
    served(&lab.get(&child).await, images[0].manifest.digest, "member");
    served(&lab.get(&blob("team/multi", images[0].layer)).await, images[0].layer, "member");
}

#[tokio::test]
async fn c30_layers_are_served_to_a_node_that_holds_index_and_image_already() {
    let lab = Lab::start(Options::default()).await;
    let (index, images) = lab.signed_index("team/multi");
    let layer = blob("team/multi", images[1].layer);
    denied(&lab.get(&layer).await, "not_a_member");
    assert_eq!(lab.head(&manifest("team/multi", index.digest)).await.status, 200);
    served(&lab.get(&layer).await, images[1].layer, "member");
    // What they do not list is asked for once only.
    let stray = Digest::of(b"stray");
    denied(&lab.get(&blob("team/multi", stray)).await, "not_a_member");
    lab.double.forget();
    denied(&lab.get(&blob("team/multi", stray)).await, "not_a_member");
    assert_eq!(lab.double.seen().len(), 0);
    lab.distrust_signer();
    denied(&lab.get(&layer).await, "signature_missing");
}

#[tokio::test]
async fn a_layer_that_a_refused_image_lists_too_is_looked_for_among_the_others() {
    let lab = Lab::start(Options::default()).await;
    let (index, images) = lab.signed_index("team/multi");
    let text = "hello from team/multi for arm64\n";
    let other = image_for(lab.registry(), "team/multi", None, "s390x", text);
    assert_eq!(other.layer, images[1].layer, "they share it");
    let policy = lab.policy();
    let scope = format!("registry.demo/team/multi@{}", other.manifest.digest);
    lab.set_policy(&format!("{policy}exemptions: [ {{ match: [ \"{scope}\" ], reason: INC-1 }} ]\n"))
        .expect("a policy");
    assert_eq!(lab.get(&manifest("team/multi", other.manifest.digest)).await.status, 200);
    lab.set_policy(&policy).expect("a policy");
    let layer = blob("team/multi", other.layer);
    denied(&lab.get(&layer).await, "unsigned");
    assert_eq!(lab.head(&manifest("team/multi", index.digest)).await.status, 200);
    served(&lab.get(&layer).await, other.layer, "member");
}

#[tokio::test]
async fn an_image_that_cannot_be_read_leaves_it_open_what_it_lists() {
    let lab = Lab::start(Options::default()).await;
    let (index, images) = lab.signed_index("team/multi");
    assert_eq!(lab.head(&manifest("team/multi", index.digest)).await.status, 200);
    lab.double.fault(Method::GET, &manifest("team/multi", images[0].manifest.digest), Fault::Status(500));
    unsure(&lab.get(&blob("team/multi", images[0].layer)).await, "upstream_unavailable");
    lab.double.heal();
    served(&lab.get(&blob("team/multi", images[0].layer)).await, images[0].layer, "member");
}

#[tokio::test]
async fn blobs_are_served_for_an_allowed_image_of_the_same_repository_only() {
    let lab = Lab::start(Options::default()).await;
    let (signed, unsigned) = (lab.signed("team/app"), lab.unsigned("team/unsigned"));
    denied(&lab.get(&blob("team/app", signed.layer)).await, "not_a_member");
    assert_eq!(lab.head(&manifest("team/app", "1")).await.status, 200);
    assert_eq!(lab.get(&manifest("team/unsigned", "1")).await.status, 403);
    for digest in [signed.config, signed.layer] {
        let answer = lab.get(&blob("team/app", digest)).await;
        served(&answer, digest, "member");
        assert_eq!(header(&answer, "content-type"), OCTETS);
        // The same bytes, where no admitted manifest lists them.
        lab.registry().put_blob("team/unsigned", answer.body);
    }
    lab.double.forget();
    for digest in [unsigned.config, unsigned.layer, signed.config, signed.layer] {
        denied(&lab.get(&blob("team/unsigned", digest)).await, "not_a_member");
        assert_eq!(lab.head(&blob("team/unsigned", digest)).await.status, 403);
    }
    assert_eq!(lab.double.count(Kind::Blob), 0, "what is refused is not asked for");
}

#[tokio::test]
async fn a_manifest_is_not_served_as_a_blob() {
    let lab = Lab::start(Options::default()).await;
    let (index, images) = lab.signed_index("team/multi");
    // As registries do that keep both in one place.
    for digest in [index.digest, images[0].manifest.digest] {
        let (_, bytes) = lab.registry().manifest("team/multi", &digest.to_string()).expect("it is there");
        lab.registry().put_blob("team/multi", bytes);
    }
    assert_eq!(lab.get(&manifest("team/multi", "1")).await.status, 200);
    let child = images[0].manifest.digest;
    assert_eq!(lab.get(&manifest("team/multi", child)).await.status, 200);
    lab.double.forget();
    denied(&lab.get(&blob("team/multi", child)).await, "blob_is_manifest");
    assert_eq!(lab.head(&blob("team/multi", child)).await.status, 403);
    assert_eq!(lab.get(&blob("team/multi", index.digest)).await.status, 403);
    assert_eq!(lab.double.count(Kind::Blob), 0);
}

#[tokio::test]
async fn ranges_of_a_blob_pass_and_its_type_is_never_the_registrys() {
    let lab = Lab::start(Options::default()).await;
    let image = lab.signed("team/app");
    assert_eq!(lab.get(&manifest("team/app", "1")).await.status, 200);
    let path = blob("team/app", image.layer);
    lab.double.fault(Method::GET, &path, Fault::Header("content-type", INDEX.into()));
    lab.double.fault(Method::HEAD, &path, Fault::Header("content-type", INDEX.into()));
    let whole = lab.get(&path).await;
    served(&whole, image.layer, "member");
    let head = lab.head(&path).await;
    assert_eq!((head.status, header(&head, "content-type")), (200, OCTETS));
    assert_eq!(header(&head, "content-length"), whole.body.len().to_string());
    for (range, expected) in [("bytes=0-3", 0..4), ("bytes=512-", 512..whole.body.len())] {
        let part = lab.ask(&Method::GET, &path, ranged(range)).await;
        assert_eq!((part.status, header(&part, "content-type")), (206, OCTETS), "{range}");
        assert_eq!(part.body, whole.body[expected.clone()]);
        let content_range = format!("bytes {}-{}/{}", expected.start, expected.end - 1, whole.body.len());
        assert_eq!(header(&part, "content-range"), content_range);
    }
}

#[tokio::test]
async fn a_range_that_the_blob_does_not_have_is_416_and_a_whole_answer() {
    let lab = Lab::start(Options::default()).await;
    let image = lab.signed("team/app");
    assert_eq!(lab.get(&manifest("team/app", "1")).await.status, 200);
    let path = blob("team/app", image.layer);
    let outside = lab.ask(&Method::GET, &path, ranged("bytes=99999999-")).await;
    assert_eq!(outside.status, 416);
    assert!(header(&outside, "content-range").starts_with("bytes */"));
    assert_eq!(header(&outside, "content-length"), outside.body.len().to_string());
}

#[tokio::test]
async fn an_index_within_a_signed_index_confers_what_it_lists() {
    let lab = Lab::start(Options::default()).await;
    let image = lab.unsigned("team/nested");
    let inner = lab.index_over("team/nested", None, &[&image.manifest]);
    let outer = lab.index_over("team/nested", Some("1"), &[&inner]);
    lab.signer.sign_bundle(lab.registry(), &outer).expect("signs");
    served(&lab.get(&manifest("team/nested", "1")).await, outer.digest, "signed");
    for stored in [&inner, &image.manifest] {
        served(&lab.get(&manifest("team/nested", stored.digest)).await, stored.digest, "member");
    }
    served(&lab.get(&blob("team/nested", image.layer)).await, image.layer, "member");
}

#[tokio::test]
async fn indexes_are_not_followed_for_ever() {
    let lab = Lab::start(Options::default()).await;
    let image = lab.unsigned("team/deep").manifest;
    let mut chain: Vec<Stored> = vec![image.clone()];
    for _ in 0..6 {
        let above = lab.index_over("team/deep", None, &[&chain[chain.len() - 1]]);
        chain.push(above);
    }
    let outer = chain.last().expect("the outermost");
    lab.signer.sign_bundle(lab.registry(), outer).expect("signs");
    for stored in chain.iter().rev() {
        lab.get(&manifest("team/deep", stored.digest)).await;
    }
    let answer = lab.get(&manifest("team/deep", image.digest)).await;
    assert!(matches!(answer.status, 403 | 503), "{} {}", answer.status, answer.message());
}

#[tokio::test]
async fn children_and_blobs_stop_at_the_next_request_after_the_policy_changed() {
    let lab = Lab::start(Options::default()).await;
    let (_, images) = lab.signed_index("team/multi");
    let app = lab.signed("team/app");
    let paths = [
        manifest("team/multi", images[0].manifest.digest),
        blob("team/multi", images[0].layer),
        blob("team/app", app.layer),
        manifest("team/app", app.manifest.digest),
    ];
    assert_eq!(lab.get(&manifest("team/multi", "1")).await.status, 200);
    assert_eq!(lab.get(&manifest("team/app", "1")).await.status, 200);
    for path in &paths {
        assert_eq!(lab.get(path).await.status, 200, "{path}");
    }
    lab.distrust_signer();
    for path in &paths {
        assert_eq!((lab.get(path).await.status, lab.head(path).await.status), (403, 403), "{path}");
    }
    // What is listed by one manifest only is refused for that manifest's reason.
    denied(&lab.get(&paths[0]).await, "signature_missing");
    denied(&lab.get(&blob("team/app", app.layer)).await, "signature_missing");
    lab.set_policy(&lab.policy()).expect("a good policy");
    for path in &paths {
        assert_eq!(lab.get(path).await.status, 200, "{path}");
    }
}

fn ranged(range: &str) -> HeaderMap {
    HeaderMap::from_iter([(RANGE, range.parse().expect("a value"))])
}
