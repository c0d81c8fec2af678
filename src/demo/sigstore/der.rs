//! Writes DER, and takes it apart again: just enough to make certificates' extensions and time stamp tokens that are
//! wrong in any way that is wanted, which typed encoders rightly prevent.

/// One value: its tag, its length, its content.
pub fn tlv(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = content.len().to_be_bytes();
    let length = &length[length.iter().take_while(|byte| **byte == 0).count()..];
    let mut der = vec![tag];
    match *length {
        [] => der.push(0),
        [short] if short < 0x80 => der.push(short),
        // The number of its bytes is at most eight.
        _ => der.push(0x80 | u8::try_from(length.len()).unwrap_or_default()),
    }
    if der[1] > 0x80 {
        der.extend_from_slice(length);
    }
    der.extend_from_slice(content);
    der
}

/// `SEQUENCE`.
pub fn sequence(parts: &[Vec<u8>]) -> Vec<u8> {
    tlv(0x30, &parts.concat())
}

/// `SET OF`, in the order that DER demands.
pub fn set<const N: usize>(mut parts: [Vec<u8>; N]) -> Vec<u8> {
    parts.sort();
    tlv(0x31, &parts.concat())
}

/// `[number]`, constructed.
pub fn tagged(number: u8, content: &[u8]) -> Vec<u8> {
    tlv(0xa0 | number, content)
}

/// `INTEGER`, not negative.
pub fn integer(number: u64) -> Vec<u8> {
    let bytes = number.to_be_bytes();
    let zeros = bytes.iter().take(7).take_while(|byte| **byte == 0).count();
    let digits = &bytes[zeros..];
    if digits[0] < 0x80 { tlv(0x02, digits) } else { tlv(0x02, &[&[0], digits].concat()) }
}

/// `OCTET STRING`.
pub fn octets(bytes: &[u8]) -> Vec<u8> {
    tlv(0x04, bytes)
}

/// `UTF8String`.
pub fn utf8(text: &str) -> Vec<u8> {
    tlv(0x0c, text.as_bytes())
}

/// `OBJECT IDENTIFIER`.
pub fn oid(arcs: &[u64]) -> Vec<u8> {
    let first = arcs.iter().take(2).fold(0, |sum, arc| sum * 40 + arc);
    let mut content = Vec::new();
    for arc in [first].iter().chain(arcs.iter().skip(2)) {
        let mut digits = vec![arc & 0x7f];
        let mut rest = arc >> 7;
        while rest > 0 {
            digits.push(rest & 0x7f | 0x80);
            rest >>= 7;
        }
        content.extend(digits.iter().rev().map(|digit| u8::try_from(*digit).unwrap_or_default()));
    }
    tlv(0x06, &content)
}

/// `GeneralizedTime`, of seconds since 1970.
pub fn generalized_time(at: i64) -> Vec<u8> {
    let time = jiff::Timestamp::from_second(at).unwrap_or_default();
    tlv(0x18, time.strftime("%Y%m%d%H%M%SZ").to_string().as_bytes())
}

/// The values within a constructed value, each whole; none where the bytes are not DER.
pub fn children(der: &[u8]) -> Vec<&[u8]> {
    let mut found = Vec::new();
    let mut rest = split(der).map_or(&[][..], |(head, length)| &der[head..head + length]);
    while let Some((head, length)) = split(rest) {
        let (value, after) = rest.split_at(head + length);
        found.push(value);
        rest = after;
    }
    found
}

/// The sizes of the first value's head and content, if it is there as a whole.
fn split(der: &[u8]) -> Option<(usize, usize)> {
    let first = usize::from(*der.get(1)?);
    let (head, length) = if first < 0x80 {
        (2, first)
    } else {
        let digits = der.get(2..2 + (first & 0x7f))?;
        (2 + digits.len(), digits.iter().fold(0, |sum, digit| sum << 8 | usize::from(*digit)))
    };
    (der.len() >= head.checked_add(length)?).then_some((head, length))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_written_as_the_standard_has_them() {
        assert_eq!(oid(&[1, 2, 840, 113_549]), [6, 6, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d]);
        assert_eq!(integer(0), [2, 1, 0]);
        assert_eq!(integer(127), [2, 1, 127]);
        assert_eq!(integer(128), [2, 2, 0, 128]);
        assert_eq!(octets(&[7; 127])[..2], [4, 127]);
        assert_eq!(octets(&[7; 128])[..3], [4, 0x81, 128]);
        assert_eq!(octets(&[7; 300])[..4], [4, 0x82, 1, 44]);
        assert_eq!(octets(&[]), [4, 0]);
        assert_eq!(&generalized_time(1_784_894_400)[2..], b"20260724120000Z");
    }

    #[test]
    fn what_is_written_is_taken_apart_again() {
        let parts = [integer(1), octets(&[7; 300]), utf8("x")];
        let whole = sequence(&parts);
        assert_eq!(children(&whole), parts);
        assert!(children(&whole[..whole.len() - 1]).is_empty());
        assert!(children(&[]).is_empty());
    }
}
