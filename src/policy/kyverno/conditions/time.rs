//! Durations and ages.

use super::expression::{Instant, Path, Step};
use super::literal::Literal;
use super::text;
use super::walk::plain;

/// A duration, in whole seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Duration(pub(super) u32);

impl Duration {
    pub(super) fn cel(self) -> String {
        let units = [(3_600, "h"), (60, "m")];
        let unit =
            units.into_iter().find(|(seconds, _)| self.0.is_multiple_of(*seconds) && self.0 > 0).unwrap_or((1, "s"));
        format!("duration(\"{}{}\")", self.0 / unit.0, unit.1)
    }

    /// As ages are written in a policy.
    pub(super) fn age(self) -> String {
        let units = [(86_400, "d"), (3_600, "h"), (60, "m")];
        let unit = units.into_iter().find(|(seconds, _)| self.0.is_multiple_of(*seconds));
        unit.map_or_else(|| format!("{}s", self.0), |(seconds, unit)| format!("{}{unit}", self.0 / seconds))
    }
}

/// Parses a duration of Go, such as `1h30m`, if it is one of whole seconds.
pub(super) fn duration(text: &str) -> Option<Duration> {
    let (mut rest, mut seconds) = (text.strip_prefix('+').unwrap_or(text), 0_u32);
    if rest.is_empty() {
        return None;
    }
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit())?;
        let number: u32 = rest[..digits].parse().ok()?;
        let (unit, after) = UNITS.into_iter().find_map(|(unit, length)| {
            let after = rest[digits..].strip_prefix(unit)?;
            // `ms` is not minutes.
            (!after.starts_with(|c: char| c.is_ascii_alphabetic())).then_some((length, after))
        })?;
        seconds = seconds.checked_add(number.checked_mul(unit)?)?;
        rest = after;
    }
    Some(Duration(seconds))
}

const UNITS: [(&str, u32); 3] = [("h", 3_600), ("m", 60), ("s", 1)];

/// The duration that a value is: a number is seconds.
pub(super) fn of(value: &Literal) -> Option<Duration> {
    match value {
        Literal::Text(text) => duration(text),
        Literal::Number(number) => duration(&format!("{number}s")),
        Literal::Flag(_) => None,
    }
}

/// The time between two instants is more or less than a value.
pub(super) fn order(from: &Instant, until: Option<&Instant>, sign: &str, value: &Literal) -> Result<String, String> {
    let Some(limit) = of(value) else { return Err("an age is compared with a duration of whole seconds".into()) };
    let until = until.map_or(Ok("now".to_string()), instant)?;
    Ok(format!("{until} - {} {sign} {}", instant(from)?, limit.cel()))
}

fn instant(instant: &Instant) -> Result<String, String> {
    match instant {
        Instant::At(path) if path.is_projection() => Err("an age is that of one instant, not of a list".into()),
        Instant::At(path) => Ok(format!("timestamp({})", plain(path))),
        Instant::Text(literal) => Ok(format!("timestamp({})", text(literal))),
    }
}

/// The field that an age counts from, if a policy can name it.
pub(super) fn field(from: &Instant) -> Option<String> {
    let Instant::At(Path(steps)) = from else { return None };
    let names = steps.iter().map(|step| match step {
        Step::Field(name) if name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_') => Some(name.as_str()),
        _ => None,
    });
    Some(names.collect::<Option<Vec<_>>>()?.join("."))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_those_of_go() {
        for (text, seconds, age) in [
            ("168h", 604_800, "7d"),
            ("1h30m", 5_400, "90m"),
            ("90s", 90, "90s"),
            ("+2h", 7_200, "2h"),
            ("24h0m0s", 86_400, "1d"),
        ] {
            assert_eq!(duration(text), Some(Duration(seconds)), "{text}");
            assert_eq!(Duration(seconds).age(), age);
        }
        for text in ["", "7", "7d", "-1h", "1.5h", "10ms", "h", "1h ", "99999999h", "1h1"] {
            assert_eq!(duration(text), None, "{text}");
        }
    }
}
