//! A registry that lets nobody in but the proxy: the credentials come from docker's files and helpers, are rotated while
//! pulls go on, and are told to nobody.

use std::fs;
use std::time::Duration;

use serde_json::json;

use crate::support::containerd::Version;
use crate::support::cosign::Cosign;
use crate::support::guarded::{Guarded, Lent, PASSWORDS, USER, install_helper, replace};
use crate::support::image::Image;
use crate::support::lab::Cell;
use crate::support::process::poll;
use crate::support::proxy::{Proxy, REGISTRY};
use crate::support::registry::{Kind, Registry};
use crate::support::token_server::{Known, TokenServer};

const CELL: Cell = Cell { containerd: Version::V2, registry: Kind::Docker, cosign: Cosign::Bundle };

/// It comes to be served: evidence that could not be read rests for a moment.
#[track_caller]
fn is_served(proxy: &Proxy, image: &Image) {
    let served = || {
        let answer = proxy.ask("GET", &image.tag_path());
        (answer.status, answer.header("docker-content-digest")) == (200, Some(image.digest.as_str()))
    };
    assert!(poll(Duration::from_secs(20), served), "it is never served:\n{}", proxy.log());
}

#[track_caller]
fn is_rejected(proxy: &Proxy, image: &Image) {
    let answer = proxy.ask("GET", &image.tag_path());
    let reason = answer.header("countersign-reason").unwrap_or_default();
    assert_eq!((answer.status, reason), (503, "upstream_credentials_rejected"), "{answer:?}\n{}", proxy.log());
}

#[track_caller]
fn nothing_is_told(proxy: &Proxy, secrets: &[String]) {
    let log = proxy.log();
    assert!(log.contains("\"level\":\"TRACE\""), "it says too little to show anything:\n{log}");
    for secret in secrets {
        let line = log.lines().find(|line| line.contains(secret.as_str()));
        assert_eq!(line, None, "a secret was logged");
    }
}

#[test]
fn a_password_in_a_docker_config_is_rotated_while_pulls_go_on() {
    let lab = CELL.lab();
    let guarded = Guarded::start(&lab.registry);
    let [before, during, node] = ["before", "during", "node"].map(|name| lab.push_signed(name, CELL.cosign));
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = folder.path().join(".dockerconfigjson");
    let write = |password: &str| {
        replace(&file, &json!({ "auths": { REGISTRY: { "username": USER, "password": password } } }).to_string());
    };
    write(PASSWORDS[0].0);
    let credentials = Some(format!("{{ dockerConfig: {} }}", file.display()));
    let proxy = lab.lending_proxy(&guarded.registry, &Lent { credentials, level: Some("trace"), ..Lent::default() });
    is_served(&proxy, &before);

    guarded.rotate();
    is_rejected(&proxy, &during);
    write(PASSWORDS[1].0);
    is_served(&proxy, &during);
    // A node has no credentials, and needs none.
    let host = guarded.registry.forbidden.address;
    CELL.node().pull(&proxy.safe_hosts(host), &node.tagged(host)).succeeded();
    assert!(guarded.registry.forbidden.seen(&node).is_empty(), "the node went past the proxy");
    nothing_is_told(&proxy, &PASSWORDS.map(|(password, _)| password.to_string()));
}

#[test]
fn a_helper_gives_a_password_and_then_an_identity_token() {
    let lab = CELL.lab();
    let server = TokenServer::start(Known::Password("first-t0psecret"));
    let registry = Registry::with_tokens(&lab.registry, &server);
    let [before, after] = ["helped-before", "helped-after"].map(|name| lab.push_signed(name, CELL.cosign));
    let folder = tempfile::tempdir().expect("a temporary folder");
    install_helper(folder.path());
    let answer = |username: &str, secret: &str| {
        let answer = json!({ "ServerURL": REGISTRY, "Username": username, "Secret": secret });
        replace(&folder.path().join("answer"), &answer.to_string());
    };
    answer(USER, "first-t0psecret");
    let file = folder.path().join("config.json");
    fs::write(&file, json!({ "credHelpers": { REGISTRY: "lab" } }).to_string()).expect("the folder is writable");
    let credentials = Some(format!("{{ dockerConfig: {} }}", file.display()));
    let path = Some(folder.path().to_owned());
    let proxy = lab.lending_proxy(&registry, &Lent { credentials, path, level: Some("trace"), ..Lent::default() });
    is_served(&proxy, &before);

    server.rotate(Known::Identity("second-t0psecret"));
    answer("<token>", "second-t0psecret");
    is_served(&proxy, &after);
    let mut secrets = server.issued();
    assert!(!secrets.is_empty(), "the registry wants tokens");
    secrets.extend(["first-t0psecret", "second-t0psecret"].map(str::to_string));
    nothing_is_told(&proxy, &secrets);
}
