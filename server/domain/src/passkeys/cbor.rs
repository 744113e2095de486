//! As much CBOR (RFC 8949) as COSE keys and attestation objects need: definite lengths only, as CTAP2 prescribes.

const UNSIGNED: u8 = 0;
const NEGATIVE: u8 = 1;
const BYTES: u8 = 2;
const TEXT: u8 = 3;
const ARRAY: u8 = 4;
const MAP: u8 = 5;
const TAG: u8 = 6;

/// How deep items may nest; CTAP2 allows four levels.
const MAX_DEPTH: u8 = 8;

/// Writes items one after another, lengths in their shortest form.
#[derive(Debug, Default)]
pub(super) struct Writer(Vec<u8>);

impl Writer {
    fn head(mut self, major: u8, argument: u64) -> Self {
        let bytes = argument.to_be_bytes();
        let (info, skip) = match argument {
            0..24 => (bytes[7], 8),
            24..=0xff => (24, 7),
            0x100..=0xffff => (25, 6),
            0x1_0000..=0xffff_ffff => (26, 4),
            _ => (27, 0),
        };
        self.0.push(major << 5 | info);
        self.0.extend(bytes.iter().skip(skip));
        self
    }

    pub(super) fn int(self, value: i64) -> Self {
        if value < 0 {
            self.head(NEGATIVE, (!value).cast_unsigned())
        } else {
            self.head(UNSIGNED, value.cast_unsigned())
        }
    }

    pub(super) fn bytes(self, value: &[u8]) -> Self {
        let mut writer = self.head(BYTES, value.len() as u64);
        writer.0.extend(value);
        writer
    }

    /// Only soft authenticators write text.
    #[cfg(any(test, feature = "cast"))]
    pub(super) fn text(self, value: &str) -> Self {
        let mut writer = self.head(TEXT, value.len() as u64);
        writer.0.extend(value.bytes());
        writer
    }

    /// A map of this many pairs, which follow.
    pub(super) fn map(self, pairs: u64) -> Self {
        self.head(MAP, pairs)
    }

    pub(super) fn finish(self) -> Vec<u8> {
        self.0
    }
}

/// Reads items one after another; `None` where the next item is another or the bytes end.
#[derive(Debug)]
pub(super) struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    fn take(&mut self, len: u64) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(usize::try_from(len).ok()?)?;
        self.0 = rest;
        Some(taken)
    }

    fn head(&mut self) -> Option<(u8, u64)> {
        let (first, rest) = self.0.split_first()?;
        self.0 = rest;
        let argument = match first & 0x1f {
            info @ 0..24 => u64::from(info),
            info @ 24..=27 => {
                let bytes = self.take(1_u64.checked_shl(u32::from(info).checked_sub(24)?)?)?;
                bytes.iter().fold(0, |sum, byte| sum << 8 | u64::from(*byte))
            }
            _ => return None,
        };
        Some((first >> 5, argument))
    }

    fn expect(&mut self, major: u8) -> Option<u64> {
        let (found, argument) = self.head()?;
        (found == major).then_some(argument)
    }

    pub(super) fn int(&mut self) -> Option<i64> {
        match self.head()? {
            (UNSIGNED, value) => i64::try_from(value).ok(),
            (NEGATIVE, value) => i64::try_from(value).ok().map(|value| !value),
            _ => None,
        }
    }

    pub(super) fn bytes(&mut self) -> Option<&'a [u8]> {
        let len = self.expect(BYTES)?;
        self.take(len)
    }

    pub(super) fn text(&mut self) -> Option<&'a str> {
        let len = self.expect(TEXT)?;
        std::str::from_utf8(self.take(len)?).ok()
    }

    pub(super) fn map(&mut self) -> Option<u64> {
        self.expect(MAP)
    }

    /// Passes over one item, whatever it is.
    pub(super) fn skip(&mut self) -> Option<()> {
        self.skip_at(0)
    }

    fn skip_at(&mut self, depth: u8) -> Option<()> {
        if depth == MAX_DEPTH {
            return None;
        }
        let (major, argument) = self.head()?;
        let items = match major {
            BYTES | TEXT => return self.take(argument).map(drop),
            ARRAY => argument,
            MAP => argument.checked_mul(2)?,
            TAG => 1,
            _ => 0,
        };
        // Every item has at least one byte, so a claimed length beyond the input ends soon.
        (0..items).try_for_each(|_| self.skip_at(depth.saturating_add(1)))
    }
}

/// The `authData` in an attestation object, that is `{fmt, attStmt, authData}`.
pub(super) fn auth_data(attestation_object: &[u8]) -> Option<&[u8]> {
    let mut reader = Reader::new(attestation_object);
    for _ in 0..reader.map()? {
        if reader.text()? == "authData" {
            return reader.bytes();
        }
        reader.skip()?;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 8949, appendix A.
    #[test]
    fn integers_are_written_as_in_the_standard() {
        for (value, hex) in [
            (0, "00"),
            (23, "17"),
            (24, "1818"),
            (100, "1864"),
            (1000, "1903e8"),
            (1_000_000, "1a000f4240"),
            (1_000_000_000_000, "1b000000e8d4a51000"),
            (-1, "20"),
            (-10, "29"),
            (-100, "3863"),
            (-257, "390100"),
            (-1000, "3903e7"),
        ] {
            let written = Writer::default().int(value).finish();
            assert_eq!(hex::encode(&written), hex);
            assert_eq!(Reader::new(&written).int(), Some(value));
        }
    }

    #[test]
    fn finds_the_authenticator_data_behind_any_statement() {
        let statement = hex::decode("a363616c6726637369674401020304637835638241014202ff").unwrap();
        let mut object = Writer::default().map(3).text("fmt").text("packed").text("attStmt").finish();
        object.extend(statement);
        object.extend(Writer::default().text("authData").bytes(b"here").finish());
        assert_eq!(auth_data(&object), Some(&b"here"[..]));
        for cut in 0..object.len() {
            assert_eq!(auth_data(&object[..cut]), None, "cut at {cut}");
        }
    }

    #[test]
    fn deep_endless_and_boastful_items_are_refused() {
        let deep = [&[0xa1, 0x61, b'x'][..], &[0x81; 64], &[0x00]].concat();
        let endless = [&[0xbf, 0x61, b'x'][..], &[0x00, 0xff]].concat();
        let boastful = [&[0xa1, 0x61, b'x', 0x9b][..], &[0xff; 8], &[0x00; 8]].concat();
        let huge_bytes = [&[0xa1, 0x61, b'x', 0x5b][..], &[0xff; 8]].concat();
        for bytes in [deep, endless, boastful, huge_bytes] {
            assert_eq!(auth_data(&bytes), None);
        }
    }
}
