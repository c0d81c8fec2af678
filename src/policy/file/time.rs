//! Instants and ages as a policy writes them.

use crate::clock::Timestamp;

/// Parses an instant of RFC 3339, such as `2026-12-02T00:00:00Z`.
pub(super) fn instant(text: &str) -> Result<Timestamp, String> {
    let wrong = || format!("`{text}` is not an instant such as `2026-12-02T00:00:00Z`");
    let instant: jiff::Timestamp = text.parse().map_err(|_| wrong())?;
    u64::try_from(instant.as_second()).map(Timestamp).map_err(|_| wrong())
}

/// Whether `text` is an age, such as `7d`: a positive number of seconds, minutes, hours or days.
pub(super) fn age(text: &str) -> Result<(), String> {
    let number = text.strip_suffix(['s', 'm', 'h', 'd']).filter(|number| number.bytes().all(|b| b.is_ascii_digit()));
    match number.and_then(|number| number.parse::<u32>().ok()) {
        Some(1..) => Ok(()),
        _ => Err(format!("`{text}` is not an age such as `7d`")),
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
        assert_eq!(age("7d"), Ok(()));
        for bad in ["", "7", "d", "0d", "-1d", "1w", "+1d", "1 d"] {
            assert!(age(bad).is_err(), "{bad}");
        }
    }
}
