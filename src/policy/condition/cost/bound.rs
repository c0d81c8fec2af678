//! What a part of an expression may stand for, over all the times that it is evaluated.

use std::rc::Rc;

use super::super::json::Json;

/// What a part of an expression may stand for.
#[derive(Clone)]
pub(in super::super) enum Bound<'d> {
    /// One of these values, each at most `times`.
    These { values: Rc<[&'d Json]>, times: u64 },
    /// Anything: all of it together weighs at most `total`, one at most `most`.
    Any { total: u64, most: u64 },
}

/// The walks through a bound's values.
pub(super) struct Walk<'d> {
    /// The items of all walks together.
    pub(super) items: u64,
    /// The items of the longest.
    pub(super) longest: u64,
    /// What an item may be.
    pub(super) item: Bound<'d>,
}

impl<'d> Bound<'d> {
    /// This value, once.
    pub(in super::super) fn one(value: &'d Json) -> Self {
        Self::These { values: [value].into(), times: 1 }
    }

    /// A number, a bool or a short text, in each of `times` evaluations.
    pub(super) fn small(times: u64) -> Self {
        Self::Any { total: times, most: 1 }
    }

    /// What all the values together weigh.
    pub(super) fn total(&self) -> u64 {
        match self {
            Self::These { values, times } => sum(values, Json::weight).saturating_mul(*times),
            Self::Any { total, .. } => *total,
        }
    }

    /// What the heaviest value weighs.
    pub(super) fn most(&self) -> u64 {
        match self {
            Self::These { values, .. } => values.iter().map(|value| value.weight()).max().unwrap_or(0),
            Self::Any { most, .. } => *most,
        }
    }

    /// What it takes to copy all the values: JSON is shared.
    pub(super) fn copied(&self) -> u64 {
        match self {
            Self::These { values, times } => sum(values, Json::copied).saturating_mul(*times),
            Self::Any { total, .. } => *total,
        }
    }

    /// What it takes to look for a value in all of these.
    pub(super) fn searched(&self) -> u64 {
        match self {
            Self::These { values, times } => {
                let searched = |value: &Json| if value.as_object().is_some() { 1 } else { value.weight() };
                sum(values, searched).saturating_mul(*times)
            }
            Self::Any { total, .. } => *total,
        }
    }

    /// The bound within a loop around it: in each of its evaluations there are up to `longest` passes, `passes` in all.
    pub(super) fn within(&self, longest: u64, passes: u64) -> Self {
        match self {
            Self::These { values, times } => {
                Self::These { values: Rc::clone(values), times: times.saturating_mul(longest).min(passes) }
            }
            Self::Any { total, most } => {
                Self::Any { total: total.saturating_mul(longest).min(most.saturating_mul(passes)), most: *most }
            }
        }
    }

    /// The members called `name`.
    pub(super) fn member(&self, name: &str) -> Self {
        self.each(|value| value.as_object().and_then(|object| object.get(name)))
    }

    /// The item at a position that is the same in every evaluation.
    pub(super) fn item(&self, at: i64) -> Self {
        self.each(|value| value.as_array()?.get(usize::try_from(at).ok()?))
    }

    /// An item or a member that is not known.
    pub(super) fn part(&self) -> Self {
        let Self::These { values, times } = self else { return self.clone() };
        let mut parts = Vec::new();
        for value in values.iter() {
            parts.extend(value.as_array().unwrap_or_default());
            parts.extend(
                value.as_object().into_iter().flat_map(|object| object.members().iter().map(|member| &member.1)),
            );
        }
        Self::These { values: parts.into(), times: *times }
    }

    /// The loops over the values: items of lists, names of members.
    pub(super) fn walked(&self) -> Walk<'d> {
        let Self::These { values, times } = self else {
            return Walk { items: self.total(), longest: self.most(), item: self.clone() };
        };
        let length = |value: &Json| {
            let length =
                value.as_array().map_or_else(|| value.as_object().map_or(0, |o| o.members().len()), <[Json]>::len);
            length as u64
        };
        let items = sum(values, length).saturating_mul(*times);
        let longest = values.iter().map(|value| length(value)).max().unwrap_or(0);
        let item = if values.iter().any(|value| value.as_object().is_some()) {
            Self::Any { total: self.total(), most: self.most() }
        } else {
            self.part()
        };
        Walk { items, longest, item }
    }

    /// Either this or the other.
    pub(super) fn or(&self, other: &Self) -> Self {
        match (self, other) {
            (Self::These { values: a, times: m }, Self::These { values: b, times: n }) => {
                Self::These { values: a.iter().chain(b.iter()).copied().collect(), times: *m.max(n) }
            }
            _ => Self::Any { total: self.total().saturating_add(other.total()), most: self.most().max(other.most()) },
        }
    }

    /// How many values of the document it names: what handling the bound itself takes.
    pub(super) fn named(&self) -> u64 {
        if let Self::These { values, .. } = self { values.len() as u64 } else { 1 }
    }

    fn each(&self, part: impl Fn(&'d Json) -> Option<&'d Json>) -> Self {
        match self {
            Self::These { values, times } => {
                Self::These { values: values.iter().filter_map(|value| part(value)).collect(), times: *times }
            }
            Self::Any { .. } => self.clone(),
        }
    }
}

fn sum(values: &[&Json], of: impl Fn(&Json) -> u64) -> u64 {
    values.iter().map(|value| of(value)).fold(0, u64::saturating_add)
}
