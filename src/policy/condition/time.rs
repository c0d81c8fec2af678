//! Instants and the spans between them, as values of CEL.

use std::any::Any;
use std::cmp::Ordering;

use cel::ExecutionError;
use cel::common::traits::{Adder, Comparer, Subtractor};
use cel::common::types::Type;
use cel::common::value::{CowVal, StaticVal, Val};

use super::json::unfit;
use crate::clock;

/// An instant: `timestamp("2026-12-02T00:00:00Z")`, `now`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Instant(pub(super) jiff::Timestamp);

/// A span of time: `duration("24h")`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Span(pub(super) jiff::SignedDuration);

impl Instant {
    /// An instant of RFC 3339.
    pub(super) fn parse(text: &str) -> Option<Self> {
        text.parse().ok().map(Self)
    }

    /// The instant of the clock; the last there is if that is beyond.
    pub(super) fn of(time: clock::Timestamp) -> Self {
        let seconds = i64::try_from(time.0).ok();
        Self(seconds.and_then(|seconds| jiff::Timestamp::from_second(seconds).ok()).unwrap_or(jiff::Timestamp::MAX))
    }

    fn later(self, span: Span) -> Result<CowVal<'static, 'static>, ExecutionError> {
        let sum = self.0.checked_add(span.0).map(|sum| CowVal::owned(Self(sum)));
        sum.map_err(|_| ExecutionError::function_error("+", "no such instant: it is too far away"))
    }
}

impl Span {
    /// A duration such as `24h`, `1h30m`, `1.5s`, `-7d`: numbers, each with its unit.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (sign, mut rest) = text.strip_prefix('-').map_or((1, text), |rest| (-1, rest));
        let mut all: i128 = 0;
        if rest.is_empty() || rest.len() > LONGEST {
            return None;
        }
        while !rest.is_empty() {
            let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
            let (number, after) = rest.split_at(end);
            let (unit, nanoseconds) = UNITS.iter().find(|(unit, _)| after.starts_with(unit))?;
            let (whole, fraction) = number.split_once('.').unwrap_or((number, "0"));
            let scale = 10_i128.checked_pow(u32::try_from(fraction.len()).ok()?)?;
            let parts = whole.parse::<i128>().ok()?.checked_mul(scale)?.checked_add(fraction.parse().ok()?)?;
            all = all.checked_add(parts.checked_mul(*nanoseconds)? / scale)?;
            rest = &after[unit.len()..];
        }
        let (seconds, nanoseconds) = (sign * all / SECOND, sign * all % SECOND);
        Some(Self(jiff::SignedDuration::new(i64::try_from(seconds).ok()?, i32::try_from(nanoseconds).ok()?)))
    }
}

macro_rules! value {
    ($name:ident, $kind:ident) => {
        impl Val for $name {
            fn get_type(&self) -> &Type {
                <Self as Val>::cel_type()
            }

            fn cel_type() -> &'static Type {
                &$kind
            }

            fn as_adder<'b, 'v>(&'b self) -> Option<&'b (dyn Adder + 'v)>
            where
                Self: 'v,
            {
                Some(self)
            }

            fn as_subtractor<'b, 'v>(&'b self) -> Option<&'b (dyn Subtractor + 'v)>
            where
                Self: 'v,
            {
                Some(self)
            }

            fn as_comparer(&self) -> Option<&dyn Comparer> {
                Some(self)
            }

            fn equals(&self, other: &dyn Val) -> bool {
                other.downcast_ref::<Self>().is_some_and(|other| self == other)
            }

            fn clone_as_boxed<'v>(&self) -> Box<dyn Val + 'v>
            where
                Self: 'v,
            {
                Box::new(*self)
            }

            fn as_any(&self) -> Option<&dyn Any> {
                Some(self)
            }
        }

        impl StaticVal for $name {}

        impl Comparer for $name {
            fn compare(&self, other: &dyn Val) -> Result<Ordering, ExecutionError> {
                let other_one = other.downcast_ref::<Self>().ok_or_else(|| unfit("<", self, other))?;
                Ok(self.cmp(other_one))
            }
        }
    };
}

value!(Instant, TIMESTAMP);
value!(Span, DURATION);

impl Adder for Instant {
    fn add<'b, 'v>(&'b self, other: &(dyn Val + 'v)) -> Result<CowVal<'b, 'v>, ExecutionError>
    where
        Self: 'v,
    {
        self.later(*other.downcast_ref::<Span>().ok_or_else(|| unfit("+", self, other))?)
    }
}

impl Adder for Span {
    fn add<'b, 'v>(&'b self, other: &(dyn Val + 'v)) -> Result<CowVal<'b, 'v>, ExecutionError>
    where
        Self: 'v,
    {
        if let Some(instant) = other.downcast_ref::<Instant>() {
            return instant.later(*self);
        }
        let span = other.downcast_ref::<Self>().ok_or_else(|| unfit("+", self, other))?;
        self.0.checked_add(span.0).map(|sum| CowVal::owned(Self(sum))).ok_or_else(too_long)
    }
}

impl Subtractor for Instant {
    fn sub<'b, 'v>(&'b self, other: &(dyn Val + 'v)) -> Result<CowVal<'b, 'v>, ExecutionError>
    where
        Self: 'v,
    {
        if let Some(earlier) = other.downcast_ref::<Self>() {
            return Ok(CowVal::owned(Span(self.0.duration_since(earlier.0))));
        }
        let span = other.downcast_ref::<Span>().ok_or_else(|| unfit("-", self, other))?;
        self.later(Span(span.0.checked_neg().ok_or_else(too_long)?))
    }
}

impl Subtractor for Span {
    fn sub<'b, 'v>(&'b self, other: &(dyn Val + 'v)) -> Result<CowVal<'b, 'v>, ExecutionError>
    where
        Self: 'v,
    {
        let span = other.downcast_ref::<Self>().ok_or_else(|| unfit("-", self, other))?;
        self.0.checked_sub(span.0).map(|rest| CowVal::owned(Self(rest))).ok_or_else(too_long)
    }
}

fn too_long() -> ExecutionError {
    ExecutionError::function_error("duration", "the duration is too long")
}

static TIMESTAMP: Type = Type::new_unspecified_type("timestamp");
static DURATION: Type = Type::new_unspecified_type("duration");

const SECOND: i128 = 1_000_000_000;

/// Longer units first where one begins like another.
const UNITS: [(&str, i128); 8] = [
    ("ns", 1),
    ("us", 1000),
    ("µs", 1000),
    ("ms", 1_000_000),
    ("s", SECOND),
    ("m", 60 * SECOND),
    ("h", 3600 * SECOND),
    ("d", 86_400 * SECOND),
];

/// Characters of a duration.
const LONGEST: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_numbers_with_units() {
        for (text, seconds, nanoseconds) in [
            ("24h", 86_400, 0),
            ("1h30m", 5400, 0),
            ("1.5s", 1, 500_000_000),
            ("-7d", -604_800, 0),
            ("-1.5s", -1, -500_000_000),
            ("250ms", 0, 250_000_000),
            ("3us2ns", 0, 3002),
            ("0s", 0, 0),
        ] {
            assert_eq!(Span::parse(text), Some(Span(jiff::SignedDuration::new(seconds, nanoseconds))), "{text}");
        }
        for bad in
            ["", "-", "24", "h", "1w", "1 h", "--1h", "1..5s", ".5s", "5.s", "1h-30m", "99999999999999999999d", "+1h"]
        {
            assert_eq!(Span::parse(bad), None, "{bad}");
        }
        assert_eq!(Span::parse(&"1s".repeat(40)), None);
    }

    #[test]
    fn the_clock_beyond_the_last_instant_is_the_last_instant() {
        assert_eq!(Instant::of(clock::Timestamp(0)).0, jiff::Timestamp::UNIX_EPOCH);
        assert_eq!(Instant::of(clock::Timestamp::FOREVER).0, jiff::Timestamp::MAX);
    }
}
