//! Adding an exemption to the text of a policy file. Everything else in it stays as it is, byte for byte.
//!
//! YAML has too many ways of saying things to edit it blindly: the new text counts only if, read as plain data, it says
//! what the old one says and one exemption more.

use serde_json::{Value, json};

use super::raw::RawFile;
use crate::clock::Timestamp;
use crate::oci::Subject;
use crate::yaml::{self, FileErrors, KeyPath};

/// An exemption that is to be written.
#[derive(Debug, Clone)]
pub struct NewExemption {
    /// What it lets through.
    pub subject: Subject,
    /// The policies that it takes away; all of them if there are none.
    pub policies: Vec<String>,
    /// Why: one line that can be printed.
    pub reason: String,
    /// When it ends, if it does.
    pub expires: Option<Timestamp>,
    /// A remark for the readers of the file: one line that can be printed.
    pub remark: Option<String>,
}

/// Why a text was not edited.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// It is no policy file.
    #[error("{0}")]
    Wrong(#[from] FileErrors),
    /// It is written in a way that is not edited.
    #[error("its `exemptions` are written in a way that this command does not edit")]
    Unusual,
}

/// The text of a new file that holds nothing but `exemption`.
pub fn alone(exemption: &NewExemption) -> String {
    format!("# Written by `countersign policy exempt`; edit it as you like.\n{KEY}:\n{}", exemption.item(2, "\n"))
}

/// `text`, known as `name`, with one exemption more.
///
/// # Errors
/// If it is wrong, or so written that an exemption cannot be added with certainty.
pub fn with_exemption(text: &str, name: &str, exemption: &NewExemption) -> Result<String, WriteError> {
    let (document, _) = yaml::parse::<RawFile>(name, text)?;
    let path = KeyPath::default().key(KEY);
    let line = document.says(&path).then(|| document.error(&path, String::new()).line).flatten();
    let mut wanted = data(text).ok_or(WriteError::Unusual)?;
    let root = wanted.as_object_mut().ok_or(WriteError::Unusual)?;
    let list = root.entry(KEY).or_insert_with(|| json!([]));
    list.as_array_mut().ok_or(WriteError::Unusual)?.push(exemption.data());
    let newline = if text.contains("\r\n") { "\r\n" } else { "\n" };
    let edited = match line.and_then(|line| usize::try_from(line).ok()) {
        Some(line) => within(text, line, newline, exemption),
        None => at_the_end(text, newline, exemption),
    };
    edited.into_iter().find(|text| data(text).as_ref() == Some(&wanted)).ok_or(WriteError::Unusual)
}

/// What a text says, whatever its style.
fn data(text: &str) -> Option<Value> {
    serde_saphyr::from_str_with_options(text, yaml::strict()).ok()
}

/// The list anew at the end; without an empty line before it where that would be part of the last value.
fn at_the_end(text: &str, newline: &str, exemption: &NewExemption) -> Vec<String> {
    let list = [KEY, ":", newline, &exemption.item(2, newline)].concat();
    let text = [text, if text.ends_with('\n') { "" } else { newline }].concat();
    vec![[&text, newline, &list].concat(), text + &list]
}

/// The list that begins on `line`, with another item: behind the others, or before them where their end is not clear.
fn within(text: &str, line: usize, newline: &str, exemption: &NewExemption) -> Vec<String> {
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    let (before, after) = lines.split_at(line.min(lines.len()));
    let Some((key, before)) = before.split_last() else { return Vec::new() };
    let Some((name, rest)) = key.split_once(':') else { return Vec::new() };
    let insert = |key: &str, head: &[&str], tail: &[&str], indent: usize| {
        let mut text = [before.concat().as_str(), key, &head.concat()].concat();
        if !text.ends_with('\n') {
            text.push_str(newline);
        }
        text + &exemption.item(indent, newline) + &tail.concat()
    };
    match without_comment(rest) {
        "" => {
            let items = after.iter().position(|line| ends(line)).map_or(after, |end| &after[..end]);
            let Some(first) = items.iter().find(|line| dash(line)) else { return Vec::new() };
            let indent = first.len() - first.trim_start().len();
            let own = |line: &&str| !line.trim().is_empty() && !line.starts_with('#');
            let end = items.iter().rposition(own).map_or(0, |last| last + 1);
            vec![insert(key, &after[..end], &after[end..], indent), insert(key, &[], after, indent)]
        }
        value
            if value
                .strip_prefix('[')
                .and_then(|rest| rest.strip_suffix(']'))
                .is_some_and(|of| of.trim().is_empty()) =>
        {
            // An empty list gives way to one of lines; what is said behind it stays.
            let behind = rest.replacen(value, "", 1);
            let behind = behind.trim_start_matches(' ');
            let gap = if behind.starts_with('#') { " " } else { "" };
            vec![insert(&[name, ":", gap, behind].concat(), &[], after, 2)]
        }
        _ => Vec::new(),
    }
}

/// Whether a line of the document begins something else than what is in a list of its top level.
fn ends(line: &str) -> bool {
    !line.starts_with([' ', '\t', '#', '\r', '\n']) && !dash(line)
}

/// What stands after a key on its line.
fn without_comment(rest: &str) -> &str {
    let value = rest.trim();
    if value.starts_with('#') { "" } else { value.split(" #").next().unwrap_or_default().trim_end() }
}

/// Whether a line begins an item of a list.
fn dash(line: &str) -> bool {
    let line = line.trim();
    line == "-" || line.starts_with("- ")
}

impl NewExemption {
    /// What it covers, as the file names it.
    fn scope(&self) -> String {
        self.subject.to_string()
    }

    /// It as an item of the list, `indent` spaces from the margin.
    pub fn item(&self, indent: usize, newline: &str) -> String {
        let quoted = |text: &str| Value::from(text).to_string();
        let remark = self.remark.as_ref().map_or(String::new(), |remark| format!(" # {remark}"));
        let mut lines = vec![format!("- match: [ {} ]{remark}", quoted(&self.scope()))];
        if !self.policies.is_empty() {
            let names: Vec<_> = self.policies.iter().map(|name| quoted(name)).collect();
            lines.push(format!("  policies: [ {} ]", names.join(", ")));
        }
        lines.push(format!("  reason: {}", quoted(&self.reason)));
        lines.extend(self.expires.map(|end| format!("  expires: {end}")));
        lines.into_iter().map(|line| [&" ".repeat(indent), line.as_str(), newline].concat()).collect()
    }

    /// The same as the parser must read it.
    fn data(&self) -> Value {
        let mut data = json!({ "match": [ self.scope() ], "reason": self.reason });
        if !self.policies.is_empty() {
            data["policies"] = json!(self.policies);
        }
        if let Some(end) = self.expires {
            data["expires"] = json!(end.to_string());
        }
        data
    }
}

const KEY: &str = "exemptions";

#[cfg(test)]
mod tests;
