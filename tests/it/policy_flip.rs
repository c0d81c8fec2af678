//! A policy that is swapped while clients pull: once `/metrics` shows the new one, no answer begins under the old one.

use countersign::demo::images::Image;
use countersign::demo::registry::Options;
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use tokio::io::AsyncReadExt;

use crate::blobs::{IN_BUFFERS, LAYER, with_layer, zeros};
use crate::support::expect::{denied, served};
use crate::support::flips::{Asked, Flips};
use crate::support::lab::Lab;
use crate::support::registry_double::flow::Flow;
use crate::support::registry_double::{Fault, Gate, Kind};
use crate::support::scene::{blob, manifest};
use crate::support::wire;

/// Everything that a node asks for, over and over, while the policy changes many times.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_answer_is_under_an_old_policy_once_the_new_revision_shows() {
    let lab = Lab::start(Options::default()).await;
    let image = lab.signed("team/app");
    served(&lab.get(&manifest("team/app", "1")).await, image.manifest.digest, "signed");
    let flips = Flips::of(&lab, FLIPS);
    let asked = asked(&image);
    let clients = asked.iter().map(|asked| flips.ask_on(&lab, asked));
    let ((), answers) = tokio::join!(flips.play(&lab, asked.len()), futures_util::future::join_all(clients));
    let mut exact = 0;
    for (asked, answers) in asked.iter().zip(&answers) {
        let wrong: Vec<_> = answers.iter().filter(|answer| !flips.allows(answer)).collect();
        assert!(wrong.is_empty(), "{asked:?} was answered under an old policy: {wrong:#?}");
        exact += answers.iter().filter(|answer| answer.is_exact()).count();
    }
    assert!(exact >= asked.len() * FLIPS, "every client has an answer under every policy: {exact}");
}

fn asked(image: &Image) -> Vec<Asked> {
    let by_digest = manifest("team/app", image.manifest.digest);
    let (layer, config) = (blob("team/app", image.layer), blob("team/app", image.config));
    let range = (HeaderName::from_static("range"), HeaderValue::from_static("bytes=1-"));
    let asked = |method: Method, path: &str, headers: HeaderMap| Asked { method, path: path.into(), headers };
    vec![
        asked(Method::GET, &manifest("team/app", "1"), HeaderMap::new()),
        asked(Method::HEAD, &manifest("team/app", "1"), HeaderMap::new()),
        asked(Method::GET, &by_digest, HeaderMap::new()),
        asked(Method::HEAD, &by_digest, HeaderMap::new()),
        asked(Method::GET, &layer, HeaderMap::new()),
        asked(Method::GET, &layer, [range].into_iter().collect()),
        asked(Method::HEAD, &layer, HeaderMap::new()),
        asked(Method::GET, &config, HeaderMap::new()),
    ]
}

/// Clients that wait: for evidence under a policy that would allow, and for a blob that is allowed already.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_that_waits_for_the_registry_is_decided_under_the_policy_that_came_meanwhile() {
    let lab = Lab::start(Options::default()).await;
    let image = lab.signed("team/app");
    let by_digest = manifest("team/app", image.manifest.digest);
    let before = revision(&lab).await;
    let gate = held(&lab, "/v2/team/app/referrers/");
    let (answer, ()) = tokio::join!(lab.get(&by_digest), async {
        lab.double.arrived(Kind::Referrers, 1).await;
        lab.distrust_signer();
        assert_ne!(revision(&lab).await, before);
        gate.open();
    });
    denied(&answer, "signature_missing");

    lab.set_policy(&lab.policy()).expect("a good policy");
    assert_eq!(revision(&lab).await, before, "the same policy has the same revision");
    served(&lab.get(&by_digest).await, image.manifest.digest, "signed");
    lab.double.forget();
    let layer = blob("team/app", image.layer);
    let gate = held(&lab, &layer);
    let (answer, ()) = tokio::join!(lab.get(&layer), async {
        lab.double.arrived(Kind::Blob, 1).await;
        lab.distrust_signer();
        gate.open();
    });
    denied(&answer, "signature_missing");
    // The other way round: nobody is refused under a policy that is gone.
    let other = lab.unsigned("team/other");
    lab.foreign.sign_bundle(lab.registry(), &other.manifest).expect("signs");
    lab.set_policy(&lab.policy()).expect("a good policy");
    let gate = held(&lab, "/v2/team/other/referrers/");
    let path = manifest("team/other", other.manifest.digest);
    lab.double.forget();
    let (answer, ()) = tokio::join!(lab.get(&path), async {
        lab.double.arrived(Kind::Referrers, 1).await;
        lab.distrust_signer();
        gate.open();
    });
    served(&answer, other.manifest.digest, "signed");
    // Every answer counts once, under the policy that it was given under.
    assert_eq!(lab.metric("decisions_total", &[("reason", "signed")]).await, Some(2));
    assert_eq!(lab.metric("decisions_total", &[("reason", "signature_missing")]).await, Some(2));
}

/// What has begun is not called back: a layer is no image, and the node is refused whatever it asks for next.
#[tokio::test]
async fn a_blob_on_its_way_comes_to_its_end_and_the_next_request_is_refused() {
    let lab = Lab::start(Options::default()).await;
    let size = 2 * IN_BUFFERS;
    let path = with_layer(&lab, "team/large", LAYER, zeros(size), size).await;
    let flow = Flow::of(size);
    lab.double.fault(Method::GET, &path, Fault::Flow(flow.clone()));
    let request = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    let mut client = wire::send(lab.proxy.address, &request).await;
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(client.read_u8().await.expect("a head"));
    }
    assert!(head.starts_with(b"HTTP/1.1 200 "), "{}", String::from_utf8_lossy(&head));
    lab.distrust_signer();
    denied(&lab.get(&path).await, "signature_missing");
    assert_eq!(lab.head(&path).await.status, 403);
    assert!(flow.made() < size, "it is still on its way");
    let (mut read, mut buffer) = (0, vec![0; 1 << 20]);
    loop {
        match client.read(&mut buffer).await.expect("the body") {
            0 => break,
            count => read += count as u64,
        }
    }
    assert_eq!(read, size);
    denied(&lab.get(&path).await, "signature_missing");
}

/// The revision that `/metrics` shows, which must be one.
pub(crate) async fn revision(lab: &Lab) -> String {
    let text = lab.admin("/metrics").await.body;
    let text = std::str::from_utf8(&text).expect("text");
    let shown: Vec<_> =
        text.lines().filter_map(|line| line.strip_prefix("countersign_policy_info{revision=\"")).collect();
    assert_eq!(shown.len(), 1, "{shown:?}");
    shown[0].trim_end_matches("\"} 1").to_string()
}

fn held(lab: &Lab, prefix: &str) -> Gate {
    let gate = Gate::closed();
    lab.double.heal();
    lab.double.fault(Method::GET, prefix, Fault::Gate(gate.clone()));
    gate
}

const FLIPS: usize = 40;
