//! What loosens a policy: an exemption lets an image through until it ends, and audit lets everything through and says so.

use std::time::Duration;

use jiff::Timestamp;

use crate::support::containerd::Version;
use crate::support::cosign::Cosign;
use crate::support::expect::is_refused;
use crate::support::image::Image;
use crate::support::lab::{Cell, RELEASE, signed_by};
use crate::support::matrix::on_every_node;
use crate::support::process::poll;
use crate::support::proxy::{Proxy, REGISTRY};
use crate::support::registry::Kind;

/// With the clock of the proxy, and nothing else changing.
#[test]
fn an_exempt_image_runs_until_the_exemption_ends() {
    let cell = Cell { containerd: Version::V2, registry: Kind::Referrers, cosign: Cosign::Bundle };
    let lab = cell.lab();
    let (image, other) = (lab.push("exempt"), lab.push("not-exempt"));
    let proxy = lab.own_proxy();
    is_refused(cell, &proxy, &image, &["unsigned"]);

    let end = Timestamp::from_second((Timestamp::now() + VALID).as_second()).expect("an instant");
    proxy.set_policy(&format!(
        "{}exemptions:\n  - match: [ \"{REGISTRY}/{}@{}\" ]\n    reason: INC-1234\n    expires: {end}\n",
        signed_by(RELEASE),
        image.repository,
        image.digest
    ));
    let reason = || proxy.ask("HEAD", &image.manifest_path()).header("countersign-reason").map(str::to_owned);
    assert!(poll(VALID, || reason().as_deref() == Some("exempt")), "it never came into force:\n{}", proxy.log());
    runs(cell, &proxy, &image);
    is_refused(cell, &proxy, &other, &["unsigned"]);

    assert!(poll(2 * VALID, || reason().as_deref() != Some("exempt")), "it never ended:\n{}", proxy.log());
    assert!(Timestamp::now() >= end, "it ended early");
    let name = image.tagged(lab.host());
    let said = cell.node().pull(&proxy.safe_hosts(lab.host()), &name).refused();
    assert!(said.contains("exemption_expired (unsigned)") && said.contains("INC-1234"), "{said}");
    assert!(proxy.metric("countersign_decisions_total", &["reason=\"exempt\""]) >= 1.0);
}

/// Under the example for the first week.
fn audit_lets_everything_run_and_says_what_it_would_refuse(cell: Cell) {
    let lab = cell.lab();
    let policy = include_str!("../../config/policies/first-week.yaml")
        .replace("public-good: { tuf: { } }", "public-good: { file: trusted_root.json }")
        .replace("registry.company.com", REGISTRY);
    let proxy = Proxy::start(&lab.registry, &[crate::support::sigstore::sigstore().trusted_root()], &policy);
    let image = lab.push("audited");
    runs(cell, &proxy, &image);
    let answer = proxy.ask("HEAD", &image.manifest_path());
    assert_eq!(answer.header("countersign-reason"), Some("audited"), "{answer:?}");
    let would_deny = ["reason=\"unsigned\"", "policy=\"signed\""];
    assert!(proxy.metric("countersign_would_deny_total", &would_deny) >= 1.0);
    let log = proxy.log();
    let mut lines = log.lines().filter(|line| line.contains(&image.digest));
    assert!(lines.any(|line| line.contains("signed:unsigned")), "the log does not say what it would refuse:\n{log}");
}

fn runs(cell: Cell, proxy: &Proxy, image: &Image) {
    let (lab, node) = (cell.lab(), cell.node());
    let name = image.tagged(lab.host());
    node.pull(&proxy.safe_hosts(lab.host()), &name).succeeded();
    assert_eq!(node.run(&name), image.token);
    lab.nobody_went_past(image);
}

/// Long enough for a node to pull and run an image.
const VALID: Duration = Duration::from_secs(20);

on_every_node! {
    audit_lets_everything_run_and_says_what_it_would_refuse
}
