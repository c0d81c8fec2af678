//! Which registry is asked: everything in the request that names one must agree, and know it.

use countersign::demo::images;
use countersign::demo::registry::Options;
use countersign::oci::Digest;

use crate::support::expect::denied;
use crate::support::lab::Lab;
use crate::support::registry_double::Double;
use crate::support::scene::{blob, manifest};
use crate::support::wire;

/// A proxy before two registries that hold different images of one name.
struct Two {
    lab: Lab,
    other: Double,
    /// The image in the lab's registry, `registry.demo`, alias `mirror.demo`.
    ours: Digest,
    /// The image in `other.demo`.
    theirs: Digest,
}

impl Two {
    async fn start() -> Self {
        let other = Double::start(Options { name: "other.demo".into(), ..Options::default() }).await;
        let address = other.address();
        let lab = Lab::edited(Options::default(), |config| {
            let alias = "    aliases: [ mirror.demo ]\n";
            let second = format!(
                "  \"other.demo\":\n    dial: \"http://{address}\"\n    tls: {{ insecurePlainHttp: true }}\npolicy: {{"
            );
            let config = config.replace("    dial:", &format!("{alias}    dial:")).replace("policy: {", &second);
            config.replace("may: [ \"registry.demo/**\" ]", "may: [ \"registry.demo/**\", \"other.demo/**\" ]")
        })
        .await;
        let both = "match: [ \"registry.demo/**\", \"other.demo/**\" ]";
        lab.set_policy(&lab.policy().replace("match: [ \"registry.demo/**\" ]", both)).expect("a good policy");
        let ours = lab.signed("team/app").manifest.digest;
        let image = images::image(other.registry(), "team/app", Some("1"), "hello from elsewhere\n");
        lab.signer.sign_bundle(other.registry(), &image.manifest).expect("signs");
        Self { lab, other, ours, theirs: image.manifest.digest }
    }

    async fn ask(&self, target: &str, host: &str) -> wire::Reply {
        wire::ask(self.lab.proxy.address, "GET", target, host, "").await
    }

    #[track_caller]
    fn asked_nobody(&self, target: &str) {
        assert!(self.lab.double.seen().is_empty() && self.other.seen().is_empty(), "{target}");
    }
}

#[tokio::test]
async fn ns_prefix_host_and_alias_choose_the_registry() {
    let two = Two::start().await;
    for (target, host, digest) in [
        ("/v2/team/app/manifests/1?ns=registry.demo", "localhost", two.ours),
        ("/v2/team/app/manifests/1?ns=other.demo", "localhost", two.theirs),
        ("/v2/team/app/manifests/1?ns=OTHER.demo%3A443", "localhost", two.theirs),
        ("/v2/team/app/manifests/1?ns=mirror.demo", "localhost", two.ours),
        ("/v2/registry.demo/team/app/manifests/1", "localhost", two.ours),
        ("/v2/other.demo/team/app/manifests/1", "localhost", two.theirs),
        ("/v2/team/app/manifests/1", "registry.demo", two.ours),
        ("/v2/team/app/manifests/1", "other.demo:443", two.theirs),
        ("/v2/team/app/manifests/1?ns=registry.demo", "mirror.demo", two.ours),
        ("/v2/other.demo/team/app/manifests/1?ns=other.demo", "other.demo", two.theirs),
    ] {
        let reply = two.ask(target, host).await;
        assert_eq!((reply.status(), Digest::of(&reply.body)), (200, digest), "{target} at {host}");
    }
}

#[tokio::test]
async fn an_unknown_registry_is_refused_and_nobody_is_asked() {
    let two = Two::start().await;
    for (target, host) in [
        ("/v2/team/app/manifests/1?ns=evil.demo", "localhost"),
        ("/v2/team/app/manifests/1?ns=evil.demo", "registry.demo"),
        ("/v2/team/app/manifests/1?ns=http%3A%2F%2Fregistry.demo", "localhost"),
        ("/v2/team/app/manifests/1?ns=registry.demo.evil", "localhost"),
        ("/v2/team/app/manifests/1?ns=registry.demo:80", "localhost"),
        ("/v2/team/app/manifests/1?ns=", "registry.demo"),
        ("/v2/team/app/manifests/1", "localhost"),
        ("/v2/evil.demo/team/app/manifests/1", "localhost"),
        ("/v2/team/app/tags/list?ns=evil.demo", "localhost"),
    ] {
        let reply = two.ask(target, host).await;
        assert_eq!((reply.status(), reply.header("countersign-reason")), (403, "registry_unknown"), "{target}");
        two.asked_nobody(target);
    }
}

#[tokio::test]
async fn names_that_disagree_are_refused_and_nobody_is_asked() {
    let two = Two::start().await;
    for (target, host) in [
        ("/v2/team/app/manifests/1?ns=registry.demo", "other.demo"),
        ("/v2/other.demo/team/app/manifests/1", "registry.demo"),
        ("/v2/other.demo/team/app/manifests/1?ns=registry.demo", "localhost"),
        ("/v2/team/app/manifests/1?ns=registry.demo&ns=other.demo", "localhost"),
        ("/v2/team/app/manifests/1?ns=registry.demo&ns=registry.demo", "localhost"),
    ] {
        let reply = two.ask(target, host).await;
        assert_eq!((reply.status(), reply.header("countersign-reason")), (403, "routes_disagree"), "{target}");
        two.asked_nobody(target);
    }
}

#[tokio::test]
async fn two_host_headers_are_refused_and_nobody_is_asked() {
    let two = Two::start().await;
    for (first, second) in [("registry.demo", "other.demo"), ("registry.demo", "registry.demo")] {
        let second = format!("Host: {second}");
        let reply = wire::ask(two.lab.proxy.address, "GET", "/v2/team/app/manifests/1", first, &second).await;
        assert!(matches!(reply.status(), 400 | 403), "{}", reply.status_line);
        two.asked_nobody(&second);
    }
}

#[tokio::test]
async fn one_registrys_admission_says_nothing_about_anothers() {
    let two = Two::start().await;
    let (_, bytes) = two.lab.registry().manifest("team/app", "1").expect("it is there");
    two.other.registry().put_manifest("team/app", crate::support::scene::IMAGE, bytes, Some("copy"));
    assert_eq!(two.ask("/v2/team/app/manifests/1", "registry.demo").await.status(), 200);
    let reply = two.ask("/v2/team/app/manifests/copy", "other.demo").await;
    assert_eq!((reply.status(), reply.header("countersign-reason")), (403, "unsigned"));
    let manifest: serde_json::Value =
        serde_json::from_slice(&two.ask("/v2/team/app/manifests/1", "registry.demo").await.body).expect("a manifest");
    let layer: Digest = manifest["layers"][0]["digest"].as_str().expect("a digest").parse().expect("a digest");
    assert_eq!(two.ask(&blob("team/app", layer), "registry.demo").await.status(), 200);
    let reply = two.ask(&blob("team/app", layer), "other.demo").await;
    assert_eq!((reply.status(), reply.header("countersign-reason")), (403, "not_a_member"));
}

#[tokio::test]
async fn the_only_registry_needs_no_name_and_a_foreign_first_part_is_a_repository() {
    let lab = Lab::start(Options::default()).await;
    let image = lab.signed("evil.demo/app").manifest;
    for target in ["/v2/evil.demo/app/manifests/1", "/v2/registry.demo/evil.demo/app/manifests/1"] {
        let answer = lab.get(target).await;
        assert_eq!((answer.status, Digest::of(&answer.body)), (200, image.digest), "{target}");
    }
    denied(&lab.get(&(manifest("team/app", "1") + "?ns=evil.demo")).await, "registry_unknown");
}

/// C04: the names of Docker Hub are one, and its own images are in `library/`, for the policy and for the registry.
#[tokio::test]
async fn c04_docker_hub_is_asked_for_what_the_policy_saw() {
    let lab = Lab::start(Options { name: "docker.io".into(), ..Options::default() }).await;
    let digest = lab.signed("library/nginx").manifest.digest;
    for target in [
        "/v2/library/nginx/manifests/1?ns=docker.io",
        "/v2/nginx/manifests/1?ns=index.docker.io",
        "/v2/nginx/manifests/1?ns=registry-1.docker.io%3A443",
        "/v2/docker.io/nginx/manifests/1",
        "/v2/docker.io/library/nginx/manifests/1",
        "/v2/nginx/manifests/1",
    ] {
        let answer = lab.get(target).await;
        assert_eq!((answer.status, Digest::of(&answer.body)), (200, digest), "{target}");
    }
    assert!(
        lab.double.seen().iter().all(|seen| seen.path.starts_with("/v2/library/nginx/")),
        "{:?}",
        lab.double.seen()
    );
}
