//! Public keys, from wherever the file says they are.

use std::env::VarError;
use std::path::Path;

use super::base::Base;
use super::raw::RawKey;
use super::{KEY_FILES, files_of};
use crate::policy::PublicKey;
use crate::yaml::{At, read_text};

/// The keys that `raw` leads to; problems if there are none, or one that cannot be used.
pub(super) fn resolve(at: &At<'_>, raw: &RawKey, base: &Base) -> Vec<PublicKey> {
    let sources = [
        ("file", raw.file.is_some()),
        ("inline", raw.inline.is_some()),
        ("directory", raw.directory.is_some()),
        ("env", raw.env.is_some()),
    ];
    if at.exactly_one(&sources).is_none() {
        return Vec::new();
    }
    let mut keys = Vec::new();
    if let Some(path) = &raw.file {
        keys.extend(
            at.key("file").accept(from_file(&base.join(path)).map_err(|why| format!("key file `{path}`: {why}"))),
        );
    }
    if let Some(text) = &raw.inline {
        keys.extend(at.key("inline").accept(from_text(text)));
    }
    if let Some(path) = &raw.directory {
        keys.extend(from_directory(&at.key("directory"), path, base));
    }
    if let Some(name) = &raw.env {
        let text = std::env::var(name).map_err(|why| match why {
            VarError::NotPresent => format!("the environment has no `{name}`"),
            VarError::NotUnicode(_) => format!("`{name}`: it is not UTF-8"),
        });
        keys.extend(
            at.key("env").accept(text.and_then(|text| from_text(&text).map_err(|why| format!("`{name}`: {why}")))),
        );
    }
    keys
}

fn from_directory(at: &At<'_>, path: &str, base: &Base) -> Vec<PublicKey> {
    let found = files_of(&base.join(path), KEY_FILES).map_err(|why| format!("key directory `{path}`: {why}"));
    let Some(files) = at.accept(found) else { return Vec::new() };
    if files.is_empty() {
        at.problem(format!("key directory `{path}` holds no `*.pub` or `*.pem`"));
    }
    let name = |file: &Path| file.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let key = |file: &Path| from_file(file).map_err(|why| format!("key file `{}`: {why}", name(file)));
    files.iter().filter_map(|file| at.accept(key(file))).collect()
}

pub(super) fn from_file(path: &Path) -> Result<PublicKey, String> {
    from_text(&read_text(path)?)
}

pub(super) fn from_text(text: &str) -> Result<PublicKey, String> {
    PublicKey::from_pem(text).map_err(|error| error.to_string())
}
