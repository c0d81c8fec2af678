//! JSON that can be read in one way only.
//!
//! Go's parser takes the last of two equal members and matches names without regard to case; others take the first.
//! A document on which readers could disagree is refused before it is given a meaning. Depth is bounded by
//! `serde_json`'s 128 levels.

use std::borrow::Cow;
use std::collections::HashSet;
use std::fmt;
use std::marker::PhantomData;

use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};

/// The members that readers of a document look for. Go's parser takes a name for one of them that differs in case, or
/// that has one of the two letters which Unicode folds onto `k` and `s`.
#[derive(Debug)]
pub struct Vocabulary {
    /// The names, as they must stand.
    pub members: &'static [&'static str],
    /// Those of them whose value is a map: any name may stand in it, and is none but itself.
    pub maps: &'static [&'static str],
}

/// Refuses `bytes` unless they are one JSON document whose objects have no duplicate member names.
pub fn unambiguous(bytes: &[u8]) -> Result<(), serde_json::Error> {
    check(bytes, Unambiguous::Exact)
}

/// As [`unambiguous`], for documents that others read by Go's rules: names that are equal to it, as [`folded`] has them,
/// are duplicates too, and the document is an object.
pub fn unambiguous_to_all(bytes: &[u8]) -> Result<(), serde_json::Error> {
    unambiguous_with(bytes, &Vocabulary { members: &[], maps: &[] })
}

/// As [`unambiguous_to_all`], for a document with this vocabulary: no other name stands in it that a reader could take
/// for one that it looks for.
pub fn unambiguous_with(bytes: &[u8], vocabulary: &'static Vocabulary) -> Result<(), serde_json::Error> {
    if !bytes.trim_ascii_start().starts_with(b"{") {
        return Err(serde::de::Error::custom("not a JSON object"));
    }
    check(bytes, Unambiguous::Folded(vocabulary))
}

fn check(bytes: &[u8], rule: Unambiguous) -> Result<(), serde_json::Error> {
    let mut deserializer = serde_json::Deserializer::from_slice(bytes);
    rule.deserialize(&mut deserializer)?;
    deserializer.end()
}

/// Parses `bytes` as a `T` after [`unambiguous`] has passed.
pub fn parse<T: serde::de::DeserializeOwned>(bytes: &[u8]) -> Result<T, serde_json::Error> {
    unambiguous(bytes)?;
    serde_json::from_slice(bytes)
}

/// A structure that stands as a JSON object. Serde would also read an array as one, by position; nobody else does.
pub struct Object<T>(pub T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(ObjectVisitor(PhantomData)).map(Self)
    }
}

struct ObjectVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for ObjectVisitor<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<T, A::Error> {
        T::deserialize(MapAccessDeserializer::new(map))
    }
}

#[derive(Clone, Copy)]
enum Unambiguous {
    /// A name is none but itself.
    Exact,
    /// A name is whatever it folds onto.
    Folded(&'static Vocabulary),
}

impl Unambiguous {
    /// `name` as it is compared with the others of its object, and the rule for what stands under it.
    fn apply<E: serde::de::Error>(self, name: Cow<'_, str>) -> Result<(Cow<'_, str>, Self), E> {
        let Self::Folded(Vocabulary { members, maps }) = self else { return Ok((name, self)) };
        if maps.contains(&&*name) {
            return Ok((name, Self::Exact));
        }
        if members.contains(&&*name) {
            return Ok((name, self));
        }
        let folded = folded(&name);
        match members.iter().find(|known| known.eq_ignore_ascii_case(&folded)) {
            Some(known) => Err(E::custom(format_args!("member `{}` can be read as `{known}`", shown(&name)))),
            None => Ok((folded.into(), self)),
        }
    }
}

/// `name` as Go's parser compares it: without regard to ASCII case, and to the two letters beyond ASCII, the long s and
/// the sign of kelvin, that are an `s` and a `k` to it.
pub fn folded(name: &str) -> String {
    name.replace('\u{17f}', "s").replace('\u{212a}', "k").to_ascii_lowercase()
}

/// A name that a document gives, short enough for a message.
fn shown(name: &str) -> String {
    name.chars().take(64).collect()
}

impl<'de> DeserializeSeed<'de> for Unambiguous {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Unambiguous {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        while seq.next_element_seed(self)?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let mut seen = Names::default();
        while let Some(name) = map.next_key_seed(Name)? {
            let (name, beneath) = self.apply(name)?;
            if seen.has(&name) {
                return Err(A::Error::custom(format_args!("duplicate member `{}`", shown(&name))));
            }
            seen.insert(name);
            map.next_value_seed(beneath)?;
        }
        Ok(())
    }
}

/// The names of one object. The few that most have are compared one by one, which costs less than hashing them; a
/// crowd is hashed, so that it costs no more than it is long.
#[derive(Default)]
struct Names<'de> {
    few: Vec<Cow<'de, str>>,
    crowd: HashSet<Cow<'de, str>>,
}

impl<'de> Names<'de> {
    fn has(&self, name: &str) -> bool {
        self.few.iter().any(|one| one == name) || self.crowd.contains(name)
    }

    fn insert(&mut self, name: Cow<'de, str>) {
        if self.few.len() < FEW {
            self.few.push(name);
        } else {
            self.crowd.insert(name);
        }
    }
}

/// The name of a member, borrowed where it stands in the text as it is.
struct Name;

impl<'de> DeserializeSeed<'de> for Name {
    type Value = Cow<'de, str>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<'de> Visitor<'de> for Name {
    type Value = Cow<'de, str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a name")
    }

    fn visit_borrowed_str<E>(self, name: &'de str) -> Result<Self::Value, E> {
        Ok(Cow::Borrowed(name))
    }

    fn visit_str<E>(self, name: &str) -> Result<Self::Value, E> {
        Ok(Cow::Owned(name.to_owned()))
    }
}

const FEW: usize = 16;

#[cfg(test)]
mod tests;
