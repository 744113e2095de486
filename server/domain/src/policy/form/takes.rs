//! What a comparison asks to be filled in, and how that stands in Cedar text.
//!
//! What people fill in gets into a text as a literal alone (S-04): nothing of it is ever read as Cedar.

use std::net::IpAddr;

use keywarden_model::{Slug, Tags};

use super::Wrong;
use super::write::literal;
use crate::authz::zone;

/// What a comparison asks to be filled in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Takes {
    /// An address or a range of them.
    Address,
    /// Days of the week, Monday is 1: `1 2 3`.
    Days,
    /// An instant.
    Instant,
    /// Nothing.
    Nothing,
    /// A whole number.
    Number,
    /// The slug of an environment or a project.
    Slug,
    /// A tag with its value: `team=payments`.
    Tag,
    /// The name of a tag: `team`.
    TagName,
    /// The id of a thing of this kind.
    Thing(&'static str),
    /// A time of the day: `09:30`.
    Time,
    /// One of these words.
    Word(&'static [&'static str]),
    /// A time zone, and days of the week there: `Europe/Berlin 1 2 3`.
    ZonedDays,
    /// A time zone, and a time of the day there: `Europe/Berlin 09:30`.
    ZonedTime,
}

/// What stands in the places of a comparison's text: Cedar's literals, or nothing where it has no such place.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Filled {
    /// A tag's name, or a time zone.
    pub(super) name: String,
    /// What it is compared with.
    pub(super) value: String,
}

/// What stood in the places of a text that was read.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// A tag's name, or a time zone.
    pub(super) name: Option<String>,
    /// What it is compared with.
    pub(super) value: Option<String>,
}

impl Filled {
    fn value(value: String) -> Self {
        Self { name: String::new(), value }
    }
}

impl Takes {
    /// What a form shows for what stood there in Cedar, if it gives the same back.
    pub(super) fn shown(self, found: Found) -> Option<String> {
        let (name, value) = (found.name.unwrap_or_default(), found.value.unwrap_or_default());
        let shown = match self {
            Self::Tag if value.is_empty() => name.clone(),
            Self::Tag => format!("{name}={value}"),
            Self::TagName => name.clone(),
            Self::Time => time_of(&value)?,
            Self::ZonedDays => format!("{name} {value}"),
            Self::ZonedTime => format!("{name} {}", time_of(&value)?),
            _ => value.clone(),
        };
        let plain = shown == shown.trim() && !shown.chars().any(|it| it.is_control() || is_unseen(it));
        let back = self.filled(&shown).ok()?;
        let same_name = back.name.is_empty() || back.name == literal(&name);
        let same = match self {
            Self::Nothing | Self::Number => back.value == value,
            Self::Days | Self::ZonedDays => back.value == format!("[{}]", value.replace(' ', ", ")),
            Self::TagName => true,
            _ => back.value == literal(&value),
        };
        (plain && same && same_name).then_some(shown)
    }

    /// What somebody filled in, as it stands in Cedar text.
    pub(super) fn filled(self, value: &str) -> Result<Filled, Wrong> {
        let value = value.trim();
        if value.is_empty() && self != Self::Nothing {
            return Err(Wrong::Missing);
        }
        let text = |fits: bool, wrong: Wrong| {
            if fits { Ok(Filled::value(literal(value))) } else { Err(wrong) }
        };
        match self {
            Self::Address => text(is_address(value), Wrong::Address),
            Self::Days => days(value),
            Self::Instant => text(is_instant(value), Wrong::Instant),
            Self::Nothing => Ok(Filled::default()),
            Self::Number => match value.parse::<i64>() {
                Ok(number) if number >= 0 => Ok(Filled::value(number.to_string())),
                _ => Err(Wrong::Number),
            },
            Self::Slug => text(value.parse::<Slug>().is_ok(), Wrong::Slug),
            Self::Tag => tag(value).ok_or(Wrong::Tag),
            Self::TagName => {
                let named = tag(value).filter(|_| !value.contains('=')).ok_or(Wrong::Tag)?;
                Ok(Filled { value: String::new(), ..named })
            }
            Self::Thing(_) => Ok(Filled::value(literal(value))),
            Self::Time => time(value),
            Self::Word(words) => text(words.contains(&value), Wrong::Choose),
            Self::ZonedDays => zoned(value, days),
            Self::ZonedTime => zoned(value, time),
        }
    }
}

/// A tag by the house's own rules.
fn tag(text: &str) -> Option<Filled> {
    let tags = Tags::parse([text]).ok()?;
    tags.iter().next().map(|(name, value)| Filled { name: literal(name), value: literal(value) })
}

/// A time zone by its one name, and what comes after it.
fn zoned(text: &str, rest: fn(&str) -> Result<Filled, Wrong>) -> Result<Filled, Wrong> {
    let (name, after) = text.split_once(' ').unwrap_or((text, ""));
    if zone(name).is_none() {
        return Err(Wrong::Zone);
    }
    Ok(Filled { name: literal(name), ..rest(after.trim())? })
}

/// `1 2 3` as a set, each day once and in their order.
fn days(text: &str) -> Result<Filled, Wrong> {
    let days: Option<Vec<u8>> = text.split(' ').map(|it| it.parse().ok()).collect();
    let days = days.ok_or(Wrong::Days)?;
    let fit = days.is_sorted_by(|one, next| one < next) && days.iter().all(|day| (1..=7).contains(day));
    let words: Vec<_> = days.iter().map(ToString::to_string).collect();
    if fit { Ok(Filled::value(format!("[{}]", words.join(", ")))) } else { Err(Wrong::Days) }
}

fn time(text: &str) -> Result<Filled, Wrong> {
    duration_of(text).map(|it| Filled::value(literal(&it))).ok_or(Wrong::Time)
}

/// `09:30` as a length of time since midnight: `9h30m`.
fn duration_of(text: &str) -> Option<String> {
    let (hour, minute) = text.split_once(':')?;
    if hour.len() != 2 || minute.len() != 2 {
        return None;
    }
    let (hour, minute): (u8, u8) = (hour.parse().ok()?, minute.parse().ok()?);
    let fit = hour < 24 && minute < 60;
    let minutes = if minute == 0 { String::new() } else { format!("{minute}m") };
    fit.then(|| format!("{hour}h{minutes}"))
}

/// The other way round; `None` for every other way to write it.
fn time_of(duration: &str) -> Option<String> {
    let (hour, rest) = duration.split_once('h')?;
    let minute = if rest.is_empty() { "0" } else { rest.strip_suffix('m')? };
    let (hour, minute): (u8, u8) = (hour.parse().ok()?, minute.parse().ok()?);
    let time = format!("{hour:02}:{minute:02}");
    (duration_of(&time)? == duration).then_some(time)
}

/// An address, or a range of them.
fn is_address(text: &str) -> bool {
    let (base, length) = text.split_once('/').map_or((text, None), |(base, length)| (base, Some(length)));
    let Ok(base) = base.parse::<IpAddr>() else { return false };
    let most = if base.is_ipv4() { 32 } else { 128 };
    length.is_none_or(|it| it.parse::<u8>().is_ok_and(|bits| bits <= most && bits.to_string() == it))
}

/// An instant in UTC as Cedar writes it.
fn is_instant(text: &str) -> bool {
    let shape =
        matches!(text.len(), 20 | 24) && text.as_bytes().get(10) == Some(&b'T') && text.ends_with('Z');
    shape && chrono::DateTime::parse_from_rfc3339(text).is_ok()
}

/// What cannot be seen, or turns around what is beside it.
pub(super) fn is_unseen(letter: char) -> bool {
    matches!(letter, '\u{ad}' | '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}
