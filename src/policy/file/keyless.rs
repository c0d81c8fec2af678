//! Keyless authorities: an issuer, an identity, and pins on what else the certificate says.

use super::raw::RawKeyless;
use crate::policy::{Extension, Keyless, Pattern, Pin};
use crate::yaml::At;

/// What a certificate must say; nothing unless both issuer and identity are given.
pub(super) fn build(at: &At<'_>, raw: &RawKeyless) -> Option<Keyless> {
    let issuer = at.require("issuer", raw.issuer.as_ref());
    if issuer.is_some_and(|issuer| issuer.trim().is_empty()) {
        at.key("issuer").problem("it is empty, and would match nothing");
    }
    let key = at.exactly_one(&[("identity", raw.identity.is_some()), ("identityRegex", raw.identity_regex.is_some())]);
    let identity = key.and_then(|key| {
        let pattern = match (&raw.identity, &raw.identity_regex) {
            (Some(glob), _) => Pattern::glob(glob),
            (None, regex) => Pattern::regex(regex.as_deref().unwrap_or_default()),
        };
        at.key(key).accept(pattern)
    });
    let given = pins(raw).into_iter().filter_map(|(extension, text)| Some((extension, text?)));
    // All of them are judged: a pin that is lost would leave the authority laxer than written.
    let pins: Vec<Option<Pin>> = given
        .map(|(extension, text)| {
            let value = at.key(extension.key()).accept(Pattern::glob(text))?;
            Some(Pin { extension, value })
        })
        .collect();
    let pins: Option<Vec<Pin>> = pins.into_iter().collect();
    Some(Keyless { issuer: issuer?.clone(), identity: identity?, pins: pins? })
}

fn pins(raw: &RawKeyless) -> [(Extension, Option<&String>); 16] {
    [
        (Extension::BuildSigner, raw.build_signer.as_ref()),
        (Extension::BuildSignerDigest, raw.build_signer_digest.as_ref()),
        (Extension::RunnerEnvironment, raw.runner_environment.as_ref()),
        (Extension::SourceRepository, raw.source_repository.as_ref()),
        (Extension::SourceDigest, raw.source_digest.as_ref()),
        (Extension::SourceRef, raw.source_ref.as_ref()),
        (Extension::SourceRepositoryId, raw.source_repository_id.as_ref()),
        (Extension::SourceRepositoryOwner, raw.source_repository_owner.as_ref()),
        (Extension::SourceRepositoryOwnerId, raw.source_repository_owner_id.as_ref()),
        (Extension::BuildConfig, raw.build_config.as_ref()),
        (Extension::BuildConfigDigest, raw.build_config_digest.as_ref()),
        (Extension::Trigger, raw.trigger.as_ref()),
        (Extension::RunInvocation, raw.run_invocation.as_ref()),
        (Extension::SourceRepositoryVisibility, raw.source_repository_visibility.as_ref()),
        (Extension::DeploymentEnvironment, raw.deployment_environment.as_ref()),
        (Extension::TokenSubject, raw.token_subject.as_ref()),
    ]
}
