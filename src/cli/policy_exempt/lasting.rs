//! How long an exemption lasts, as people write it.

use std::time::Duration;

use crate::policy::file::parse_age;

/// Parses `30m`, `4h`, `7d`, or `90s`.
pub(super) fn parse(text: &str) -> Result<Duration, String> {
    let wrong = |_| "expected a number and `m`, `h` or `d`, such as `4h`".to_string();
    let lasting = parse_age(text).map_err(wrong)?;
    if lasting.as_secs() > LONGEST {
        return Err("that is longer than a thousand years; say `--forever`".into());
    }
    Ok(lasting)
}

/// So that the end is still an instant that can be written.
const LONGEST: u64 = 1000 * 365 * 86_400;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_and_a_unit() {
        for (text, seconds) in [("90s", 90), ("30m", 1800), ("4h", 14_400), ("7d", 604_800), ("3650d", 315_360_000)] {
            assert_eq!(parse(text), Ok(Duration::from_secs(seconds)), "{text}");
        }
        for bad in
            ["", "4", "h", "0h", "-4h", "+4h", "4 h", "4hours", "1h30m", "1.5h", "9999999d", "99999999999999999999d"]
        {
            assert!(parse(bad).is_err(), "{bad}");
        }
    }
}
