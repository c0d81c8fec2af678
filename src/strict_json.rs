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

/// Refuses `bytes` unless they are one JSON document whose objects have no duplicate member names.
pub fn unambiguous(bytes: &[u8]) -> Result<(), serde_json::Error> {
    check(bytes, Unambiguous { ignore_case: false })
}

/// As [`unambiguous`], for documents that others read by Go's rules: names that are equal to it, as [`folded`] has them,
/// are duplicates too, and the document is an object.
pub fn unambiguous_to_all(bytes: &[u8]) -> Result<(), serde_json::Error> {
    if !bytes.trim_ascii_start().starts_with(b"{") {
        return Err(serde::de::Error::custom("not a JSON object"));
    }
    check(bytes, Unambiguous { ignore_case: true })
}

/// `name` as Go's parser compares it: without regard to ASCII case, and to the two letters beyond ASCII, the long s and
/// the sign of kelvin, that are an `s` and a `k` to it.
pub fn folded(name: &str) -> String {
    name.replace('\u{17f}', "s").replace('\u{212a}', "k").to_ascii_lowercase()
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
struct Unambiguous {
    ignore_case: bool,
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
        while let Some(mut name) = map.next_key_seed(Name)? {
            if self.ignore_case {
                name = folded(&name).into();
            }
            if seen.has(&name) {
                return Err(A::Error::custom(format_args!("duplicate member `{name}`")));
            }
            seen.insert(name);
            map.next_value_seed(self)?;
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
mod tests {
    use super::*;

    #[test]
    fn accepts_ordinary_documents() {
        assert!(unambiguous(br#" {"a":[1,-2,3.5,"x",null,true,{"b":{}}],"c":{"a":1}} "#).is_ok());
    }

    #[test]
    fn a_structure_stands_as_an_object_only() {
        #[derive(Deserialize)]
        struct One {
            a: u8,
        }
        let parsed = |json: &str| parse::<Object<One>>(json.as_bytes()).map(|Object(one)| one.a).ok();
        assert_eq!((parsed(r#"{"a":1}"#), parsed("[1]"), parsed("1"), parsed("{}")), (Some(1), None, None, None));
    }

    #[test]
    fn refuses_what_readers_could_read_differently() {
        for bad in [
            r#"{"a":1,"a":2}"#,
            r#"[{"x":{"a":1,"\u0061":2}}]"#,
            r#"{"a":1} {"a":1}"#,
            r#"{"a":1}garbage"#,
            "\u{feff}{}",
            r#"{"a":NaN}"#,
            "",
        ] {
            assert!(unambiguous(bad.as_bytes()).is_err(), "{bad}");
        }
        assert!(unambiguous("[".repeat(200).as_bytes()).is_err());
        // A duplicate of any name, at any distance, among few and among many; and none where there is none.
        for count in [2, FEW, FEW + 1, 3 * FEW] {
            let members =
                |names: &[usize]| names.iter().map(|n| format!(r#""\u0061{n}":1"#)).collect::<Vec<_>>().join(",");
            let all: Vec<_> = (0..count).collect();
            assert!(unambiguous(format!("{{{}}}", members(&all)).as_bytes()).is_ok());
            for twice in 0..count {
                let again = format!(r#"{{{},"a{twice}":1}}"#, members(&all));
                assert!(unambiguous(again.as_bytes()).is_err(), "{again}");
            }
        }
        let cased = br#"{"layers":[],"Layers":[]}"#;
        assert!(unambiguous(cased).is_ok() && unambiguous_to_all(cased).is_err());
        for other in ["layerſ", "LAYERS", "\\u017fLAYERS"] {
            let twice = format!(r#"{{"layers":[],"slayers":[],"{other}":[]}}"#);
            assert!(unambiguous(twice.as_bytes()).is_ok() && unambiguous_to_all(twice.as_bytes()).is_err(), "{twice}");
        }
        assert!(unambiguous_to_all("{\"\u{212a}\":1,\"k\":2}".as_bytes()).is_err());
        assert!(unambiguous(b"[]").is_ok() && unambiguous_to_all(b"[]").is_err());
    }
}
