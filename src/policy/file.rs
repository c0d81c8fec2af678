//! The policy file, or a directory of them: text in, [`Policies`] out, or every mistake with its place.
//!
//! What a later version will honour is parsed and judged like the rest and then refused by name: a setting is never
//! ignored.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::{Authority, Exemption, Mode, Name, Policies, Policy, Revoked};
use crate::oci::Digest;
use crate::yaml::{self, At, Document, FileError, FileErrors, Problems};

mod authorities;

mod canonical;

mod declared;

mod exemptions;

mod key;

mod keyless;

mod lint;

mod policies;

mod predicate;

mod raw;

mod requirement;

mod revocations;

mod scope;

#[cfg(test)]
mod tests;

mod time;

mod trust_roots;

pub mod replace;

pub mod write;

pub use crate::yaml::FileErrors as PolicyErrors;
pub use scope::parse_scope;

use declared::Declared;
use raw::RawFile;

/// Reads the policy file at `path`, or every `*.yaml` and `*.yml` in the directory `path`, in the order of their names.
///
/// Files that keys come from are read too; their paths are relative to the file that names them.
pub fn load(path: &Path) -> Result<Policies, PolicyErrors> {
    load_edited(path, None)
}

/// As [`load`], as if one file held another text than it does, or were there though it is not.
pub fn load_edited(path: &Path, edited: Option<(&Path, &str)>) -> Result<Policies, PolicyErrors> {
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
        let base = file.parent().unwrap_or(Path::new("")).to_owned();
        match text.and_then(|text| Part::parse(&text, &name, base)) {
            Ok(part) => parts.push(part),
            Err(more) => errors.extend(more),
        }
    }
    FileErrors::of(errors)?;
    build(parts)
}

/// Parses one text as a whole policy; `name` is what errors call it, `base_dir` where its relative paths begin.
pub fn parse(text: &str, name: &str, base_dir: &Path) -> Result<Policies, PolicyErrors> {
    build(vec![Part::parse(text, name, base_dir.to_owned())?])
}

/// One file of a policy.
struct Part {
    document: Document,
    raw: RawFile,
    base: PathBuf,
    problems: Problems,
}

impl Part {
    fn parse(text: &str, name: &str, base: PathBuf) -> Result<Self, FileErrors> {
        let (document, raw) = yaml::parse(name, text)?;
        Ok(Self { document, raw, base, problems: Problems::default() })
    }

    fn at(&self) -> At<'_> {
        At::root(&self.problems)
    }
}

fn build(parts: Vec<Part>) -> Result<Policies, PolicyErrors> {
    let declared = Declared::collect(&parts);
    let mut built = Policies {
        authorities: BTreeMap::new(),
        trust_roots: BTreeMap::new(),
        all: Vec::new(),
        exemptions: Vec::new(),
        revoked: Revoked::default(),
        revoked_content: Revoked::default().content(),
        default: Mode::Enforce,
        audit: false,
    };
    for part in &parts {
        built.trust_roots.extend(trust_roots::all(part));
    }
    for part in &parts {
        built.authorities.extend(authorities::all(part, &declared, &built.trust_roots));
    }
    for part in &parts {
        built.all.extend(policies::all(part, &declared, &built.authorities));
        built.exemptions.extend(exemptions::all(part, &declared));
        revocations::add(&mut built.revoked, part);
        if let Some(mode) = part.raw.default.as_ref().and_then(|text| default(&part.at().key("default"), text)) {
            built.default = mode;
        }
    }
    built.revoked.settle();
    built.revoked_content = built.revoked.content();
    let wrong = parts.into_iter().filter_map(|part| part.document.settle(part.problems).err());
    FileErrors::of(wrong.flatten()).map(|()| built)
}

fn default(at: &At<'_>, text: &str) -> Option<Mode> {
    match text {
        "deny" => Some(Mode::Enforce),
        "audit" => Some(Mode::Audit),
        other => {
            at.problem(format!("`{other}` is not one of `deny`, `audit`"));
            None
        }
    }
}

/// The files of a directory that end so, by name, without the hidden ones.
fn files_of(directory: &Path, extensions: &[&str]) -> Result<Vec<PathBuf>, String> {
    let wanted = |path: &Path| {
        let hidden = path.file_name().is_none_or(|name| name.as_encoded_bytes().starts_with(b"."));
        !hidden && path.extension().is_some_and(|extension| extensions.iter().any(|known| extension == *known))
    };
    let failed = |error| yaml::why(&error);
    let mut files = Vec::new();
    for entry in std::fs::read_dir(directory).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        if wanted(&path) {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

/// What the files of a policy directory are called.
const EXTENSIONS: &[&str] = &["yaml", "yml"];
