//! Instants and ages as a policy writes them.

use std::time::Duration;

use crate::clock::Timestamp;

/// Parses an instant of RFC 3339, such as `2026-12-02T00:00:00Z`.
pub(super) fn instant(text: &str) -> Result<Timestamp, String> {
    Timestamp::parse(text).ok_or_else(|| format!("`{text}` is not an instant such as `2026-12-02T00:00:00Z`"))
}

/// Parses an age, such as `7d`: a positive number of seconds, minutes, hours or days.
///
/// # Errors
/// What is wrong with the text.
pub fn age(text: &str) -> Result<Duration, String> {
    let wrong = || format!("`{text}` is not an age such as `7d`");
    let (number, unit) = text.split_at_checked(text.len().saturating_sub(1)).ok_or_else(wrong)?;
    let seconds = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3_600,
        "d" => 86_400,
        _ => return Err(wrong()),
    };
    match number.parse::<u32>() {
        Ok(count @ 1..) if number.bytes().all(|b| b.is_ascii_digit()) => {
            Ok(Duration::from_secs(u64::from(count) * seconds))
        }
        _ => Err(wrong()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_have_a_zone() {
        assert_eq!(instant("1970-01-02T00:00:00Z"), Ok(Timestamp(86_400)));
        assert_eq!(instant("2026-12-02T01:00:00+01:00"), instant("2026-12-02T00:00:00Z"));
        for bad in ["", "2026-12-02", "2026-12-02T00:00:00", "1969-12-31T00:00:00Z", "2026-13-02T00:00:00Z", "tomorrow"]
        {
            assert!(instant(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn ages_have_a_unit() {
        assert_eq!(age("7d"), Ok(Duration::from_hours(168)));
        assert_eq!(age("90s"), Ok(Duration::from_secs(90)));
        for bad in ["", "7", "d", "0d", "-1d", "1w", "+1d", "1 d", "7é"] {
            assert!(age(bad).is_err(), "{bad}");
        }
    }
}
