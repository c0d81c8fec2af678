//! Evidence that a policy looks for in another repository, too.

use countersign::demo::cosign::{attach_bundle, attach_signature};
use countersign::demo::images::Stored;
use countersign::demo::registry::Options;
use http::Method;

use crate::support::expect::{denied, served, unsure};
use crate::support::lab::Lab;
use crate::support::registry_double::Fault;
use crate::support::scene::{manifest, rule};

const SIGNATURES: &str = "team/signatures";

/// A lab whose policy reads evidence in `signatures` of the same registry, too.
async fn lab(signatures: &str) -> Lab {
    Lab::with_policy(Options::default(), |name, key| {
        let formats = "    formats: [ bundle, legacy ]\n";
        let evidence = format!("    evidence: {{ repository: {name}/{signatures} }}\n");
        countersign::demo::proxy::policy(name, key).replace(formats, &[formats, &evidence].concat())
    })
    .await
}

/// The image as cosign takes it under `COSIGN_REPOSITORY`: its digest, in another repository.
fn elsewhere(image: &Stored) -> Stored {
    Stored { repository: SIGNATURES.into(), ..image.clone() }
}

#[tokio::test]
async fn evidence_elsewhere_counts_as_well_as_beside_the_image() {
    let lab = lab(SIGNATURES).await;
    let (bundle, legacy) = (lab.unsigned("team/bundle").manifest, lab.unsigned("team/legacy").manifest);
    lab.signer.sign_bundle(lab.registry(), &elsewhere(&bundle)).expect("signs");
    lab.signer.sign_legacy(lab.registry(), &elsewhere(&legacy)).expect("signs");
    let beside = lab.signed("team/beside").manifest;
    for image in [&bundle, &legacy, &beside] {
        served(&lab.get(&manifest(&image.repository, "1")).await, image.digest, "signed");
    }
    let unsigned = lab.unsigned("team/unsigned").manifest;
    lab.foreign.sign_bundle(lab.registry(), &elsewhere(&unsigned)).expect("signs");
    denied(&lab.get(&manifest(&unsigned.repository, "1")).await, "signature_missing");
}

#[tokio::test]
async fn another_policy_does_not_make_evidence_count_that_this_one_does_not_look_for() {
    let lab = Lab::start(Options::default()).await;
    let image = lab.unsigned("team/app").manifest;
    lab.signer.sign_bundle(lab.registry(), &elsewhere(&image)).expect("signs");
    denied(&lab.get(&manifest("team/app", "1")).await, "unsigned");
    for mode in ["enforce", "audit"] {
        let evidence = format!("evidence: {{ repository: registry.demo/{SIGNATURES} }}");
        let other = rule("other", "registry.demo/**", mode, "release-key", &evidence);
        lab.set_policy(&lab.policy().replace("default: deny", &[&other, "default: deny"].concat()))
            .expect("a good policy");
        let answer = lab.get(&manifest("team/app", "1")).await;
        denied(&answer, "unsigned");
        assert!(answer.message().contains("policy \"demo\""), "{}", answer.message());
    }
}

#[tokio::test]
async fn a_place_that_cannot_be_read_is_503_unless_something_else_suffices() {
    let lab = lab(SIGNATURES).await;
    let (signed, unsigned) = (lab.signed("team/signed").manifest, lab.unsigned("team/unsigned").manifest);
    lab.double.fault(Method::GET, "/v2/team/signatures/", Fault::Status(500));
    served(&lab.get(&manifest(&signed.repository, "1")).await, signed.digest, "signed");
    unsure(&lab.get(&manifest(&unsigned.repository, "1")).await, "evidence_unreadable");
    lab.double.heal();
    denied(&lab.get_after_rest(&manifest(&unsigned.repository, "1"), "unsigned").await, "unsigned");
}

#[tokio::test]
async fn a_flood_beside_the_image_hides_nothing_elsewhere() {
    let lab = lab(SIGNATURES).await;
    let image = lab.unsigned("team/app").manifest;
    for n in 0..100 {
        let junk = format!("{{\"junk\":{n}}}").into_bytes();
        attach_bundle(lab.registry(), &image, junk.clone(), "https://example.com");
        attach_signature(lab.registry(), &image, junk, "AAAA");
    }
    lab.signer.sign_bundle(lab.registry(), &elsewhere(&image)).expect("signs");
    served(&lab.get(&manifest(&image.repository, "1")).await, image.digest, "signed");
}

#[tokio::test]
async fn a_place_in_a_registry_that_is_not_configured_is_refused_at_load() {
    let lab = Lab::start(Options::default()).await;
    let image = lab.signed("team/app").manifest;
    let text = lab.policy() + "\n";
    let text = text.replace(
        "    formats: [ bundle, legacy ]\n",
        "    formats: [ bundle, legacy ]\n    evidence: { repository: elsewhere.io/signatures }\n",
    );
    let error = lab.set_policy(&text).expect_err("not among the upstreams").to_string();
    assert!(error.contains("evidence.repository: `elsewhere.io` is not among the `upstreams`"), "{error}");
    assert!(error.contains("policy.yaml:") && error.ends_with('^'), "its place: {error}");
    served(&lab.get(&manifest("team/app", "1")).await, image.digest, "signed");
}
