//! As much of JSON Schema as the schema uses; a keyword that is not understood fails the test.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

/// What in `value` the schema refuses.
pub(super) fn errors(root: &Value, value: &Value) -> Vec<String> {
    let mut wrong = Vec::new();
    check(root, root, value, "", &mut wrong);
    wrong
}

/// What `#/$defs/…` refers to.
pub(super) fn resolve<'a>(root: &'a Value, reference: &str) -> &'a Value {
    root.pointer(reference.trim_start_matches('#')).expect(reference)
}

fn check(root: &Value, schema: &Value, value: &Value, path: &str, wrong: &mut Vec<String>) {
    for (keyword, said) in schema.as_object().expect("a schema") {
        if !deeper(root, schema, keyword, value, path, wrong) && !fits(root, keyword, said, value, path) {
            wrong.push(format!("{path}: {keyword} {said}"));
        }
    }
}

/// Follows a keyword that is about what stands deeper; `false` if it is another.
fn deeper(root: &Value, schema: &Value, keyword: &str, value: &Value, path: &str, wrong: &mut Vec<String>) -> bool {
    let said = &schema[keyword];
    let members = || value.as_object().into_iter().flatten();
    match keyword {
        "$ref" => check(root, resolve(root, said.as_str().expect("a reference")), value, path, wrong),
        "properties" => {
            for (key, member) in members().filter(|(key, _)| said[*key].is_object()) {
                check(root, &said[key], member, &format!("{path}/{key}"), wrong);
            }
        }
        "additionalProperties" => {
            for (key, member) in members().filter(|(key, _)| !schema["properties"][*key].is_object()) {
                match said {
                    Value::Bool(false) => wrong.push(format!("{path}/{key}: no such key")),
                    other => check(root, other, member, &format!("{path}/{key}"), wrong),
                }
            }
        }
        "propertyNames" => {
            for (key, _) in members() {
                check(root, said, &key.as_str().into(), &format!("{path}/{key}"), wrong);
            }
        }
        "items" => {
            for (index, item) in value.as_array().into_iter().flatten().enumerate() {
                check(root, said, item, &format!("{path}/{index}"), wrong);
            }
        }
        _ => return false,
    }
    true
}

fn fits(root: &Value, keyword: &str, said: &Value, value: &Value, path: &str) -> bool {
    let valid = |schema: &&Value| {
        let mut wrong = Vec::new();
        check(root, schema, value, path, &mut wrong);
        wrong.is_empty()
    };
    let text = |fits: &dyn Fn(&str) -> bool| value.as_str().is_none_or(fits);
    let has = |key: &Value| value.get(key.as_str().expect("a key")).is_some();
    match keyword {
        "$schema" | "title" | "description" | "default" | "$defs" => true,
        "type" => match said.as_array() {
            Some(several) => several.iter().any(|one| is_of(one, value)),
            None => is_of(said, value),
        },
        "enum" => list(said).contains(value),
        "const" => said == value,
        "pattern" => text(&|text| matches(said.as_str().expect("a pattern"), text)),
        "format" => text(&is_date_time),
        "minLength" => text(&|text| text.chars().count() as u64 >= number(said)),
        "maxLength" => text(&|text| text.chars().count() as u64 <= number(said)),
        "minimum" => value.as_f64().is_none_or(|value| value >= said.as_f64().expect("a number")),
        "minProperties" => value.as_object().is_none_or(|members| members.len() as u64 >= number(said)),
        "minItems" => value.as_array().is_none_or(|items| items.len() as u64 >= number(said)),
        "oneOf" => list(said).iter().filter(valid).count() == 1,
        "anyOf" => list(said).iter().any(|one| valid(&one)),
        "required" => !value.is_object() || list(said).iter().all(has),
        "dependentRequired" => {
            let mut needs = said.as_object().expect("a mapping").iter();
            needs.all(|(key, needs)| !has(&key.as_str().into()) || list(needs).iter().all(has))
        }
        other => panic!("`{other}` is not understood"),
    }
}

fn is_of(kind: &Value, value: &Value) -> bool {
    match kind.as_str().expect("a type") {
        "array" => value.is_array(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_i64() || value.is_u64(),
        "number" => value.is_number(),
        "object" => value.is_object(),
        "string" => value.is_string(),
        other => panic!("{other}"),
    }
}

/// Every key that the schema allows, by the way to it, with what stands there; a definition within itself only once.
pub(super) fn keys(root: &Value) -> BTreeSet<(String, &'static str)> {
    let mut found = BTreeSet::new();
    walk(root, root, "", &[], &mut found);
    found
}

fn walk(root: &Value, schema: &Value, path: &str, within: &[&str], found: &mut BTreeSet<(String, &'static str)>) {
    if let Some(reference) = schema["$ref"].as_str() {
        let definition = resolve(root, reference);
        if within.contains(&reference) {
            found.insert((path.into(), kind(definition)));
            return;
        }
        return walk(root, definition, path, &[within, &[reference]].concat(), found);
    }
    found.insert((path.into(), kind(schema)));
    let named = schema["additionalProperties"].as_object().map(|_| &schema["additionalProperties"]);
    if let Some(named) = named {
        walk(root, named, &format!("{path}.*"), within, found);
    }
    if schema["items"].is_object() {
        walk(root, &schema["items"], &format!("{path}[]"), within, found);
    }
    for (key, property) in schema["properties"].as_object().into_iter().flatten() {
        let dot = if path.is_empty() { "" } else { "." };
        walk(root, property, &format!("{path}{dot}{key}"), within, found);
    }
}

fn kind(schema: &Value) -> &'static str {
    let first = &schema["type"][0];
    match schema["type"].as_str().or(first.as_str()) {
        Some("string") if schema["type"][1] == "object" => "either",
        Some("array") => "list",
        Some("boolean") => "flag",
        Some("integer") => "number",
        Some("object") if schema["additionalProperties"].is_object() => "names",
        Some("object") => "mapping",
        Some("string") => "text",
        _ if schema["enum"].is_array() => "text",
        _ => panic!("{schema}"),
    }
}

/// Shows every property to `look`, with its name.
pub(super) fn each_property(schema: &Value, look: &mut impl FnMut(&str, &Value)) {
    match schema {
        Value::Object(members) => {
            for (name, property) in schema["properties"].as_object().into_iter().flatten() {
                look(name, property);
            }
            // What a choice says of keys is said of keys that are described before.
            let below = members.iter().filter(|(keyword, _)| *keyword != "anyOf");
            below.for_each(|(_, member)| each_property(member, look));
        }
        Value::Array(items) => items.iter().for_each(|item| each_property(item, look)),
        _ => {}
    }
}

fn list(value: &Value) -> &Vec<Value> {
    value.as_array().expect("a list")
}

fn number(value: &Value) -> u64 {
    value.as_u64().expect("a number")
}

/// Patterns are few, and each is asked often.
fn matches(pattern: &str, text: &str) -> bool {
    thread_local!(static KNOWN: RefCell<BTreeMap<String, regex::Regex>> = RefCell::default());
    KNOWN.with_borrow_mut(|known| {
        let compile = || regex::Regex::new(pattern).expect("a regular expression");
        known.entry(pattern.into()).or_insert_with(compile).is_match(text)
    })
}

fn is_date_time(text: &str) -> bool {
    text.len() >= "2030-01-01T00:00:00Z".len() && text.parse::<jiff::Timestamp>().is_ok()
}
