//! Every part of good evidence, changed in every way that has a name: what is still accepted stands, with the reason, in
//! `tests/mutations/accepted.tsv`. Anything else that is accepted fails the test, and so does a panic.

use std::collections::{BTreeMap, BTreeSet};

use super::*;
use crate::demo::sigstore::der;

/// What is changed, and how the result is judged.
struct Form<'a> {
    name: &'static str,
    good: Value,
    /// Whether it is accepted.
    judge: Box<dyn Fn(&Value) -> bool + 'a>,
}

impl<'a> Form<'a> {
    fn new(name: &'static str, good: Value, judge: impl Fn(&Value) -> bool + 'a) -> Self {
        assert!(judge(&good), "{name}: the good one");
        Self { name, good, judge: Box::new(judge) }
    }

    /// Bundles that `stage` judges.
    fn of_bundle(name: &'static str, stage: &'a Stage, recipe: &Recipe) -> Self {
        let judge = stage.judge();
        Self::new(name, recipe.sign(statement()).expect("signs").bundle(), move |bundle| judge(&document(bundle)))
    }

    /// Every change that is accepted, as `pointer` and name of the change.
    fn accepted(&self) -> BTreeSet<(String, String)> {
        let mut pointers = Vec::new();
        super::super::mutations::pointers(&self.good, "", &mut pointers);
        let mut found = BTreeSet::new();
        for pointer in pointers {
            for (change, bent) in changes(&self.good, &pointer) {
                if (self.judge)(&bent) {
                    found.insert((pointer.clone(), change));
                }
            }
        }
        found
    }

    /// Compares what is accepted with what is listed.
    fn check(&self) {
        let listed = listed(self.name);
        let accepted = self.accepted();
        let strange: Vec<_> = accepted
            .iter()
            .filter(|(pointer, change)| !listed.iter().any(|one| one.covers(pointer, change)))
            .map(|(pointer, change)| format!("{pointer}\t{change}"))
            .collect();
        assert!(strange.is_empty(), "{}: accepted and not listed:\n{}", self.name, strange.join("\n"));
        let stale: Vec<_> = listed
            .iter()
            .filter(|one| !accepted.iter().any(|(pointer, change)| one.covers(pointer, change)))
            .map(|one| format!("{}\t{}", one.pointer, one.change))
            .collect();
        assert!(stale.is_empty(), "{}: listed and not accepted:\n{}", self.name, stale.join("\n"));
    }
}

/// One change that is listed as accepted; `*` at the end of either part stands for anything.
struct Listed {
    pointer: &'static str,
    change: &'static str,
}

impl Listed {
    fn covers(&self, pointer: &str, change: &str) -> bool {
        let fits = |pattern: &str, text: &str| match pattern.strip_suffix('*') {
            Some(beginning) => text.starts_with(beginning),
            None => text == pattern,
        };
        fits(self.pointer, pointer) && fits(self.change, change)
    }
}

/// What is listed for this form.
fn listed(form: &str) -> Vec<Listed> {
    let mut found = Vec::new();
    for line in include_str!("../../../../tests/mutations/accepted.tsv").lines().filter(|line| !line.starts_with('#')) {
        let columns: Vec<_> = line.split('\t').collect();
        let [forms, pointer, changes, reason] = columns[..] else { panic!("four columns: {line:?}") };
        assert!(!reason.is_empty(), "no reason: {line:?}");
        if forms.split(' ').any(|one| one == form) {
            found.extend(changes.split(' ').map(|change| Listed { pointer, change }));
        }
    }
    found
}

impl Stage {
    /// Whether evidence is accepted, with the trusted root parsed once.
    fn judge(&self) -> impl Fn(&Candidate) -> bool + use<> {
        let root = Root::parse(&self.root.to_string()).expect("a trusted root");
        let trust = Trust::of([(name("root"), root.into())].into());
        let (authority, limits, now) = (self.authority(), self.limits, self.now);
        move |candidate| {
            let revoked = Revoked::default();
            let against = Against { trust: &trust, revoked: &revoked, limits: &limits, now };
            crate::verify::tests::verify_one(candidate, &subject(), &authority, against).is_ok()
        }
    }
}

/// `good` with what `pointer` points to changed, once for each change.
fn changes(good: &Value, pointer: &str) -> Vec<(String, Value)> {
    let value = good.pointer(pointer).expect("it is there");
    let mut found = vec![("dropped".to_string(), without(good, pointer))];
    let mut put = |name: &str, new: Value| {
        if new != *value {
            found.push((name.to_string(), edited(good, pointer, new)));
        }
    };
    for (name, new) in [
        ("null", Value::Null),
        ("zero", json!(0)),
        ("true", json!(true)),
        ("empty", json!("")),
        ("letters", json!("AAAA")),
        ("list", json!([])),
        ("object", json!({})),
    ] {
        put(name, new);
    }
    match value {
        Value::Array(items) if !items.is_empty() => put("twice", [&items[..], &items[..1]].concat().into()),
        Value::Number(number) => put("next", json!(number.as_u64().unwrap_or_default() + 1)),
        Value::String(text) => {
            for (name, new) in texts(text) {
                put(&name, json!(new));
            }
        }
        _ => {}
    }
    found
}

/// `text` changed: its characters, or the bytes that it encodes, and the structure within those.
fn texts(text: &str) -> Vec<(String, String)> {
    use ::base64::Engine;
    let mut found = vec![("space-after".to_string(), format!("{text} ")), ("space-before".into(), format!(" {text}"))];
    if let Ok(number) = text.parse::<u64>() {
        found.push(("next".into(), (number + 1).to_string()));
        found.push(("negative".into(), format!("-{number}")));
    }
    let flipped = |bytes: &[u8], at: usize| {
        let mut bytes = bytes.to_vec();
        bytes[at] ^= 1;
        bytes
    };
    match ::base64::engine::general_purpose::STANDARD.decode(text) {
        Ok(bytes) if bytes.len() > 3 => {
            let places = places(&bytes);
            if places.is_empty() {
                for (name, at) in [("first", 0), ("middle", bytes.len() / 2), ("last", bytes.len() - 1)] {
                    found.push((format!("{name}-byte"), base64(&flipped(&bytes, at))));
                }
            }
            found.push(("byte-more".into(), base64(&[&bytes[..], &[0]].concat())));
            found.push(("byte-less".into(), base64(&bytes[..bytes.len() - 1])));
            for (path, at) in places {
                found.push((format!("der:{path}"), base64(&flipped(&bytes, at))));
            }
        }
        _ => {
            let letters: Vec<char> = text.chars().collect();
            for (name, at) in [("first", 0), ("middle", letters.len() / 2), ("last", letters.len().saturating_sub(1))] {
                let mut letters = letters.clone();
                if let Some(letter) = letters.get_mut(at) {
                    *letter = if *letter == 'x' { 'y' } else { 'x' };
                    found.push((format!("{name}-letter"), letters.into_iter().collect()));
                }
            }
        }
    }
    found
}

/// A byte of each value within `der`: of its tag, its length, and its content's beginning and end. They are named by
/// where the value stands, which is the same for every key.
fn places(der: &[u8]) -> BTreeMap<String, usize> {
    fn walk(whole: &[u8], value: &[u8], path: &str, found: &mut BTreeMap<String, usize>) {
        let start = value.as_ptr() as usize - whole.as_ptr() as usize;
        let long = value.get(1).is_some_and(|length| *length > 0x80);
        let head = if long { 2 + usize::from(value[1] & 0x7f) } else { 2 };
        found.insert(format!("{path}tag"), start);
        found.insert(format!("{path}length"), start + head - 1);
        let children = if value[0] & 0x20 != 0 { der::children(value) } else { Vec::new() };
        if children.is_empty() && value.len() > head {
            found.insert(format!("{path}begin"), start + head);
            found.insert(format!("{path}end"), start + value.len() - 1);
        }
        for (number, child) in children.into_iter().enumerate() {
            walk(whole, child, &format!("{path}{number}."), found);
        }
    }
    let mut found = BTreeMap::new();
    // Only what is one whole value, not bytes that look like the beginning of one.
    if der.len() > 100 && der[0] == 0x30 && der::children(&der::sequence(&[der.to_vec()])).first() == Some(&der) {
        walk(der, der, "", &mut found);
    }
    found
}

#[test]
fn a19_bundles_of_a_pipeline_with_the_first_log() {
    let stage = Stage::keyless();
    Form::of_bundle("v1", &stage, &myorg()).check();
}

#[test]
fn a19_bundles_of_a_pipeline_with_the_second_log_and_a_stamp() {
    let stage = Stage::keyless();
    Form::of_bundle("v2", &stage, &SIGSTORE.with_rekor_v2(myorg())).check();
}

#[test]
fn a19_bundles_of_a_key() {
    let key = key();
    let stage = Stage::of(&[&key]);
    Form::of_bundle("key", &stage, &SIGSTORE.stamped(SIGSTORE.keyed(&key, NOW))).check();
}

#[test]
fn a19_legacy_annotations() {
    let stage = Stage::keyless();
    let good = stage.good_legacy(&SIGSTORE.stamped(myorg()));
    let annotations = good.annotations();
    let parsed = |key: &str| serde_json::from_str::<Value>(&annotations[key]).expect("JSON");
    let whole = json!({
        "payload": String::from_utf8(good.layer()).expect("a text"),
        "signature": annotations[SIGNATURE],
        "certificate": annotations[CERTIFICATE],
        "chain": annotations[CHAIN],
        "bundle": parsed(BUNDLE),
        "timestamp": parsed(TIMESTAMP),
    });
    let judge = stage.judge();
    Form::new("legacy", whole, move |whole| {
        // Annotations are texts: where one is not, there is no manifest at all.
        let texts = ["payload", "signature", "certificate", "chain"];
        if texts.iter().any(|key| whole.get(key).is_some_and(|value| !value.is_string())) {
            return false;
        }
        let text = |key: &str| whole.get(key).and_then(Value::as_str).map(str::to_string);
        let json = |key: &str| whole.get(key).map(Value::to_string);
        let beside = Beside {
            certificate: text("certificate"),
            chain: text("chain"),
            bundle: json("bundle"),
            timestamp: json("timestamp"),
        };
        let payload = text("payload").unwrap_or_default().into();
        let material = Material::SimpleSigning { payload, signature: text("signature").unwrap_or_default() };
        judge(&Candidate::new("somewhere".into(), material).with(beside))
    })
    .check();
}

/// Whoever changes the trusted root is trusted; all the same, what it says is what counts.
#[test]
fn a19_trusted_roots() {
    let stage = Stage::keyless();
    let evidence =
        [SIGSTORE.stamped(myorg()), SIGSTORE.with_rekor_v2(myorg())].map(|recipe| bundle(&stage.good(&recipe)));
    Form::new("root", stage.root.clone(), |root| {
        if Root::parse(&root.to_string()).is_err() {
            return false;
        }
        let judge = Stage { root: root.clone(), ..stage.clone() }.judge();
        evidence.iter().all(judge)
    })
    .check();
}
