use serde_json::Value;

use super::super::double::page;
use super::*;
use crate::oci::media_type::{BUNDLE_V03, DSSE};
use crate::upstream::{Page, UpstreamError as E};

fn contents(set: &EvidenceSet) -> Vec<&[u8]> {
    set.candidates
        .iter()
        .map(|candidate| match candidate.untrusted() {
            Material::Bundle(bytes) => &bytes[..],
            other => panic!("{other:?}"),
        })
        .collect()
}

#[tokio::test]
async fn bundles_come_in_the_order_of_the_list_each_once() {
    let mut registry = Registry::default();
    let stored: Vec<String> = (0..20).map(|n| format!("bundle {n}")).collect();
    let mut listed: Vec<Value> = stored.iter().map(|content| registry.bundle(&subject(), content.as_bytes())).collect();
    listed.push(listed[3].clone());
    registry.pages = vec![Ok(page(&json!(listed), None))];
    let set = found(&registry).await;
    assert_eq!(contents(&set), stored.iter().map(String::as_bytes).collect::<Vec<_>>());
    assert_eq!(set.candidates[0].location(), format!("referrer {}", listed[0]["digest"].as_str().expect("a digest")));
    assert_eq!(registry.asked("blob"), 20);
    assert_eq!(registry.asked("manifest sha256-"), 3, "the fallback tag, .sig and .att");
}

#[tokio::test]
async fn pages_are_followed_within_bounds() {
    let mut registry = Registry::default();
    let (one, two) = (registry.bundle(&subject(), b"one"), registry.bundle(&subject(), b"two"));
    registry.pages =
        vec![Ok(page(&json!([one]), Some("1"))), Ok(page(&json!([]), Some("2"))), Ok(page(&json!([two]), None))];
    assert_eq!(contents(&found(&registry).await), [b"one", b"two"]);

    // A page that names itself, and a list that never ends.
    registry.pages = vec![Ok(page(&json!([one]), Some("0")))];
    registry.asked.lock().expect("a lock").clear();
    assert_eq!(summary(&found(&registry).await), (1, vec![], vec![], true));
    assert!(registry.asked("referrers") <= 64);
    registry.pages = vec![Ok(page(&json!([one, two, one]), Some("0")))];
    let set = discovered(&registry, Limits { listed: 2, ..Limits::default() }).await;
    assert_eq!(summary(&set), (2, vec![], vec![], true));

    // One that leads to another host is not followed.
    let mut foreign = page(&json!([one]), None);
    foreign.foreign_next = true;
    registry.pages = vec![Ok(foreign)];
    assert_eq!(summary(&found(&registry).await), (1, vec![], vec![], true));

    // A later page that fails, even with 404, hides something.
    for error in [E::NotFound, E::Status(500), E::Status(405)] {
        let reason = unread_as(&error);
        registry.pages = vec![Ok(page(&json!([one]), Some("1"))), Err(error)];
        assert_eq!(summary(&found(&registry).await), (1, vec![reason], vec![], false));
    }
}

#[tokio::test]
async fn without_the_api_or_with_an_empty_list_the_tag_is_asked() {
    let other_type = |content_type: &str| {
        Ok(Page {
            bytes: "<html>".into(),
            content_type: content_type.into(),
            next: None,
            foreign_next: false,
            filtered: false,
        })
    };
    let mut null = page(&json!([]), None);
    null.bytes = r#"{"schemaVersion":2,"manifests":null}"#.into();
    for first in [
        Err(E::NotFound),
        Err(E::Status(400)),
        Err(E::Status(405)),
        Err(E::Status(406)),
        other_type("text/html"),
        other_type("application/json"),
        Ok(page(&json!([]), None)),
        Ok(null),
    ] {
        let mut registry = Registry::default();
        let listed = registry.bundle(&subject(), b"one");
        registry.put(&tag(""), ManifestType::OciIndex, &index(&json!([listed])));
        registry.pages = vec![first.clone()];
        let set = found(&registry).await;
        assert_eq!(contents(&set), [b"one"], "{first:?}");
        let location = set.candidates[0].location();
        assert!(location.ends_with(&format!(", listed by tag sha256-{}", subject().hex())), "{location}");
        registry.manifests.remove(&tag(""));
        assert_eq!(summary(&found(&registry).await), (0, vec![], vec![], false), "{first:?}");
    }
}

#[tokio::test]
async fn what_the_api_lists_hides_nothing_at_the_tag() {
    let mut registry = Registry::default();
    let (ours, foreign) = (registry.bundle(&subject(), b"ours"), registry.bundle(&subject(), b"foreign"));
    registry.put(&tag(""), ManifestType::OciIndex, &index(&json!([foreign, ours])));
    registry.pages = vec![Ok(page(&json!([foreign]), None))];
    let set = found(&registry).await;
    assert_eq!(contents(&set), [&b"foreign"[..], b"ours"], "each once");
    let listed_by_tag = |n: usize| set.candidates[n].location().contains("listed by tag");
    assert!(!listed_by_tag(0) && listed_by_tag(1));
}

#[tokio::test]
async fn an_api_that_fails_is_unread_and_the_tag_does_not_stand_in() {
    let broken = Page {
        bytes: "{".into(),
        content_type: ManifestType::OciIndex.as_str().into(),
        next: None,
        foreign_next: false,
        filtered: false,
    };
    let errors =
        [E::Status(500), E::Status(501), E::Timeout, E::TooLarge { limit: 1 }, E::CredentialsRejected { status: 403 }];
    for first in errors.into_iter().map(Err).chain([Ok(broken)]) {
        let registry = Registry { pages: vec![first.clone()], ..Registry::default() };
        let reason = first.as_ref().err().map_or(Reason::EvidenceUnreadable, unread_as);
        assert_eq!(summary(&found(&registry).await), (0, vec![reason], vec![], false), "{first:?}");
        assert_eq!(registry.asked("manifest sha256-"), 2, "only .sig and .att");
    }
}

#[tokio::test]
async fn what_may_be_a_bundle_is_fetched_and_nothing_else() {
    let mut registry = Registry::default();
    let mut listed = Vec::new();
    for (n, artifact_type) in [
        (1, json!(BUNDLE_V03)),
        (2, json!("application/vnd.oci.empty.v1+json")),
        (3, json!(null)),
        (4, json!("")),
        (5, json!("application/vnd.cncf.notary.signature")),
        (6, json!("application/vnd.dev.sigstore.bundle.v0.4+json")),
    ] {
        let mut descriptor = registry.bundle(&subject(), format!("bundle {n}").as_bytes());
        descriptor["artifactType"] = artifact_type;
        listed.push(descriptor);
    }
    // Without a type in the list it turns out to be something else: not ours to judge.
    let layer = registry.layer("text/spdx", b"sbom");
    let mut other = registry.referrer(&subject(), "application/spdx", &json!([layer]));
    other.as_object_mut().expect("an object").remove("artifactType");
    listed.push(other);
    // A descriptor of an algorithm that we do not have.
    listed.push(json!({ "mediaType": "a/b", "size": 1, "digest": "sha512:00" }));
    registry.pages = vec![Ok(page(&json!(listed), None))];
    let set = found(&registry).await;
    assert_eq!(contents(&set), [b"bundle 1", b"bundle 2", b"bundle 3", b"bundle 4"]);
    assert_eq!(summary(&set), (4, vec![], vec![Reason::EvidenceMalformed], false));
    assert_eq!((registry.asked("manifest sha256:"), registry.asked("blob")), (5, 4));
}

#[tokio::test]
async fn each_bad_referrer_says_why() {
    type Break = fn(&mut Registry) -> Value;
    let cases: [(Break, &[Reason], &[Reason]); 10] = [
        (|r| r.bundle(&Digest::of(b"other"), b"x"), &[], &[Reason::SubjectMismatch]),
        (
            |r| {
                let layer = r.layer(BUNDLE_V03, b"x");
                let two = r.layer(BUNDLE_V03, b"y");
                r.referrer(&subject(), BUNDLE_V03, &json!([layer, two]))
            },
            &[],
            &[Reason::EvidenceMalformed],
        ),
        (|r| r.referrer(&subject(), BUNDLE_V03, &json!([])), &[], &[Reason::EvidenceMalformed]),
        (
            |r| {
                let layer = r.layer(DSSE, b"x");
                r.referrer(&subject(), BUNDLE_V03, &json!([layer]))
            },
            &[],
            &[Reason::EvidenceMalformed],
        ),
        (
            |r| {
                let mut layer = r.layer(BUNDLE_V03, b"x");
                layer["size"] = json!(17 << 20);
                r.referrer(&subject(), BUNDLE_V03, &json!([layer]))
            },
            &[],
            &[Reason::EvidenceTooLarge],
        ),
        (
            |r| {
                let mut layer = r.layer(BUNDLE_V03, b"more than declared");
                layer["size"] = json!(1);
                r.referrer(&subject(), BUNDLE_V03, &json!([layer]))
            },
            &[],
            &[Reason::EvidenceTooLarge],
        ),
        (
            |r| {
                let mut layer = r.layer(BUNDLE_V03, b"less");
                layer["size"] = json!(100);
                r.referrer(&subject(), BUNDLE_V03, &json!([layer]))
            },
            &[],
            &[Reason::EvidenceMalformed],
        ),
        (
            |r| {
                let descriptor = r.bundle(&subject(), b"x");
                r.blobs.insert(Digest::of(b"x"), Ok("y".into()));
                descriptor
            },
            &[Reason::UpstreamDigestMismatch],
            &[],
        ),
        (
            |r| {
                let descriptor = r.bundle(&subject(), b"x");
                r.blobs.clear();
                descriptor
            },
            &[Reason::EvidenceUnreadable],
            &[],
        ),
        (
            |r| {
                let descriptor = r.bundle(&subject(), b"x");
                r.manifests.clear();
                descriptor
            },
            &[Reason::EvidenceUnreadable],
            &[],
        ),
    ];
    for (number, (broken, unread, unusable)) in cases.into_iter().enumerate() {
        let mut registry = Registry::default();
        let bad = broken(&mut registry);
        registry.pages = vec![Ok(page(&json!([bad]), None))];
        let set = found(&registry).await;
        assert_eq!(summary(&set), (0, unread.to_vec(), unusable.to_vec(), false), "case {number}: {set:?}");
        // It hides nothing that stands beside it.
        let good = registry.bundle(&subject(), b"good");
        registry.pages = vec![Ok(page(&json!([bad, good]), None))];
        assert_eq!(contents(&found(&registry).await), [b"good"], "case {number}");
    }
}

#[tokio::test]
async fn a_registry_that_swaps_a_manifest_is_unread() {
    let mut registry = Registry::default();
    let (one, two) = (registry.bundle(&subject(), b"one"), registry.bundle(&subject(), b"two"));
    let digest = |descriptor: &Value| descriptor["digest"].as_str().expect("a digest").to_string();
    registry.manifests.insert(digest(&one), registry.manifests[&digest(&two)].clone());
    registry.pages = vec![Ok(page(&json!([one]), None))];
    assert_eq!(summary(&found(&registry).await), (0, vec![Reason::UpstreamDigestMismatch], vec![], false));
}

#[tokio::test]
async fn limits_end_the_reading_and_say_so() {
    let mut registry = Registry::default();
    let listed: Vec<Value> = (0..5).map(|n| registry.bundle(&subject(), format!("{n}").as_bytes())).collect();
    registry.pages = vec![Ok(page(&json!(listed), None))];
    let set = discovered(&registry, Limits { examined: 3, ..Limits::default() }).await;
    assert_eq!(summary(&set), (3, vec![], vec![], true));
    assert_eq!((registry.asked("manifest sha256:"), registry.asked("blob")), (3, 3));
    let set = discovered(&registry, Limits { listed: 4, ..Limits::default() }).await;
    assert_eq!(summary(&set), (4, vec![], vec![], true));
    // All pieces together are at most four of the largest size, here of one byte.
    let set = discovered(&registry, Limits { bundle: 1, attestation: 1, ..Limits::default() }).await;
    assert_eq!(summary(&set), (4, vec![], vec![], true));
}
