//! A policy as it is written: what it means, and where in it everything stands.

use std::path::Path;

use super::base::Base;
use super::raw::RawFile;
use super::{EXTENSIONS, PolicyErrors, build, files_of};
use crate::oci::Registry;
use crate::policy::Policies;
use crate::yaml::{self, At, Document, FileError, FileErrors, KeyPath, Problems};

/// A policy without mistakes, with the files that it is written in.
#[derive(Debug)]
pub struct Written {
    pub(super) parts: Vec<Part>,
    pub(super) policies: Policies,
}

/// One file of a policy.
#[derive(Debug)]
pub(super) struct Part {
    pub(super) document: Document,
    pub(super) raw: RawFile,
    pub(super) base: Base,
    pub(super) problems: Problems,
}

impl Written {
    /// Reads the policy file at `path`, or every `*.yaml` and `*.yml` in the directory `path`, in the order of their
    /// names.
    ///
    /// Files that keys come from are read too; their paths are relative to the file that names them.
    pub fn load(path: &Path) -> Result<Self, PolicyErrors> {
        Self::load_edited(path, None)
    }

    /// As [`Self::load`], as if one file held another text than it does, or were there though it is not.
    pub fn load_edited(path: &Path, edited: Option<(&Path, &str)>) -> Result<Self, PolicyErrors> {
        let whole = |why: String| FileErrors::from(FileError::whole(path.display().to_string(), why));
        let mut files = if path.is_dir() { files_of(path, EXTENSIONS).map_err(whole)? } else { vec![path.to_owned()] };
        if let Some((file, _)) = edited.filter(|(file, _)| !files.iter().any(|known| known == file)) {
            files.push(file.to_owned());
            files.sort();
        }
        if files.is_empty() {
            return Err(whole("the directory holds no `*.yaml` or `*.yml`".into()));
        }
        let (mut parts, mut errors) = (Vec::new(), Vec::new());
        for file in files {
            let name = file.display().to_string();
            let text = match edited {
                Some((edited, text)) if edited == file => Ok(text.to_string()),
                _ => yaml::read_text(&file).map_err(|why| FileErrors::from(FileError::whole(&name, why))),
            };
            match text.and_then(|text| Part::parse(&text, &name, Base::beside(&file))) {
                Ok(part) => parts.push(part),
                Err(more) => errors.extend(more),
            }
        }
        FileErrors::of(errors)?;
        Self::of(parts)
    }

    /// Parses one text as a whole policy; `name` is what errors call it, `base_dir` where its relative paths begin.
    pub fn parse(text: &str, name: &str, base_dir: &Path) -> Result<Self, PolicyErrors> {
        Self::of(vec![Part::parse(text, name, Base::new(base_dir))?])
    }

    fn of(mut parts: Vec<Part>) -> Result<Self, PolicyErrors> {
        let policies = build(&parts);
        let judged = |part: &mut Part| part.document.settle(std::mem::take(&mut part.problems)).err();
        let wrong: Vec<_> = parts.iter_mut().filter_map(judged).flatten().collect();
        FileErrors::of(wrong).map(|()| Self { parts, policies })
    }

    /// What the text means.
    pub fn policies(&self) -> &Policies {
        &self.policies
    }

    /// What the text means, without the text.
    pub fn into_policies(self) -> Policies {
        self.policies
    }

    /// Refuses evidence in a registry that is not one of `registries`: nothing can be read there.
    ///
    /// # Errors
    /// For each such place.
    pub fn evidence_within(&self, registries: &[Registry]) -> Result<(), PolicyErrors> {
        let mut wrong = Vec::new();
        for part in &self.parts {
            for (index, policy) in part.raw.policies.iter().flatten().enumerate() {
                let place = policy.evidence.as_ref().and_then(|evidence| evidence.repository.as_deref());
                let Some((registry, _)) = place.and_then(|place| place.split_once('/')) else { continue };
                if registry.parse().is_ok_and(|registry: Registry| !registries.contains(&registry)) {
                    let at = KeyPath::default().key("policies").index(index).key("evidence").key("repository");
                    let why = format!("`{registry}` is not among the `upstreams`: no evidence can be read there");
                    wrong.push(part.document.error(&at, why));
                }
            }
        }
        FileErrors::of(wrong)
    }
}

impl Part {
    pub(super) fn parse(text: &str, name: &str, base: Base) -> Result<Self, FileErrors> {
        let (document, raw) = yaml::parse(name, text)?;
        Ok(Self { document, raw, base, problems: Problems::default() })
    }

    pub(super) fn at(&self) -> At<'_> {
        At::root(&self.problems)
    }
}
