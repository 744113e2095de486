//! Base 62 with the alphabet `0-9A-Za-z`, big-endian, left-padded to a fixed width. The alphabet is in ASCII
//! order, so texts of one width compare as the numbers they write.

use rand::CryptoRng;
use zeroize::Zeroizing;

const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// 2^256 − 1, the largest number that 43 digits may write here.
pub(crate) const MAX_256: &[u8; 43] = b"yhjskwdA6OZ1AL1YmHWZWm8LLG7HjnuCA2j5rOw8Xp1";

/// Whether all bytes are digits of base 62.
pub(crate) fn is_base62(text: &[u8]) -> bool {
    text.iter().all(u8::is_ascii_alphanumeric)
}

/// A 256-bit number in 43 digits.
pub(crate) fn encode_256(number: &[u8; 32]) -> Zeroizing<[u8; 43]> {
    let mut rest = Zeroizing::new(*number);
    let mut out = Zeroizing::new([b'0'; 43]);
    for place in out.iter_mut().rev() {
        let mut remainder = 0;
        for byte in rest.iter_mut() {
            let part = remainder << 8 | u32::from(*byte);
            *byte = u8::try_from(part / 62).unwrap_or(u8::MAX); // part < 62 * 256
            remainder = part % 62;
        }
        *place = digit(remainder);
    }
    out
}

/// A 32-bit number in 6 digits.
pub(crate) fn encode_32(mut number: u32) -> [u8; 6] {
    let mut out = [b'0'; 6];
    for place in out.iter_mut().rev() {
        *place = digit(number % 62);
        number /= 62;
    }
    out
}

/// The lowest `N` digits of a number.
pub(crate) fn digits<const N: usize>(mut number: u128) -> [u8; N] {
    let mut out = [b'0'; N];
    for place in out.iter_mut().rev() {
        *place = u32::try_from(number % 62).map_or(b'0', digit);
        number /= 62;
    }
    out
}

/// `N` digits, each drawn uniformly.
pub(crate) fn random<const N: usize>(rng: &mut dyn CryptoRng) -> [u8; N] {
    let mut out = [b'0'; N];
    for place in &mut out {
        *place = loop {
            let draw = rng.next_u32() >> 26; // six bits; 62 and 63 are drawn again
            if draw < 62 {
                break digit(draw);
            }
        };
    }
    out
}

fn digit(value: u32) -> u8 {
    usize::try_from(value).ok().and_then(|at| ALPHABET.get(at)).copied().unwrap_or(b'0')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_big_endian_and_padded() {
        assert_eq!(&encode_256(&[0; 32])[..], [b'0'; 43]);
        assert_eq!(&encode_256(&[0xff; 32])[..], MAX_256);
        let counting: [u8; 32] = std::array::from_fn(|at| u8::try_from(at).unwrap());
        assert_eq!(&encode_256(&counting)[..], b"003aUlTJC7tjlCTQj2uNU3MFagCXG9LRKRcwGkBIDlf");
        assert_eq!(&encode_32(61), b"00000z");
        assert_eq!(&encode_32(u32::MAX), b"4gfFC3");
    }
}
