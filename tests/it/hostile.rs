//! Registries that do not keep to the rules about evidence and manifests: each test is named by its row in
//! `tests/attacks/table.tsv`.

use std::time::Duration;

use countersign::demo::cosign::attach_bundle;
use countersign::demo::images::Stored;
use countersign::demo::registry::Options;
use countersign::demo::signer::SIGN;
use http::Method;

use crate::support::expect::{denied, served, unsure};
use crate::support::lab::Lab;
use crate::support::registry_double::{Double, Fault, Gate, Kind};
use crate::support::scene::{IMAGE, blob, manifest, two_teams};

const MIB: usize = 1 << 20;

fn referrers(image: &Stored) -> String {
    format!("/v2/{}/referrers/{}", image.repository, image.digest)
}

#[tokio::test]
async fn o40_compressed_answers_and_bombs() {
    let lab = Lab::start(Options::default()).await;
    let image = lab.signed("team/app");
    let path = manifest("team/app", image.manifest.digest);
    for encoding in ["gzip", "zstd", "identity, gzip", "x"] {
        lab.double.fault(Method::GET, &path, Fault::Header("content-encoding", encoding.into()));
        unsure(&lab.get(&path).await, "upstream_unavailable");
        lab.double.heal();
    }
    served(&lab.get(&path).await, image.manifest.digest, "signed");
    let layer = blob("team/app", image.layer);
    lab.double.fault(Method::GET, &layer, Fault::Header("content-encoding", "gzip".into()));
    unsure(&lab.get(&layer).await, "upstream_unavailable");

    // Evidence that would unpack to much more: nobody unpacks it.
    let bomb = [&b"\x1f\x8b\x08\0\0\0\0\0\0\x03"[..], &vec![0; 900 << 10]].concat();
    let unsigned = lab.unsigned("team/bomb").manifest;
    attach_bundle(lab.registry(), &unsigned, bomb.clone(), SIGN);
    let answer = lab.get(&manifest("team/bomb", "1")).await;
    denied(&answer, "signature_missing");
    assert_eq!(answer.given().cause.as_deref(), Some("evidence_malformed"));
    let signed = lab.signed("team/beside").manifest;
    attach_bundle(lab.registry(), &signed, bomb, SIGN);
    served(&lab.get(&manifest("team/beside", "1")).await, signed.digest, "signed");
}

#[tokio::test]
async fn o41_manifests_around_the_limit() {
    let lab = Lab::start(Options::default()).await;
    lab.unsigned("team/parts");
    let (_, bytes) = lab.registry().manifest("team/parts", "1").expect("it is there");
    for (name, size) in [("below", 4 * MIB - 1), ("at", 4 * MIB), ("above", 4 * MIB + 1)] {
        let mut padded = bytes.to_vec();
        padded.resize(size, b' ');
        let stored = lab.signed_bytes(&format!("team/{name}"), IMAGE, padded);
        let path = manifest(&stored.repository, stored.digest);
        let answer = lab.get(&path).await;
        if size > 4 * MIB {
            denied(&answer, "manifest_too_large");
            assert_eq!(lab.head(&path).await.status, 403);
        } else {
            served(&answer, stored.digest, "signed");
        }
    }
    // A hundred MiB in chunks, and a GiB: refused after the first four, in whatever numbers.
    for length in [100 << 20, 1 << 30] {
        let image = lab.signed(&format!("team/endless-{length}")).manifest;
        let path = manifest(&image.repository, image.digest);
        lab.double.fault(Method::GET, &path, Fault::Endless(length));
        let answers = futures_util::future::join_all((0..4).map(|_| lab.get(&path))).await;
        for answer in &answers {
            denied(answer, "manifest_too_large");
        }
    }
}

#[tokio::test]
async fn o44_lists_of_referrers_that_lead_elsewhere() {
    let lab = Lab::start(Options::default()).await;
    let elsewhere = Double::start(Options::default()).await;
    let host = elsewhere.address();
    let own = lab.double.address();
    for (number, link) in [
        format!("http://{host}/PATH?from=1"),
        format!("//{host}/PATH?from=1"),
        format!("https://{host}/PATH?from=1"),
        "/v2/team/other/referrers/DIGEST?from=1".into(),
        "/v2/team/other/tags/list?n=1".into(),
        "/PATH/../../../other/referrers/DIGEST?from=1".into(),
        "file:///PATH?from=1".into(),
        "http://169.254.169.254/PATH?from=1".into(),
        format!("http://user:word@{own}/PATH?from=1"),
        // To itself, and to a page that leads on for ever.
        "/PATH?from=0".into(),
        format!("http://{own}/PATH?from=0"),
    ]
    .into_iter()
    .enumerate()
    {
        let unsigned = lab.unsigned(&format!("team/unsigned-{number}")).manifest;
        let signed = lab.signed(&format!("team/signed-{number}")).manifest;
        for image in [&unsigned, &signed] {
            let target = link.replace("PATH", &referrers(image)[1..]).replace("DIGEST", &image.digest.to_string());
            let fault = Fault::Header("link", format!("<{target}>; rel=\"next\""));
            lab.double.fault(Method::GET, &referrers(image), fault);
        }
        lab.double.forget();
        unsure(&lab.get(&manifest(&unsigned.repository, "1")).await, "evidence_incomplete");
        served(&lab.get(&manifest(&signed.repository, "1")).await, signed.digest, "signed");
        assert!(lab.double.count(Kind::Referrers) <= 2 * 64, "{link}");
        assert!(!lab.double.seen().iter().any(|seen| seen.path.contains("/team/other/")), "{link}");
        assert_eq!(lab.double.count(Kind::Tags), 0, "{link}");
        lab.double.heal();
    }
    assert!(elsewhere.seen().is_empty(), "{:?}", elsewhere.seen());
}

/// Our signature is the last that is looked at, or the first that is not.
#[tokio::test]
async fn o46_one_good_signature_behind_a_flood() {
    let lab = Lab::start(Options::default()).await;
    for (name, flood, found) in [("last", 63, true), ("too-late", 64, false)] {
        let (bundles, legacy) = (lab.unsigned(&format!("bundles/{name}")), lab.unsigned(&format!("legacy/{name}")));
        for _ in 0..flood {
            lab.foreign.sign_bundle(lab.registry(), &bundles.manifest).expect("signs");
            lab.foreign.sign_legacy(lab.registry(), &legacy.manifest).expect("signs");
        }
        lab.signer.sign_bundle(lab.registry(), &bundles.manifest).expect("signs");
        lab.signer.sign_legacy(lab.registry(), &legacy.manifest).expect("signs");
        for image in [bundles.manifest, legacy.manifest] {
            let answer = lab.get(&manifest(&image.repository, "1")).await;
            if found { served(&answer, image.digest, "signed") } else { unsure(&answer, "evidence_incomplete") }
        }
    }
}

/// Without the referrers API, whatever an old registry answers there, the tag stands in; a failure is no absence.
#[tokio::test]
async fn o47_every_answer_of_the_referrers_endpoint() {
    let old = Lab::start(Options { referrers: false, ..Options::default() }).await;
    let web_page = |content_type: &str| {
        vec![
            Fault::Status(200),
            Fault::Header("content-type", content_type.into()),
            Fault::Body("<html>welcome</html>".into()),
        ]
    };
    let absent = [400, 404, 405, 406].map(|status| vec![Fault::Status(status)]);
    let absent = absent.into_iter().chain(["text/html", "application/json", ""].map(web_page));
    for (number, faults) in absent.enumerate() {
        let image = old.signed(&format!("team/app-{number}")).manifest;
        for fault in faults {
            old.double.fault(Method::GET, &referrers(&image), fault);
        }
        served(&old.get(&manifest(&image.repository, "1")).await, image.digest, "signed");
    }

    let lab = Lab::edited(Options::default(), |config| {
        let tls = "tls: { insecurePlainHttp: true }";
        config.replace(tls, &format!("{tls}\n    timeouts: {{ connect: 500ms, firstByte: 500ms, idle: 500ms }}"))
    })
    .await;
    let gate = Gate::closed();
    let mut failures: Vec<_> = [401, 403, 429, 500, 501, 502, 503].map(Fault::Status).into();
    failures.extend([Fault::Gate(gate.clone()), Fault::Reset(20), Fault::Stall(20)]);
    let images: Vec<_> = (0..failures.len()).map(|number| lab.signed(&format!("team/app-{number}")).manifest).collect();
    for (image, fault) in images.iter().zip(failures) {
        lab.double.fault(Method::GET, &referrers(image), fault);
        let answer = lab.get(&manifest(&image.repository, "1")).await;
        unsure(&answer, "evidence_unreadable");
    }
    lab.double.heal();
    gate.open();
    for image in &images {
        served(&lab.get_after_rest(&manifest(&image.repository, "1"), "signed").await, image.digest, "signed");
    }
}

/// What comes is what was asked for, or nothing.
#[tokio::test]
async fn o53_a_tag_whose_digest_the_registry_does_not_have() {
    let lab = Lab::start(Options::default()).await;
    let image = lab.signed("team/app").manifest;
    let nowhere = countersign::oci::Digest::of(b"nowhere");
    for (lie, reason) in
        [(nowhere.to_string(), "upstream_not_found"), ("sha512:00".into(), "signed"), (String::new(), "signed")]
    {
        lab.double.fault_times(
            1,
            Method::HEAD,
            &manifest("team/app", "1"),
            Fault::Header("docker-content-digest", lie),
        );
        let answer = lab.get(&manifest("team/app", "1")).await;
        match reason {
            "signed" => served(&answer, image.digest, reason),
            _ => assert_eq!((answer.status, answer.given().reason.as_str()), (404, reason)),
        }
    }
    assert!(lab.get(&manifest("team/app", "1")).await.took < Duration::from_secs(10));
}

/// Whoever copies an image with its signature to another repository brings a good signature there: whose it must be,
/// the policies of that repository say.
#[tokio::test]
async fn c15_an_image_copied_with_its_signature_is_judged_by_the_policies_of_where_it_is() {
    let lab = Lab::start(Options::default()).await;
    two_teams(&lab);
    let original = lab.signed("ours/app").manifest;
    let (_, bytes) = lab.registry().manifest("ours/app", "1").expect("it is there");
    for repository in ["ours/copy", "theirs/app"] {
        lab.registry().put_manifest(repository, IMAGE, bytes.clone(), Some("1"));
        let copy = Stored { repository: repository.into(), ..original.clone() };
        lab.signer.sign_bundle(lab.registry(), &copy).expect("signs");
        lab.signer.sign_legacy(lab.registry(), &copy).expect("signs");
    }
    served(&lab.get(&manifest("ours/app", "1")).await, original.digest, "signed");
    served(&lab.get(&manifest("ours/copy", "1")).await, original.digest, "signed");
    denied(&lab.get(&manifest("theirs/app", "1")).await, "signature_missing");
    denied(&lab.get(&manifest("theirs/app", original.digest)).await, "signature_missing");
}
