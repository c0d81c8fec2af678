//! The policies as text in our language: stable, commented, and such that the loader takes it.

use std::collections::{BTreeMap, BTreeSet};

use super::authorities::{Authorities, Authority, Id, Kind, Root, Signer, Signers, unique};
use super::report::{Class, Report};
use super::requirement::{Attestation, Policy, Requirement};
use super::scalar::{block, comment, text};
use super::wildcard::Identity;
use super::{conditions, keyless};

/// Writes it.
pub(super) fn write(policies: &[Policy], authorities: &Authorities, report: &Report) -> String {
    let used: BTreeSet<Id> = policies.iter().flat_map(Policy::ids).collect();
    let named: BTreeMap<Id, String> = authorities.names(&used).into_iter().collect();
    let all: Vec<(&str, &Authority)> =
        named.iter().filter_map(|(id, name)| Some((name.as_str(), authorities.get(*id)?))).collect();
    let roots = roots(all.iter().filter_map(|(_, authority)| authority.trust.root.as_ref()));
    let mut lines = vec![HEAD.to_string()];
    if !roots.is_empty() {
        lines.push("trustRoots:".into());
        lines.extend(indented(2, roots.iter().flat_map(|(root, name)| trust_root(root, name))));
        lines.push(String::new());
    }
    lines.push("authorities:".into());
    lines.extend(indented(2, all.iter().flat_map(|(name, one)| authority(name, one, &roots))));
    lines.extend([String::new(), "policies:".into()]);
    for (index, one) in policies.iter().enumerate() {
        lines.extend((index > 0).then(String::new));
        lines.extend(indented(2, policy(one, &named).into_iter()));
    }
    lines.extend([String::new(), "# What no enforced policy matches: deny | audit (served, and logged).".into()]);
    lines.push("default: deny".into());
    if !report.left_out.is_empty() {
        lines.extend([
            String::new(),
            "# LEFT OUT, because it could not be translated: nothing here checks for it.".into(),
        ]);
        for finding in report.findings.iter().filter(|finding| finding.class == Class::NotTranslatable) {
            let place = format!("{}:{}: {} {}", finding.file, finding.line, finding.object, finding.element);
            lines.push(format!("#   {}: {}", comment(&place), comment(&finding.text)));
        }
    }
    lines.join("\n") + "\n"
}

const HEAD: &str =
    "# Made of Kyverno's policies by `countersign policy import kyverno`, whose report says what is different.\n";

type Roots<'a> = Vec<(&'a Root, String)>;

/// The trusted roots, each once, by names of their own.
fn roots<'a>(all: impl Iterator<Item = &'a Root>) -> Roots<'a> {
    let all: BTreeSet<&Root> = all.collect();
    let mut named: Roots<'a> = Vec::new();
    for root in all {
        let name = match root {
            Root::PublicGood => "public-good",
            Root::Own { name, .. } => name,
        };
        let name = unique(name, named.iter().map(|(_, name)| name.as_str()));
        named.push((root, name));
    }
    named
}

fn trust_root(root: &Root, name: &str) -> Vec<String> {
    match root {
        Root::PublicGood => vec![format!("{name}: {{ tuf: {{ }} }}")],
        Root::Own { holds, .. } => {
            let holds = holds.iter().map(|what| format!("#   {}", comment(what)));
            let head = "# To be written; until it is, the policy is refused. It must hold:".to_string();
            let file = format!("{name}: {{ file: {} }}", text(&format!("{name}.trusted_root.json")));
            std::iter::once(head).chain(holds).chain([file]).collect()
        }
    }
}

fn authority(name: &str, authority: &Authority, roots: &Roots<'_>) -> Vec<String> {
    let trust = &authority.trust;
    let root = roots.iter().find(|(root, _)| trust.root.as_ref() == Some(root));
    let mut inner: Vec<String> = root.map(|(_, name)| format!("trustRoot: {}", text(name))).into_iter().collect();
    let kind = match &authority.kind {
        Kind::Key { pem, .. } => {
            inner.insert(0, format!("inline: {}", block(pem, 2)));
            "key"
        }
        Kind::Keyless { issuer, identity, pins } => {
            inner.push(format!("issuer: {}", text(issuer)));
            inner.push(match identity {
                Identity::Glob(glob) => format!("identity: {}", text(glob)),
                Identity::Regex(regex) => format!("identityRegex: {}", text(regex)),
            });
            inner.extend(pins.iter().map(|(pin, value)| format!("{pin}: {}", text(value))));
            if let Some(pin) = keyless::missing_pin(issuer, identity, pins) {
                inner.push("# The identity names the pipeline's file, which a foreign project may include. Pin the project too:".into());
                inner.push(format!("# sourceRepository: {}", comment(&text(&pin))));
            }
            "keyless"
        }
    };
    inner.extend(trust.skip_transparency_log.then(|| "insecureSkipTransparencyLog: true".into()));
    inner.extend(trust.skip_certificate_transparency.then(|| "insecureSkipCertificateTransparency: true".into()));
    let mut lines = vec![format!("{}:", text(name)), format!("  {kind}:")];
    lines.extend(indented(4, inner.iter().flat_map(|part| part.lines()).map(str::to_string)));
    lines
}

fn policy(policy: &Policy, names: &BTreeMap<Id, String>) -> Vec<String> {
    let list = |items: &[String]| {
        items
            .iter()
            .map(|item| if item.contains('*') { format!("\"{item}\"") } else { text(item) })
            .collect::<Vec<_>>()
            .join(", ")
    };
    let mut lines = vec![format!("# {}", comment(&policy.from)), format!("- name: {}", text(&policy.name))];
    lines.push(format!("  match: [ {} ]", list(&policy.matches)));
    if !policy.except.is_empty() {
        lines.push(format!("  except: [ {} ]", list(&policy.except)));
    }
    lines.push(format!("  mode: {}", if policy.enforce { "enforce" } else { "audit" }));
    lines.push("  require:".into());
    let parts: Vec<Vec<String>> = policy.require.iter().flat_map(|one| requirement(one, names)).collect();
    lines.extend(indented(4, all_of(parts).into_iter()));
    lines.push(format!("  formats: [ {} ]", policy.format));
    if let Some(repository) = &policy.evidence {
        lines.push(format!("  evidence: {{ repository: {} }}", text(repository)));
    }
    lines
}

/// The lines of one leaf of the tree.
type Leaf<'a> = Box<dyn Fn(&Signer) -> Vec<String> + 'a>;

/// What must hold, as branches that all must.
fn requirement(requirement: &Requirement, names: &BTreeMap<Id, String>) -> Vec<Vec<String>> {
    let name = |signer: &Signer| text(names.get(&signer.id).map_or("", String::as_str));
    let (by, leaf): (_, Leaf<'_>) = match requirement {
        Requirement::Signature(by) => (by, Box::new(move |signer| vec![signature(signer, &name(signer))])),
        Requirement::Attestation(one) => (&one.by, Box::new(move |signer| attestation(one, &name(signer)))),
    };
    match by {
        Signers::All(of) => of.iter().map(|signers| tree(signers, &leaf)).collect(),
        other => vec![tree(other, &leaf)],
    }
}

fn signature(signer: &Signer, by: &str) -> String {
    let annotations = signer.annotations.iter().map(|(key, value)| format!("{}: {}", text(key), text(value)));
    let annotations = annotations.collect::<Vec<_>>().join(", ");
    let annotations = if annotations.is_empty() { annotations } else { format!(", annotations: {{ {annotations} }}") };
    format!("signature: {{ by: {by}{annotations} }}")
}

fn attestation(one: &Attestation, by: &str) -> Vec<String> {
    let mut lines =
        vec!["attestation:".to_string(), format!("  by: {by}"), format!("  type: {}", text(&one.predicate_type))];
    if !one.conditions.is_empty() {
        // Kyverno asks it of every attestation of the type.
        lines.push("  select: all".into());
        let condition = format!("  condition: {}", block(&conditions::all_of(&one.conditions), 4));
        lines.extend(condition.lines().map(str::to_string));
    }
    lines
}

fn tree(signers: &Signers, leaf: &Leaf<'_>) -> Vec<String> {
    let branches = |of: &[Signers]| of.iter().map(|signers| tree(signers, leaf)).collect::<Vec<_>>();
    match signers {
        Signers::All(of) => all_of(branches(of)),
        Signers::Any(of) => [vec!["anyOf:".into()], items(branches(of))].concat(),
        Signers::AtLeast(n, of) => {
            let head = vec!["atLeast:".into(), format!("  n: {n}"), "  of:".into()];
            head.into_iter().chain(indented(2, items(branches(of)).into_iter())).collect()
        }
        Signers::By(signer) => leaf(signer),
    }
}

fn all_of(mut branches: Vec<Vec<String>>) -> Vec<String> {
    match branches.len() {
        1 => branches.pop().unwrap_or_default(),
        _ => [vec!["allOf:".into()], items(branches)].concat(),
    }
}

/// The branches as items of a list.
fn items(branches: Vec<Vec<String>>) -> Vec<String> {
    let item = |lines: Vec<String>| {
        lines.into_iter().enumerate().map(|(at, line)| format!("  {} {line}", if at == 0 { '-' } else { ' ' }))
    };
    branches.into_iter().flat_map(item).collect()
}

fn indented(by: usize, lines: impl Iterator<Item = String>) -> impl Iterator<Item = String> {
    let blank = " ".repeat(by);
    lines.map(move |line| if line.is_empty() { line } else { format!("{blank}{line}") })
}
