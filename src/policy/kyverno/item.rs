//! One item of `verifyImages`: which images, and what they must have.

use std::collections::BTreeSet;

use super::attestations::{self, Asked};
use super::attestors::Attestors;
use super::authorities::{Authorities, Signers};
use super::element::{Element, Fields};
use super::references;
use super::report::Class;

/// What one item asks for.
pub(super) struct Item {
    pub(super) matches: Vec<String>,
    pub(super) except: Vec<String>,
    /// What it says itself of its failure action.
    pub(super) enforce: Option<bool>,
    pub(super) signed: Option<Signers>,
    pub(super) attested: Vec<Asked>,
    pub(super) format: &'static str,
    pub(super) evidence: Option<String>,
}

/// Translates an item of the policy called `policy`.
pub(super) fn translate(item: &Element<'_>, policy: &str, authorities: &mut Authorities) -> Option<Item> {
    let fields = item.fields()?;
    fields.not_needed(&NOT_NEEDED);
    fields.refused(&DEPRECATED);
    let kind = fields.take("type");
    let (governed, skipped) = (fields.take("imageReferences"), fields.take("skipImageReferences"));
    let (sets, attestations) = (filled(&fields, "attestors"), filled(&fields, "attestations"));
    let (repository, action) = (fields.take("repository"), fields.take("failureAction"));
    let (oci11, validate) = (fields.take("cosignOCI11"), fields.take("validate"));
    fields.finish();
    let format = kind.map_or(Some("legacy"), |kind| format(&kind));
    if let Some(oci11) = oci11
        && oci11.flag()?
    {
        oci11.stricter("signatures of cosign's experiment with OCI 1.1 are not looked for: bundles and tags are");
    }
    if let Some(validate) = validate {
        validate_block(&validate);
    }
    let matches = governed.as_ref().map(|list| scopes(list, false));
    let except = skipped.as_ref().map(|list| scopes(list, true));
    let repository = repository.map(|element| element.text().map(|text| (text.to_string(), element.clone())));
    let mut attestors =
        Attestors { authorities, policy, bundles: format == Some("bundle"), attest: false, repositories: Vec::new() };
    let signed = sets.map(|sets| attestors.sets(&sets).ok_or(Untranslatable)).transpose();
    let attested = attestations.map(|list| attestations::translate(&list, &mut attestors));
    let elsewhere = std::mem::take(&mut attestors.repositories);
    let enforce = action.map(|action| self::action(&action).ok_or(Untranslatable)).transpose();
    let evidence = evidence(item, repository.flatten(), elsewhere);
    let Some(matches) = matches else { return item.refuse("`imageReferences` is missing") };
    if matches!(signed, Ok(None)) && attested.is_none() {
        return item.refuse("it has neither `attestors` nor `attestations`: it verifies nothing");
    }
    Some(Item {
        matches: matches?,
        except: except.unwrap_or(Some(Vec::new()))?,
        enforce: enforce.ok()?,
        signed: signed.ok()?,
        attested: attested.unwrap_or(Some(Vec::new()))?,
        format: format?,
        evidence: evidence.ok()?,
    })
}

/// Something was given and cannot be translated; that nothing was given is fine.
struct Untranslatable;

/// The list, unless it is empty: Kyverno takes that for none.
fn filled<'a>(fields: &Fields<'a>, key: &'static str) -> Option<Element<'a>> {
    fields.take(key).filter(|list| list.items().is_none_or(|items| !items.is_empty()))
}

fn format(kind: &Element<'_>) -> Option<&'static str> {
    match kind.text()? {
        "" | "Cosign" => {
            kind.exact("formats: [ legacy ], which is what Kyverno looks for");
            Some("legacy")
        }
        "SigstoreBundle" => {
            kind.stricter(
                "formats: [ bundle ]; a signature is a bundle that says so, and its certificate must have been logged, \
                 while Kyverno takes any bundle by the signer and looks at no certificate log",
            );
            Some("bundle")
        }
        "Notary" => kind.refuse("Notary's signatures are not verified here: sign with cosign"),
        other => kind.refuse(format!("`{other}` is no type that Kyverno knows")),
    }
}

/// The scopes of all patterns: for what is governed, or for what is left out.
fn scopes(list: &Element<'_>, skip: bool) -> Option<Vec<String>> {
    let mut all = BTreeSet::new();
    let mut complete = true;
    for item in list.items()? {
        let read = item.text().and_then(|text| item.accept(references::read(text)));
        let Some(read) = read else {
            complete = false;
            continue;
        };
        let exact = read.some == read.every;
        let scopes = if skip { read.every } else { read.some };
        let said = scopes.iter().map(|scope| format!("`{scope}`")).collect::<Vec<_>>().join(", ");
        match (skip, exact) {
            (false, true) => item.exact(format!("match {said}")),
            (false, false) => item.stricter(format!(
                "match {said}: policies are about repositories, so that every tag and digest of them is governed"
            )),
            (true, true) => item.different(format!("except {said}; Kyverno admits them, here they meet `default`")),
            (true, false) if scopes.is_empty() => item.stricter(
                "nothing is excepted: policies are about repositories, and of none does it cover every tag and digest; \
                 `countersign policy exempt` can spare one digest",
            ),
            (true, false) => item.stricter(format!("except {said}, of which it covers every tag and digest; no more")),
        }
        all.extend(scopes);
    }
    if all.is_empty() && !skip {
        return if complete { list.refuse("it is empty") } else { None };
    }
    complete.then(|| all.into_iter().collect())
}

/// Whether a failure action refuses.
pub(super) fn action(element: &Element<'_>) -> Option<bool> {
    match element.text()?.to_ascii_lowercase().as_str() {
        "audit" => {
            element.exact("mode: audit");
            Some(false)
        }
        "enforce" => {
            element.exact("mode: enforce");
            Some(true)
        }
        other => element.refuse(format!("`{other}` is neither `Audit` nor `Enforce`")),
    }
}

fn evidence(
    item: &Element<'_>,
    repository: Option<(String, Element<'_>)>,
    elsewhere: Vec<String>,
) -> Result<Option<String>, Untranslatable> {
    let element = repository.as_ref().map_or_else(|| item.clone(), |(_, element)| element.clone());
    let all: BTreeSet<String> = repository.into_iter().map(|(name, _)| name).chain(elsewhere).collect();
    let mut all = all.into_iter();
    match (all.next(), all.next()) {
        (None, _) => Ok(None),
        (Some(_), Some(_)) => {
            element.note(Class::NotTranslatable, "a policy looks for evidence in one other repository only");
            Err(Untranslatable)
        }
        (Some(name), None) if is_repository(&name) => {
            element
                .different(format!("evidence: {name}, as well as beside the image, where Kyverno does not look then"));
            Ok(Some(name))
        }
        (Some(name), None) => {
            element.note(Class::NotTranslatable, format!("`{name}` is not a registry and a repository"));
            Err(Untranslatable)
        }
    }
}

fn is_repository(name: &str) -> bool {
    use crate::oci::{Registry, Repository};
    name.split_once('/').is_some_and(|(registry, repository)| {
        registry.parse::<Registry>().is_ok()
            && registry.contains(['.', ':'])
            && repository.parse::<Repository>().is_ok()
    })
}

fn validate_block(validate: &Element<'_>) {
    if let Some(fields) = validate.fields() {
        fields.not_needed(&[("message", "the denial says what was missing")]);
        fields.refused(&[(
            "deny",
            "its conditions are about the admission request and its context, which a pull has not",
        )]);
        fields.finish();
    }
}

const NOT_NEEDED: [(&str, &str); 5] = [
    ("imageRegistryCredentials", "the proxy has credentials of its own, `upstreams.….credentials`"),
    ("mutateDigest", "what was verified is what is served, because a tag is resolved once"),
    ("required", "there is no way to be served unverified"),
    ("useCache", "verdicts are bound to the digest, the policy and the trusted roots"),
    ("verifyDigest", "what was verified is what is served, because a tag is resolved once"),
];

const DEPRECATED: [(&str, &str); 7] = [
    ("additionalExtensions", MOVED),
    ("annotations", MOVED),
    ("image", "it is deprecated: write it in `imageReferences`"),
    ("issuer", MOVED),
    ("key", MOVED),
    ("roots", MOVED),
    ("subject", MOVED),
];

const MOVED: &str = "it is deprecated, and Kyverno overlooks it beside `attestations`: write it in `attestors`";
