//! A signature's own manifest: there is nothing to verify about it.

use super::*;

#[tokio::test]
async fn an_evidence_artifact_is_told_as_one() {
    let lab = Lab::start(Options::default()).await;
    let image = lab.unsigned("team/app").manifest;
    let bundle = lab.foreign.sign_bundle(lab.registry(), &image).expect("signs").digest;
    let (ran, json) = explained(&lab, &format!("registry.demo/team/app@{bundle}"), &manifest("team/app", bundle)).await;
    assert_eq!((&json["outcome"], &json["reason"]), (&"allow".into(), &"evidence".into()));
    assert_eq!((&json["evidenceRead"], &json["policies"][0]["require"]["value"]), (&false.into(), &"notJudged".into()));
    assert!(ran.stdout.contains("✔ allowed: evidence"), "{}", ran.stdout);
    assert!(ran.stdout.contains("by its content it is a signature or an attestation"), "{}", ran.stdout);
}
