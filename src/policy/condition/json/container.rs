//! Lists and objects as values of CEL: what operators they have.

use std::any::Any;

use cel::ExecutionError;
use cel::common::traits::{Adder, Container, Indexer, Iterable, Iterator, Sizer};
use cel::common::types::{CelBool, CelDouble, CelInt, CelString, CelUInt, LIST_TYPE, MAP_TYPE, Type};
use cel::common::value::{CowVal, StaticVal, Val};

use super::{Array, Json, Member, Object};

impl Val for Array {
    fn get_type(&self) -> &Type {
        <Self as Val>::cel_type()
    }

    fn cel_type() -> &'static Type {
        &LIST
    }

    fn as_adder<'b, 'v>(&'b self) -> Option<&'b (dyn Adder + 'v)>
    where
        Self: 'v,
    {
        Some(self)
    }

    fn as_container(&self) -> Option<&dyn Container> {
        Some(self)
    }

    fn as_indexer<'b, 'v>(&'b self) -> Option<&'b (dyn Indexer + 'v)>
    where
        Self: 'v,
    {
        Some(self)
    }

    fn as_iterable<'b, 'v>(&'b self) -> Option<&'b (dyn Iterable + 'v)>
    where
        Self: 'v,
    {
        Some(self)
    }

    fn as_sizer(&self) -> Option<&dyn Sizer> {
        Some(self)
    }

    fn equals(&self, other: &dyn Val) -> bool {
        let Some(other) = other.downcast_ref::<Self>() else { return false };
        let (mine, theirs) = (self.items(), other.items());
        mine.len() == theirs.len() && mine.iter().zip(theirs).all(|(a, b)| a.value().equals(b.value()))
    }

    fn clone_as_boxed<'v>(&self) -> Box<dyn Val + 'v>
    where
        Self: 'v,
    {
        Box::new(self.clone())
    }

    fn as_any(&self) -> Option<&dyn Any> {
        Some(self)
    }
}

impl StaticVal for Array {}

impl Adder for Array {
    fn add<'b, 'v>(&'b self, other: &(dyn Val + 'v)) -> Result<CowVal<'b, 'v>, ExecutionError>
    where
        Self: 'v,
    {
        let both = |other: &Self| CowVal::owned(self.items().iter().chain(other.items()).cloned().collect::<Self>());
        other.downcast_ref::<Self>().map(both).ok_or_else(|| unfit("+", self, other))
    }
}

impl Container for Array {
    fn contains(&self, value: &dyn Val) -> Result<bool, ExecutionError> {
        Ok(self.items().iter().any(|item| item.value().equals(value)))
    }
}

impl Indexer for Array {
    fn get<'b, 'v>(&'b self, index: &dyn Val) -> Result<CowVal<'b, 'v>, ExecutionError>
    where
        Self: 'v,
    {
        let int = || index.downcast_ref::<CelInt>().map(|index| *index.inner());
        let uint = || index.downcast_ref::<CelUInt>().map(|index| i64::try_from(*index.inner()).unwrap_or(-1));
        let at = int().or_else(uint).ok_or_else(|| wants(index, "int"))?;
        let item = usize::try_from(at).ok().and_then(|at| self.items().get(at));
        item.map(|item| CowVal::Borrowed(item.value())).ok_or_else(|| ExecutionError::IndexOutOfBounds(at.into()))
    }

    fn steal<'v>(self: Box<Self>, index: &dyn Val) -> Result<Box<dyn Val + 'v>, ExecutionError>
    where
        Self: 'v,
    {
        self.get(index).map(CowVal::into_owned)
    }
}

impl Iterable for Array {
    fn iter<'b, 'v>(&'b self) -> Box<dyn Iterator<'b, 'v> + 'b>
    where
        Self: 'v,
    {
        Box::new(Walk { left: self.items().iter(), value: Json::value })
    }
}

impl Sizer for Array {
    fn size(&self) -> CelInt {
        length(self.items().len())
    }
}

impl Val for Object {
    fn get_type(&self) -> &Type {
        <Self as Val>::cel_type()
    }

    fn cel_type() -> &'static Type {
        &MAP
    }

    fn as_container(&self) -> Option<&dyn Container> {
        Some(self)
    }

    fn as_indexer<'b, 'v>(&'b self) -> Option<&'b (dyn Indexer + 'v)>
    where
        Self: 'v,
    {
        Some(self)
    }

    fn as_iterable<'b, 'v>(&'b self) -> Option<&'b (dyn Iterable + 'v)>
    where
        Self: 'v,
    {
        Some(self)
    }

    fn as_sizer(&self) -> Option<&dyn Sizer> {
        Some(self)
    }

    fn equals(&self, other: &dyn Val) -> bool {
        let Some(other) = other.downcast_ref::<Self>() else { return false };
        let (mine, theirs) = (self.members(), other.members());
        let same = |a: &Member, b: &Member| a.0 == b.0 && a.1.value().equals(b.1.value());
        mine.len() == theirs.len() && mine.iter().zip(theirs).all(|(a, b)| same(a, b))
    }

    fn clone_as_boxed<'v>(&self) -> Box<dyn Val + 'v>
    where
        Self: 'v,
    {
        Box::new(self.clone())
    }

    fn as_any(&self) -> Option<&dyn Any> {
        Some(self)
    }
}

impl StaticVal for Object {}

impl Container for Object {
    fn contains(&self, key: &dyn Val) -> Result<bool, ExecutionError> {
        match self.find(key) {
            Ok(found) => Ok(found.is_some()),
            Err(error) => Err(error),
        }
    }
}

impl Object {
    /// The member that a key of CEL names. JSON has none but texts: a number or a bool names nothing.
    fn find(&self, key: &dyn Val) -> Result<Option<&Json>, ExecutionError> {
        if let Some(name) = key.downcast_ref::<CelString>() {
            return Ok(Self::get(self, name.inner()));
        }
        let other_key = key.downcast_ref::<CelInt>().is_some()
            || key.downcast_ref::<CelUInt>().is_some()
            || key.downcast_ref::<CelDouble>().is_some()
            || key.downcast_ref::<CelBool>().is_some();
        if other_key { Ok(None) } else { Err(wants(key, "string")) }
    }
}

impl Indexer for Object {
    fn get<'b, 'v>(&'b self, key: &dyn Val) -> Result<CowVal<'b, 'v>, ExecutionError>
    where
        Self: 'v,
    {
        let missing = || match key.downcast_ref::<CelString>() {
            Some(name) => ExecutionError::no_such_key(name.inner()),
            None => ExecutionError::no_such_key("that is no text"),
        };
        self.find(key)?.map(|value| CowVal::Borrowed(value.value())).ok_or_else(missing)
    }

    fn steal<'v>(self: Box<Self>, key: &dyn Val) -> Result<Box<dyn Val + 'v>, ExecutionError>
    where
        Self: 'v,
    {
        Indexer::get(&*self, key).map(CowVal::into_owned)
    }
}

impl Iterable for Object {
    fn iter<'b, 'v>(&'b self) -> Box<dyn Iterator<'b, 'v> + 'b>
    where
        Self: 'v,
    {
        Box::new(Walk { left: self.members().iter(), value: |(key, _): &Member| &**key })
    }
}

impl Sizer for Object {
    fn size(&self) -> CelInt {
        length(self.members().len())
    }
}

/// A walk through what the container holds.
struct Walk<'b, T> {
    left: std::slice::Iter<'b, T>,
    value: fn(&T) -> &(dyn Val + 'static),
}

impl<'b, 'v, T> Iterator<'b, 'v> for Walk<'b, T> {
    fn next(&mut self) -> Option<&'b (dyn Val + 'v)> {
        self.left.next().map(|item| (self.value)(item) as &'b (dyn Val + 'v))
    }
}

fn length(length: usize) -> CelInt {
    CelInt::from(i64::try_from(length).unwrap_or(i64::MAX))
}

/// The operator does not apply to values of these types.
pub(in super::super) fn unfit(operator: &str, a: &dyn Val, b: &dyn Val) -> ExecutionError {
    let types = [a, b].map(|value| value.get_type().name().to_owned());
    ExecutionError::no_such_overload(operator, types.into())
}

fn wants(got: &dyn Val, want: &str) -> ExecutionError {
    ExecutionError::UnexpectedType { got: got.get_type().name().to_owned(), want: want.to_owned() }
}

static LIST: Type = LIST_TYPE;
static MAP: Type = MAP_TYPE;
