//! Signatures that cosign does not put where it does by default: in another repository (`COSIGN_REPOSITORY`), and, in the
//! legacy format, among the referrers.

use crate::support::http::ask;
use crate::support::image::Image;
use crate::support::lab::{Cell, FOREIGN, Lab, RELEASE, signed_by};
use crate::support::matrix::{for_every_signature, on_every_registry};
use crate::support::proxy::{Proxy, REGISTRY};

/// Where the test's signatures are: one repository for all images, and a parallel test has one of its own.
fn signatures(cell: Cell) -> (&'static Lab, Proxy, String) {
    let lab = cell.lab();
    let repository = lab.push("signatures").repository;
    let require = "require: { signature: { by: release-key } }\n";
    let evidence = format!("{require}    evidence: {{ repository: {REGISTRY}/{repository} }}\n");
    let policy = signed_by(RELEASE).replace(require, &evidence);
    assert!(policy.contains(&repository), "{policy}");
    (lab, lab.proxy_under(&policy), repository)
}

#[track_caller]
fn is_served(proxy: &Proxy, image: &Image) {
    for (method, path) in [("HEAD", image.tag_path()), ("GET", image.manifest_path())] {
        let answer = proxy.ask(method, &path);
        assert_eq!(answer.status, 200, "{method} {path}: {answer:?}");
    }
}

#[track_caller]
fn is_refused(proxy: &Proxy, image: &Image) {
    let answer = proxy.ask("GET", &image.manifest_path());
    assert_eq!(answer.status, 403, "{answer:?}");
}

fn a_signature_in_the_policys_repository_counts_as_well_as_one_beside_the_image(cell: Cell) {
    let (lab, proxy, repository) = signatures(cell);
    let elsewhere = lab.push("elsewhere");
    lab.sign_into(cell.cosign, RELEASE, &elsewhere, &repository);
    // Nothing at all beside the image.
    for path in [format!("referrers/{}", elsewhere.digest), format!("manifests/{}", elsewhere.digest.replace(':', "-"))]
    {
        let answer = ask(lab.registry.address, "GET", &format!("/v2/{}/{path}", elsewhere.repository));
        let answer = answer.expect("the registry answers");
        assert!(answer.status == 404 || answer.json()["manifests"].as_array().is_some_and(Vec::is_empty), "{answer:?}");
    }
    is_served(&proxy, &elsewhere);
    is_served(&proxy, &lab.push_signed("beside", cell.cosign));
    // Without the setting nobody looks there.
    is_refused(&lab.proxy, &elsewhere);
}

fn a_signature_in_the_policys_repository_is_judged_like_any_other(cell: Cell) {
    let (lab, proxy, repository) = signatures(cell);
    let foreign = lab.push("foreign-elsewhere");
    lab.sign_into(cell.cosign, FOREIGN, &foreign, &repository);
    is_refused(&proxy, &foreign);
    is_refused(&proxy, &lab.push("unsigned-elsewhere"));
    // One of another policy's repository is in none of ours.
    let other = lab.push("other-elsewhere");
    lab.sign_into(cell.cosign, RELEASE, &other, "somewhere/else");
    is_refused(&proxy, &other);
}

fn a_legacy_signature_among_the_referrers_counts(cell: Cell) {
    let lab = cell.lab();
    let signed = lab.push("legacy-referrer");
    lab.sign_as_referrer(RELEASE, &signed);
    let tag = format!("/v2/{}/manifests/{}.sig", signed.repository, signed.digest.replace(':', "-"));
    assert_eq!(ask(lab.registry.address, "GET", &tag).expect("the registry answers").status, 404);
    is_served(&lab.proxy, &signed);
    let foreign = lab.push("foreign-legacy-referrer");
    lab.sign_as_referrer(FOREIGN, &foreign);
    is_refused(&lab.proxy, &foreign);
}

for_every_signature! {
    a_signature_in_the_policys_repository_counts_as_well_as_one_beside_the_image
    a_signature_in_the_policys_repository_is_judged_like_any_other
}

on_every_registry! {
    a_legacy_signature_among_the_referrers_counts
}
