//! The files that a policy is read from, as they are now: to tell whether it would be read as before.
//!
//! Everything is read each time: neither the time nor the size of a file says for certain that it is still the same.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::base::Base;
use super::{EXTENSIONS, KEY_FILES, Part, build, files_of};
use crate::oci::Digest;
use crate::yaml;

/// What the files of a policy hold: its texts, the keys that they name, and the trusted roots.
#[derive(Debug, Clone)]
pub struct Sources {
    texts: Digest,
    keys: Digest,
    trust_roots: Digest,
    named: Arc<Named>,
}

/// The files that texts name.
#[derive(Debug, Default)]
struct Named {
    keys: Vec<PathBuf>,
    trust_roots: Vec<PathBuf>,
}

impl Sources {
    /// Looks at the policy at `path`; what it names is taken from `before` while the texts are the same.
    pub fn look(path: &Path, before: Option<&Self>) -> Self {
        let files = if path.is_dir() { files_of(path, EXTENSIONS) } else { Ok(vec![path.to_owned()]) };
        let read = |file: PathBuf| (yaml::read_text(&file), file);
        let texts: Vec<_> = files.unwrap_or_default().into_iter().map(read).collect();
        let digest = digest(texts.iter().map(|(text, file)| (&**file, text.as_ref().map(String::as_bytes))));
        let named = match before {
            Some(before) if before.texts == digest => before.named.clone(),
            _ => Arc::new(Named::by(&texts)),
        };
        Self { texts: digest, keys: contents(&named.keys), trust_roots: contents(&named.trust_roots), named }
    }

    /// Whether the policy would be read as from `other`. Trusted roots are read by themselves.
    pub fn same_policy(&self, other: &Self) -> bool {
        (self.texts, self.keys) == (other.texts, other.keys)
    }

    /// Whether its trusted roots, as far as they are files, would be read as from `other`.
    pub fn same_trust_roots(&self, other: &Self) -> bool {
        self.trust_roots == other.trust_roots
    }
}

impl Named {
    /// What these texts name; nothing for one that is wrong, because it must change itself.
    fn by(texts: &[(Result<String, String>, PathBuf)]) -> Self {
        let part = |(text, file): &(Result<String, _>, PathBuf)| {
            let text = text.as_ref().ok()?;
            Part::parse(text, &file.display().to_string(), Base::beside(file)).ok()
        };
        let parts: Vec<_> = texts.iter().filter_map(part).collect();
        let policies = build(&parts);
        let trust_roots: BTreeSet<_> = policies.trust_roots().values().filter_map(|root| root.file()).collect();
        let named = parts.iter().flat_map(|part| part.base.named());
        let (trust_roots, keys) = named.partition(|path| trust_roots.contains(&**path));
        Self { keys, trust_roots }
    }
}

/// What files and directories of keys hold.
fn contents(paths: &[PathBuf]) -> Digest {
    let within = |path: &PathBuf| {
        if path.is_dir() { files_of(path, KEY_FILES).unwrap_or_default() } else { vec![path.clone()] }
    };
    let read = |file: PathBuf| (yaml::read(&file, LARGEST), file);
    let contents: Vec<_> = paths.iter().flat_map(within).map(read).collect();
    digest(contents.iter().map(|(bytes, file)| (&**file, bytes.as_deref())))
}

fn digest<'a>(files: impl Iterator<Item = (&'a Path, Result<&'a [u8], &'a String>)>) -> Digest {
    let mut all = Vec::new();
    for (path, content) in files {
        all.extend_from_slice(Digest::of(path.as_os_str().as_encoded_bytes()).as_bytes());
        let (read, content) = content.map_or_else(|why| (0, why.as_bytes()), |bytes| (1, bytes));
        all.push(read);
        all.extend_from_slice(Digest::of(content).as_bytes());
    }
    Digest::of(&all)
}

/// As much as any of them may have.
const LARGEST: u64 = 1 << 20;
