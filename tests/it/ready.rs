//! What was answered a moment ago is answered again at once: the same, and not a moment longer than it would be decided so.

use std::sync::Arc;
use std::time::Duration;

use countersign::app;
use countersign::client::Clients;
use countersign::clock::Timestamp;
use countersign::config::Config;
use countersign::demo::images::Stored;
use countersign::demo::proxy;
use countersign::demo::registry::Options;
use countersign::policy::file::parse_scope;
use countersign::proxy::{Proxy, Ready};
use countersign::snapshot::Snapshot;
use countersign::telemetry::{Answer, Metrics};
use http::header::HOST;
use http::{HeaderMap, Method, Request, StatusCode};
use http_body_util::BodyExt;

use crate::support::lab::Lab;
use crate::support::scene::manifest;

/// A proxy without a listener, before the lab's registry.
struct Bare {
    lab: Lab,
    proxy: Proxy,
}

impl Bare {
    async fn new(edit: impl FnOnce(String) -> String) -> Self {
        Self::before(Lab::edited(Options::default(), edit).await).await
    }

    async fn before(lab: Lab) -> Self {
        let config = Config::load(&lab.config, std::iter::empty()).expect("a configuration");
        let proxy = Proxy {
            registries: app::registries(&config),
            catalogs: std::collections::BTreeSet::new(),
            clients: Clients::anonymous(vec![parse_scope("**").expect("a scope")]),
            public_origin: String::new(),
            puller: app::explainer(&config).await.expect("what pulls"),
            metrics: Arc::new(Metrics::new()),
            ready: Ready::default(),
        };
        Self { lab, proxy }
    }

    /// Asks twice: the first answer is decided, and the second from memory.
    async fn warmed(&self, path: &str) -> Answer {
        let parts = asking(Method::GET, path).into_parts().0;
        assert!(self.again(path).is_none(), "nobody asked yet");
        self.proxy.answer(&parts).await;
        self.proxy.answer(&parts).await
    }

    fn again(&self, path: &str) -> Option<Answer> {
        self.proxy.at_once(&asking(Method::GET, path))
    }

    fn signed(&self) -> (Stored, String) {
        let image = self.lab.signed("team/app").manifest;
        let path = manifest("team/app", image.digest);
        (image, path)
    }
}

fn asking(method: Method, target: &str) -> Request<()> {
    Request::builder().method(method).uri(target).header(HOST, "localhost").body(()).expect("a request")
}

async fn told(answer: Answer) -> (StatusCode, HeaderMap, Vec<u8>) {
    let (head, body) = answer.response.into_parts();
    (head.status, head.headers, body.collect().await.expect("a body").to_bytes().into())
}

#[tokio::test]
async fn it_is_the_same_answer_and_counted_as_such() {
    let bare = Bare::new(|config| config).await;
    let (image, path) = bare.signed();
    let decided = bare.warmed(&path).await;
    let again = bare.again(&path).expect("it is ready");
    assert_eq!(format!("{:?}", again.facts), format!("{:?}", decided.facts));
    assert_eq!((again.facts.digest, again.facts.cache), (Some(image.digest), Some("hit")));
    let (mut decided, again) = (told(decided).await, told(again).await);
    assert_eq!(again, decided);
    let head = bare.proxy.at_once(&asking(Method::HEAD, &path)).expect("it is ready for a HEAD as well");
    decided.2.clear();
    assert_eq!(told(head).await, decided);
    let shown = bare.proxy.metrics.render();
    for line in [
        r#"countersign_decisions_total{outcome="allow",policy="",reason="signed"} 4"#,
        r#"countersign_verdict_cache_requests_total{result="hit"} 2"#,
    ] {
        assert!(shown.contains(line), "{line} in {shown}");
    }
}

#[tokio::test]
async fn another_request_is_another_answer() {
    let bare = Bare::new(|config| config).await;
    let (_, path) = bare.signed();
    bare.warmed(&path).await;
    assert!(bare.proxy.at_once(&asking(Method::POST, &path)).is_none());
    assert!(bare.again(&format!("{path}?ns=registry.demo")).is_none());
    assert!(bare.again(&format!("http://localhost{path}")).is_none());
    let mut elsewhere = asking(Method::GET, &path);
    elsewhere.headers_mut().insert(HOST, "registry.demo".parse().expect("a host"));
    assert!(bare.proxy.at_once(&elsewhere).is_none());
    elsewhere.headers_mut().remove(HOST);
    assert!(bare.proxy.at_once(&elsewhere).is_none());
    let mut twice = asking(Method::GET, &path);
    twice.headers_mut().append(HOST, "registry.demo".parse().expect("a host"));
    assert!(bare.proxy.at_once(&twice).is_none(), "whoever comes first");
    // Nobody else's place is taken by a request that says what nobody has to.
    for more in ["?x=1".to_string(), "?ns=registry.demo&x=1".into(), format!("?ns={}", "a".repeat(1000))] {
        let parts = asking(Method::GET, &format!("{path}{more}")).into_parts().0;
        bare.proxy.answer(&parts).await;
        bare.proxy.answer(&parts).await;
        assert!(bare.again(&format!("{path}{more}")).is_none(), "{more}");
    }
    bare.warmed(&format!("{path}?ns=registry.demo")).await;
    assert!(bare.again(&format!("{path}?ns=registry.demo")).is_some());
    assert!(bare.again(&path).is_some());
}

#[tokio::test]
async fn it_ends_with_the_policy_and_by_the_clock() {
    let bare = Bare::new(|config| config + "cache: { allow: 1h, refreshBefore: 10m }\n").await;
    let (_, path) = bare.signed();
    let puller = &bare.proxy.puller;
    let now = puller.clock.now();
    puller.clock.set(now);
    bare.warmed(&path).await;
    assert!(bare.again(&path).is_some());
    // From here on chance chooses when the verdict is judged anew, and decided pulls see to it.
    let due = Timestamp(now.0 + 50 * 60);
    for (at, is_ready) in [(due.0 - 1, true), (due.0, false), (now.0 - 1, false), (now.0, true)] {
        puller.clock.set(Timestamp(at));
        assert_eq!(bare.again(&path).is_some(), is_ready, "{at}, began {now:?}");
    }
    let old = puller.current.load();
    puller.current.swap(Snapshot { policies: old.policies.clone(), trust: old.trust.clone() });
    assert!(bare.again(&path).is_none(), "the same policy, read again");
    bare.proxy.answer(&asking(Method::GET, &path).into_parts().0).await;
    assert!(bare.again(&path).is_some());
    // What nobody can set back ends it as well; what a pull sets going is then set going again.
    tokio::time::pause();
    tokio::time::advance(Duration::from_secs(9)).await;
    assert!(bare.again(&path).is_some());
    tokio::time::advance(Duration::from_secs(1)).await;
    assert!(bare.again(&path).is_none());
}

#[tokio::test]
async fn what_lasts_for_less_than_it_is_refreshed_before_is_given_again_for_half_of_its_life() {
    let bare = Bare::new(|config| config + "cache: { allow: 10m, refreshBefore: 1h }\n").await;
    let (_, path) = bare.signed();
    let clock = &bare.proxy.puller.clock;
    let now = clock.now();
    clock.set(now);
    bare.warmed(&path).await;
    for (seconds, is_ready) in [(0, true), (299, true), (300, false)] {
        clock.set(Timestamp(now.0 + seconds));
        assert_eq!(bare.again(&path).is_some(), is_ready, "{seconds}");
    }
}

#[tokio::test]
async fn a_clock_that_is_set_back_makes_nothing_last_longer() {
    let bare = Bare::new(|config| config + "cache: { allow: 1h, refreshBefore: 0s }\n").await;
    let (_, path) = bare.signed();
    let puller = &bare.proxy.puller;
    let now = puller.clock.now();
    puller.clock.set(now);
    bare.warmed(&path).await;
    tokio::time::pause();
    tokio::time::advance(Duration::from_secs(3598)).await;
    puller.clock.set(Timestamp(now.0 + 10));
    let last = bare.proxy.answer(&asking(Method::GET, &path).into_parts().0).await;
    assert_eq!(last.facts.cache, Some("hit"));
    assert!(bare.again(&path).is_some());
    tokio::time::advance(Duration::from_secs(2)).await;
    assert!(bare.again(&path).is_none(), "an hour has passed");
}

#[tokio::test]
async fn an_exemption_from_refused_tags_ends_though_the_index_stays_signed() {
    let lab = Lab::edited(Options::default(), |config| config + "cache: { tagTtl: 60s }\n").await;
    let (index, images) = lab.signed_index("team/multi");
    let child = images[0].manifest.digest;
    lab.registry().tag("team/multi", "latest", child);
    let end = Timestamp(countersign::clock::Clock::default().now().0 + 1000);
    let policy = lab.policy().replace("    formats:", "    refuseTags: [ latest ]\n    formats:");
    let exempt = format!("{{ match: [ \"registry.demo/team/multi@{child}\" ], reason: INC-1, expires: {end} }}");
    lab.set_policy(&format!("{policy}exemptions: [ {exempt} ]\n")).expect("a policy");
    let bare = Bare::before(lab).await;
    bare.warmed(&manifest("team/multi", index.digest)).await;
    let latest = manifest("team/multi", "latest");
    bare.proxy.puller.clock.set(Timestamp(end.0 - 2));
    assert_eq!(bare.warmed(&latest).await.response.status(), StatusCode::OK);
    assert!(bare.again(&latest).is_some());
    bare.proxy.puller.clock.set(end);
    assert!(bare.again(&latest).is_none());
    let refused = bare.proxy.answer(&asking(Method::GET, &latest).into_parts().0).await;
    assert_eq!(refused.response.status(), StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn a_tag_is_asked_for_as_often_as_is_configured() {
    let bare = Bare::new(|config| config).await;
    bare.signed();
    bare.warmed(&manifest("team/app", "1")).await;
    assert!(bare.again(&manifest("team/app", "1")).is_none(), "it is resolved each time");
    let bare = Bare::new(|config| config + "cache: { tagTtl: 5s }\n").await;
    bare.signed();
    let parts = asking(Method::GET, &manifest("team/app", "1")).into_parts().0;
    bare.proxy.answer(&parts).await;
    tokio::time::pause();
    tokio::time::advance(Duration::from_secs(3)).await;
    bare.proxy.answer(&parts).await;
    assert!(bare.again(&manifest("team/app", "1")).is_some());
    tokio::time::advance(Duration::from_secs(2)).await;
    assert!(bare.again(&manifest("team/app", "1")).is_none(), "five seconds after it was resolved");
}

#[tokio::test]
async fn what_is_only_watched_is_decided_each_time() {
    let watched = |name: &str, key: &str| {
        proxy::policy(name, key).replace("mode: enforce", "mode: audit").replace("default: deny", "default: audit")
    };
    let bare = Bare::before(Lab::with_policy(Options::default(), watched).await).await;
    let unsigned = bare.lab.unsigned("team/bare").manifest;
    let path = manifest("team/bare", unsigned.digest);
    let answer = bare.warmed(&path).await;
    assert_eq!((answer.response.status(), answer.facts.would_deny.is_empty()), (StatusCode::OK, false));
    assert!(bare.again(&path).is_none());
}
