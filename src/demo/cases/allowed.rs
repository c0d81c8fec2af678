//! The rows that are served.

use std::io;

use super::{Case, TAG, push, signature};
use crate::demo::images;
use crate::demo::registry::Registry;
use crate::demo::signer::simple_signing_payload;
use crate::demo::signers::Signers;
use crate::demo::sigstore::Content;
use crate::reason::Reason;

/// What is signed as the policy demands.
pub(super) fn signed(registry: &Registry, signers: &Signers, signing: bool, cases: &mut Vec<Case>) -> io::Result<()> {
    let app = push(registry, "team/app");
    let legacy = push(registry, "team/legacy");
    let children = ["amd64", "arm64"].map(|architecture| {
        images::image_for(registry, "team/multi", None, architecture, &format!("hello from {architecture}\n"))
    });
    let multi = images::index(registry, "team/multi", Some(TAG), &children);
    let vendor = push(registry, "vendor/app");
    if signing {
        let pipeline = signers.pipeline("myorg/app")?;
        signers.stamped(pipeline.clone()).sign(signature(&app.manifest))?.store_bundle(registry, &app.manifest);
        let payload =
            simple_signing_payload(&format!("{}/team/legacy", registry.options().name), legacy.manifest.digest);
        pipeline.sign(Content::document(&payload))?.store_legacy(registry, &legacy.manifest);
        signers.in_rekor_v2(pipeline).sign(signature(&multi))?.store_bundle(registry, &multi);
        signers.keyed(&signers.key).sign(signature(&vendor.manifest))?.store_bundle(registry, &vendor.manifest);
    }
    cases.extend([
        Case::manifest(&app.manifest, TAG, "signed by myorg's pipeline, in Rekor v1", Reason::Signed),
        Case::layer(&app, "a layer of it", Reason::Member),
        Case::manifest(&legacy.manifest, TAG, "the same, as cosign 2 stores it", Reason::Signed),
        Case::manifest(&multi, TAG, "an index, signed in Rekor v2", Reason::Signed),
        Case::child(&children[1].manifest, "its arm64 image, by digest", Reason::Member),
        Case::manifest(&vendor.manifest, TAG, "signed with a key, in Rekor v1", Reason::Signed),
    ]);
    Ok(())
}
