//! Reading JSON: once, strictly, and no more than is bearable.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use cel::common::types::CelString;
use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};

use super::{Array, Json, Key, Member, Object};

/// Reads one JSON document. Names that are there twice, more than [`MAX_VALUES`] values, and more than 128 levels are
/// refused.
pub(in super::super) fn read(bytes: &[u8]) -> Result<Json, serde_json::Error> {
    let mut reader = Reader::default();
    let mut deserializer = serde_json::Deserializer::from_slice(bytes);
    let json = reader.deserialize(&mut deserializer)?;
    deserializer.end()?;
    Ok(json)
}

#[derive(Default)]
struct Reader {
    values: usize,
    keys: HashMap<Box<str>, Key>,
}

impl Reader {
    /// The name, shared with every member that has it.
    fn key(&mut self, name: &str) -> Key {
        if let Some(key) = self.keys.get(name) {
            return Arc::clone(key);
        }
        let key = Arc::new(CelString::from(name.to_owned()));
        if self.keys.len() < SHARED_KEYS {
            self.keys.insert(name.into(), Arc::clone(&key));
        }
        key
    }
}

impl<'de> DeserializeSeed<'de> for &mut Reader {
    type Value = Json;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Json, D::Error> {
        self.values += 1;
        if self.values > MAX_VALUES {
            return Err(D::Error::custom(format_args!("more than {MAX_VALUES} values")));
        }
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for &mut Reader {
    type Value = Json;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Json, E> {
        Ok(Json::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Json, E> {
        Ok(Json::Bool(value.into()))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Json, E> {
        Ok(Json::Int(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Json, E> {
        Ok(i64::try_from(value).map_or_else(|_| Json::UInt(value.into()), |value| Json::Int(value.into())))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Json, E> {
        Ok(Json::Double(value.into()))
    }

    fn visit_str<E>(self, text: &str) -> Result<Json, E> {
        Ok(Json::text(text))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Json, A::Error> {
        let mut all = Vec::new();
        while let Some(item) = items.next_element_seed(&mut *self)? {
            all.push(item);
        }
        Ok(Json::Array(all.into_iter().collect::<Array>()))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Json, A::Error> {
        let mut all: Vec<Member> = Vec::new();
        while let Some(key) = members.next_key_seed(Name(self))? {
            all.push((key, members.next_value_seed(&mut *self)?));
        }
        all.sort_by(|a, b| a.0.cmp(&b.0));
        let twice = |key: Key| A::Error::custom(format_args!("duplicate member `{}`", key.inner()));
        Object::sorted(all).map(Json::Object).map_err(twice)
    }
}

/// The name of a member.
struct Name<'a>(&'a mut Reader);

impl<'de> DeserializeSeed<'de> for Name<'_> {
    type Value = Key;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Key, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for Name<'_> {
    type Value = Key;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a name")
    }

    fn visit_str<E>(self, name: &str) -> Result<Key, E> {
        Ok(self.0.key(name))
    }
}

/// How many values a document may hold: twice what the largest bill of materials within the limit of attestations
/// has.
const MAX_VALUES: usize = 2_000_000;

/// How many different names are shared; the rest stands by itself.
const SHARED_KEYS: usize = 4096;
