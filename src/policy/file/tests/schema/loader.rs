//! Every key that the loader accepts, asked of the loader itself: it is given everything that it asks for.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::de::value::StrDeserializer;
use serde::de::{self, Deserialize, DeserializeSeed, Deserializer, IntoDeserializer, MapAccess, SeqAccess, Visitor};
use serde::forward_to_deserialize_any;

use super::super::super::raw::RawFile;

type Names = &'static [&'static str];

/// Every key, by the way to it, with what stands there; a struct within itself only once.
pub(super) fn keys() -> BTreeSet<(String, &'static str)> {
    let heard = RefCell::new(Heard::default());
    loop {
        let giver = Giver { heard: &heard, path: String::new(), within: Vec::new() };
        match RawFile::deserialize(giver) {
            Ok(_) => return heard.into_inner().keys,
            Err(Refused { expected: Some(names), .. }) => {
                let mut heard = heard.borrow_mut();
                let path = heard.guessed.take().expect("a guess");
                heard.names.insert(path, names);
            }
            Err(refused) => panic!("{refused}"),
        }
    }
}

/// What the loader asked for.
#[derive(Default)]
struct Heard {
    keys: BTreeSet<(String, &'static str)>,
    /// The keys of what may be a mapping or something else, known by guessing wrongly.
    names: BTreeMap<String, Names>,
    guessed: Option<String>,
}

/// Gives a value of whatever kind is asked for.
struct Giver<'h> {
    heard: &'h RefCell<Heard>,
    path: String,
    within: Vec<&'static str>,
}

impl Giver<'_> {
    fn note(&self, kind: &'static str) {
        self.heard.borrow_mut().keys.insert((self.path.clone(), kind));
    }

    fn below(&self, key: &str) -> Self {
        let dot = if self.path.is_empty() || key == "[]" { "" } else { "." };
        Self { heard: self.heard, path: format!("{}{dot}{key}", self.path), within: self.within.clone() }
    }
}

impl<'de> Deserializer<'de> for Giver<'_> {
    type Error = Refused;

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refused> {
        visitor.visit_some(self)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        mut self,
        name: &'static str,
        fields: Names,
        visitor: V,
    ) -> Result<V::Value, Refused> {
        self.note("mapping");
        let again = self.within.contains(&name);
        self.within.push(name);
        visitor.visit_map(Members { of: self, names: if again { &[] } else { fields }, at: 0, wrong: false })
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refused> {
        self.note("names");
        visitor.visit_map(Members { of: self, names: &["*"], at: 0, wrong: false })
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refused> {
        self.note("list");
        visitor.visit_seq(One(Some(self.below("[]"))))
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refused> {
        self.note("text");
        visitor.visit_str("x")
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refused> {
        self.note("flag");
        visitor.visit_bool(true)
    }

    fn deserialize_u64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refused> {
        self.note("number");
        visitor.visit_u64(1)
    }

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refused> {
        self.note("either");
        let names = self.heard.borrow().names.get(&self.path).copied();
        self.heard.borrow_mut().guessed = Some(self.path.clone());
        visitor.visit_map(Members { wrong: names.is_none(), names: names.unwrap_or(&["?"]), of: self, at: 0 })
    }

    forward_to_deserialize_any! {
        i8 i16 i32 i64 i128 u8 u16 u32 u128 f32 f64 char str bytes byte_buf unit unit_struct newtype_struct tuple
        tuple_struct enum identifier ignored_any
    }
}

/// A mapping with every key.
struct Members<'h> {
    of: Giver<'h>,
    names: Names,
    at: usize,
    /// Whether the key is a guess, to hear which keys there are.
    wrong: bool,
}

impl<'de> MapAccess<'de> for Members<'_> {
    type Error = Refused;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Refused> {
        let Some(name) = self.names.get(self.at) else { return Ok(None) };
        self.at += 1;
        let key: StrDeserializer<'_, Refused> = name.into_deserializer();
        seed.deserialize(key).map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Refused> {
        assert!(!self.wrong, "any key is taken at {}", self.of.path);
        seed.deserialize(self.of.below(self.names[self.at - 1]))
    }
}

/// A list of one.
struct One<'h>(Option<Giver<'h>>);

impl<'de> SeqAccess<'de> for One<'_> {
    type Error = Refused;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Refused> {
        self.0.take().map(|giver| seed.deserialize(giver)).transpose()
    }
}

/// The loader did not want what it was given.
#[derive(Debug)]
struct Refused {
    why: String,
    expected: Option<Names>,
}

impl de::Error for Refused {
    fn custom<T: fmt::Display>(why: T) -> Self {
        Self { why: why.to_string(), expected: None }
    }

    fn unknown_field(field: &str, expected: Names) -> Self {
        Self { why: field.into(), expected: Some(expected) }
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.why)
    }
}

impl std::error::Error for Refused {}
