//! A file of cases, read with the policy that it is about.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use super::case::{self, Case};
use super::evidence::Reading;
use super::raw::RawFile;
use super::{Setting, Suite, signer};
use crate::policy::{self, Name, Policies};
use crate::reason::Reason;
use crate::trust::{Root, Trust, Unusable};
use crate::yaml::{self, At, Document, FileError, FileErrors, Problems, did_you_mean};

/// Reads the file at `path`.
pub(super) fn load(path: &Path, setting: &Setting<'_>) -> Result<Suite, FileErrors> {
    let name = path.display().to_string();
    let text = yaml::read_text(path).map_err(|why| FileErrors::from(FileError::whole(&name, why)))?;
    let (document, raw): (Document, RawFile) = yaml::parse(&name, &text)?;
    let base = path.parent().unwrap_or(Path::new(""));
    let problems = Problems::default();
    let at = At::root(&problems);
    let policy = match setting.policy {
        Some(path) => Some(path.to_owned()),
        None => at.require("policy", raw.policy.as_ref()).map(|path| base.join(path)),
    };
    let Some(policy) = policy else { return Err(wrong(&document, problems)) };
    if setting.policy.is_none() && !policy.exists() {
        at.key("policy").problem(format!("`{}` does not exist", policy.display()));
        return Err(wrong(&document, problems));
    }
    let policies = policy::file::load(&policy)?;
    let now = raw.now.as_ref().and_then(|text| at.key("now").accept(super::instant::parse(text, setting.now)));
    let signers =
        raw.signers.iter().flatten().filter_map(|(name, raw)| {
            Some((name.clone(), signer::build(&at.key("signers").key(name), raw, &policies)?))
        });
    let signers = signers.collect();
    let reading =
        Reading { policies: &policies, signers: &signers, base, now: now.unwrap_or(setting.now), clock: setting.now };
    let mut names = BTreeSet::new();
    let listed = raw.cases.as_deref().unwrap_or_default();
    if listed.is_empty() {
        at.problem("there are no `cases`: a file without any tests nothing");
    }
    let cases = listed.iter().enumerate().filter_map(|(index, raw)| {
        let at = at.key("cases").index(index);
        let case = case::build(&at, raw, reading, setting, &mut names)?;
        Some(Case { place: place(&document, &at), ..case })
    });
    let cases: Vec<_> = cases.collect();
    let roots = roots(&at.key("trustRoots"), raw.trust_roots.unwrap_or_default(), &policies, base);
    document.settle(problems)?;
    let trust = if cases.iter().any(Case::is_real) { trust(&policies, &roots)? } else { Trust::none() };
    Ok(Suite { name, policy: policy.display().to_string(), policies, trust, cases })
}

/// The problems, of which there is at least one.
fn wrong(document: &Document, problems: Problems) -> FileErrors {
    match document.settle(problems) {
        Err(errors) => errors,
        Ok(()) => FileError::whole(document.name(), "it cannot be read").into(),
    }
}

fn place(document: &Document, at: &At<'_>) -> String {
    let FileError { path, line, column, .. } = document.error(&at.path().key("name"), String::new());
    match (line, column) {
        (Some(line), Some(column)) => format!("{path}:{line}:{column}"),
        _ => path,
    }
}

/// The trusted roots that the file itself names.
fn roots(
    at: &At<'_>,
    paths: BTreeMap<String, String>,
    policies: &Policies,
    base: &Path,
) -> BTreeMap<String, Arc<Root>> {
    let read = |path: &str| {
        let text = yaml::read_text(&base.join(path)).map_err(|why| format!("`{path}`: {why}"))?;
        Root::parse(&text).map_err(|error| format!("`{path}` is not a trusted root: {error}"))
    };
    let each = paths.into_iter().filter_map(|(name, path)| {
        let at = at.key(&name);
        let names = || policies.trust_roots().keys().map(Name::as_str);
        if !names().any(|known| known == name) {
            at.problem(format!("the policy has no trust root `{name}`{}", did_you_mean(&name, names())));
        }
        at.accept(read(&path)).map(|root| (name, Arc::new(root)))
    });
    each.collect()
}

/// What real evidence is judged by. A TUF repository is not asked: a test must come out alike everywhere and always.
fn trust(policies: &Policies, given: &BTreeMap<String, Arc<Root>>) -> Result<Trust, FileErrors> {
    let (mut roots, mut unusable, mut wrong) = (BTreeMap::new(), BTreeMap::new(), Vec::new());
    for (name, declared) in policies.trust_roots() {
        if let Some(root) = given.get(name.as_str()) {
            roots.insert(name.clone(), root.clone());
        } else if let Some(path) = declared.file() {
            let root = yaml::read_text(path).and_then(|text| Root::parse(&text).map_err(|error| error.to_string()));
            match root {
                Ok(root) => drop(roots.insert(name.clone(), Arc::new(root))),
                Err(why) => wrong.push(declared.problem(&format!("`{}`: {why}", path.display()))),
            }
        } else {
            let detail = format!(
                "the trust root `{name}` is a TUF repository, and a test asks no network: name a `trusted_root.json` for it \
                 under `trustRoots`"
            );
            unusable.insert(name.clone(), Unusable { reason: Reason::TrustRootUnavailable, detail });
        }
    }
    FileErrors::of(wrong)?;
    Ok(Trust::of(roots).without(unusable))
}
