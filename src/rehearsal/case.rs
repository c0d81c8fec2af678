//! A case: an image, its evidence, and what must come of it.

use std::collections::{BTreeMap, BTreeSet};

use super::evidence::{self, Evidence, Reading};
use super::expectation::{self, Expectation};
use super::raw::{RawCase, RawChild};
use super::{Setting, instant};
use crate::clock::Timestamp;
use crate::oci::{Digest, Image, Reference, Tag};
use crate::yaml::At;

/// One case.
#[derive(Debug)]
pub struct Case {
    /// What it is called.
    pub name: String,
    /// Where it stands: `file:line:column`.
    pub place: String,
    /// The repository.
    pub image: Image,
    /// The tag that it is asked for by, if it is.
    pub tag: Option<Tag>,
    /// Whether every refusal is only watched.
    pub audit: bool,
    /// The present.
    pub now: Timestamp,
    /// The manifest itself.
    pub own: Manifest,
    /// What it lists, if it is an index.
    pub children: Option<Vec<Manifest>>,
    /// What must come of it.
    pub expect: Expectation,
}

/// One manifest of a case.
#[derive(Debug)]
pub struct Manifest {
    /// What it is for, if an index lists it.
    pub platform: String,
    /// Its digest, if it is not to be made up.
    pub digest: Option<Digest>,
    /// The annotations in it.
    pub annotations: BTreeMap<String, String>,
    /// The evidence about it.
    pub evidence: Vec<Evidence>,
}

impl Case {
    /// Whether its evidence was made by real tools, and is judged by real keys and trusted roots.
    pub fn is_real(&self) -> bool {
        self.evidence().any(|piece| matches!(piece, Evidence::Found(_)))
    }

    fn evidence(&self) -> impl Iterator<Item = &Evidence> {
        let children = self.children.iter().flatten();
        std::iter::once(&self.own).chain(children).flat_map(|manifest| &manifest.evidence)
    }
}

/// The case that `raw` describes, if it has no mistakes; `names` are those of the cases before it.
pub(super) fn build(
    at: &At<'_>,
    raw: &RawCase,
    reading: Reading<'_>,
    setting: &Setting<'_>,
    names: &mut BTreeSet<String>,
) -> Option<Case> {
    let name = at.require("name", raw.name.as_ref());
    if name.is_some_and(|name| !names.insert(name.clone())) {
        at.key("name").problem("another case has this name");
    }
    let pull = at.require("image", raw.image.as_ref());
    let pull = pull.and_then(|text| at.key("image").accept((setting.image)(text)));
    let now = match &raw.now {
        None => Some(reading.now),
        Some(text) => at.key("now").accept(instant::parse(text, reading.now)),
    };
    let reading = Reading { now: now.unwrap_or(reading.now), ..reading };
    let evidence = reading.all(&at.key("evidence"), raw.evidence.as_deref().unwrap_or_default());
    let children = raw.children.as_ref().map(|children| {
        let at = at.key("children");
        let each = children.iter().enumerate();
        each.filter_map(|(index, raw)| child(&at.index(index), raw, &reading)).collect::<Vec<_>>()
    });
    let expect = at.require("expect", raw.expect.as_ref());
    let expect = expect.and_then(|raw| expectation::build(&at.key("expect"), raw, reading.policies));
    let pull = pull?;
    let (digest, tag) = match pull.reference {
        Reference::Digest(digest) => (Some(digest), None),
        Reference::Tag(tag) => (None, Some(tag)),
    };
    let annotations = raw.annotations.clone().unwrap_or_default();
    let case = Case {
        name: name?.clone(),
        place: String::new(),
        image: pull.image,
        tag,
        audit: raw.audit == Some(true),
        now: now?,
        own: Manifest { platform: String::new(), digest, annotations, evidence },
        children,
        expect: expect?,
    };
    consistent(at, &case);
    Some(case)
}

fn child(at: &At<'_>, raw: &RawChild, reading: &Reading<'_>) -> Option<Manifest> {
    let evidence = reading.all(&at.key("evidence"), raw.evidence.as_deref().unwrap_or_default());
    let digest = raw.digest.as_ref().map(|text| at.key("digest").accept(evidence::digest(text)));
    let platform = at.require("platform", raw.platform.as_ref())?.clone();
    let digest = match digest {
        None => None,
        Some(digest) => Some(digest?),
    };
    Some(Manifest { platform, digest, annotations: raw.annotations.clone().unwrap_or_default(), evidence })
}

/// Notes what cannot be together.
fn consistent(at: &At<'_>, case: &Case) {
    if case.is_real() && case.evidence().any(|piece| matches!(piece, Evidence::Made(_))) {
        at.key("evidence").problem(
            "real evidence is judged by real keys, and what virtual signers make by virtual ones: make two cases of it",
        );
    }
    let nameless = |manifest: &Manifest| {
        manifest.digest.is_none() && manifest.evidence.iter().any(|piece| matches!(piece, Evidence::Found(_)))
    };
    let about = "real evidence is about one digest: say which";
    if nameless(&case.own) {
        at.key("image").problem(format!("{about}, as in `{}@sha256:…`", case.image));
    }
    for (index, child) in case.children.iter().flatten().enumerate() {
        if nameless(child) {
            at.key("children").index(index).problem(format!("{about} (`digest`)"));
        }
        if child.digest.is_some() && case.own.digest.is_some() {
            at.key("children")
                .index(index)
                .key("digest")
                .problem("an index's digest follows from what it lists: leave one of the two to be made up");
        }
    }
}
