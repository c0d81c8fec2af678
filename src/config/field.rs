//! Single settings: their defaults, their bounds, and whether this version honours them.

use std::path::Path;
use std::time::Duration;

use super::units;
use crate::yaml::{At, did_you_mean, one_of, read};

/// A duration; zero too.
pub(super) fn duration(at: &At<'_>, key: &str, text: Option<&str>, default: Duration) -> Duration {
    text.and_then(|text| at.key(key).accept(units::duration(text))).unwrap_or(default)
}

/// A duration longer than nothing.
pub(super) fn positive(at: &At<'_>, key: &str, text: Option<&str>, default: Duration) -> Duration {
    let value = duration(at, key, text, default);
    if value.is_zero() {
        at.key(key).problem("it must be longer than zero");
    }
    value
}

/// A size of at least one byte.
pub(super) fn size(at: &At<'_>, key: &str, text: Option<&str>, default: u64) -> u64 {
    let value = text.and_then(|text| at.key(key).accept(units::size(text))).unwrap_or(default);
    if value == 0 {
        at.key(key).problem("it must be at least 1");
    }
    value
}

/// A number of at least one.
pub(super) fn count<T: Copy + Default + PartialEq>(at: &At<'_>, key: &str, value: Option<T>, default: T) -> T {
    if value == Some(T::default()) {
        at.key(key).problem("it must be at least 1");
    }
    value.unwrap_or(default)
}

/// One of several words; the first is the default.
pub(super) fn word<'w>(at: &At<'_>, key: &str, text: Option<&str>, words: &[&'w str]) -> &'w str {
    let Some(text) = text else { return words[0] };
    words.iter().find(|word| **word == text).unwrap_or_else(|| {
        let hint = did_you_mean(text, words.iter().copied());
        at.key(key).problem(format!("`{text}` is not {}{hint}", one_of(words)));
        &words[0]
    })
}

/// Refuses a setting of a later version, unless it says what holds anyway.
pub(super) fn later<T: PartialEq + Copy>(at: &At<'_>, key: &str, value: T, default: T) {
    if value != default {
        at.unsupported(key);
    }
}

/// Refuses a setting of a later version that has no default to agree with.
pub(super) fn later_if_given<T>(at: &At<'_>, key: &str, value: Option<&T>) {
    if value.is_some() {
        at.unsupported(key);
    }
}

/// The content of a file that a setting names.
pub(super) fn file(at: &At<'_>, key: &str, path: &str, base: &Path) -> Option<Vec<u8>> {
    at.key(key).accept(read(&base.join(path), 1 << 20).map_err(|why| format!("`{path}`: {why}")))
}
