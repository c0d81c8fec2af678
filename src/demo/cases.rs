//! The rows of the demo: the images it makes, how each is pulled, and the answer that each must get.

use std::io;

use serde_json::json;

use super::cosign::attach_bundle;
use super::images::{self, Image, Stored};
use super::registry::Registry;
use super::signer::{self, SIGN, Signer};
use crate::oci::Digest;
use crate::reason::Reason;

/// One pull and the answer that it must get.
#[derive(Debug, Clone)]
pub struct Case {
    /// What is pulled, as a person would write it.
    pub name: String,
    /// What the row shows.
    pub shows: &'static str,
    /// The path of the request, from `/v2/`.
    pub path: String,
    /// What the content hashes to, if it is served.
    pub digest: Digest,
    /// The reason that the answer must give; it decides the status.
    pub reason: Reason,
    /// Why the nearest candidate does not count.
    pub cause: Option<Reason>,
}

impl Case {
    fn manifest(image: &Stored, tag: &str, shows: &'static str, reason: Reason) -> Self {
        let path = format!("/v2/{}/manifests/{tag}", image.repository);
        let name = format!("{}:{tag}", image.repository);
        Self { name, shows, path, digest: image.digest, reason, cause: None }
    }

    fn child(image: &Stored, shows: &'static str, reason: Reason) -> Self {
        let path = format!("/v2/{}/manifests/{}", image.repository, image.digest);
        Self { name: short(&image.repository, image.digest), shows, path, digest: image.digest, reason, cause: None }
    }

    fn layer(image: &Image, shows: &'static str, reason: Reason) -> Self {
        let repository = &image.manifest.repository;
        let path = format!("/v2/{repository}/blobs/{}", image.layer);
        Self { name: short(repository, image.layer), shows, path, digest: image.layer, reason, cause: None }
    }

    fn because(self, cause: Reason) -> Self {
        Self { cause: Some(cause), ..self }
    }

    /// The status that belongs to the reason.
    pub fn status(&self) -> u16 {
        if matches!(self.reason, Reason::Signed | Reason::Member) { 200 } else { 403 }
    }
}

/// Fills `registry` and returns the rows, in the order in which they are pulled. `signer` is the one that the policy
/// names; with `None`, what it would have signed stays unsigned.
///
/// # Errors
/// If signing fails.
pub fn prepare(registry: &Registry, signer: Option<&Signer>) -> io::Result<Vec<Case>> {
    let foreign = Signer::generate()?;
    let push = |repository: &str| images::image(registry, repository, Some(TAG), &format!("hello from {repository}\n"));

    let app = push("team/app");
    let legacy = push("team/legacy");
    let unsigned = push("team/unsigned");
    let stranger = push("team/stranger");
    let copied = push("team/copied");
    let sbom = push("team/sbom-only");
    let children = ["amd64", "arm64"].map(|architecture| {
        images::image_for(registry, "team/multi", None, architecture, &format!("hello from {architecture}\n"))
    });
    let multi = images::index(registry, "team/multi", Some(TAG), &children);

    foreign.sign_legacy(registry, &stranger.manifest)?;
    if let Some(signer) = signer {
        signer.sign_bundle(registry, &app.manifest)?;
        signer.sign_legacy(registry, &legacy.manifest)?;
        signer.sign_bundle(registry, &multi)?;
        let bundle = signer.bundle(&signer::signature_statement(app.manifest.digest))?;
        attach_bundle(registry, &copied.manifest, bundle.to_string().into_bytes(), SIGN);
        let bom = json!({ "bomFormat": "CycloneDX", "specVersion": "1.6", "components": [] });
        signer.attest_bundle(registry, &sbom.manifest, "https://cyclonedx.org/bom", &bom)?;
    }

    Ok(vec![
        Case::manifest(&app.manifest, TAG, "signed, as cosign 3 stores it", Reason::Signed),
        Case::layer(&app, "a layer of it", Reason::Member),
        Case::manifest(&legacy.manifest, TAG, "signed, as cosign 2 stores it", Reason::Signed),
        Case::manifest(&multi, TAG, "a signed index", Reason::Signed),
        Case::child(&children[1].manifest, "its arm64 image, by digest", Reason::Member),
        Case::manifest(&unsigned.manifest, TAG, "not signed", Reason::Unsigned),
        Case::layer(&unsigned, "a layer of it", Reason::NotAMember),
        Case::manifest(&stranger.manifest, TAG, "signed by another key", Reason::SignatureMissing)
            .because(Reason::KeyMismatch),
        Case::manifest(&copied.manifest, TAG, "a signature of team/app, copied", Reason::SignatureMissing)
            .because(Reason::SubjectMismatch),
        Case::manifest(&sbom.manifest, TAG, "only an SBOM, signed by the right key", Reason::SignatureMissing)
            .because(Reason::PredicateTypeMismatch),
    ])
}

/// `repository@sha256:` and the first digits, for a table.
fn short(repository: &str, digest: Digest) -> String {
    format!("{repository}@sha256:{}…", &digest.hex()[..8])
}

const TAG: &str = "1";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::demo::registry::Options;
    use http::{HeaderMap, Method};

    #[test]
    fn the_registry_itself_serves_every_row() {
        let registry = Registry::new(Options::default());
        let signer = Signer::generate().expect("a key");
        for case in prepare(&registry, Some(&signer)).expect("signs") {
            let answer = registry.handle(&Method::GET, &case.path.parse().expect("a path"), &HeaderMap::new());
            assert_eq!(answer.status(), 200, "{}", case.name);
            assert_eq!(answer.headers()["docker-content-digest"], case.digest.to_string());
        }
    }

    #[test]
    fn without_a_signer_only_the_stranger_signs() {
        let registry = Registry::new(Options::default());
        let cases = prepare(&registry, None).expect("signs");
        assert!(cases.iter().any(|case| case.status() == 200), "so that leaving signing out shows");
        for case in cases.iter().filter(|case| case.path.contains("/manifests/")) {
            let repository = case.path.trim_start_matches("/v2/").split("/manifests/").next().expect("a name");
            let tag = super::super::cosign::tag(&case.digest, Some("sig"));
            assert_eq!(registry.manifest(repository, &tag).is_some(), repository == "team/stranger");
        }
    }
}
