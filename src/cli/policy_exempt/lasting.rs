//! How long an exemption lasts, as people write it.

use std::time::Duration;

/// Parses `30m`, `4h`, `7d`, or `90s`.
pub(super) fn parse(text: &str) -> Result<Duration, String> {
    let wrong = || "expected a number and `m`, `h` or `d`, such as `4h`".to_string();
    let end = text.find(|c: char| !c.is_ascii_digit()).ok_or_else(wrong)?;
    let (number, unit) = text.split_at(end);
    let seconds = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3_600,
        "d" => 86_400,
        _ => return Err(wrong()),
    };
    let number: u64 = number.parse().map_err(|_| wrong())?;
    match number.checked_mul(seconds) {
        None | Some(0) => Err(wrong()),
        Some(all) if all > LONGEST => Err("that is longer than a thousand years; say `--forever`".into()),
        Some(all) => Ok(Duration::from_secs(all)),
    }
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
