//! Any YAML value, with the place where each part of it stands.

use std::fmt;

use serde::de::{self, Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_saphyr::Spanned;

use crate::yaml::{FileError, FileErrors, KeyPath, explain, strict};

/// Line and column, from 1.
pub(super) type Spot = (u64, u64);

/// A value and where it stands.
#[derive(Debug, Clone)]
pub(super) struct Node {
    pub(super) spot: Spot,
    pub(super) value: Value,
}

/// What YAML can say, as far as JSON can say it too.
#[derive(Debug, Clone)]
pub(super) enum Value {
    Null,
    Flag(bool),
    Number(f64),
    Text(String),
    List(Vec<Node>),
    Map(Vec<Entry>),
}

/// One key of a mapping, where it stands, and its value.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    pub(super) key: String,
    pub(super) spot: Spot,
    pub(super) node: Node,
}

/// The documents of one text, which is known as `name`.
pub(super) fn documents(name: &str, text: &str) -> Result<Vec<Node>, FileErrors> {
    let read: Result<Vec<Spanned<Value>>, _> = serde_saphyr::from_multiple_with_options(text, strict());
    let documents: Vec<Node> = match read {
        Ok(documents) => documents.into_iter().map(Node::from).collect(),
        Err(error) => {
            let spot = error.location().map(|location| (location.line(), location.column()));
            let why = explain(&error).text;
            return Err(FileError::new(name, spot, Some(text), &KeyPath::default(), why).into());
        }
    };
    if documents.is_empty() {
        return Err(FileError::whole(name, "the file says nothing").into());
    }
    Ok(documents)
}

impl Value {
    /// What it is, for people.
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Self::Null => "nothing",
            Self::Flag(_) => "`true` or `false`",
            Self::Number(_) => "a number",
            Self::Text(_) => "a text",
            Self::List(_) => "a list",
            Self::Map(_) => "a mapping",
        }
    }
}

impl From<Spanned<Value>> for Node {
    fn from(spanned: Spanned<Value>) -> Self {
        Self { spot: spot(&spanned), value: spanned.value }
    }
}

fn spot<T>(spanned: &Spanned<T>) -> Spot {
    (spanned.referenced.line(), spanned.referenced.column())
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ValueVisitor)
    }
}

struct ValueVisitor;

macro_rules! numbers {
    ($($visit:ident: $ty:ty),*) => {$(
        /// Kyverno's own values are JSON, whose numbers are floating-point there too.
        #[expect(clippy::cast_precision_loss, reason = "as in Kyverno")]
        fn $visit<E: de::Error>(self, number: $ty) -> Result<Value, E> {
            Ok(Value::Number(number as f64))
        }
    )*};
}

impl<'de> Visitor<'de> for ValueVisitor {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }

    numbers!(visit_i64: i64, visit_u64: u64, visit_i128: i128, visit_u128: u128);

    fn visit_f64<E: de::Error>(self, number: f64) -> Result<Value, E> {
        Ok(Value::Number(number))
    }

    fn visit_bool<E: de::Error>(self, flag: bool) -> Result<Value, E> {
        Ok(Value::Flag(flag))
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Value, E> {
        Ok(Value::Text(text.into()))
    }

    fn visit_unit<E: de::Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_none<E: de::Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        Value::deserialize(deserializer)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element::<Spanned<Value>>()? {
            list.push(item.into());
        }
        Ok(Value::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let mut map = Vec::new();
        while let Some((key, node)) = entries.next_entry::<Spanned<String>, Spanned<Value>>()? {
            map.push(Entry { spot: spot(&key), key: key.value, node: node.into() });
        }
        Ok(Value::Map(map))
    }
}
