//! The double itself: each fault is what it says, as a client sees it.

use std::io;

use super::*;
use countersign::demo::client::{Answer, Client};
use countersign::demo::images::image;
use countersign::oci::Digest;

const TAG: &str = "/v2/team/app/manifests/1";

struct World {
    double: Double,
    client: Client,
    digest: Digest,
}

async fn world() -> World {
    let double = Double::start(Options::default()).await;
    let digest = image(double.registry(), "team/app", Some("1"), "hello").manifest.digest;
    World { double, client: Client::new().expect("a client"), digest }
}

impl World {
    async fn get(&self, path: &str) -> io::Result<Answer> {
        self.client.get(&format!("http://{}{path}", self.double.address())).await
    }

    async fn under(&self, faults: &[Fault]) -> io::Result<Answer> {
        self.double.heal();
        for fault in faults {
            self.double.fault(Method::GET, "/v2/team/app/manifests/", fault.clone());
        }
        self.get(TAG).await
    }
}

#[tokio::test]
async fn without_faults_it_is_a_registry_that_remembers() {
    let world = world().await;
    let answer = world.get(TAG).await.expect("an answer");
    assert_eq!((answer.status, Digest::of(&answer.body)), (200, world.digest));
    let url = format!("http://{}{TAG}", world.double.address());
    let head = world.client.send(&Method::HEAD, &url, HeaderMap::new()).await.expect("an answer");
    assert_eq!(head.headers["docker-content-digest"], world.digest.to_string());
    for path in ["/v2/", "/v2/team/app/tags/list", "/v2/team/app/blobs/x", "/v2/team/app/referrers/x?a=b"] {
        world.get(path).await.expect("an answer");
    }
    let kinds: Vec<Kind> = world.double.seen().iter().map(Seen::kind).collect();
    assert_eq!(kinds, [Kind::Manifest, Kind::Resolve, Kind::Other, Kind::Tags, Kind::Blob, Kind::Referrers]);
    assert_eq!(world.double.count(Kind::Blob), 1);
    assert_eq!(world.double.count_of(&Method::GET, "/v2/team/"), 4);
    world.double.forget();
    assert!(world.double.seen().is_empty());
}

#[tokio::test]
async fn answers_lie() {
    let world = world().await;
    let answer = world.under(&[Fault::Header("docker-content-digest", "sha256:0".into())]).await.expect("an answer");
    assert_eq!((answer.status, &answer.headers["docker-content-digest"]), (200, &"sha256:0".parse().expect("a value")));
    assert_eq!(Digest::of(&answer.body), world.digest);
    let redirect = [Fault::Status(307), Fault::Header("location", "http://elsewhere/".into())];
    let answer = world.under(&redirect).await.expect("an answer");
    assert_eq!((answer.status, answer.headers["location"].to_str().expect("text")), (307, "http://elsewhere/"));
    let answer = world.under(&[Fault::Body("other".into()), Fault::NoHeader("content-type")]).await.expect("an answer");
    assert_eq!((&*answer.body, answer.headers.contains_key("content-type")), (&b"other"[..], false));
    let answer = world.under(&[Fault::Endless(1_000_000)]).await.expect("an answer");
    assert_eq!((answer.body.len(), answer.headers.contains_key("content-length")), (1_000_000, false));
}

#[tokio::test]
async fn connections_break_and_hang() {
    let world = world().await;
    assert!(world.under(&[Fault::Reset(10)]).await.is_err());
    assert!(world.under(&[Fault::Header("content-length", "100000".into())]).await.is_err());
    assert!(world.under(&[Fault::Endless(u64::MAX)]).await.is_err(), "the client has a limit");
    let stalled = tokio::time::timeout(Duration::from_millis(200), world.under(&[Fault::Stall(10)]));
    assert!(stalled.await.is_err(), "nothing more comes");
}

#[tokio::test]
async fn a_fault_can_be_used_up() {
    let world = world().await;
    world.double.fault_times(2, Method::GET, TAG, Fault::Status(500));
    let mut statuses = Vec::new();
    for _ in 0..3 {
        statuses.push(world.get(TAG).await.expect("an answer").status);
    }
    assert_eq!(statuses, [500, 500, 200]);
}

#[tokio::test]
async fn a_tag_moves_before_the_answer() {
    let world = world().await;
    let other = image(world.double.registry(), "team/app", None, "other").manifest.digest;
    let moves = Fault::before(move |registry| registry.tag("team/app", "1", other));
    assert_eq!(Digest::of(&world.under(&[moves]).await.expect("an answer").body), other);
}

#[tokio::test]
async fn a_gate_holds_answers_until_it_opens() {
    let world = Arc::new(world().await);
    let gate = Gate::closed();
    world.double.fault(Method::GET, TAG, Fault::Gate(gate.clone()));
    let asking: Vec<_> = (0..3)
        .map(|_| {
            let world = world.clone();
            tokio::spawn(async move { world.get(TAG).await.expect("an answer").status })
        })
        .collect();
    world.double.arrived(Kind::Manifest, 3).await;
    assert!(asking.iter().all(|one| !one.is_finished()));
    gate.open();
    for one in asking {
        assert_eq!(one.await.expect("it ends"), 200);
    }
    assert_eq!(world.get(TAG).await.expect("an answer").status, 200);
}
