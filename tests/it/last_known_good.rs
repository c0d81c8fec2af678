//! The last known good: what is answered, marked, by digest, while the registry is away; and what never is.

use countersign::demo::client::Answer;
use countersign::demo::registry::Options;
use http::Method;

use crate::support::expect::{denied, header, served, unsure};
use crate::support::lab::Lab;
use crate::support::registry_double::Fault;
use crate::support::scene::manifest;

/// A proxy whose Allows end after a second, and go on for an hour while they cannot be judged anew.
async fn lab() -> Lab {
    let cache = "cache: { allow: 1s, deny: 1s, evidenceMaxAge: 1s, lastKnownGood: 1h }\n";
    Lab::edited(Options::default(), |config| config + cache).await
}

/// The registry fails whatever it is asked.
fn away(lab: &Lab) {
    for method in [Method::GET, Method::HEAD] {
        lab.double.fault(method, "/v2/", Fault::Status(503));
    }
}

fn is_stale(answer: &Answer) -> bool {
    header(answer, "countersign-stale") == "true"
}

/// Asks by digest until the answer is, or no longer is, marked; everything on the way is served.
async fn until(lab: &Lab, path: &str, stale: bool) -> Answer {
    let asked = async {
        loop {
            let answer = lab.get(path).await;
            assert_eq!(answer.status, 200, "{}", answer.message());
            if is_stale(&answer) == stale {
                return answer;
            }
        }
    };
    tokio::time::timeout(std::time::Duration::from_mins(1), asked).await.expect("in time")
}

#[tokio::test]
async fn what_was_allowed_goes_on_marked_until_the_registry_is_back() {
    let lab = lab().await;
    let image = lab.signed("team/app").manifest;
    let (index, [child, _]) = lab.signed_index("team/multi");
    let (path, listed) = (manifest("team/app", image.digest), manifest("team/multi", child.manifest.digest));
    let answer = lab.get(&path).await;
    served(&answer, image.digest, "signed");
    assert!(!answer.headers.contains_key("countersign-stale"));
    served(&lab.get(&manifest("team/multi", index.digest)).await, index.digest, "signed");
    served(&lab.get(&listed).await, child.manifest.digest, "member");

    away(&lab);
    served(&until(&lab, &path, true).await, image.digest, "signed");
    let head = lab.head(&path).await;
    assert!(head.status == 200 && is_stale(&head), "HEAD and GET say the same");
    served(&until(&lab, &listed, true).await, child.manifest.digest, "member");
    assert!(lab.metric("stale_answers_total", &[]).await >= Some(3));
    assert!(lab.metric("verdict_cache_requests_total", &[("result", "stale")]).await >= Some(3));
    // A tag is not known to name it still.
    unsure(&lab.get(&manifest("team/app", "1")).await, "upstream_unavailable");

    lab.double.heal();
    served(&until(&lab, &path, false).await, image.digest, "signed");
}

#[tokio::test]
async fn what_was_denied_or_never_judged_is_not_good() {
    let lab = lab().await;
    let (unsigned, unknown) = (lab.unsigned("team/unsigned").manifest, lab.signed("team/unknown").manifest);
    let path = manifest("team/unsigned", unsigned.digest);
    denied(&lab.get(&path).await, "unsigned");
    away(&lab);
    // While the Deny lasts it is the answer.
    let answer = loop {
        let answer = lab.get(&path).await;
        match answer.status {
            403 => {}
            _ => break answer,
        }
    };
    assert_eq!(answer.status, 503, "{}", answer.message());
    unsure(&lab.get(&manifest("team/unknown", unknown.digest)).await, "upstream_unavailable");
    assert_eq!(lab.metric("stale_answers_total", &[]).await, Some(0));
}

#[tokio::test]
async fn a_policy_that_changed_makes_it_worth_nothing() {
    let lab = lab().await;
    let image = lab.signed("team/app").manifest;
    let path = manifest("team/app", image.digest);
    served(&lab.get(&path).await, image.digest, "signed");
    away(&lab);
    until(&lab, &path, true).await;
    lab.distrust_signer();
    for _ in 0..5 {
        unsure(&lab.get(&path).await, "evidence_unreadable");
    }
}

#[tokio::test]
async fn a_registry_that_has_no_signature_any_more_is_believed() {
    let lab = lab().await;
    let image = lab.signed("team/app").manifest;
    let path = manifest("team/app", image.digest);
    served(&lab.get(&path).await, image.digest, "signed");
    for evidence in ["/v2/team/app/referrers/", "/v2/team/app/manifests/sha256-"] {
        lab.double.fault(Method::GET, evidence, Fault::Status(404));
    }
    let answer = loop {
        let answer = lab.get(&path).await;
        assert!(!is_stale(&answer), "it answers");
        if answer.status != 200 {
            break answer;
        }
    };
    denied(&answer, "unsigned");
    // From then on there is nothing good to go back to.
    away(&lab);
    for _ in 0..20 {
        assert!(matches!(lab.get(&path).await.status, 403 | 503));
    }
    assert_eq!(lab.metric("stale_answers_total", &[]).await, Some(0));
}

#[tokio::test]
async fn nothing_else_that_goes_wrong_counts_as_away() {
    let lab = lab().await;
    let image = lab.signed("team/app").manifest;
    let path = manifest("team/app", image.digest);
    served(&lab.get(&path).await, image.digest, "signed");
    // The evidence is there, and what comes is something else.
    lab.double.fault(Method::GET, "/v2/team/app/blobs/", Fault::Body("something else".into()));
    let answer = loop {
        let answer = lab.get(&path).await;
        if answer.status != 200 {
            break answer;
        }
    };
    unsure(&answer, "evidence_unreadable");
    assert_eq!(lab.metric("stale_answers_total", &[]).await, Some(0));
}

#[tokio::test]
async fn it_is_off_unless_the_operator_asks_for_it() {
    let cache = "cache: { allow: 1s, evidenceMaxAge: 1s }\n";
    let lab = Lab::edited(Options::default(), |config| config + cache).await;
    let image = lab.signed("team/app").manifest;
    let path = manifest("team/app", image.digest);
    served(&lab.get(&path).await, image.digest, "signed");
    away(&lab);
    let answer = loop {
        let answer = lab.get(&path).await;
        if answer.status != 200 {
            break answer;
        }
    };
    unsure(&answer, "evidence_unreadable");
}
