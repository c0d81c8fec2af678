//! Reads a `Range` header as far as a registry must: one range of bytes.

/// What a `Range` header asks of a blob.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Part {
    /// Nothing that can be understood, or several ranges: RFC 9110 lets a server ignore them.
    Whole,
    /// From the first to the last byte, both included.
    Slice(usize, usize),
    /// Bytes that the blob does not have.
    Outside,
}

/// The part that `wanted` asks of a blob of `length` bytes.
pub(super) fn part(wanted: &str, length: usize) -> Part {
    let Some((first, last)) = wanted.strip_prefix("bytes=").and_then(|range| range.split_once('-')) else {
        return Part::Whole;
    };
    match (first.parse::<usize>(), last.parse::<usize>()) {
        (Ok(first), Ok(last)) if first > last => Part::Whole,
        (Ok(first), Ok(last)) if first < length => Part::Slice(first, last.min(length - 1)),
        (Ok(first), Err(_)) if last.is_empty() && first < length => Part::Slice(first, length - 1),
        (Ok(_), Ok(_)) => Part::Outside,
        (Ok(_), Err(_)) if last.is_empty() => Part::Outside,
        (Err(_), Ok(suffix)) if first.is_empty() && suffix > 0 && length > 0 => {
            Part::Slice(length.saturating_sub(suffix), length - 1)
        }
        (Err(_), Ok(_)) if first.is_empty() => Part::Outside,
        _ => Part::Whole,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_range_is_read_as_rfc_9110_says() {
        for (wanted, expected) in [
            ("bytes=0-3", Part::Slice(0, 3)),
            ("bytes=4-", Part::Slice(4, 9)),
            ("bytes=8-100", Part::Slice(8, 9)),
            ("bytes=-3", Part::Slice(7, 9)),
            ("bytes=-30", Part::Slice(0, 9)),
            ("bytes=10-", Part::Outside),
            ("bytes=10-12", Part::Outside),
            ("bytes=-0", Part::Outside),
            ("bytes=3-2", Part::Whole),
            ("bytes=0-1,4-5", Part::Whole),
            ("bytes=-", Part::Whole),
            ("lines=0-1", Part::Whole),
        ] {
            assert_eq!(part(wanted, 10), expected, "{wanted}");
        }
        assert_eq!(part("bytes=0-", 0), Part::Outside);
        assert_eq!(part("bytes=-1", 0), Part::Outside);
    }
}
