//! The rows that are refused.

use std::io;

use serde_json::json;

use super::{Case, TAG, push, signature};
use crate::demo::registry::Registry;
use crate::demo::signer::attestation_statement;
use crate::demo::signers::Signers;
use crate::demo::sigstore::{Content, Identity};
use crate::reason::Reason;

/// What nobody signed.
pub(super) fn unsigned(registry: &Registry, cases: &mut Vec<Case>) {
    let unsigned = push(registry, "team/unsigned");
    cases.extend([
        Case::manifest(&unsigned.manifest, TAG, "not signed", Reason::Unsigned),
        Case::layer(&unsigned, "a layer of it", Reason::NotAMember),
    ]);
}

/// What others signed, who come as near as they can.
pub(super) fn foreign(registry: &Registry, signers: &Signers, cases: &mut Vec<Case>) -> io::Result<()> {
    let myorg = Identity::gitlab("myorg/app");
    let file = "https://gitlab.com/myorg/app//.gitlab-ci.yml@refs/heads/main";
    let another = Signers::new()?;
    let mut unknown = signers.pipeline("myorg/app")?;
    if let Some(issuance) = &mut unknown.certificate {
        issuance.authority = another.sigstore.authority.clone();
    }
    for (repository, shows, recipe, cause) in [
        (
            "team/included",
            "by a foreign project that includes myorg's CI file",
            signers.keyless(&Identity::gitlab_including("evil/app", file))?,
            Reason::ExtensionMismatch,
        ),
        ("team/evil", "by a pipeline of myorg-evil", signers.pipeline("myorg-evil/app")?, Reason::IdentityMismatch),
        (
            "team/issuer",
            "by myorg of another GitLab",
            signers.keyless(&myorg.issued_by("https://gitlab.evil.test"))?,
            Reason::IssuerMismatch,
        ),
        ("team/authority", "by myorg, says an unknown authority", unknown, Reason::CertificateInvalid),
    ] {
        let image = push(registry, repository).manifest;
        recipe.sign(signature(&image))?.store_bundle(registry, &image);
        cases.push(Case::manifest(&image, TAG, shows, Reason::SignatureMissing).because(cause));
    }
    let image = push(registry, "vendor/stranger").manifest;
    signers.keyed(&another.key).sign(signature(&image))?.store_bundle(registry, &image);
    let case = Case::manifest(&image, TAG, "signed with another key", Reason::SignatureMissing);
    cases.push(case.because(Reason::KeyMismatch));
    Ok(())
}

/// What the right pipeline signed, only not this.
pub(super) fn misused(registry: &Registry, signers: &Signers, cases: &mut Vec<Case>) -> io::Result<()> {
    let [unlogged, copied, sbom] =
        ["team/unlogged", "team/copied", "team/sbom-only"].map(|name| push(registry, name).manifest);
    let pipeline = signers.pipeline("myorg/app")?;
    let mut pieces = signers.stamped(pipeline.clone()).sign(signature(&unlogged))?;
    pieces.entries.clear();
    pieces.store_bundle(registry, &unlogged);
    pipeline.sign(signature(&unlogged))?.store_bundle(registry, &copied);
    let bom = json!({ "bomFormat": "CycloneDX", "specVersion": "1.6", "components": [] });
    let bom = attestation_statement("team/sbom-only", sbom.digest, "https://cyclonedx.org/bom", &bom);
    pipeline.sign(Content::statement(&bom))?.store_bundle(registry, &sbom);
    for (image, shows, cause) in [
        (&unlogged, "signed, and in no log", Reason::LogEntryMissing),
        (&copied, "a signature of another image, copied", Reason::SubjectMismatch),
        (&sbom, "only an SBOM, signed by myorg's pipeline", Reason::PredicateTypeMismatch),
    ] {
        cases.push(Case::manifest(image, TAG, shows, Reason::SignatureMissing).because(cause));
    }
    Ok(())
}
