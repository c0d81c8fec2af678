//! What is allowed but deserves a look: each with its place in the file, and what to do.

use std::cell::RefCell;

use super::raw::{RawAuthority, RawExemption, RawPolicy};
use super::written::{Part, Written};
use crate::clock::Timestamp;
use crate::oci::Registry;
use crate::policy::{Authority, Exemption, Mode, Name, Policies, Policy};
use crate::yaml::{Diagnostic, Document, KeyPath, Severity};

mod authorities;

mod code;

mod coverage;

mod exemptions;

mod identity;

mod issuer;

mod members;

mod requirements;

mod scopes;

mod summary;

pub(super) use code::Code;

/// What a policy is judged beside.
#[derive(Debug, Clone)]
pub struct Surroundings {
    /// The present.
    pub now: Timestamp,
    /// The registries that are configured, if that is known.
    pub upstreams: Option<Vec<Upstream>>,
}

/// A registry that is configured.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Upstream {
    /// What policies call it.
    pub registry: Registry,
    /// What clients may call it as well; policies never see these.
    pub aliases: Vec<Registry>,
}

impl Written {
    /// What in the policy is weak, useless or about to surprise, in the order of the files.
    pub fn diagnostics(&self, around: &Surroundings) -> Vec<Diagnostic> {
        let lint = Lint { written: self, around, said: RefCell::default() };
        lint.whole();
        authorities::lint(&lint);
        scopes::lint(&lint);
        requirements::lint(&lint);
        exemptions::lint(&lint);
        coverage::lint(&lint);
        let mut said = lint.said.into_inner();
        Diagnostic::sort(&mut said);
        said
    }
}

/// One look at a policy.
struct Lint<'a> {
    written: &'a Written,
    around: &'a Surroundings,
    said: RefCell<Vec<Diagnostic>>,
}

/// A place in the policy that something is said of.
#[derive(Clone)]
struct Place<'a> {
    lint: &'a Lint<'a>,
    document: &'a Document,
    path: KeyPath,
}

impl<'a> Lint<'a> {
    fn policies(&self) -> &'a Policies {
        &self.written.policies
    }

    fn now(&self) -> Timestamp {
        self.around.now
    }

    fn place(&'a self, part: &'a Part) -> Place<'a> {
        Place { lint: self, document: &part.document, path: KeyPath::default() }
    }

    /// What the first file says under `key`; the first file as a whole if none says it.
    fn at(&'a self, key: &str) -> Option<Place<'a>> {
        let places = || self.written.parts.iter().map(|part| self.place(part));
        let said = places().map(|place| place.key(key)).find(|place| place.document.says(&place.path));
        said.or_else(|| places().next())
    }

    fn authorities(&'a self) -> impl Iterator<Item = (Place<'a>, &'a RawAuthority, &'a Authority)> {
        self.written.parts.iter().flat_map(move |part| {
            part.raw.authorities.iter().flatten().filter_map(move |(name, raw)| {
                let place = self.place(part).key("authorities").key(name);
                Some((place, raw, &**self.policies().authority(&Name::new(name)?)?))
            })
        })
    }

    /// Loading kept them in order and lost none.
    fn each_policy(&'a self) -> impl Iterator<Item = (Place<'a>, &'a RawPolicy, &'a Policy)> {
        let each = self.written.parts.iter().flat_map(move |part| {
            let all = part.raw.policies.iter().flatten().enumerate();
            all.map(move |(index, raw)| (self.place(part).key("policies").index(index), raw))
        });
        each.zip(self.policies().all()).map(|((place, raw), policy)| (place, raw, &**policy))
    }

    /// Loading kept them in order and lost none.
    fn each_exemption(&'a self) -> impl Iterator<Item = (Place<'a>, &'a RawExemption, &'a Exemption)> {
        let each = self.written.parts.iter().flat_map(move |part| {
            let all = part.raw.exemptions.iter().flatten().enumerate();
            all.map(move |(index, raw)| (self.place(part).key("exemptions").index(index), raw))
        });
        each.zip(&self.policies().exemptions).map(|((place, raw), exemption)| (place, raw, &**exemption))
    }

    /// What the policy as a whole comes to.
    fn whole(&'a self) {
        let policies = self.policies();
        if policies.all.is_empty()
            && policies.default == Mode::Enforce
            && let Some(place) = self.at("policies")
        {
            place.warn(Code::NoPolicies, "there are no policies: every image is denied", "write one for your images");
        }
        if policies.default == Mode::Audit
            && let Some(place) = self.at("default")
        {
            place.warn(
                Code::DefaultAudit,
                "every image that no enforced policy matches is served, and only logged",
                "write `deny` when the log shows nothing any more that must be served",
            );
        }
        if self.around.upstreams.is_none()
            && let Some(place) = self.written.parts.first().map(|part| self.place(part))
        {
            place.note(
                Code::UpstreamsUnknown,
                "which registries are configured is not known: whether a scope can match any image is not told",
                "give `--config FILE`, or `--registry NAME` for each",
            );
        }
    }
}

impl Place<'_> {
    fn key(&self, key: &str) -> Self {
        Self { path: self.path.key(key), ..self.clone() }
    }

    fn index(&self, index: usize) -> Self {
        Self { path: self.path.index(index), ..self.clone() }
    }

    fn warn(&self, code: Code, message: impl Into<String>, help: impl Into<String>) {
        self.say(Severity::Warning, code, message.into(), help.into());
    }

    fn note(&self, code: Code, message: impl Into<String>, help: impl Into<String>) {
        self.say(Severity::Note, code, message.into(), help.into());
    }

    fn say(&self, severity: Severity, code: Code, message: String, help: String) {
        let at = self.document.error(&self.path, message);
        self.lint.said.borrow_mut().push(Diagnostic::new(severity, code.as_str(), at, Some(help)));
    }
}
