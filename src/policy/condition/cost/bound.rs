//! What a part of an expression may stand for, over all the times that it is evaluated.

use std::rc::Rc;

use super::super::json::Json;

/// What a part of an expression may stand for.
#[derive(Clone)]
pub(in super::super) enum Bound<'d> {
    /// One of these values, each at most `times`.
    These { values: Rc<[&'d Json]>, times: u64 },
    /// A list that the expression makes: of so many items in all, and in the longest.
    Made { items: u64, longest: u64, item: Rc<Bound<'d>> },
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

    /// A list that the expression makes.
    pub(super) fn made(items: u64, longest: u64, item: Self) -> Self {
        Self::Made { items, longest, item: Rc::new(item) }
    }

    /// What all the values together weigh.
    pub(super) fn total(&self) -> u64 {
        match self {
            Self::These { values, times } => sum(values, Json::weight).saturating_mul(*times),
            Self::Made { items, item, .. } => item.total().saturating_add(*items).saturating_add(1),
            Self::Any { total, .. } => *total,
        }
    }

    /// How many bytes the texts have: 64 for every unit of weight, where they are not known.
    pub(super) fn bytes(&self) -> u64 {
        match self {
            Self::These { values, times } => {
                let bytes = |value: &Json| value.as_text().map_or(0, |text| text.len() as u64);
                sum(values, bytes).saturating_mul(*times)
            }
            Self::Made { .. } | Self::Any { .. } => self.total().saturating_mul(64),
        }
    }

    /// What the heaviest value weighs.
    pub(super) fn most(&self) -> u64 {
        match self {
            Self::These { values, .. } => values.iter().map(|value| value.weight()).max().unwrap_or(0),
            Self::Made { longest, item, .. } => {
                item.most().saturating_mul(*longest).saturating_add(1).min(self.total())
            }
            Self::Any { most, .. } => *most,
        }
    }

    /// What it takes to copy all the values: JSON is shared.
    pub(super) fn copied(&self) -> u64 {
        match self {
            Self::These { values, times } => sum(values, Json::copied).saturating_mul(*times),
            Self::Made { items, .. } => *items,
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
            Self::Made { .. } | Self::Any { .. } => self.total(),
        }
    }

    /// The bound within a loop around it: in each of its evaluations there are up to `longest` passes, `passes` in all.
    pub(super) fn within(&self, longest: u64, passes: u64) -> Self {
        // What comes `once` in each evaluation comes so often in all of the passes, and `most` at a time.
        let often = |once: u64, most: u64| once.saturating_mul(longest).min(most.saturating_mul(passes));
        match self {
            Self::These { values, times } => Self::These { values: Rc::clone(values), times: often(*times, 1) },
            Self::Made { items, longest: length, item } => {
                let item = item.within(longest, passes.saturating_mul(*length));
                Self::made(often(*items, *length), *length, item)
            }
            Self::Any { total, most } => Self::Any { total: often(*total, *most), most: *most },
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
        match self {
            Self::These { values, times } => {
                let mut parts = Vec::new();
                for value in values.iter() {
                    parts.extend(value.as_array().unwrap_or_default());
                    let members = value.as_object().map(super::super::json::Object::members).unwrap_or_default();
                    parts.extend(members.iter().map(|member| &member.1));
                }
                Self::These { values: parts.into(), times: *times }
            }
            Self::Made { item, .. } => (**item).clone(),
            Self::Any { .. } => self.clone(),
        }
    }

    /// The loops over the values: items of lists, names of members.
    pub(super) fn walked(&self) -> Walk<'d> {
        match self {
            Self::These { values, times } => {
                let names = values.iter().any(|value| value.as_object().is_some());
                let item = if names { Self::Any { total: self.total(), most: self.most() } } else { self.part() };
                let longest = values.iter().map(|value| length(value)).max().unwrap_or(0);
                Walk { items: sum(values, length).saturating_mul(*times), longest, item }
            }
            Self::Made { items, longest, item } => Walk { items: *items, longest: *longest, item: (**item).clone() },
            Self::Any { total, most } => Walk { items: *total, longest: *most, item: self.clone() },
        }
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

    /// This and the other in one text or list.
    pub(super) fn and(&self, other: &Self) -> Self {
        if !matches!((self, other), (Self::Made { .. }, _) | (_, Self::Made { .. })) {
            let (total, most) = (self.total().saturating_add(other.total()), self.most().saturating_add(other.most()));
            return Self::Any { total, most };
        }
        let (a, b) = (self.walked(), other.walked());
        Self::made(a.items.saturating_add(b.items), a.longest.saturating_add(b.longest), a.item.or(&b.item))
    }

    /// How many values of the document it names: what handling the bound itself takes.
    pub(super) fn named(&self) -> u64 {
        match self {
            Self::These { values, .. } => values.len() as u64,
            Self::Made { item, .. } => item.named(),
            Self::Any { .. } => 1,
        }
    }

    /// A part of each value; of what is not known, anything.
    fn each(&self, part: impl Fn(&'d Json) -> Option<&'d Json>) -> Self {
        match self {
            Self::These { values, times } => {
                Self::These { values: values.iter().filter_map(|value| part(value)).collect(), times: *times }
            }
            Self::Made { .. } => self.part(),
            Self::Any { .. } => self.clone(),
        }
    }
}

fn length(value: &Json) -> u64 {
    match value {
        Json::Array(array) => array.items().len() as u64,
        Json::Object(object) => object.members().len() as u64,
        _ => 0,
    }
}

fn sum(values: &[&Json], of: impl Fn(&Json) -> u64) -> u64 {
    values.iter().map(|value| of(value)).fold(0, u64::saturating_add)
}
