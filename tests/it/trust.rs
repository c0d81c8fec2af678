//! Trusted roots while the proxy runs: a change counts at once, a broken file changes nothing.

use countersign::demo::registry::Options;
use countersign::demo::sigstore::Sigstore;

use crate::support::expect::served;
use crate::support::lab::Lab;
use crate::support::scene::manifest;

fn root() -> String {
    Sigstore::new().expect("a Sigstore").trusted_root_json()
}

/// A lab whose key has the trusted root `root.json`, which is of no use to it and part of its verdicts' key.
async fn lab() -> Lab {
    let lab = Lab::start(Options::default()).await;
    std::fs::write(lab.config.with_file_name("root.json"), root()).expect("a file");
    let policy = lab.policy().replace("insecureSkip", "trustRoot: r\n      insecureSkip");
    lab.set_policy(&format!("trustRoots: {{ r: {{ file: root.json }} }}\n{policy}")).expect("a good policy");
    lab
}

/// How often the proxy has come to a verdict.
async fn verdicts(lab: &Lab) -> u64 {
    lab.metric("verdict_cache_requests_total", &[("result", "miss")]).await.expect("it is there")
}

#[tokio::test]
async fn a_changed_root_is_noticed_and_what_it_decided_is_judged_anew() {
    let lab = lab().await;
    let image = lab.signed("team/app").manifest;
    for _ in 0..2 {
        served(&lab.get(&manifest("team/app", "1")).await, image.digest, "signed");
    }
    assert_eq!(verdicts(&lab).await, 1);
    std::fs::write(lab.config.with_file_name("root.json"), root()).expect("a file");
    let judged_anew = async {
        while verdicts(&lab).await == 1 {
            served(&lab.get(&manifest("team/app", "1")).await, image.digest, "signed");
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(10), judged_anew).await.expect("it is noticed");
}

#[tokio::test]
async fn a_broken_root_is_shown_and_the_last_good_stays() {
    let lab = lab().await;
    let image = lab.signed("team/app").manifest;
    let path = lab.config.with_file_name("root.json");
    let good = std::fs::read(&path).expect("a file");
    let labels = [("trust_root", "r")];
    assert_eq!(lab.metric("trust_root_refresh_failed", &labels).await, Some(0));
    std::fs::write(&path, "{").expect("a file");
    lab.metric_becomes("trust_root_refresh_failed", &labels, 1).await;
    served(&lab.get(&manifest("team/app", "1")).await, image.digest, "signed");
    // A reload would have to begin with it, and so changes nothing.
    let policy = std::fs::read_to_string(lab.config.with_file_name("policy.yaml")).expect("a file");
    let error = lab.set_policy(&policy).expect_err("a broken root").to_string();
    assert!(error.contains("trustRoots.r.file: ") && error.contains("not a trusted root"), "{error}");
    served(&lab.get(&manifest("team/app", "1")).await, image.digest, "signed");
    std::fs::write(&path, good).expect("a file");
    lab.metric_becomes("trust_root_refresh_failed", &labels, 0).await;
}
