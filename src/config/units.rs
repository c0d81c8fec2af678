//! Durations, sizes and rates as people write them: a whole number and a unit, nothing between.

use std::time::Duration;

/// Parses `200ms`, `10s`, `15m`, `6h`, `7d`.
pub(super) fn duration(text: &str) -> Result<Duration, String> {
    let wrong = || format!("`{text}` is not a duration such as `10s` (ms, s, m, h, d)");
    let (number, unit) = split(text).ok_or_else(wrong)?;
    let milliseconds = match unit {
        "ms" => 1,
        "s" => 1000,
        "m" => 60_000,
        "h" => 3_600_000,
        "d" => 86_400_000,
        _ => return Err(wrong()),
    };
    number.checked_mul(milliseconds).filter(|all| *all <= LONGEST).map(Duration::from_millis).ok_or_else(wrong)
}

/// Parses `512B`, `64KiB`, `4MiB`, `2GiB`, and the decimal `KB`, `MB`, `GB`.
pub(super) fn size(text: &str) -> Result<u64, String> {
    let wrong = || format!("`{text}` is not a size such as `4MiB` (B, KiB, MiB, GiB, KB, MB, GB)");
    let (number, unit) = split(text).ok_or_else(wrong)?;
    let bytes = match unit {
        "B" => 1,
        "KiB" => 1 << 10,
        "MiB" => 1 << 20,
        "GiB" => 1 << 30,
        "KB" => 1_000,
        "MB" => 1_000_000,
        "GB" => 1_000_000_000,
        _ => return Err(wrong()),
    };
    number.checked_mul(bytes).filter(|all| *all <= 1 << 50).ok_or_else(wrong)
}

/// Parses `200/s`, `5000/m`: how many, in which time.
pub(super) fn rate(text: &str) -> Result<(u64, Duration), String> {
    let wrong = || format!("`{text}` is not a rate such as `200/s` (s, m, h)");
    let (number, unit) = split(text).ok_or_else(wrong)?;
    let seconds = match unit {
        "/s" => 1,
        "/m" => 60,
        "/h" => 3600,
        _ => return Err(wrong()),
    };
    if number == 0 { Err(wrong()) } else { Ok((number, Duration::from_secs(seconds))) }
}

/// The digits and what follows them.
fn split(text: &str) -> Option<(u64, &str)> {
    let end = text.find(|c: char| !c.is_ascii_digit())?;
    let (number, unit) = text.split_at(end);
    Some((number.parse().ok()?, unit))
}

/// A hundred years, so that adding one to an instant cannot overflow.
const LONGEST: u64 = 100 * 365 * 86_400_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations() {
        for (text, milliseconds) in
            [("200ms", 200), ("0s", 0), ("10s", 10_000), ("15m", 900_000), ("6h", 21_600_000), ("7d", 604_800_000)]
        {
            assert_eq!(duration(text), Ok(Duration::from_millis(milliseconds)), "{text}");
        }
        for bad in
            ["", "s", "10", "10 s", "-1s", "+1s", "1.5h", "1h30m", "10S", "10w", "99999999999999999999s", "999999d"]
        {
            assert!(duration(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn sizes() {
        for (text, bytes) in
            [("1B", 1), ("64KiB", 65_536), ("4MiB", 4 << 20), ("2GiB", 2 << 30), ("100MB", 100_000_000)]
        {
            assert_eq!(size(text), Ok(bytes), "{text}");
        }
        for bad in ["", "MiB", "4", "4 MiB", "4M", "4mib", "-4MiB", "4.5MiB", "99999999999GiB"] {
            assert!(size(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn rates() {
        assert_eq!(rate("200/s"), Ok((200, Duration::from_secs(1))));
        assert_eq!(rate("5000/m"), Ok((5000, Duration::from_mins(1))));
        for bad in ["", "200", "/s", "0/s", "200/d", "200/ s"] {
            assert!(rate(bad).is_err(), "{bad}");
        }
    }
}
