//! Who signs in a case.
//!
//! | keys | who |
//! |---|---|
//! | `gitlab: myorg/app` | a pipeline of this project, run by a push to `main`, with all that Fulcio writes for one |
//! | `github: myorg/app` | a workflow of this repository, likewise |
//! | `identity`, `issuer` | this name, of this issuer: a URI (`://`), an e-mail address (`@`) or a user name (`name!domain`) |
//! | `key: release-key`, `number` | who holds the private key of this authority, or its key of this number |
//! | `stranger: NAME` | a key that no authority has; the same name is the same key |
//!
//! Beside the first three stand the extensions of the certificate by their names in the policy file, such as
//! `sourceRepository` and `sourceRef`. What is given overrides what `gitlab` and `github` fill in; the ref goes into
//! the identity too, unless that is given.

use std::collections::BTreeMap;

use super::raw::RawSigner;
use crate::demo::sigstore::{Identity, San};
use crate::oci::Digest;
use crate::policy::{Extension, Policies};
use crate::yaml::{At, did_you_mean};

/// Who signs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Signer {
    /// Whoever a certificate names.
    Identity(Identity),
    /// Whoever holds the private half of this key of the policy, by its fingerprint.
    Key(Digest),
    /// Somebody whose key no authority has.
    Stranger(String),
}

/// The signer that `raw` describes; problems if it describes none.
pub(super) fn build(at: &At<'_>, raw: &RawSigner, policies: &Policies) -> Option<Signer> {
    let of = |key: &str| raw.get(key).map(String::as_str);
    let pipeline = of("gitlab").is_some() || of("github").is_some();
    let kind = at.exactly_one(&[
        ("gitlab", of("gitlab").is_some()),
        ("github", of("github").is_some()),
        ("identity", of("identity").is_some() && !pipeline),
        ("key", of("key").is_some()),
        ("stranger", of("stranger").is_some()),
    ])?;
    match kind {
        "key" => {
            only(at, raw, &["key", "number"]);
            key(at, of("key")?, of("number"), policies)
        }
        "stranger" => {
            only(at, raw, &["stranger"]);
            of("stranger").map(|name| Signer::Stranger(name.into()))
        }
        _ => {
            let extensions = Extension::ALL.iter().map(|extension| extension.key());
            let known: Vec<_> = extensions.chain([kind, "identity", "issuer"]).collect();
            only(at, raw, &known);
            identity(at, kind, raw).map(Signer::Identity)
        }
    }
}

/// Notes every key that is not one of `known`.
fn only(at: &At<'_>, raw: &RawSigner, known: &[&str]) {
    for key in raw.keys().filter(|key| !known.contains(&key.as_str())) {
        at.key(key).problem(format!("it says nothing about this signer{}", did_you_mean(key, known.iter().copied())));
    }
}

fn key(at: &At<'_>, name: &str, number: Option<&str>, policies: &Policies) -> Option<Signer> {
    let authority = policies.authorities().find(|authority| authority.name().as_str() == name);
    let Some(authority) = authority else {
        let names = policies.authorities().filter(|one| !one.keys().is_empty()).map(|one| one.name().as_str());
        at.key("key").problem(format!("the policy has no authority `{name}`{}", did_you_mean(name, names)));
        return None;
    };
    let keys = authority.keys();
    if keys.is_empty() {
        at.key("key")
            .problem(format!("the authority `{name}` is an identity and no key; say which, as in `gitlab: myorg/app`"));
        return None;
    }
    let chosen = number.unwrap_or("1").parse::<usize>().ok().and_then(|number| keys.get(number.checked_sub(1)?));
    if chosen.is_none() {
        at.key("number").problem(format!("the keys of `{name}` are numbered from 1 to {}", keys.len()));
    }
    chosen.map(|key| Signer::Key(key.fingerprint()))
}

fn identity(at: &At<'_>, kind: &str, raw: &BTreeMap<String, String>) -> Option<Identity> {
    let of = |key: &str| raw.get(key).map(String::as_str);
    let project = of(kind)?;
    if kind != "identity" && (!project.contains('/') || project.contains(':')) {
        at.key(kind).problem(format!("`{project}` is not a project such as `myorg/app`"));
    }
    let at_ref = of("sourceRef").unwrap_or("refs/heads/main");
    let mut identity = match kind {
        "gitlab" => {
            let file = format!("https://gitlab.com/{project}//.gitlab-ci.yml@{at_ref}");
            Identity::gitlab_including(project, of("identity").unwrap_or(&file))
        }
        "github" => {
            let file = format!("https://github.com/{project}/.github/workflows/release.yml@{at_ref}");
            let file = of("identity").unwrap_or(&file);
            let mut identity = Identity::github(project);
            identity.names = vec![San::Uri(file.into())];
            let file_is = [Extension::BuildSigner, Extension::BuildConfig].map(|one| u64::from(one.number()));
            file_is.into_iter().fold(identity, |identity, number| identity.claiming(number, file))
        }
        _ => {
            let name = at.key("identity").accept(name(project));
            let issuer = at.require("issuer", raw.get("issuer"))?;
            Identity { names: vec![name?], issuer: issuer.clone(), claims: Vec::new() }
        }
    };
    if let Some(issuer) = of("issuer") {
        identity = identity.issued_by(issuer);
    }
    for extension in Extension::ALL {
        if let Some(text) = of(extension.key()) {
            identity = identity.claiming(extension.number().into(), text);
        }
    }
    Some(identity)
}

fn name(text: &str) -> Result<San, String> {
    let known = [("://", San::Uri as fn(String) -> San), ("!", San::Other), ("@", San::Email)];
    let found = known.iter().find(|(mark, _)| text.contains(mark));
    let wrong = || format!("`{text}` is neither a URI nor an e-mail address nor a user name (`name!domain`)");
    found.map(|(_, san)| san(text.into())).ok_or_else(wrong)
}
