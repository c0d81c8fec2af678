//! Every leaf of a document changed, and every member left out.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

/// Each way to bend the document, by the path of what was bent.
pub(super) fn bent(document: &Value) -> Vec<(String, Value)> {
    let mut pointers = Vec::new();
    walk(document, "", &mut pointers);
    let mut bent = Vec::new();
    for pointer in pointers {
        let name = pointer.trim_start_matches('/').replace('/', ".");
        let mut changed = document.clone();
        let target = changed.pointer_mut(&pointer).expect("the walk found it");
        if let Some(value) = change(target) {
            *target = value;
            bent.push((format!("{name} changed"), changed));
        }
        let mut without = document.clone();
        let (parent, key) = pointer.rsplit_once('/').expect("a pointer has a last part");
        match without.pointer_mut(parent).expect("the walk found it") {
            Value::Object(members) => _ = members.remove(&unescape(key)),
            Value::Array(items) => _ = items.remove(key.parse().expect("an index")),
            _ => unreachable!("only objects and arrays have parts"),
        }
        bent.push((format!("{name} removed"), without));
    }
    bent
}

fn walk(value: &Value, pointer: &str, pointers: &mut Vec<String>) {
    if !pointer.is_empty() {
        pointers.push(pointer.to_owned());
    }
    match value {
        Value::Object(members) => {
            for (key, member) in members {
                walk(member, &format!("{pointer}/{}", key.replace('~', "~0").replace('/', "~1")), pointers);
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                walk(item, &format!("{pointer}/{index}"), pointers);
            }
        }
        _ => {}
    }
}

fn unescape(key: &str) -> String {
    key.replace("~1", "/").replace("~0", "~")
}

/// Another value of the same kind; none for an object, an array or an empty text.
fn change(value: &Value) -> Option<Value> {
    match value {
        Value::Number(number) => Some((number.as_u64()? + 1).into()),
        Value::String(text) => Some(change_text(text)?.into()),
        _ => None,
    }
}

/// One more, if it is a number; one bit of the middle byte, if it is base64; or another letter in the middle.
pub(super) fn change_text(text: &str) -> Option<String> {
    if let Ok(number) = text.parse::<u64>() {
        return Some((number + 1).to_string());
    }
    if let Ok(mut bytes) = STANDARD.decode(text) {
        let middle = bytes.len() / 2;
        *bytes.get_mut(middle)? ^= 1;
        return Some(STANDARD.encode(bytes));
    }
    let mut letters: Vec<char> = text.chars().collect();
    let middle = letters.len() / 2;
    let letter = letters.get_mut(middle)?;
    *letter = if *letter == 'A' { 'B' } else { 'A' };
    Some(letters.into_iter().collect())
}
