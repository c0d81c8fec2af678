//! Where the keys and values of a document stand.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::{self, Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_saphyr::Spanned;

use super::KeyPath;

/// Line and column, from 1.
type Spot = (u64, u64);

/// The positions in one document.
#[derive(Debug, Default)]
pub(super) struct Index {
    /// Where to point for each path: at a single value, or at the key of a list or mapping.
    spots: BTreeMap<KeyPath, Spot>,
    keys: Vec<(Spot, KeyPath)>,
    values: Vec<(Spot, KeyPath)>,
    empty: Vec<KeyPath>,
}

impl Index {
    /// Where `path` stands, or the nearest thing around it that is there.
    pub(super) fn spot(&self, path: &KeyPath) -> Option<Spot> {
        // The whole document is not a place worth pointing to.
        if path.is_root() {
            return None;
        }
        self.spots.get(path).copied().or_else(|| self.spot(&path.parent()))
    }

    /// Whether `path` is there.
    pub(super) fn has(&self, path: &KeyPath) -> bool {
        self.spots.contains_key(path)
    }

    /// Whether the document has no value at all.
    pub(super) fn is_empty(&self) -> bool {
        self.empty.first().is_some_and(KeyPath::is_root)
    }

    /// Keys without a value.
    pub(super) fn empty(&self) -> &[KeyPath] {
        &self.empty
    }

    /// What stands at `spot`; of a key that should not be there, what it was found in.
    pub(super) fn path_at(&self, spot: Spot, about_key: bool) -> KeyPath {
        let key = self.keys.iter().find(|(at, _)| *at == spot).map(|(_, path)| path);
        if about_key {
            return key.map(KeyPath::parent).unwrap_or_default();
        }
        // A mapping starts where its first key does: the innermost value says it best, then the key.
        let value = self.values.iter().find(|(at, _)| *at == spot).map(|(_, path)| path);
        value.or(key).cloned().unwrap_or_default()
    }

    fn add(&mut self, path: KeyPath, key: Option<Spot>, node: &Spanned<Node>) {
        let value = (node.referenced.line(), node.referenced.column());
        let pointed = match node.value {
            Node::Empty | Node::Single => value,
            Node::List(_) | Node::Map(_) => key.unwrap_or(value),
        };
        self.spots.insert(path.clone(), pointed);
        self.values.push((value, path.clone()));
        if let Some(key) = key {
            self.keys.push((key, path.clone()));
        }
        match &node.value {
            Node::Empty => self.empty.push(path),
            Node::Single => {}
            Node::List(items) => {
                for (at, item) in items.iter().enumerate() {
                    self.add(path.index(at), None, item);
                }
            }
            Node::Map(entries) => {
                for (key, value) in entries {
                    let spot = (key.referenced.line(), key.referenced.column());
                    self.add(path.key(&key.value), Some(spot), value);
                }
            }
        }
    }
}

impl<'de> Deserialize<'de> for Index {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut index = Self::default();
        index.add(KeyPath::default(), None, &Spanned::<Node>::deserialize(deserializer)?);
        Ok(index)
    }
}

/// Any YAML value, as far as positions go.
#[derive(Debug)]
enum Node {
    Empty,
    List(Vec<Spanned<Node>>),
    Map(Vec<(Spanned<String>, Spanned<Node>)>),
    Single,
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(NodeVisitor)
    }
}

struct NodeVisitor;

macro_rules! single {
    ($($visit:ident: $ty:ty),*) => {$(
        fn $visit<E: de::Error>(self, _: $ty) -> Result<Node, E> {
            Ok(Node::Single)
        }
    )*};
}

impl<'de> Visitor<'de> for NodeVisitor {
    type Value = Node;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }

    single!(visit_bool: bool, visit_i64: i64, visit_u64: u64, visit_i128: i128, visit_u128: u128, visit_f64: f64,
        visit_str: &str, visit_bytes: &[u8]);

    fn visit_unit<E: de::Error>(self) -> Result<Node, E> {
        Ok(Node::Empty)
    }

    fn visit_none<E: de::Error>(self) -> Result<Node, E> {
        Ok(Node::Empty)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Node, D::Error> {
        Node::deserialize(deserializer)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Node, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element()? {
            list.push(item);
        }
        Ok(Node::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Node, A::Error> {
        let mut map = Vec::new();
        while let Some(entry) = entries.next_entry()? {
            map.push(entry);
        }
        Ok(Node::Map(map))
    }
}
