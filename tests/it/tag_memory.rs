//! `cache.tagTtl`: for as long as it says, a tag names what it named when the registry was asked; that is verified all the
//! same, and nothing but an answer is remembered.

use std::time::{Duration, Instant};

use countersign::demo::images::{self, Image};
use countersign::demo::registry::Options;
use http::Method;

use crate::support::expect::{denied, header, served};
use crate::support::lab::Lab;
use crate::support::registry_double::{Fault, Kind};
use crate::support::scene::manifest;

async fn remembering(ttl: &str) -> Lab {
    let cache = format!("cache: {{ tagTtl: {ttl} }}\n");
    Lab::edited(Options::default(), |config| config + &cache).await
}

/// Moves the tag `1` to another image, signed too.
fn moved(lab: &Lab, repository: &str) -> Image {
    let image = images::image(lab.registry(), repository, Some("1"), "another hello\n");
    lab.signer.sign_bundle(lab.registry(), &image.manifest).expect("signs");
    image
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_moved_tag_names_the_old_image_while_it_is_remembered() {
    let lab = remembering("5m").await;
    let (old, tag) = (lab.signed("team/app"), manifest("team/app", "1"));
    served(&lab.get(&tag).await, old.manifest.digest, "signed");
    let new = moved(&lab, "team/app");
    served(&lab.get(&tag).await, old.manifest.digest, "signed");
    assert_eq!(header(&lab.head(&tag).await, "docker-content-digest"), old.manifest.digest.to_string());
    assert_eq!(lab.double.count(Kind::Resolve), 1, "the registry is asked once");
    served(&lab.get(&manifest("team/app", new.manifest.digest)).await, new.manifest.digest, "signed");
    lab.distrust_signer();
    denied(&lab.get(&tag).await, "signature_missing");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_moved_tag_names_the_new_image_when_its_time_has_come_and_at_once_by_default() {
    for (ttl, tries) in [("0s", 1), ("1s", usize::MAX)] {
        let lab = remembering(ttl).await;
        let (old, tag) = (lab.signed("team/app"), manifest("team/app", "1"));
        served(&lab.get(&tag).await, old.manifest.digest, "signed");
        let (new, began) = (moved(&lab, "team/app").manifest.digest, Instant::now());
        let mut answer = lab.get(&tag).await;
        let mut asked = 1;
        while header(&answer, "docker-content-digest") != new.to_string() && asked < tries {
            assert!(began.elapsed() < Duration::from_mins(1), "{ttl}: the old image is served for ever");
            answer = lab.get(&tag).await;
            asked += 1;
        }
        served(&answer, new, "signed");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_registry_could_not_say_is_not_remembered() {
    let lab = remembering("5m").await;
    let tag = manifest("team/app", "1");
    assert_eq!(lab.get(&tag).await.status, 404);
    let image = lab.signed("team/app");
    lab.double.fault(Method::HEAD, &tag, Fault::Status(500));
    assert_eq!(lab.get(&tag).await.status, 503);
    lab.double.heal();
    served(&lab.get(&tag).await, image.manifest.digest, "signed");
}
