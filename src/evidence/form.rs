//! The binary form of what is stored: numbers in as few bytes as they need, and everything else behind its length.
//!
//! Every value has one form only, and what is read must be all that was written: a reader that is given anything else
//! says nothing.

/// Writes the form.
#[derive(Debug, Default)]
pub(crate) struct Writer(Vec<u8>);

/// What is read has not this form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct NotOurs;

/// Reads it, from the front.
#[derive(Debug)]
pub(crate) struct Reader<'a>(&'a [u8]);

impl Writer {
    pub(crate) fn byte(&mut self, byte: u8) {
        self.0.push(byte);
    }

    /// Seven bits a byte, the lowest first; the eighth says that more follow.
    pub(crate) fn number(&mut self, mut number: u64) {
        while number > LOW {
            self.0.push(low(number) | MORE);
            number >>= BITS;
        }
        self.0.push(low(number));
    }

    pub(crate) fn bytes(&mut self, bytes: &[u8]) {
        self.number(bytes.len() as u64);
        self.0.extend_from_slice(bytes);
    }

    pub(crate) fn text(&mut self, text: &str) {
        self.bytes(text.as_bytes());
    }

    /// A text that may be missing, which is not an empty one.
    pub(crate) fn maybe(&mut self, text: Option<&str>) {
        self.byte(u8::from(text.is_some()));
        if let Some(text) = text {
            self.text(text);
        }
    }

    /// Exactly these bytes, whose number the reader knows.
    pub(crate) fn raw(&mut self, bytes: &[u8]) {
        self.0.extend_from_slice(bytes);
    }

    pub(crate) fn into_bytes(self) -> Vec<u8> {
        self.0
    }
}

impl<'a> Reader<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    pub(crate) fn byte(&mut self) -> Option<u8> {
        let (byte, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(*byte)
    }

    pub(crate) fn number(&mut self) -> Option<u64> {
        let mut number = 0;
        for shift in (0..u64::BITS).step_by(BITS as usize) {
            let byte = self.byte()?;
            let part = u64::from(byte & !MORE);
            // What would be shifted out was never in.
            number |= part.checked_shl(shift).filter(|shifted| shifted >> shift == part)?;
            if byte & MORE == 0 {
                // A last byte of nothing is another form of the same number.
                return (byte != 0 || shift == 0).then_some(number);
            }
        }
        None
    }

    /// A number of things: each takes a byte at least.
    pub(crate) fn count(&mut self) -> Option<usize> {
        usize::try_from(self.number()?).ok().filter(|count| *count <= self.0.len())
    }

    pub(crate) fn bytes(&mut self) -> Option<&'a [u8]> {
        let length = self.count()?;
        let (bytes, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(bytes)
    }

    pub(crate) fn text(&mut self) -> Option<&'a str> {
        std::str::from_utf8(self.bytes()?).ok()
    }

    pub(crate) fn maybe(&mut self) -> Result<Option<&'a str>, NotOurs> {
        match self.byte() {
            Some(0) => Ok(None),
            Some(1) => self.text().map(Some).ok_or(NotOurs),
            _ => Err(NotOurs),
        }
    }

    pub(crate) fn raw<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (bytes, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(*bytes)
    }

    /// Whether all was read.
    pub(crate) fn done(&self) -> bool {
        self.0.is_empty()
    }
}

/// The lowest seven bits.
fn low(number: u64) -> u8 {
    number.to_le_bytes()[0] & !MORE
}

const BITS: u32 = 7;
const LOW: u64 = 0x7f;
const MORE: u8 = 0x80;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let mut writer = Writer::default();
        let numbers = [0, 1, 127, 128, 16_383, 16_384, u64::from(u32::MAX), u64::MAX - 1, u64::MAX];
        for number in numbers {
            writer.number(number);
        }
        writer.byte(7);
        writer.text("");
        writer.maybe(None);
        writer.maybe(Some(""));
        writer.maybe(Some("é"));
        writer.bytes(&[0; 200]);
        writer.raw(&[9; 32]);
        let bytes = writer.into_bytes();
        let mut reader = Reader::new(&bytes);
        for number in numbers {
            assert_eq!(reader.number(), Some(number));
        }
        assert_eq!((reader.byte(), reader.text()), (Some(7), Some("")));
        assert_eq!((reader.maybe(), reader.maybe(), reader.maybe()), (Ok(None), Ok(Some("")), Ok(Some("é"))));
        assert_eq!(reader.bytes(), Some(&[0; 200][..]));
        assert!(!reader.done());
        assert_eq!(reader.raw(), Some([9; 32]));
        assert!(reader.done());
        assert_eq!((reader.byte(), reader.number(), reader.bytes()), (None, None, None));
    }

    #[test]
    fn nothing_has_two_forms() {
        let number = |bytes: &[u8]| Reader::new(bytes).number();
        assert_eq!(number(&[0x80, 0x01]), Some(128));
        assert_eq!(number(&[0x80, 0x00]), None, "0 in two bytes");
        assert_eq!(number(&[0xff, 0x00]), None, "127 in two bytes");
        assert_eq!(number(&[0x80]), None, "cut off");
        let largest = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01];
        assert_eq!(number(&largest), Some(u64::MAX));
        assert_eq!(number(&[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x02]), None, "65 bits");
        assert_eq!(number(&[0xff; 11]), None, "endless");
        assert_eq!(Reader::new(&[2, b'a']).bytes(), None, "longer than all there is");
        assert_eq!(Reader::new(&[1, 0xff]).text(), None, "not UTF-8");
        assert_eq!(Reader::new(&[2, 0]).maybe(), Err(NotOurs), "neither there nor missing");
        assert_eq!(Reader::new(&[1; 31]).raw::<32>(), None);
    }
}
