//! Foreign bytes, as they come: what chance makes of specimens that a parser takes.
//!
//! A crate that parses has a file `parsers.rs` among its tests, with a test for each parser: it gives specimens and says what
//! must be so of whatever comes. It must not panic; what it takes must be printed as what it is read from again; what it refuses
//! must be refused in words. A parser that hangs or needs far too much is ended by nextest, which says at which test.
//!
//! `PROPTEST_CASES` says how many inputs each parser gets, `PROPTEST_RNG_SEED` which: `make test` always tries the same ones,
//! `make faults` (the proof `parsers`) others in each round.

#![allow(clippy::arithmetic_side_effects, reason = "what overflows here fails a test, and serves nobody")]

use std::fmt::{Debug, Display};
use std::str::FromStr;

use proptest::collection::vec;
use proptest::prelude::any;
use proptest::strategy::Strategy;
use proptest::test_runner::{Config, RngSeed, TestRunner};

/// The longest input that is made of a shorter specimen.
const LONGEST: usize = 64 << 10;

/// Pieces that parsers stumble over: ends, escapes, spaces that are none, numbers at their edges, what opens and never closes,
/// and lengths that CBOR or a frame may claim.
const STUMBLES: [&[u8]; 56] = [
    b"\0",
    b"\n",
    b"\r\n",
    b"\t",
    b" ",
    b"\xc2\xa0",
    b"\xef\xbb\xbf",
    b"\xe2\x80\x8d",
    b"\xe2\x80\xae",
    b"e\xcc\x81",
    b"\xc3\xa9",
    b"\xef\xbc\x8f",
    b"\xf0\x9f\x94\x91",
    b"\xff",
    b"\x80",
    b"%2e",
    b"%00",
    b"%",
    b"..",
    b"/",
    b"//",
    b"*",
    b"-",
    b"_",
    b"+",
    b"0",
    b"-1",
    b"00",
    b"1e308",
    b"4294967296",
    b"9223372036854775808",
    b"NaN",
    b"null",
    b"true",
    b"{",
    b"}",
    b"[",
    b"\"",
    b"'",
    b"\\",
    b"\\u0000",
    b"\\ud800",
    b"${",
    b"$",
    b"#",
    b"=",
    b",",
    b";",
    b":",
    b"@",
    b"&",
    b"|",
    b"\x5b\xff\xff\xff\xff\xff\xff\xff\xff",
    b"\xbf",
    b"\x9f",
    b"\xff\xff\xff\xff",
];

/// One thing that is done to an input; its numbers are taken modulo what there is.
#[derive(Debug, Clone, Copy)]
struct Change {
    what: u8,
    at: u16,
    length: u8,
    with: u16,
}

/// Gives `look` one input after the other, all made of `specimens`, and the specimens themselves; fails with the smallest that
/// it panics at.
pub fn bytes<S: AsRef<[u8]>>(specimens: &[S], look: impl Fn(&[u8])) {
    some(1, specimens, look);
}

/// As [`bytes`] with one input for every `one_in`, for a look that takes long: a whole request, a passkey's ceremony.
pub fn some<S: AsRef<[u8]>>(one_in: u32, specimens: &[S], look: impl Fn(&[u8])) {
    let specimens: Vec<Vec<u8>> = specimens.iter().map(|it| it.as_ref().to_vec()).collect();
    for specimen in &specimens {
        look(specimen);
    }
    let change = (0..9_u8, any::<u16>(), any::<u8>(), any::<u16>())
        .prop_map(|(what, at, length, with)| Change { what, at, length, with });
    let inputs = (0..specimens.len().max(1), vec(change, 0..8))
        .prop_map(|(which, changes)| changed(&specimens, which, &changes));
    let mut config = Config { failure_persistence: None, ..Config::default() };
    config.cases = config.cases.div_ceil(one_in.max(1));
    if config.rng_seed == RngSeed::Random {
        config.rng_seed = RngSeed::Fixed(1);
    }
    let ran = TestRunner::new(config).run(&inputs, |input| {
        look(&input);
        Ok(())
    });
    assert!(ran.is_ok(), "{}", ran.err().map(|it| it.to_string()).unwrap_or_default());
}

/// As [`bytes`], for a parser of text.
pub fn texts(specimens: &[&str], look: impl Fn(&str)) {
    bytes(specimens, |input| look(&String::from_utf8_lossy(input)));
}

/// A word of its own type: what is taken is printed as what it is read from again, and what is not is refused in words.
pub fn words<T>(specimens: &[&str])
where
    T: FromStr<Err: Display> + Display + PartialEq + Debug,
{
    texts(specimens, |text| again(text, str::parse::<T>, T::to_string));
}

/// `read` takes what `write` makes of what it took, as the same; what it refuses, it refuses in words.
pub fn again<T: PartialEq + Debug, E: Display>(
    text: &str,
    read: impl Fn(&str) -> Result<T, E>,
    write: impl Fn(&T) -> String,
) {
    match read(text) {
        Ok(value) => {
            let written = write(&value);
            let back = read(&written).map_err(|error| error.to_string());
            assert!(back.as_ref() == Ok(&value), "{text:?} is written as {written:?}, and read as {back:?}");
        }
        Err(error) => assert!(!error.to_string().is_empty(), "{text:?} is refused without a word"),
    }
}

fn changed(specimens: &[Vec<u8>], which: usize, changes: &[Change]) -> Vec<u8> {
    let mut input = specimens.get(which).cloned().unwrap_or_default();
    for change in changes {
        let at = usize::from(change.at) % (input.len() + 1);
        let end = (at + usize::from(change.length % 32)).min(input.len());
        let piece = input.get(at..end).unwrap_or_default().to_vec();
        let stumble = pick(&STUMBLES, change.with).map_or(&[][..], |it| it);
        match change.what {
            0 => {
                if let Some(byte) = input.get_mut(at) {
                    *byte ^= 1 << (change.with % 8);
                }
            }
            1 => insert(&mut input, at, at, stumble),
            2 => insert(&mut input, at, end, stumble),
            3 => insert(&mut input, at, end, &[]),
            4 => insert(&mut input, at, at, &piece),
            5 => insert(&mut input, at, at, &piece.repeat(1 << (change.with % 13))),
            6 => insert(&mut input, at, at, &stumble.repeat(1 << (change.with % 13))),
            7 => input.truncate(at),
            _ => {
                // The rest of another specimen.
                let other = pick(specimens, change.with).map_or(&[][..], Vec::as_slice);
                let from = usize::from(change.length) % (other.len() + 1);
                input.truncate(at);
                input.extend_from_slice(other.get(from..).unwrap_or_default());
            }
        }
    }
    input.truncate(LONGEST.max(specimens.iter().map(Vec::len).max().unwrap_or(0)));
    input
}

fn insert(input: &mut Vec<u8>, at: usize, end: usize, piece: &[u8]) {
    let room = LONGEST.saturating_sub(input.len()).min(piece.len());
    input.splice(at..end, piece.iter().take(room).copied());
}

fn pick<T>(from: &[T], number: u16) -> Option<&T> {
    from.get(usize::from(number) % from.len().max(1))
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;
    use std::collections::BTreeSet;
    use std::panic::catch_unwind;

    use super::*;

    #[test]
    fn inputs_are_many_and_unlike_and_specimens_are_among_them() {
        let seen = RefCell::new(BTreeSet::new());
        texts(&["orders:read", "x"], |text| {
            seen.borrow_mut().insert(text.to_owned());
        });
        let seen = seen.into_inner();
        assert!(seen.contains("orders:read") && seen.contains("x"));
        assert!(seen.len() > 100, "{}", seen.len());
        assert!(seen.iter().any(|it| it.len() > 1_000) && seen.iter().all(|it| it.len() <= 3 * LONGEST));
    }

    #[test]
    fn a_parser_that_panics_or_prints_what_it_does_not_read_is_found() {
        let panics = || texts(&["a=b"], |text| assert!(!text.contains("==")));
        assert!(catch_unwind(panics).is_err());
        let trims = |text: &str| again(text, |it| Ok::<_, String>(it.to_owned()), |it| it.trim().to_owned());
        assert!(catch_unwind(|| texts(&["a b"], trims)).is_err());
        assert!(
            catch_unwind(|| texts(&["a b"], |text| again(text, |_| Err::<(), _>(""), |()| String::new())))
                .is_err()
        );
    }

    #[test]
    fn a_change_never_reaches_beyond_its_input() {
        for what in 0..9 {
            for at in [0, 1, u16::MAX] {
                let change = Change { what, at, length: u8::MAX, with: u16::MAX };
                for specimens in [vec![], vec![vec![]], vec![b"x".to_vec()]] {
                    changed(&specimens, 0, &[change; 3]);
                }
            }
        }
    }
}
