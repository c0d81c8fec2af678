//! As much DER (X.690) as a public key takes: elements of a known tag, one after the other.

/// Takes the first element off `rest` and gives back its content, if its tag is `tag`.
pub(super) fn take<'a>(tag: u8, rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    let (&[found, first], after) = rest.split_first_chunk()?;
    let (length, after) = match first {
        0..=0x7f => (usize::from(first), after),
        // No key needs a longer length than two bytes, nor may a length be written longer than it needs.
        0x81 => after.split_first().map(|(&length, after)| (usize::from(length), after)).filter(|(n, _)| *n > 0x7f)?,
        0x82 => {
            let (&length, after) = after.split_first_chunk()?;
            Some((usize::from(u16::from_be_bytes(length)), after)).filter(|(n, _)| *n > 0xff)?
        }
        _ => return None,
    };
    let (content, after) = after.split_at_checked(length)?;
    *rest = after;
    (found == tag).then_some(content)
}

/// The content of the only element of `whole`.
pub(super) fn only(tag: u8, mut whole: &[u8]) -> Option<&[u8]> {
    take(tag, &mut whole).filter(|_| whole.is_empty())
}

pub(super) const BIT_STRING: u8 = 0x03;
pub(super) const INTEGER: u8 = 0x02;
pub(super) const OID: u8 = 0x06;
pub(super) const SEQUENCE: u8 = 0x30;
