//! The policy file, or a directory of them: text in, [`Policies`] out, or every mistake with its place.
//!
//! What a later version will honour is parsed and judged like the rest and then refused by name: a setting is never
//! ignored.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::governing::Remembered;
use super::{Authority, Exemption, Mode, Name, Policies, Policy, Revoked};
use crate::oci::Digest;
use crate::yaml::{self, At};

mod authorities;

mod base;

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

mod sources;

#[cfg(test)]
mod tests;

mod time;

mod trust_roots;

mod written;

pub mod replace;

pub mod write;

pub use crate::yaml::FileErrors as PolicyErrors;
pub use lint::{Surroundings, Upstream};
pub use predicate::parse as parse_predicate_type;
pub use scope::parse_scope;
pub use sources::Sources;
pub use time::age as parse_age;
pub use written::Written;

use declared::Declared;
use written::Part;

/// The policy language as a JSON Schema (draft 2020-12), for editors: what it refuses is wrong, and what it accepts may
/// still name things that there are not. A text that looks like a number is to be quoted.
pub const SCHEMA: &str = include_str!("file/schema.json");

/// Reads the policy at `path`; see [`Written::load`].
pub fn load(path: &Path) -> Result<Policies, PolicyErrors> {
    Written::load(path).map(Written::into_policies)
}

/// As [`load`], as if one file held another text than it does, or were there though it is not.
pub fn load_edited(path: &Path, edited: (&Path, &str)) -> Result<Policies, PolicyErrors> {
    Written::load_edited(path, Some(edited)).map(Written::into_policies)
}

/// Parses one text as a whole policy; see [`Written::parse`].
pub fn parse(text: &str, name: &str, base_dir: &Path) -> Result<Policies, PolicyErrors> {
    Written::parse(text, name, base_dir).map(Written::into_policies)
}

/// What the parts mean together; what is wrong with one is among its problems.
fn build(parts: &[Part]) -> Policies {
    let declared = Declared::collect(parts);
    let mut built = Policies {
        authorities: BTreeMap::new(),
        trust_roots: BTreeMap::new(),
        all: Vec::new(),
        exemptions: Vec::new(),
        revoked: Revoked::default(),
        revoked_content: Revoked::default().content(),
        default: Mode::Enforce,
        audit: false,
        remembered: Remembered::default(),
    };
    for part in parts {
        built.trust_roots.extend(trust_roots::all(part));
    }
    for part in parts {
        built.authorities.extend(authorities::all(part, &declared, &built.trust_roots));
    }
    for part in parts {
        built.all.extend(policies::all(part, &declared, &built.authorities));
        built.exemptions.extend(exemptions::all(part, &declared));
        revocations::add(&mut built.revoked, part);
        if let Some(mode) = part.raw.default.as_ref().and_then(|text| default(&part.at().key("default"), text)) {
            built.default = mode;
        }
    }
    built.revoked.settle();
    built.revoked_content = built.revoked.content();
    built
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

/// What files of keys in a directory are called.
const KEY_FILES: &[&str] = &["pub", "pem"];
