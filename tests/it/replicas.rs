//! Several proxies on one store, and one that starts again on it: what one of them learned, all know; and nothing more.

use std::time::Duration;

use countersign::app::Memory;
use countersign::demo::registry::Options;
use countersign::oci::Digest;
use countersign::record::Seal;
use countersign::store::{Item, Listing, Place, Shelf};

use crate::support::expect::{denied, served, unsure};
use crate::support::lab::Lab;
use crate::support::registry_double::Kind;
use crate::support::replica::memory;
use crate::support::scene::{authority, blob, manifest, rule};

const APP: &str = "team/multi";
const DAY: Duration = Duration::from_hours(24);

/// A policy called `name` that demands the lab's signature, and a foreign one too if it is `strict`.
fn policy(lab: &Lab, name: &str, strict: bool) -> String {
    let authorities =
        [authority("first", &lab.signer.public_key_pem()), authority("second", &lab.foreign.public_key_pem())];
    let policy = rule(name, "registry.demo/**", "enforce", "first", "");
    let also = if strict { rule("also", "registry.demo/**", "enforce", "second", "") } else { String::new() };
    format!("authorities:\n{}policies:\n{policy}{also}default: deny\n", authorities.concat())
}

impl Lab {
    fn write_policy(&self, name: &str, strict: bool) {
        std::fs::write(self.config.with_file_name("policy.yaml"), policy(self, name, strict)).expect("a file");
    }
}

/// C30.
#[tokio::test]
async fn an_index_that_one_replica_was_asked_for_lets_another_serve_its_children_and_their_blobs() {
    let (lab, memory) = (Lab::start(Options::default()).await, memory());
    let (index, images) = lab.signed_index(APP);
    // No tag helps to find it.
    lab.registry().untag(APP, "1");
    let [a, b, c] = [lab.replica(&memory).await, lab.replica(&memory).await, lab.replica(&memory).await];
    let [child, other] = images.each_ref().map(|image| image.manifest.digest);
    denied(&b.get(&blob(APP, images[0].layer)).await, "not_a_member");
    assert_eq!(a.head(&manifest(APP, index.digest)).await.status, 200);
    served(&b.get(&manifest(APP, child)).await, child, "member");
    served(&c.get(&blob(APP, images[0].layer)).await, images[0].layer, "member");
    // A node may have the manifests already and ask for layers only: the index says which images there are.
    served(&c.get(&blob(APP, images[1].layer)).await, images[1].layer, "member");
    for replica in [a, b, c] {
        replica.stop().await;
    }
    let again = lab.replica(&memory).await;
    served(&again.get(&blob(APP, images[0].config)).await, images[0].config, "member");
    served(&again.get(&manifest(APP, other)).await, other, "member");
    denied(&again.get(&blob(APP, Digest::of(b"stray"))).await, "not_a_member");
    again.stop().await;
}

/// C30.
#[tokio::test]
async fn after_a_restart_a_repository_of_more_tags_than_are_searched_is_answered_from_the_record() {
    let (lab, memory) = (Lab::start(Options::default()).await, memory());
    let (index, images) = lab.signed_index(APP);
    lab.registry().untag(APP, "1");
    let many = lab.unsigned(APP).manifest;
    for number in 0..100 {
        lab.registry().tag(APP, &format!("v{number:03}"), many.digest);
    }
    let first = lab.replica(&memory).await;
    assert_eq!(first.head(&manifest(APP, index.digest)).await.status, 200);
    first.stop().await;
    let again = lab.replica(&memory).await;
    lab.double.forget();
    for image in &images {
        served(&again.get(&manifest(APP, image.manifest.digest)).await, image.manifest.digest, "member");
        served(&again.get(&blob(APP, image.layer)).await, image.layer, "member");
    }
    assert_eq!(lab.double.count(Kind::Tags), 0, "nothing is searched");
    again.stop().await;
}

/// Puts `count` items first in the list of who lists `digest`, and in the list of indexes: made up, or sealed by `seal`.
async fn add_junk(lab: &Lab, memory: &Memory, digest: Digest, parents: &[Digest], seal: Option<&Seal>) {
    let image = format!("{}/{APP}", lab.registry().options().name);
    for name in [format!("parents/{image}@{digest}"), format!("indexes/{image}")] {
        let place = Place::new(Shelf::Members, name);
        for parent in parents {
            let mut item = [0x5a; 65];
            item[0] = b'c';
            item[1..33].copy_from_slice(parent.as_bytes());
            if let Some(seal) = seal {
                let stamp = seal.stamp(&place, &item[..33]);
                item[33..].copy_from_slice(&stamp);
            }
            let listing = Listing { place: place.clone(), item: Item(item) };
            memory.0.add(&[listing], 64, DAY).await.expect("up");
        }
    }
}

#[tokio::test]
async fn who_can_write_the_store_makes_no_member_and_takes_none_away_but_by_filling_the_list() {
    let (lab, memory) = (Lab::start(Options::default()).await, memory());
    let (index, images) = lab.signed_index(APP);
    lab.registry().untag(APP, "1");
    let stranger = lab.unsigned(APP);
    lab.registry().untag(APP, "1");
    let unsigned = lab.index_over(APP, None, &[&stranger.manifest]).digest;
    let (child, path) = (images[0].manifest.digest, manifest(APP, images[0].manifest.digest));
    let first = lab.replica(&memory).await;
    assert_eq!(first.head(&manifest(APP, index.digest)).await.status, 200);

    // A parent that is made up, of another key, or real but not admitted, makes nobody a member. Where there may have been
    // another entry before it was made up, that is no firm no.
    let other_key = Seal::random().expect("randomness");
    for (seal, status) in [(None, 503), (Some(&other_key), 503), (Some(&*memory.1), 403)] {
        add_junk(&lab, &memory, stranger.manifest.digest, &[index.digest, unsigned], seal).await;
        let replica = lab.replica(&memory).await;
        for path in [manifest(APP, stranger.manifest.digest), blob(APP, stranger.layer)] {
            assert_eq!(replica.get(&path).await.status, status, "{path}");
        }
        replica.stop().await;
    }

    // Below the bound, junk takes nothing away.
    let junk: Vec<_> = (0..64_u8).map(|number| Digest::of(&[number])).collect();
    add_junk(&lab, &memory, child, &junk[..63], None).await;
    let beside = lab.replica(&memory).await;
    served(&beside.get(&path).await, child, "member");
    let line = r#"countersign_store_records_rejected_total{cause="seal",shelf="members"} 63"#;
    assert!(beside.shows(line).await, "{line}");
    beside.stop().await;

    // A list of nothing but junk: who recorded the index itself goes on; others know no index, and cannot tell until the
    // index is asked for once more.
    let layer = blob(APP, images[0].layer);
    served(&first.get(&layer).await, images[0].layer, "member");
    for digest in [child, images[0].layer] {
        add_junk(&lab, &memory, digest, &junk, None).await;
    }
    let filled = lab.replica(&memory).await;
    for path in [&path, &layer] {
        assert_eq!(first.get(path).await.status, 200, "{path}");
        let answer = filled.get(path).await;
        unsure(&answer, "membership_incomplete");
        assert!(answer.message().contains("written by somebody else"), "{}", answer.message());
    }
    assert_eq!(filled.head(&manifest(APP, index.digest)).await.status, 200);
    served(&filled.get(&path).await, child, "member");
    served(&filled.get(&layer).await, images[0].layer, "member");
    filled.stop().await;
    first.stop().await;
}

/// O65.
#[tokio::test]
async fn a_stricter_policy_is_judged_on_what_was_stored_and_denies_after_one_reading() {
    let lab = Lab::edited(Options::default(), |config| config + "cache: { deny: 0s }\n").await;
    let memory = memory();
    let image = lab.signed("team/app").manifest;
    let path = manifest("team/app", image.digest);
    lab.write_policy("first", false);
    let first = lab.replica(&memory).await;
    let (answer, per_pull) = first.counted(&path).await;
    served(&answer, image.digest, "signed");
    first.stop().await;

    // Another policy that asks for no more: the manifest's bytes are all that is fetched.
    lab.write_policy("as-strict", false);
    let second = lab.replica(&memory).await;
    let (answer, asked) = second.counted(&path).await;
    served(&answer, image.digest, "signed");
    assert_eq!((asked, lab.double.count(Kind::Manifest)), (1, 1), "{:?}", lab.double.seen());
    assert!(second.shows(r#"countersign_evidence_cache_requests_total{result="stored"} 1"#).await);
    second.stop().await;

    lab.write_policy("strict", true);
    let third = lab.replica(&memory).await;
    let (answer, asked) = third.counted(&path).await;
    denied(&answer, "signature_missing");
    let searched = lab.double.count(Kind::Tags) + lab.double.count(Kind::Resolve);
    assert_eq!(asked - searched, per_pull, "the manifest, and what one pull reads: {:?}", lab.double.seen());
    assert!(third.shows(r#"countersign_evidence_cache_requests_total{result="stored"} 1"#).await);
    assert!(third.shows(r#"countersign_evidence_cache_requests_total{result="miss"} 1"#).await);

    // Back, and to one that nobody has judged under yet.
    for name in ["first", "another"] {
        lab.write_policy(name, false);
        third.reload().await;
        let (answer, asked) = third.counted(&path).await;
        served(&answer, image.digest, "signed");
        assert_eq!(asked, 0, "{name}: {:?}", lab.double.seen());
    }
    third.stop().await;
}

/// C30.
#[tokio::test]
async fn a_proxy_that_starts_again_on_its_file_knows_evidence_members_and_verdicts() {
    let lab = Lab::edited(Options::default(), |config| config + "cache: { deny: 0s }\n").await;
    let (index, images) = lab.signed_index(APP);
    lab.registry().untag(APP, "1");
    let (path, child) = (manifest(APP, index.digest), images[0].manifest.digest);
    lab.write_policy("first", false);
    let first = lab.on_file().await;
    served(&first.get(&path).await, index.digest, "signed");
    first.stop().await;
    // Under the same policy, under another, and under a stricter one: the manifests alone are fetched.
    for (name, evidence) in [("first", None), ("as-strict", Some("stored"))] {
        lab.write_policy(name, false);
        let again = lab.on_file().await;
        lab.double.forget();
        served(&again.get(&manifest(APP, child)).await, child, "member");
        served(&again.get(&blob(APP, images[0].layer)).await, images[0].layer, "member");
        let manifests = lab.double.seen().iter().filter(|seen| seen.path.contains("/manifests/sha256:")).count();
        assert_eq!(manifests + lab.double.count(Kind::Blob), lab.double.seen().len(), "{:?}", lab.double.seen());
        for result in ["stored", "miss"] {
            let count = u8::from(evidence == Some(result));
            let line = format!("countersign_evidence_cache_requests_total{{result=\"{result}\"}} {count}");
            assert!(again.shows(&line).await, "{name}: {line}");
        }
        again.stop().await;
    }
    lab.write_policy("strict", true);
    let strict = lab.on_file().await;
    denied(&strict.get(&path).await, "signature_missing");
    for result in ["stored", "miss"] {
        let line = format!("countersign_evidence_cache_requests_total{{result=\"{result}\"}} 1");
        assert!(strict.shows(&line).await, "{line}");
    }
    strict.stop().await;
}

#[tokio::test]
async fn a_denial_is_confirmed_once_for_all_replicas_and_policies() {
    let lab = Lab::edited(Options::default(), |config| config + "cache: { deny: 1h }\n").await;
    let memory = memory();
    let image = lab.signed("team/app").manifest;
    let path = manifest("team/app", image.digest);
    for (number, name) in ["strict", "stricter", "strictest"].into_iter().enumerate() {
        lab.write_policy(name, true);
        let replica = lab.replica(&memory).await;
        lab.double.forget();
        denied(&replica.get(&path).await, "signature_missing");
        denied(&replica.get(&path).await, "signature_missing");
        let read = lab.double.count(Kind::Referrers);
        assert_eq!(read, usize::from(number == 0), "{name}: {:?}", lab.double.seen());
        replica.stop().await;
    }
}
