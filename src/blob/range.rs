//! What a request asks of a blob: all of it, or ranges of it.
//!
//! What goes to the registry is written anew from what was understood. A header that cannot be understood is ignored,
//! as RFC 9110 says.

use std::fmt::Write;

use http::Method;
use http::header::{HeaderMap, HeaderValue, IF_RANGE, RANGE};
use http::request::Parts;

/// What a request asks of a blob.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Asked {
    /// All of it.
    Whole,
    /// Ranges of it.
    Ranges(Vec<Span>),
    /// More ranges than anybody needs: an attack, or a broken client.
    Excessive,
}

/// One range.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Span {
    /// From the first to the last byte; past the end is up to the end.
    Between(u64, u64),
    /// From this byte on.
    From(u64),
    /// So many bytes at the end.
    Last(u64),
}

impl Asked {
    /// Reads the headers of `request` for the blob whose `ETag` is `etag`.
    pub(super) fn of(request: &Parts, etag: &HeaderValue) -> Self {
        // Ranges mean something for GET only.
        if request.method != Method::GET {
            return Self::Whole;
        }
        let headers = &request.headers;
        if headers.contains_key(IF_RANGE) && single(headers, &IF_RANGE) != Some(etag) {
            return Self::Whole;
        }
        let text = single(headers, &RANGE).and_then(|value| value.to_str().ok());
        let listed = text.and_then(|text| text.split_once('=')).filter(|(unit, _)| unit.eq_ignore_ascii_case("bytes"));
        let Some((_, listed)) = listed else { return Self::Whole };
        let mut spans = Vec::new();
        for element in listed.split(',').map(|element| element.trim_matches([' ', '\t'])) {
            if element.is_empty() {
                continue;
            }
            let Some(span) = Span::parse(element) else { return Self::Whole };
            spans.push(span);
            if spans.len() > MAX_RANGES {
                return Self::Excessive;
            }
        }
        match spans.len() {
            0 => Self::Whole,
            _ if deepest(&spans) > MAX_OVERLAP => Self::Excessive,
            _ => Self::Ranges(spans),
        }
    }

    /// The header that asks the registry for the same.
    pub(super) fn header(&self) -> Option<HeaderValue> {
        let Self::Ranges(spans) = self else { return None };
        let mut text = String::from("bytes=");
        for (index, span) in spans.iter().enumerate() {
            let comma = if index == 0 { "" } else { "," };
            // Writing to a string cannot fail.
            let _ = match span {
                Span::Between(first, last) => write!(text, "{comma}{first}-{last}"),
                Span::From(first) => write!(text, "{comma}{first}-"),
                Span::Last(count) => write!(text, "{comma}-{count}"),
            };
        }
        HeaderValue::from_str(&text).ok()
    }
}

impl Span {
    fn parse(text: &str) -> Option<Self> {
        let (first, last) = text.split_once('-')?;
        match (first, last) {
            ("", last) => Some(Self::Last(number(last)?)),
            (first, "") => Some(Self::From(number(first)?)),
            (first, last) => {
                let (first, last) = (number(first)?, number(last)?);
                (first <= last).then_some(Self::Between(first, last))
            }
        }
    }

    /// Whether `first` to `last`, of `total` bytes if that is known, is what this range asks for.
    pub(super) fn is_met_by(self, first: u64, last: u64, total: Option<u64>) -> bool {
        match self {
            Self::Between(from, to) => first == from && last <= to,
            Self::From(from) => first == from,
            Self::Last(count) => total.is_none_or(|total| first == total.saturating_sub(count) && last + 1 == total),
        }
    }
}

/// Decimal digits only; more than a number can hold is past every end.
fn number(text: &str) -> Option<u64> {
    let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    digits.then(|| text.parse().unwrap_or(u64::MAX))
}

/// The most ranges that have one byte in common. Those that count from the end are left out.
fn deepest(spans: &[Span]) -> usize {
    let (mut begins, mut ends) = (Vec::new(), Vec::new());
    for span in spans {
        let (first, last) = match *span {
            Span::Between(first, last) => (first, last),
            Span::From(first) => (first, u64::MAX),
            Span::Last(_) => continue,
        };
        begins.push(first);
        ends.push(last);
    }
    begins.sort_unstable();
    ends.sort_unstable();
    let (mut ended, mut deepest) = (0, 0);
    for (begun, begin) in begins.iter().enumerate() {
        while ends[ended] < *begin {
            ended += 1;
        }
        deepest = deepest.max(begun + 1 - ended);
    }
    deepest.max(spans.len() - begins.len())
}

/// A header that is there once.
fn single<'h>(headers: &'h HeaderMap, name: &http::HeaderName) -> Option<&'h HeaderValue> {
    let mut values = headers.get_all(name).iter();
    let first = values.next();
    first.filter(|_| values.next().is_none())
}

/// Clients that fetch a layer in pieces ask for up to 1,024 at once.
const MAX_RANGES: usize = 1024;
/// What RFC 9110 calls an indication of a broken client or an attack, if there are more.
const MAX_OVERLAP: usize = 2;

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(method: Method, headers: &[(&str, &str)]) -> Asked {
        let mut request = http::Request::builder().method(method);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        Asked::of(&request.body(()).expect("a request").into_parts().0, &HeaderValue::from_static("\"etag\""))
    }

    fn ranges(text: &str) -> Asked {
        asked(Method::GET, &[("range", text)])
    }

    #[test]
    fn ranges_are_read_and_written_anew() {
        for (text, header) in [
            ("bytes=0-3", "bytes=0-3"),
            ("Bytes= 0-3 ,\t5-,, -7", "bytes=0-3,5-,-7"),
            ("bytes=0-99999999999999999999999", "bytes=0-18446744073709551615"),
            ("bytes=007-8", "bytes=7-8"),
            ("bytes=-0", "bytes=-0"),
        ] {
            assert_eq!(ranges(text).header().expect(text), header, "{text}");
        }
        for ignored in [
            "",
            "bytes",
            "bytes=",
            "bytes=,",
            "bytes=-",
            "bytes=a-b",
            "bytes=+1-2",
            "bytes=3-2",
            "bytes=0-1,x",
            "lines=0-1",
            "bytes 0-1",
            "bytes=0-1;2-3",
            "bytes=0x1-2",
            "bytes=1--2",
        ] {
            assert_eq!(ranges(ignored), Asked::Whole, "{ignored}");
            assert_eq!(ranges(ignored).header(), None);
        }
        let twice = asked(Method::GET, &[("range", "bytes=0-1"), ("range", "bytes=2-3")]);
        assert_eq!(twice, Asked::Whole);
        assert_eq!(asked(Method::HEAD, &[("range", "bytes=0-1")]), Asked::Whole);
    }

    #[test]
    fn if_range_holds_for_this_very_blob_only() {
        let range = ("range", "bytes=0-1");
        assert_eq!(asked(Method::GET, &[range, ("if-range", "\"etag\"")]), Asked::Ranges(vec![Span::Between(0, 1)]));
        for other in ["\"other\"", "W/\"etag\"", "etag", "Sat, 29 Oct 1994 19:43:31 GMT", ""] {
            assert_eq!(asked(Method::GET, &[range, ("if-range", other)]), Asked::Whole, "{other}");
        }
        let twice = [range, ("if-range", "\"etag\""), ("if-range", "\"etag\"")];
        assert_eq!(asked(Method::GET, &twice), Asked::Whole);
    }

    #[test]
    fn o56_overlapping_and_countless_ranges_are_excessive() {
        let list = |count: usize, range: fn(usize) -> String| {
            format!("bytes={}", (0..count).map(range).collect::<Vec<_>>().join(","))
        };
        assert_eq!(ranges(&list(1000, |_| "0-".into())), Asked::Excessive);
        assert_eq!(ranges(&list(1000, |n| format!("{n}-{}", n + 1000))), Asked::Excessive);
        assert_eq!(ranges(&list(1000, |n| format!("-{}", n + 1))), Asked::Excessive);
        assert_eq!(ranges("bytes=0-9,1-8,2-7"), Asked::Excessive);
        assert_eq!(ranges(&list(1025, |n| format!("{}-{}", 2 * n, 2 * n))), Asked::Excessive);
        for modest in [list(1024, |n| format!("{}-{}", 2 * n, 2 * n)), "bytes=0-9,5-14,10-19".into()] {
            assert!(matches!(ranges(&modest), Asked::Ranges(_)), "{modest}");
        }
    }

    #[test]
    fn a_part_meets_the_range_that_it_answers() {
        for (span, first, last, total) in [
            (Span::Between(2, 5), 2, 5, Some(10)),
            (Span::Between(2, 50), 2, 9, Some(10)),
            (Span::From(2), 2, 9, Some(10)),
            (Span::From(2), 2, 4, None),
            (Span::Last(3), 7, 9, Some(10)),
            (Span::Last(30), 0, 9, Some(10)),
            (Span::Last(3), 7, 9, None),
        ] {
            assert!(span.is_met_by(first, last, total), "{span:?}");
        }
        for (span, first, last) in [
            (Span::Between(2, 5), 0, 3),
            (Span::Between(2, 5), 2, 6),
            (Span::From(2), 0, 9),
            (Span::Last(3), 0, 2),
            (Span::Last(3), 7, 8),
        ] {
            assert!(!span.is_met_by(first, last, Some(10)), "{span:?}");
        }
    }
}
