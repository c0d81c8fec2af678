//! The schema for editors and the loader are two descriptions of one language: here they are held against each other.

use serde_json::{Value, json};

use std::collections::BTreeSet;

use super::*;

mod loader;

mod validator;

/// What only the loader can know: what is declared elsewhere, what files hold, and what names and numbers come to.
const BEYOND: [&str; 15] = [
    "there is no ",
    "there is already a ",
    "key file `",
    "key directory `",
    "TUF root `",
    "the environment has no ",
    "it is not a PEM public key",
    "is a key, and anyone may log",
    "of 1: expected 1 to ",
    "of 2: expected 1 to ",
    "is not a registry",
    "is not a repository",
    "a scope is made of",
    "is not a URL",
    ".condition: ",
];

fn schema() -> Value {
    serde_json::from_str(SCHEMA).expect("JSON")
}

/// A policy as JSON, which is YAML too.
fn value(text: &str) -> Value {
    serde_saphyr::from_str_with_options(text, yaml::strict()).expect(text)
}

/// The policies of a folder of `tests/fixtures/policy`, without mistakes.
fn policies(of: &str) -> Vec<Value> {
    golden::policies(of).iter().map(|(_, text)| value(text)).collect()
}

/// The two that judge.
struct Judges {
    schema: Value,
    folder: tempfile::TempDir,
}

impl Judges {
    fn new() -> Self {
        Self { schema: schema(), folder: folder(&[("root.json", "{}"), ("trusted_root.json", "{}")]) }
    }

    fn loads(&self, policy: &Value) -> Result<(), PolicyErrors> {
        parse(&policy.to_string(), "policy.json", self.folder.path()).map(|_| ())
    }

    /// Fails unless loader and schema say the same of `policy`, or the loader knows what the schema cannot.
    fn agree(&self, policy: &Value, what: &str) {
        let refused = validator::errors(&self.schema, policy);
        match self.loads(policy) {
            // The loader takes any single value for a text; the schema wants quotes around what looks like a number.
            Ok(()) => {
                let text = |why: &String| why.ends_with(": type \"string\"") || why.contains(": type [\"string\",");
                let bare = refused.iter().all(text);
                assert!(bare, "{what}: only the schema refuses it: {refused:#?}\n{policy}");
            }
            Err(errors) if refused.is_empty() => {
                let beyond = |why: &str| BEYOND.iter().any(|beyond| why.contains(beyond));
                for error in errors.all() {
                    assert!(beyond(&error.message), "{what}: only the loader refuses it: {error}\n{policy}");
                }
            }
            Err(_) => {}
        }
    }
}

#[test]
fn every_key_of_the_loader_is_in_the_schema_and_the_reverse() {
    let (theirs, ours) = (validator::keys(&schema()), loader::keys());
    assert!(ours.len() > 90, "{ours:#?}");
    let missing: Vec<_> = ours.difference(&theirs).collect();
    let foreign: Vec<_> = theirs.difference(&ours).collect();
    assert!(missing.is_empty() && foreign.is_empty(), "not in the schema: {missing:#?}\nonly there: {foreign:#?}");
}

#[test]
fn every_key_is_described() {
    let schema = schema();
    validator::each_property(&schema, &mut |name, property| {
        let definition = property["$ref"].as_str().map(|reference| validator::resolve(&schema, reference));
        let described = |value: &Value| value["description"].as_str().is_some_and(|text| !text.is_empty());
        assert!(described(property) || definition.is_some_and(described), "{name}");
    });
}

#[test]
fn every_key_stands_in_the_policies_that_are_changed() {
    fn walk(value: &Value, path: &str, found: &mut BTreeSet<String>) {
        found.insert(path.to_string());
        match value {
            Value::Object(members) => {
                for (key, member) in members {
                    let named = ["trustRoots", "authorities"].contains(&path) || path.ends_with(".annotations");
                    walk(
                        member,
                        &format!("{path}{}{}", if path.is_empty() { "" } else { "." }, if named { "*" } else { key }),
                        found,
                    );
                }
            }
            Value::Array(items) => items.iter().for_each(|item| walk(item, &format!("{path}[]"), found)),
            _ => {}
        }
    }
    let mut found = BTreeSet::new();
    for policy in policies("every-key") {
        walk(&policy, "", &mut found);
    }
    let absent: Vec<_> = loader::keys().into_iter().filter(|(path, _)| !found.contains(path)).collect();
    // Which variables there are is not for a test to say.
    assert_eq!(absent, [("authorities.*.key.env".to_string(), "text")]);
}

#[test]
fn good_policies_are_good_for_both() {
    let judges = Judges::new();
    let example = value(include_str!("../../../../config/policy.example.yaml"));
    for policy in [vec![example], policies("every-key"), policies("warnings")].concat() {
        judges.loads(&policy).expect("a policy without mistakes");
        judges.agree(&policy, "unchanged");
    }
}

#[test]
fn the_examples_are_what_the_schema_takes() {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("config/policies");
    let mut seen = 0;
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.extension().is_some_and(|extension| extension == "yaml") {
            let policy = value(&fs::read_to_string(&path).expect("a file"));
            assert_eq!(validator::errors(&schema(), &policy), [""; 0], "{}", path.display());
            seen += 1;
        }
    }
    assert!(seen > 0);
}

#[test]
fn a_good_policy_with_one_change_is_judged_the_same_by_both() {
    let judges = Judges::new();
    let others = [
        json!(null),
        json!(""),
        json!(" "),
        json!("x"),
        json!("UPPER/case"),
        json!(7),
        json!(0),
        json!(1.5),
        json!(true),
        json!([]),
        json!(["x"]),
        json!({}),
        json!({ "x": "x" }),
    ];
    // Those that the schema takes somewhere: the loader takes them there, and there only.
    let words = ["deny", "audit", "enforce", "bundle", "legacy", "index", "platform", "newest", "any", "all"];
    let words: Vec<Value> = words.into_iter().map(Value::from).collect();
    let mut count = 0;
    for policy in policies("every-key") {
        for pointer in pointers(&policy) {
            let words = policy.pointer(&pointer).is_some_and(Value::is_string).then(|| words.iter());
            for other in others.iter().chain(words.into_iter().flatten()) {
                let mut changed = policy.clone();
                *changed.pointer_mut(&pointer).expect("it is there") = other.clone();
                judges.agree(&changed, &format!("{pointer} = {other}"));
                count += 1;
            }
            for changed in [without(&policy, &pointer), with_another(&policy, &pointer)].into_iter().flatten() {
                judges.agree(&changed, &pointer);
                count += 1;
            }
        }
    }
    assert!(count > 1_500, "{count}");
}

/// Where the values of a document are, as JSON pointers; the whole apart.
fn pointers(value: &Value) -> Vec<String> {
    let escaped = |key: &str| key.replace('~', "~0").replace('/', "~1");
    let children: Vec<(String, &Value)> = match value {
        Value::Object(members) => members.iter().map(|(key, member)| (escaped(key), member)).collect(),
        Value::Array(items) => items.iter().enumerate().map(|(index, item)| (index.to_string(), item)).collect(),
        _ => Vec::new(),
    };
    let below = |(key, child): (String, &Value)| {
        let under = pointers(child).into_iter().map(|rest| format!("/{key}{rest}")).collect::<Vec<_>>();
        [vec![format!("/{key}")], under].concat()
    };
    children.into_iter().flat_map(below).collect()
}

/// The same without what stands at `pointer`.
fn without(policy: &Value, pointer: &str) -> Option<Value> {
    let mut changed = policy.clone();
    let (parent, key) = pointer.rsplit_once('/')?;
    match changed.pointer_mut(parent)? {
        Value::Object(members) => drop(members.remove(&key.replace("~1", "/").replace("~0", "~"))?),
        Value::Array(items) => drop(items.remove(key.parse().ok()?)),
        _ => return None,
    }
    Some(changed)
}

/// The same with one key more in the mapping at `pointer`.
fn with_another(policy: &Value, pointer: &str) -> Option<Value> {
    let mut changed = policy.clone();
    changed.pointer_mut(pointer)?.as_object_mut()?.insert("another".into(), json!("x"));
    Some(changed)
}

#[test]
fn small_policies_are_judged_the_same_by_both() {
    let judges = Judges::new();
    let leaf = |require: Value| json!({ "authorities": { "a": { "key": { "file": "a.pub", "insecureSkipTransparencyLog": true } } }, "policies": [{ "name": "p", "match": ["r.io/**"], "require": require }] });
    let by = json!({ "signature": { "by": "a" } });
    for (policy, fine) in [
        (json!({}), true),
        (json!({ "default": "audit" }), true),
        (json!({ "default": "allow" }), false),
        (json!([]), false),
        (json!("policies"), false),
        (leaf(by.clone()), true),
        (leaf(json!({})), false),
        (leaf(json!({ "allOf": [by], "anyOf": [by] })), false),
        (leaf(json!({ "atLeast": { "n": 1, "of": [by] } })), true),
        (leaf(json!({ "atLeast": { "n": 0, "of": [by] } })), false),
        (leaf(json!({ "atLeast": { "n": 1, "of": [] } })), false),
        (leaf(json!({ "attestation": { "by": "a", "type": "cyclonedx" } })), true),
        (leaf(json!({ "attestation": { "by": "a", "type": "https://company.test/t" } })), true),
        (leaf(json!({ "attestation": { "by": "a", "type": "company.test/t" } })), false),
        (leaf(json!({ "attestation": { "by": "a", "type": "vuln", "maxAge": "0d", "ageFrom": "a" } })), false),
        (leaf(json!({ "attestation": { "by": "a", "type": "vuln", "maxAge": "12h", "ageFrom": "a..b" } })), false),
        (leaf(json!({ "attestation": { "by": "a", "type": "vuln", "maxAge": "12h", "ageFrom": "a.b" } })), true),
        (
            json!({ "authorities": { "a": { "key": { "file": "a.pub", "env": "A", "insecureSkipTransparencyLog": true } } } }),
            false,
        ),
        (json!({ "authorities": { "a": { "key": { "file": "a.pub" } } } }), false),
        (
            json!({ "authorities": { "a": { "key": { "file": "a.pub", "insecureSkipTransparencyLog": false } } } }),
            false,
        ),
        (json!({ "trustRoots": { "r": { "tuf": {}, "file": "f" } } }), false),
        (json!({ "trustRoots": { "r": { "tuf": { "mirror": "https://t.test" } } } }), false),
        (json!({ "trustRoots": { "-r": { "tuf": {} } } }), false),
        (json!({ "exemptions": [{ "match": ["r.io/a"], "reason": "x", "expires": "2030-01-01T00:00:00Z" }] }), true),
        (json!({ "exemptions": [{ "match": ["r.io/a"], "reason": "x", "expires": "2030-01-01" }] }), false),
        (json!({ "exemptions": [{ "match": ["r.io/a"] }] }), false),
        (json!({ "revoked": { "identities": ["x", { "identity": "x" }, { "identity": "x", "issuer": "i" }] } }), true),
        (json!({ "revoked": { "identities": [{ "issuer": "i" }] } }), false),
        (json!({ "revoked": { "digests": ["sha256:00"] } }), false),
    ] {
        assert_eq!(judges.loads(&policy).is_ok(), fine, "loader: {policy}");
        assert_eq!(validator::errors(&judges.schema, &policy).is_empty(), fine, "schema: {policy}");
    }
}

#[test]
fn both_know_the_same_short_names_of_predicate_types() {
    let schema = schema();
    let names =
        schema.pointer("/$defs/attestation/properties/type/anyOf/0/enum").expect("a list").as_array().expect("a list");
    let mut known: Vec<_> = predicate::SHORT.iter().map(|(short, _)| json!(short)).collect();
    known.sort_by_key(ToString::to_string);
    assert_eq!(*names, known);
}
