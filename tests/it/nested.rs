//! Indexes within indexes: what a node may hold already decides whether the outermost is served.

use std::collections::BTreeSet;

use countersign::demo::images::{self, Image, Stored};
use countersign::demo::registry::Options;
use countersign::oci::Digest;
use http::Method;
use serde_json::json;

use crate::support::expect::{denied, served, unsure};
use crate::support::lab::Lab;
use crate::support::registry_double::{Fault, Kind};
use crate::support::scene::{IMAGE, INDEX, blob, descriptor, manifest};

const APP: &str = "team/nested";

impl Lab {
    /// Stores `depth` indexes within each other, around one image; the outermost comes last, signed.
    fn nested(&self, depth: usize) -> (Image, Vec<Stored>) {
        let image = self.unsigned(APP);
        self.registry().untag(APP, "1");
        let mut chain = vec![image.manifest.clone()];
        for _ in 0..depth {
            chain.push(self.index_over(APP, None, &[&chain[chain.len() - 1]]));
        }
        chain.remove(0);
        self.signer.sign_bundle(self.registry(), &chain[depth - 1]).expect("signs");
        (image, chain)
    }

    /// Asks with HEAD alone, as a node does for what it holds, and with GET: they must say the same.
    async fn both(&self, digest: Digest) -> countersign::demo::client::Answer {
        let path = manifest(APP, digest);
        let (head, get) = (self.head(&path).await, self.get(&path).await);
        assert_eq!(
            (head.status, head.headers.get("countersign-reason")),
            (get.status, get.headers.get("countersign-reason"))
        );
        get
    }

    /// How many times one of these manifests was read.
    pub(crate) fn read_of(&self, digests: &[Digest]) -> usize {
        let seen = self.double.seen().into_iter().filter(|seen| seen.kind() == Kind::Manifest);
        let digests: BTreeSet<String> = digests.iter().map(ToString::to_string).collect();
        seen.filter(|seen| seen.path.rsplit('/').next().is_some_and(|last| digests.contains(last))).count()
    }

    fn revoke(&self, digest: Digest) {
        self.set_policy(&(self.policy() + &format!("revoked: {{ digests: [ \"{digest}\" ] }}\n")))
            .expect("a good policy");
    }
}

#[tokio::test]
async fn o43_indexes_within_indexes_are_served_within_the_limit_and_refused_beyond() {
    for (depth, serves) in [(4, true), (5, false), (50, false)] {
        let lab = Lab::start(Options::default()).await;
        let (image, chain) = lab.nested(depth);
        let outermost = chain[depth - 1].digest;
        if serves {
            served(&lab.both(outermost).await, outermost, "signed");
            served(&lab.both(image.manifest.digest).await, image.manifest.digest, "member");
            served(&lab.get(&blob(APP, image.layer)).await, image.layer, "member");
            continue;
        }
        denied(&lab.both(outermost).await, "index_too_deep");
        let chain: Vec<_> = chain.iter().map(|stored| stored.digest).collect();
        assert_eq!(lab.read_of(&chain), 4, "nothing is read beyond the limit");
        assert_eq!(lab.get(&manifest(APP, image.manifest.digest)).await.status, 403);
    }
}

#[tokio::test]
async fn a_digest_that_is_revoked_refuses_every_index_above_it_old_and_new_on_head_too() {
    let lab = Lab::start(Options::default()).await;
    let (image, chain) = lab.nested(3);
    for stored in chain.iter().rev() {
        assert_eq!(lab.both(stored.digest).await.status, 200);
    }
    served(&lab.get(&blob(APP, image.layer)).await, image.layer, "member");
    lab.revoke(image.manifest.digest);
    let pushed = lab.index_over(APP, None, &[&chain[1]]);
    lab.signer.sign_bundle(lab.registry(), &pushed).expect("signs");
    for stored in chain.iter().chain([&pushed]) {
        let answer = lab.both(stored.digest).await;
        assert_eq!(answer.status, 403);
        assert!(answer.message().contains(&image.manifest.digest.to_string()), "{}", answer.message());
    }
    denied(&lab.both(chain[2].digest).await, "child_denied");
    denied(&lab.both(pushed.digest).await, "child_denied");
    denied(&lab.both(image.manifest.digest).await, "revoked");
    assert_eq!(lab.get(&blob(APP, image.layer)).await.status, 403);
    lab.set_policy(&lab.policy()).expect("a good policy");
    served(&lab.both(pushed.digest).await, pushed.digest, "signed");
}

#[tokio::test]
async fn audit_serves_no_index_above_what_is_revoked_but_its_other_children() {
    let lab = Lab::start(Options::default()).await;
    let (image, chain) = lab.nested(2);
    let other = images::image(lab.registry(), APP, None, "another").manifest;
    let above = lab.index_over(APP, Some("above"), &[&chain[1], &other]);
    lab.signer.sign_bundle(lab.registry(), &above).expect("signs");
    served(&lab.both(above.digest).await, above.digest, "signed");
    let audit = lab.policy().replace("mode: enforce", "mode: audit").replace("default: deny", "default: audit");
    let revoked = format!("revoked: {{ digests: [ \"{}\" ] }}\n", image.manifest.digest);
    lab.set_policy(&(audit + &revoked)).expect("a good policy");
    denied(&lab.both(above.digest).await, "child_denied");
    denied(&lab.both(image.manifest.digest).await, "revoked");
    served(&lab.both(other.digest).await, other.digest, "audited");
}

#[tokio::test]
async fn an_index_that_cannot_be_read_leaves_open_what_it_lists() {
    let lab = Lab::start(Options::default()).await;
    let (image, chain) = lab.nested(2);
    lab.double.fault(Method::GET, &manifest(APP, chain[0].digest), Fault::Status(500));
    let answer = lab.both(chain[1].digest).await;
    unsure(&answer, "upstream_unavailable");
    assert!(answer.message().contains(&chain[0].digest.to_string()), "{}", answer.message());
    lab.double.heal();
    served(&lab.both(chain[1].digest).await, chain[1].digest, "signed");
    served(&lab.both(image.manifest.digest).await, image.manifest.digest, "member");
}

#[tokio::test]
async fn an_index_that_the_registry_lacks_is_no_matter_until_something_is_revoked() {
    let lab = Lab::start(Options::default()).await;
    let (_, chain) = lab.nested(2);
    lab.registry().delete(APP, &chain[0].digest);
    served(&lab.both(chain[1].digest).await, chain[1].digest, "signed");
    lab.double.forget();
    served(&lab.both(chain[1].digest).await, chain[1].digest, "signed");
    assert_eq!(lab.double.count(Kind::Manifest), 0, "what is missing is not asked for at every pull");
    lab.revoke(Digest::of(b"something else"));
    // A node that holds the index would run what it lists.
    unsure(&lab.both(chain[1].digest).await, "membership_incomplete");
}

#[tokio::test]
async fn an_index_that_cannot_be_served_refuses_the_index_above_it() {
    let lab = Lab::start(Options::default()).await;
    let image = lab.unsigned(APP).manifest;
    let children = format!("[{}]", descriptor(&image));
    let twice = format!(r#"{{"schemaVersion":2,"mediaType":"{INDEX}","manifests":{children},"manifests":[]}}"#);
    let digest = lab.registry().put_manifest(APP, INDEX, twice.clone(), None);
    let inner = Stored { repository: APP.into(), media_type: INDEX, size: twice.len(), digest };
    let outer = lab.index_over(APP, None, &[&inner]);
    lab.signer.sign_bundle(lab.registry(), &outer).expect("signs");
    let answer = lab.both(outer.digest).await;
    denied(&answer, "child_denied");
    assert_eq!(answer.given().cause.as_deref(), Some("manifest_ambiguous"));
}

#[tokio::test]
async fn head_of_the_outermost_index_is_enough_for_what_is_within() {
    let lab = Lab::start(Options::default()).await;
    let (image, chain) = lab.nested(3);
    // A node that holds all three indexes asks no more than this before it asks for the image.
    assert_eq!(lab.head(&manifest(APP, chain[2].digest)).await.status, 200);
    served(&lab.get(&manifest(APP, image.manifest.digest)).await, image.manifest.digest, "member");
    served(&lab.get(&blob(APP, image.layer)).await, image.layer, "member");
}

#[tokio::test]
async fn a_second_pull_of_an_index_of_indexes_asks_the_registry_for_nothing() {
    let lab = Lab::start(Options::default()).await;
    let (_, chain) = lab.nested(3);
    served(&lab.both(chain[2].digest).await, chain[2].digest, "signed");
    lab.double.forget();
    served(&lab.both(chain[2].digest).await, chain[2].digest, "signed");
    assert_eq!(lab.double.seen().len(), 0, "{:?}", lab.double.seen());
}

#[tokio::test]
async fn too_many_manifests_within_an_index_are_refused_at_any_depth() {
    let lab = Lab::edited(Options::default(), |config| config + "limits: { indexChildren: 3 }\n").await;
    let image = lab.unsigned(APP).manifest;
    let entry = |text: &str| json!({ "mediaType": IMAGE, "size": 2, "digest": Digest::of(text.as_bytes()) });
    let inner: Vec<_> = ["a", "d"]
        .map(|first| {
            let entries = [entry(first), entry("b"), json!(descriptor(&image))];
            let index = json!({ "schemaVersion": 2, "mediaType": INDEX, "manifests": entries }).to_string();
            let size = index.len();
            let digest = lab.registry().put_manifest(APP, INDEX, index, None);
            Stored { repository: APP.into(), media_type: INDEX, size, digest }
        })
        .into();
    let (one, both) = (lab.index_over(APP, None, &[&inner[0]]), lab.index_over(APP, None, &[&inner[0], &inner[1]]));
    for outer in [&one, &both] {
        lab.signer.sign_bundle(lab.registry(), outer).expect("signs");
    }
    served(&lab.both(one.digest).await, one.digest, "signed");
    denied(&lab.both(both.digest).await, "manifest_limits");
}

#[tokio::test]
async fn o42_an_index_of_ten_thousand_manifests_is_served_and_none_of_them_read() {
    let lab = Lab::start(Options::default()).await;
    let image = lab.unsigned(APP);
    let mut listed = vec![image.manifest.digest];
    listed.extend((1..10_000_u32).map(|n| Digest::of(&n.to_be_bytes())));
    let entry = |digest| json!({ "mediaType": IMAGE, "size": image.manifest.size, "digest": digest });
    let entries: Vec<_> = listed.iter().map(entry).collect();
    let index = json!({ "schemaVersion": 2, "mediaType": INDEX, "manifests": entries }).to_string();
    assert!(index.len() < 4 << 20);
    let index = lab.signed_bytes(APP, INDEX, index);
    served(&lab.both(index.digest).await, index.digest, "signed");
    assert_eq!(lab.read_of(&listed), 0, "no child is read before it is asked for");
    served(&lab.both(image.manifest.digest).await, image.manifest.digest, "member");
    let last = Digest::of(&9_999_u32.to_be_bytes());
    assert_eq!(lab.get(&manifest(APP, last)).await.status, 404, "it is a member; the registry does not have it");
}
