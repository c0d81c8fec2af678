//! Instants as cases write them: absolute, or relative to another.

use crate::clock::Timestamp;
use crate::policy::file::parse_age;

/// Parses `2026-11-28T12:00:00Z`, or `-8d` and `+1h` as seen from `now`.
pub(super) fn parse(text: &str, now: Timestamp) -> Result<Timestamp, String> {
    let wrong = || format!("`{text}` is neither an instant such as `2026-11-28T12:00:00Z` nor relative such as `-8d`");
    if let Some(later) = text.strip_prefix('+') {
        return parse_age(later).map(|age| now.plus(age)).map_err(|_| wrong());
    }
    if let Some(earlier) = text.strip_prefix('-') {
        let age = parse_age(earlier).map_err(|_| wrong())?;
        return now.0.checked_sub(age.as_secs()).map(Timestamp).ok_or_else(|| format!("`{text}` is before 1970"));
    }
    Timestamp::parse(text).ok_or_else(wrong)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_are_absolute_or_relative() {
        let now = Timestamp(1_000_000);
        assert_eq!(parse("1970-01-02T00:00:00Z", now), Ok(Timestamp(86_400)));
        assert_eq!(parse("-1d", now), Ok(Timestamp(1_000_000 - 86_400)));
        assert_eq!(parse("+90m", now), Ok(Timestamp(1_005_400)));
        for bad in ["", "8d", "-", "- 8d", "--8d", "-8", "yesterday", "2026-11-28", "-9999d"] {
            assert!(parse(bad, now).is_err(), "{bad}");
        }
    }
}
