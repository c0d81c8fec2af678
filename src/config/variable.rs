//! One environment variable, read as a configuration that says one thing.
//!
//! `COUNTERSIGN__LISTEN__PUBLIC_URL=…` is `listen: { publicUrl: … }`. Two underscores part the keys; a key is found
//! whatever its case and single underscores. A text is taken as it is; a number, a list or a mapping is written as in YAML.

use std::cell::RefCell;

use serde::Deserialize;
use serde::de::value::{Error, MapDeserializer};
use serde::de::{Deserializer, Error as _, IntoDeserializer, Visitor};

use super::raw::RawConfig;
use crate::yaml::{KeyPath, explain, one_of, strict};

/// What every variable of ours begins with.
pub(super) const PREFIX: &str = "COUNTERSIGN__";

/// Reads the part of a name after the prefix, and its value; gives back where it leads too.
pub(super) fn read(name: &str, value: &str) -> Result<(KeyPath, RawConfig), String> {
    let path = RefCell::new(KeyPath::default());
    let segments: Vec<&str> = name.split("__").collect();
    let raw = RawConfig::deserialize(Variable { segments: &segments, value, path: &path });
    let path = path.into_inner();
    match raw {
        Ok(raw) => Ok((path, raw)),
        Err(error) if path.is_root() => Err(error.to_string()),
        Err(error) => Err(format!("{path}: {error}")),
    }
}

/// Whether two keys are the same to a shell, which has neither dots nor lower case to offer.
pub(super) fn alike(a: &str, b: &str) -> bool {
    let plain = |text: &str| text.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_ascii_lowercase();
    plain(a) == plain(b)
}

#[derive(Clone, Copy)]
struct Variable<'a> {
    segments: &'a [&'a str],
    value: &'a str,
    path: &'a RefCell<KeyPath>,
}

impl<'de> Variable<'de> {
    /// Enters `key`, which the first segment names.
    fn enter<V: Visitor<'de>>(self, key: &str, visitor: V) -> Result<V::Value, Error> {
        let path = self.path.borrow().key(key);
        *self.path.borrow_mut() = path;
        let rest = Self { segments: &self.segments[1..], ..self };
        visitor.visit_map(MapDeserializer::new(std::iter::once((key.to_string(), rest))))
    }

    /// Reads the value as YAML.
    fn yaml<T>(
        self,
        read: impl for<'e> FnOnce(serde_saphyr::Deserializer<'de, 'e>) -> Result<T, serde_saphyr::Error>,
    ) -> Result<T, Error> {
        match self.segments {
            [] => serde_saphyr::with_deserializer_from_str_with_options(self.value, strict(), read)
                .map_err(|error| Error::custom(explain(&error).text)),
            [more, ..] => Err(Error::custom(format!("there is nothing to set beneath it, and no `{more}`"))),
        }
    }
}

impl<'de> IntoDeserializer<'de, Error> for Variable<'de> {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

macro_rules! as_yaml {
    ($($method:ident),*) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
            self.yaml(|yaml| yaml.$method(visitor))
        }
    )*};
}

impl<'de> Deserializer<'de> for Variable<'de> {
    type Error = Error;

    as_yaml!(deserialize_any, deserialize_bool, deserialize_u64, deserialize_seq);

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_some(self)
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        if self.segments.is_empty() {
            return visitor.visit_str(self.value);
        }
        self.yaml(|yaml| yaml.deserialize_string(visitor))
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        let Some(segment) = self.segments.first() else {
            return self.yaml(|yaml| yaml.deserialize_struct(name, fields, visitor));
        };
        match fields.iter().find(|field| alike(field, segment)) {
            Some(field) => self.enter(field, visitor),
            None => Err(Error::custom(format!("there is no `{segment}` here, only {}", one_of(fields)))),
        }
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.segments.first() {
            Some(segment) => self.enter(segment, visitor),
            None => self.yaml(|yaml| yaml.deserialize_map(visitor)),
        }
    }

    serde::forward_to_deserialize_any! {
        i8 i16 i32 i64 i128 u8 u16 u32 u128 f32 f64 char str bytes byte_buf unit unit_struct newtype_struct tuple
        tuple_struct enum identifier ignored_any
    }
}
