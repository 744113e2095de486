//! The format of values that people and machines hold: `kwk_<label>_<id>_<secret><checksum>`.
//!
//! | Part | Characters | Meaning |
//! | --- | --- | --- |
//! | prefix | 3 | `kwk` API key, `kwt` one-time link or code, `kws` service token |
//! | label | 1–16 of `[a-z0-9]` | the environment, so that a person sees `live` or `test` |
//! | id | 12 base 62 | public; rows are looked up by it, logs and pages show it |
//! | secret | 43 base 62 | 256 random bits, big-endian, left-padded |
//! | checksum | 6 base 62 | CRC-32/ISO-HDLC of all ASCII before it: finds typing errors and false alarms without a look-up; proves nothing |
//!
//! No character breaks a word, so a double click selects the whole value.

use std::fmt;
use std::str::FromStr;

use keywarden_model::KeyLabel;
use rand::CryptoRng;
use zeroize::Zeroizing;

use crate::base62;
use crate::secret::SecretString;

/// Length of the shortest value.
pub const MIN_LEN: usize = 3 + 1 + 1 + 1 + ID_LEN + 1 + SECRET_LEN + CHECKSUM_LEN;
/// Length of the longest value; anything longer is refused before it is looked at.
pub const MAX_LEN: usize = MIN_LEN + 15;

pub(crate) const ID_LEN: usize = 12;
const SECRET_LEN: usize = 43;
const CHECKSUM_LEN: usize = 6;

/// What a value is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// A credential of somebody's service, verified through the API.
    ApiKey,
    /// A setup link, invitation or recovery link: good once.
    OneTime,
    /// How a workload or operator speaks to Keywarden itself.
    ServiceToken,
}

impl Kind {
    /// All kinds.
    pub const ALL: [Self; 3] = [Self::ApiKey, Self::OneTime, Self::ServiceToken];

    /// The first three characters of its values.
    pub const fn prefix(self) -> &'static str {
        match self {
            Self::ApiKey => "kwk",
            Self::OneTime => "kwt",
            Self::ServiceToken => "kws",
        }
    }
}

/// The public part of a value: 12 base-62 characters.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PublicId([u8; ID_LEN]);

impl PublicId {
    /// Draws a fresh one (71 bits; the store's unique index refuses the improbable twin).
    pub fn random(rng: &mut dyn CryptoRng) -> Self {
        Self(base62::random(rng))
    }

    /// One that is told by a keyed tag, for values that were not made here: 71 of its bits.
    pub fn of_tag(tag: &[u8; 32]) -> Self {
        let first = tag.first_chunk().copied().unwrap_or_default();
        Self(base62::digits(u128::from_be_bytes(first)))
    }

    /// The characters.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default() // only ASCII gets in
    }
}

/// The text is not 12 base-62 characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a public id has 12 letters or digits")]
pub struct PublicIdError;

impl FromStr for PublicId {
    type Err = PublicIdError;
    fn from_str(text: &str) -> Result<Self, PublicIdError> {
        let bytes: [u8; ID_LEN] = text.as_bytes().try_into().map_err(|_| PublicIdError)?;
        base62::is_base62(&bytes).then_some(Self(bytes)).ok_or(PublicIdError)
    }
}

impl fmt::Display for PublicId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for PublicId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A value as it leaves the house, this once.
#[derive(Debug)]
pub struct Generated {
    /// The part to store and show.
    pub id: PublicId,
    /// The whole value.
    pub value: SecretString,
}

/// Makes a fresh value.
pub fn generate(kind: Kind, label: &KeyLabel, rng: &mut dyn CryptoRng) -> Generated {
    let id = PublicId::random(rng);
    let mut number = Zeroizing::new([0; 32]);
    rng.fill_bytes(&mut *number);
    Generated { id, value: assemble(kind, label.as_str(), id, &number) }
}

fn assemble(kind: Kind, label: &str, id: PublicId, number: &[u8; 32]) -> SecretString {
    // Reserved in full, so that growing leaves no copy behind.
    let mut text = String::with_capacity(MAX_LEN);
    text.extend([kind.prefix(), "_", label, "_", id.as_str(), "_"]);
    text.extend(base62::encode_256(number).iter().copied().map(char::from));
    let checksum = checksum(text.as_bytes());
    text.extend(checksum.map(char::from));
    SecretString::new(text)
}

fn checksum(before: &[u8]) -> [u8; CHECKSUM_LEN] {
    base62::encode_32(crc32fast::hash(before))
}

/// A well-formed value; whether it is good, only a keyed hash can tell.
#[derive(Clone, Copy)]
pub struct Parsed<'a> {
    kind: Kind,
    label: &'a str,
    id: PublicId,
    material: &'a str,
}

impl<'a> Parsed<'a> {
    /// What it is for.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// The environment's label.
    pub fn label(&self) -> &'a str {
        self.label
    }

    /// The public part, by which the row is found.
    pub fn id(&self) -> PublicId {
        self.id
    }

    /// What [`crate::Keyring::mac`] is taken over: everything before the checksum, so that kind, label and id
    /// are bound to the secret. Secret.
    pub fn material(&self) -> &'a [u8] {
        self.material.as_bytes()
    }
}

impl fmt::Debug for Parsed<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}_{}_{}_…", self.kind.prefix(), self.label, self.id)
    }
}

/// Why a text is not a value, by the first part that is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ParseError {
    /// The checksum does not fit: mistyped, or cut and padded.
    #[error("checksum does not fit: copy the value again")]
    Checksum,
    /// The third part is not 12 base-62 characters.
    #[error("id is malformed")]
    Id,
    /// The second part is not `[a-z0-9]{1,16}`.
    #[error("label is malformed")]
    Label,
    /// Too short or too long to be a value.
    #[error("length is outside {MIN_LEN} to {MAX_LEN} characters")]
    Length,
    /// Does not begin with `kwk_`, `kwt_` or `kws_`.
    #[error("prefix is unknown")]
    Prefix,
    /// The last part is not 43 + 6 base-62 characters, or writes a number of more than 256 bits.
    #[error("secret is malformed")]
    Secret,
}

/// Reads a value. Never panics, never allocates; the work is bounded by [`MAX_LEN`].
pub fn parse(text: &str) -> Result<Parsed<'_>, ParseError> {
    if !(MIN_LEN..=MAX_LEN).contains(&text.len()) {
        return Err(ParseError::Length);
    }
    let (prefix, rest) = text.split_once('_').ok_or(ParseError::Prefix)?;
    let kind = Kind::ALL.into_iter().find(|kind| kind.prefix() == prefix).ok_or(ParseError::Prefix)?;
    let (label, rest) = rest.split_once('_').ok_or(ParseError::Label)?;
    if !is_label(label.as_bytes()) {
        return Err(ParseError::Label);
    }
    let (id, tail) = rest.split_once('_').ok_or(ParseError::Id)?;
    let id = id.parse().map_err(|PublicIdError| ParseError::Id)?;
    if tail.len() != SECRET_LEN + CHECKSUM_LEN || !base62::is_base62(tail.as_bytes()) {
        return Err(ParseError::Secret);
    }
    let (secret, written) = tail.split_at_checked(SECRET_LEN).ok_or(ParseError::Secret)?;
    let material = text.strip_suffix(written).ok_or(ParseError::Checksum)?;
    if checksum(material.as_bytes()) != written.as_bytes() {
        return Err(ParseError::Checksum);
    }
    if secret.as_bytes() > base62::MAX_256 {
        return Err(ParseError::Secret);
    }
    Ok(Parsed { kind, label, id, material })
}

pub(crate) fn is_label(text: &[u8]) -> bool {
    (1..=16).contains(&text.len()) && text.iter().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rand::SeedableRng;
    use rand_chacha::ChaCha20Rng;

    use super::*;

    const ZERO: &str = "kwk_live_000000000000_000000000000000000000000000000000000000000037HFaf";
    const FULL: &str = "kws_test_0A1B2C3D4E5F_yhjskwdA6OZ1AL1YmHWZWm8LLG7HjnuCA2j5rOw8Xp11G2Z3Z";
    const LONG: &str = "kwt_aaaaaaaaaaaaaaaa_zzzzzzzzzzzz_003aUlTJC7tjlCTQj2uNU3MFagCXG9LRKRcwGkBIDlf1Tx199";

    fn with_checksum(before: &str) -> String {
        let sum = checksum(before.as_bytes());
        format!("{before}{}", std::str::from_utf8(&sum).unwrap())
    }

    #[test]
    fn the_checksum_is_crc_32_iso_hdlc() {
        assert_eq!(crc32fast::hash(b"123456789"), 0xcbf4_3926);
    }

    #[test]
    fn known_values_are_assembled_and_read() {
        let counting: [u8; 32] = std::array::from_fn(|at| u8::try_from(at).unwrap());
        for (text, kind, label, id, number) in [
            (ZERO, Kind::ApiKey, "live", "000000000000", [0; 32]),
            (FULL, Kind::ServiceToken, "test", "0A1B2C3D4E5F", [0xff; 32]),
            (LONG, Kind::OneTime, "aaaaaaaaaaaaaaaa", "zzzzzzzzzzzz", counting),
        ] {
            let id: PublicId = id.parse().unwrap();
            assert_eq!(assemble(kind, label, id, &number).expose(), text);
            let parsed = parse(text).unwrap();
            assert_eq!((parsed.kind(), parsed.label(), parsed.id()), (kind, label, id));
            assert_eq!(parsed.material(), &text.as_bytes()[..text.len() - 6]);
        }
        assert_eq!(LONG.len(), MAX_LEN);
    }

    #[test]
    fn every_part_is_refused_by_name() {
        let secret = "0".repeat(43);
        for (text, error) in [
            ("", ParseError::Length),
            (&LONG.replace("kwt_", "kwt_a"), ParseError::Length),
            (&ZERO.replace("kwk", "kwx"), ParseError::Prefix),
            (&ZERO.replace("kwk_", "KWK_"), ParseError::Prefix),
            (&ZERO.replace('_', "-"), ParseError::Prefix),
            (&ZERO.replace("live", "Live"), ParseError::Label),
            (&ZERO.replace("_live_", "__live"), ParseError::Label),
            (&ZERO.replace("_000000000000_", "_0000000000_00"), ParseError::Id),
            (&ZERO.replace("_000000000000_", "_00000000000é_"), ParseError::Id),
            (&ZERO.replace("Faf", "Fa-"), ParseError::Secret),
            (&ZERO.replace("Faf", "Fag"), ParseError::Checksum),
            (&with_checksum(&format!("kwk_live_A00000000000_{}", &secret[1..])), ParseError::Secret),
            // 2^256, one more than the largest secret.
            (
                &with_checksum("kws_test_0A1B2C3D4E5F_yhjskwdA6OZ1AL1YmHWZWm8LLG7HjnuCA2j5rOw8Xp2"),
                ParseError::Secret,
            ),
        ] {
            assert_eq!(parse(text).err(), Some(error), "{text}");
        }
    }

    #[test]
    fn debug_of_a_parsed_value_hides_the_secret() {
        assert_eq!(format!("{:?}", parse(FULL).unwrap()), "kws_test_0A1B2C3D4E5F_…");
    }

    proptest! {
        #[test]
        fn what_is_generated_reads_back(seed: u64, label in "[a-z0-9]{1,16}", at in 0usize..3) {
            let made = generate(Kind::ALL[at], &label.parse().unwrap(), &mut ChaCha20Rng::seed_from_u64(seed));
            let parsed = parse(made.value.expose()).unwrap();
            prop_assert_eq!((parsed.kind(), parsed.label(), parsed.id()), (Kind::ALL[at], &*label, made.id));
        }

        #[test]
        fn no_text_makes_the_parser_panic(text in "\\PC*") {
            let _ = parse(&text);
        }

        #[test]
        fn no_text_that_looks_like_a_value_makes_the_parser_panic(
            text in "kw[kts]_[a-zé]{0,17}_[0-9A-Zé_]{11,13}_[0-9A-Za-z_é]{47,51}",
        ) {
            let _ = parse(&text);
        }

        #[test]
        fn one_changed_character_is_refused(seed: u64, at in 0usize..70, other in "[0-9A-Za-z_]") {
            let made = generate(Kind::ApiKey, &"live".parse().unwrap(), &mut ChaCha20Rng::seed_from_u64(seed));
            let mut text = made.value.expose().to_owned();
            prop_assume!(text[at..=at] != other);
            text.replace_range(at..=at, &other);
            prop_assert!(parse(&text).is_err());
        }
    }
}
