//! JSON as conditions walk it: shared, so that the evaluator's many copies cost nothing.
//!
//! Numbers without a fraction or an exponent are `int`, those above its range `uint`; all others are `double`, which
//! rounds them. CEL compares the three by value. Whatever a condition itself makes a list of is an [`Array`] too:
//! there is one kind of list, and equality does not depend on which side a list came from.

use std::fmt;
use std::sync::{Arc, LazyLock};

use cel::common::types::{CelBool, CelDouble, CelInt, CelNull, CelString, CelUInt};
use cel::common::value::Val;

use super::time::Instant;

mod container;

pub(super) use container::unfit;

pub(super) mod read;

/// A value of JSON, or an instant among the facts beside the document.
#[derive(Clone)]
pub(super) enum Json {
    Null,
    Bool(CelBool),
    Int(CelInt),
    UInt(CelUInt),
    Double(CelDouble),
    Text(CelString<'static>),
    Time(Instant),
    Array(Array),
    Object(Object),
}

/// A list.
#[derive(Clone)]
pub(super) struct Array(Arc<Items>);

struct Items {
    items: Box<[Json]>,
    weight: u64,
}

/// Members by their names, sorted.
#[derive(Clone)]
pub(super) struct Object(Arc<Members>);

struct Members {
    members: Box<[Member]>,
    weight: u64,
}

/// One member of an object. Most names repeat: they are shared.
pub(super) type Member = (Key, Json);

/// The name of a member.
pub(super) type Key = Arc<CelString<'static>>;

impl Json {
    /// A text.
    pub(super) fn text(text: impl Into<String>) -> Self {
        Self::Text(CelString::from(text.into()))
    }

    /// The value as the evaluator handles it.
    pub(super) fn value(&self) -> &(dyn Val + 'static) {
        match self {
            Self::Null => &NULL,
            Self::Bool(value) => value,
            Self::Int(value) => value,
            Self::UInt(value) => value,
            Self::Double(value) => value,
            Self::Text(value) => value,
            Self::Time(value) => value,
            Self::Array(value) => value,
            Self::Object(value) => value,
        }
    }

    /// The value as the evaluator owns it.
    pub(super) fn boxed(self) -> Box<dyn Val> {
        match self {
            Self::Null => Box::new(NULL),
            Self::Bool(value) => Box::new(value),
            Self::Int(value) => Box::new(value),
            Self::UInt(value) => Box::new(value),
            Self::Double(value) => Box::new(value),
            Self::Text(value) => Box::new(value),
            Self::Time(value) => Box::new(value),
            Self::Array(value) => Box::new(value),
            Self::Object(value) => Box::new(value),
        }
    }

    /// What a value of the evaluator is in JSON, if anything.
    pub(super) fn of(value: &dyn Val) -> Option<Self> {
        let text = || value.downcast_ref::<CelString>().map(|text| Self::Text(text.clone().into_static()));
        let array = || value.downcast_ref::<Array>().cloned().map(Self::Array);
        let object = || value.downcast_ref::<Object>().cloned().map(Self::Object);
        let int = || value.downcast_ref::<CelInt>().copied().map(Self::Int);
        let uint = || value.downcast_ref::<CelUInt>().copied().map(Self::UInt);
        let double = || value.downcast_ref::<CelDouble>().copied().map(Self::Double);
        let boolean = || value.downcast_ref::<CelBool>().map(|value| Self::Bool(CelBool::from(*value.inner())));
        let time = || value.downcast_ref::<Instant>().copied().map(Self::Time);
        let null = || value.downcast_ref::<CelNull>().map(|_| Self::Null);
        text()
            .or_else(array)
            .or_else(object)
            .or_else(int)
            .or_else(boolean)
            .or_else(double)
            .or_else(uint)
            .or_else(time)
            .or_else(null)
    }

    /// How much it takes to look at all of it: one for each value in it, and one for every 64 bytes of text.
    pub(super) fn weight(&self) -> u64 {
        match self {
            Self::Array(array) => array.0.weight,
            Self::Object(object) => object.0.weight,
            Self::Text(text) => 1 + text.inner().len() as u64 / TEXT_UNIT,
            _ => 1,
        }
    }

    /// How much it takes to copy it: what is shared, nothing.
    pub(super) fn copied(&self) -> u64 {
        if let Self::Text(_) = self { self.weight() } else { 1 }
    }

    /// The text, if it is one.
    pub(super) fn as_text(&self) -> Option<&str> {
        if let Self::Text(text) = self { Some(text.inner()) } else { None }
    }

    /// The items, if it is a list.
    pub(super) fn as_array(&self) -> Option<&[Self]> {
        if let Self::Array(array) = self { Some(array.items()) } else { None }
    }

    /// The object, if it is one.
    pub(super) fn as_object(&self) -> Option<&Object> {
        if let Self::Object(object) = self { Some(object) } else { None }
    }
}

impl Array {
    /// The items, in their order.
    pub(super) fn items(&self) -> &[Json] {
        &self.0.items
    }
}

/// Objects that have the same names: these are made once.
pub(super) struct Shape<const N: usize>([Key; N]);

impl<const N: usize> Shape<N> {
    /// A shape of names that are sorted.
    pub(super) fn of(names: [&'static str; N]) -> Self {
        debug_assert!(names.is_sorted());
        Self(names.map(|name| Arc::new(CelString::from(name))))
    }

    /// An object of this shape.
    pub(super) fn object(&self, values: [Json; N]) -> Json {
        let weight = values.iter().map(Json::weight).fold(1, u64::saturating_add);
        let members = self.0.iter().cloned().zip(values).collect();
        Json::Object(Object(Arc::new(Members { members, weight })))
    }
}

impl FromIterator<Json> for Array {
    fn from_iter<I: IntoIterator<Item = Json>>(items: I) -> Self {
        let items: Box<[Json]> = items.into_iter().collect();
        if items.is_empty() {
            return EMPTY.clone();
        }
        let weight = items.iter().map(Json::weight).fold(1, u64::saturating_add);
        Self(Arc::new(Items { items, weight }))
    }
}

impl Object {
    /// An object of members that are sorted by their names, each once; the twice-named member if there is one.
    fn sorted(members: Vec<Member>) -> Result<Self, Key> {
        if let Some(twice) = members.windows(2).find(|two| two[0].0 == two[1].0) {
            return Err(Arc::clone(&twice[0].0));
        }
        let weight = members.iter().map(|(_, value)| value.weight()).fold(1, u64::saturating_add);
        Ok(Self(Arc::new(Members { members: members.into(), weight })))
    }

    /// An object of named values.
    pub(super) fn of(named: impl IntoIterator<Item = (&'static str, Json)>) -> Self {
        named.into_iter().map(|(name, value)| (name.to_string(), value)).collect()
    }

    /// The members, sorted by their names.
    pub(super) fn members(&self) -> &[Member] {
        &self.0.members
    }

    /// The member called `name`.
    pub(super) fn get(&self, name: &str) -> Option<&Json> {
        let members = &self.0.members;
        let at = members.binary_search_by(|(key, _)| key.inner().cmp(name)).ok()?;
        Some(&members[at].1)
    }

    /// The member called `name`, as a text.
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        self.get(name)?.as_text()
    }

    /// The member called `name`, as an object.
    pub(super) fn object(&self, name: &str) -> Option<&Self> {
        self.get(name)?.as_object()
    }

    /// The member called `name`, as a list.
    pub(super) fn array(&self, name: &str) -> Option<&[Json]> {
        self.get(name)?.as_array()
    }
}

/// Of several members of one name the last counts.
impl FromIterator<(String, Json)> for Object {
    fn from_iter<I: IntoIterator<Item = (String, Json)>>(named: I) -> Self {
        let named: std::collections::BTreeMap<String, Json> = named.into_iter().collect();
        let members: Box<[Member]> =
            named.into_iter().map(|(name, value)| (Arc::new(CelString::from(name)), value)).collect();
        let weight = members.iter().map(|(_, value)| value.weight()).fold(1, u64::saturating_add);
        Self(Arc::new(Members { members, weight }))
    }
}

/// Documents are large: how large is all that is told of them.
impl fmt::Debug for Array {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a list of {}", self.items().len())
    }
}

impl fmt::Debug for Object {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "an object of {}", self.members().len())
    }
}

static NULL: CelNull = CelNull;

/// Empty lists are many in some documents.
static EMPTY: LazyLock<Array> = LazyLock::new(|| Array(Arc::new(Items { items: Box::default(), weight: 1 })));

/// How many bytes of text weigh as much as one value.
const TEXT_UNIT: u64 = 64;
