//! What is released must be signed, and come with a bill of materials, a scan and provenance that say the right things.
//! Real cosign attests them, as a GitLab pipeline (under the example policy of a company) and with a key; what lacks one
//! thing is refused for exactly that.

use std::sync::LazyLock;
use std::time::Duration;

use crate::support::containerd::Version;
use crate::support::cosign::Cosign;
use crate::support::cosign::keyless::Form;
use crate::support::expect::is_refused;
use crate::support::image::Image;
use crate::support::lab::{Cell, Lab, RELEASE};
use crate::support::matrix::{everywhere, on_every_node};
use crate::support::predicates::{Predicate, banned, built, critical, listed, scanned};
use crate::support::proxy::{Proxy, REGISTRY};
use crate::support::registry::Kind;
use crate::support::sigstore::{Pipeline, sigstore};

fn an_image_with_everything_that_is_demanded_runs(cell: Cell) {
    let (lab, node) = (cell.lab(), cell.node());
    for by in SIGNERS {
        let image = by.releases(cell, &good());
        let name = image.tagged(lab.host());
        node.pull(&by.proxy(cell).safe_hosts(lab.host()), &name).succeeded();
        assert_eq!(node.run(&name), image.token);
        lab.nobody_went_past(&image);
    }
}

fn an_image_without_a_bill_of_materials_is_refused(cell: Cell) {
    let [_, scan, provenance] = good();
    is_refused_for(cell, &[scan, provenance], "attestation_missing", "no attestation https://cyclonedx.org/bom");
}

fn an_image_with_a_banned_package_is_refused(cell: Cell) {
    let [_, scan, provenance] = good();
    is_refused_for(
        cell,
        &[banned(), scan, provenance],
        "condition_false",
        r#"hasComponent(predicate, "banned-package")"#,
    );
}

fn an_image_that_was_not_scanned_is_refused(cell: Cell) {
    let [sbom, _, provenance] = good();
    let missing = "no attestation https://cosign.sigstore.dev/attestation/vuln/v1";
    is_refused_for(cell, &[sbom, provenance], "attestation_missing", missing);
}

/// It is signed and logged today: that says nothing of when it was scanned.
fn an_image_whose_scan_is_stale_is_refused(cell: Cell) {
    let [sbom, _, provenance] = good();
    is_refused_for(cell, &[sbom, scanned(8 * DAY), provenance], "too_old", "8 days old, at most 7 days");
}

fn an_image_with_a_critical_finding_is_refused(cell: Cell) {
    let [sbom, _, provenance] = good();
    let scan = critical(HOUR);
    is_refused_for(cell, &[sbom, scan, provenance], "condition_false", r#"vulnerabilityCount(predicate, "CRITICAL")"#);
}

fn an_image_without_provenance_is_refused(cell: Cell) {
    let [sbom, scan, _] = good();
    is_refused_for(cell, &[sbom, scan], "attestation_missing", "no attestation https://slsa.dev/provenance/v1");
}

fn an_image_of_a_foreign_builder_is_refused(cell: Cell) {
    let [sbom, scan, _] = good();
    let foreign = built(OUR_SOURCE, "https://builder.evil.test/1");
    is_refused_for(cell, &[sbom, scan, foreign], "condition_false", "glob(builder(predicate)");
}

fn an_image_of_a_foreign_source_is_refused(cell: Cell) {
    let [sbom, scan, _] = good();
    let foreign = built("https://gitlab.com/myorg-evil/app", OUR_BUILDER);
    is_refused_for(cell, &[sbom, scan, foreign], "condition_false", "glob(source(predicate)");
}

/// All that is demanded, as it must be.
fn good() -> [Predicate; 3] {
    [listed(), scanned(HOUR), built(OUR_SOURCE, OUR_BUILDER)]
}

/// Whoever signed and attested: the node says why, in these words, and so do the proxy's log and its metrics.
#[track_caller]
fn is_refused_for(cell: Cell, attested: &[Predicate], reason: &str, words: &str) {
    for by in SIGNERS {
        let (image, proxy) = (by.releases(cell, attested), by.proxy(cell));
        is_refused(cell, proxy, &image, &[words]);
        let answer = proxy.ask("HEAD", &image.manifest_path());
        assert_eq!(answer.header("countersign-reason"), Some(reason), "{answer:?}");
        let log = proxy.log();
        let mut lines = log.lines().filter(|line| line.contains(&image.digest));
        assert!(lines.any(|line| line.contains(reason)), "{reason} is not in the log:\n{log}");
        let label = format!("reason=\"{reason}\"");
        assert!(proxy.metric("countersign_decisions_total", &["outcome=\"deny\"", &label]) >= 1.0, "{reason}");
    }
}

/// Who signs and attests.
#[derive(Clone, Copy)]
enum Signer {
    Key,
    Pipeline,
}

const SIGNERS: [Signer; 2] = [Signer::Key, Signer::Pipeline];

impl Signer {
    /// A new image, signed and with these attestations.
    fn releases(self, cell: Cell, attested: &[Predicate]) -> Image {
        let (lab, cosign) = (cell.lab(), cell.cosign);
        let image = lab.push("released");
        match self {
            Self::Key => {
                lab.sign(cosign, RELEASE, &image);
                for predicate in attested {
                    lab.attest(cosign, RELEASE, &image, predicate);
                }
            }
            Self::Pipeline => {
                let (form, ours) = (Form::from(cosign), Pipeline::of("myorg/app"));
                form.sign(&ours, &image);
                for predicate in attested {
                    form.attest(&ours, &image, predicate);
                }
            }
        }
        image
    }

    /// The proxy that wants it so; the first caller starts it.
    fn proxy(self, cell: Cell) -> &'static Proxy {
        static PROXIES: [LazyLock<Proxy>; 4] = [
            LazyLock::new(|| keyed(Kind::Docker)),
            LazyLock::new(|| keyed(Kind::Referrers)),
            LazyLock::new(|| company(Kind::Docker)),
            LazyLock::new(|| company(Kind::Referrers)),
        ];
        let [keyed_docker, keyed_referrers, company_docker, company_referrers] = &PROXIES;
        match (self, cell.registry) {
            (Self::Key, Kind::Docker) => keyed_docker,
            (Self::Key, Kind::Referrers) => keyed_referrers,
            (Self::Pipeline, Kind::Docker) => company_docker,
            (Self::Pipeline, Kind::Referrers) => company_referrers,
        }
    }
}

/// Under the example of a company's policy, for the lab's registry and its Sigstore.
fn company(registry: Kind) -> Proxy {
    let policy = include_str!("../../config/policies/company.yaml")
        .replace("public-good: { tuf: { } }", "public-good: { file: trusted_root.json }")
        .replace("registry.company.com/release/**", &format!("{REGISTRY}/lab/released-*"))
        .replace("registry.company.com", REGISTRY);
    let key = concat!(env!("CARGO_MANIFEST_DIR"), "/config/policies/vendor.pub").into();
    Proxy::start(&lab_with(registry).registry, &[sigstore().trusted_root(), key], &policy)
}

/// Under a policy that wants the same of a key, which is in no log.
fn keyed(registry: Kind) -> Proxy {
    let policy = format!(
        r#"
authorities:
  release-key: {{ key: {{ file: {RELEASE}.pub, insecureSkipTransparencyLog: true }} }}
policies:
  - name: keyed
    match: [ "{REGISTRY}/**" ]
    require:
      allOf:
        - signature: {{ by: release-key }}
        - attestation:
            by: release-key
            type: cyclonedx
            select: all
            condition: '!hasComponent(predicate, "banned-package")'
        - attestation:
            by: release-key
            type: vuln
            maxAge: 7d
            ageFrom: metadata.scanFinishedOn
            condition: vulnerabilityCount(predicate, "CRITICAL") == 0
        - attestation:
            by: release-key
            type: slsaprovenance1
            select: all
            condition: glob(builder(predicate), "https://gitlab.com/myorg/**")
        - attestation:
            by: release-key
            type: slsaprovenance1
            select: all
            condition: glob(source(predicate), "https://gitlab.com/myorg/**")
default: deny
"#
    );
    lab_with(registry).proxy_under(&policy)
}

fn lab_with(registry: Kind) -> &'static Lab {
    Cell { containerd: Version::V2, registry, cosign: Cosign::Bundle }.lab()
}

const OUR_SOURCE: &str = "https://gitlab.com/myorg/app";
const OUR_BUILDER: &str = "https://gitlab.com/myorg/app/-/runners/12";
const HOUR: Duration = Duration::from_hours(1);
const DAY: Duration = Duration::from_hours(24);

everywhere! {
    an_image_with_everything_that_is_demanded_runs
}

on_every_node! {
    an_image_without_a_bill_of_materials_is_refused
    an_image_with_a_banned_package_is_refused
    an_image_that_was_not_scanned_is_refused
    an_image_whose_scan_is_stale_is_refused
    an_image_with_a_critical_finding_is_refused
    an_image_without_provenance_is_refused
    an_image_of_a_foreign_builder_is_refused
    an_image_of_a_foreign_source_is_refused
}
