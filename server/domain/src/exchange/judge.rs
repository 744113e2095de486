//! Whether a token that was proven lets somebody in. Pure.

use chrono::{DateTime, TimeDelta, Utc};
use keywarden_model::time::later;
use keywarden_model::trust::ClaimShape;
use serde_json::{Map, Value};

use crate::trust::TrustRule;

/// By how much two clocks may differ.
const LEEWAY: TimeDelta = TimeDelta::seconds(60);
/// The longest that a token may be good: one that lasts longer is a static secret.
const LONGEST: TimeDelta = TimeDelta::hours(24);
/// Values of an `aud`.
const AUDIENCES: usize = 20;

/// Why a token that its issuer signed was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    /// It was made for somebody else.
    Audience,
    /// Its claims are not those of the rule.
    Claims,
    /// It is not good yet.
    Early,
    /// It was good.
    Expired,
    /// It was exchanged before, and counts once.
    Spent,
    /// It says not from when to when it is good, or for too long.
    Times,
}

impl Why {
    /// All of them.
    pub const ALL: [Self; 6] =
        [Self::Audience, Self::Claims, Self::Early, Self::Expired, Self::Spent, Self::Times];

    /// The stable word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Audience => "audience",
            Self::Claims => "claims",
            Self::Early => "early",
            Self::Expired => "expired",
            Self::Spent => "spent",
            Self::Times => "times",
        }
    }

    /// From its word.
    pub fn named(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|why| why.word() == word)
    }
}

/// Until when it is good, if it is good now.
pub(super) fn times(claims: &Map<String, Value>, now: DateTime<Utc>) -> Result<DateTime<Utc>, Why> {
    let instant = |name: &str| claims.get(name).map(|value| seconds(value).ok_or(Why::Times)).transpose();
    let (Some(issued), Some(expires)) = (instant("iat")?, instant("exp")?) else { return Err(Why::Times) };
    if expires <= issued || expires - issued > LONGEST {
        return Err(Why::Times);
    }
    if now >= later(expires, LEEWAY) {
        return Err(Why::Expired);
    }
    let soon = later(now, LEEWAY);
    if issued > soon || instant("nbf")?.is_some_and(|from| from > soon) {
        return Err(Why::Early);
    }
    Ok(expires)
}

/// `NumericDate` (RFC 7519, 2), to the second. What no calendar of ours holds is none.
fn seconds(value: &Value) -> Option<DateTime<Utc>> {
    const BOUND: f64 = 1e11;
    let seconds = value.as_f64().filter(|it| it.is_finite() && (0.0..BOUND).contains(it))?;
    #[expect(clippy::cast_possible_truncation, reason = "it is within bounds, and a second is fine enough")]
    DateTime::from_timestamp(seconds as i64, 0)
}

/// Whether this rule admits such a token.
pub(super) fn admits(rule: &TrustRule, claims: &Map<String, Value>) -> Result<(), Why> {
    if !is_for(claims, rule.terms.audience.as_str()) {
        return Err(Why::Audience);
    }
    match misses(rule, claims).next() {
        None => Ok(()),
        Some(_) => Err(Why::Claims),
    }
}

/// How much of the rule fits, for telling whose rule a refused token was meant for.
pub(super) fn nearness(rule: &TrustRule, claims: &Map<String, Value>) -> usize {
    let fits = rule.terms.claims.iter().len().saturating_sub(misses(rule, claims).count());
    fits.saturating_mul(2).saturating_add(is_for(claims, rule.terms.audience.as_str()).into())
}

fn misses<'a>(rule: &'a TrustRule, claims: &'a Map<String, Value>) -> impl Iterator<Item = &'a str> {
    rule.terms.claims.misses(|name| claims.get(name).map(shape))
}

/// One text, or a list of nothing but texts (RFC 7519, 4.1.3).
fn is_for(claims: &Map<String, Value>, audience: &str) -> bool {
    match claims.get("aud") {
        Some(Value::String(only)) => only == audience,
        Some(Value::Array(several)) => {
            several.len() <= AUDIENCES
                && several.iter().all(Value::is_string)
                && several.iter().any(|one| one.as_str() == Some(audience))
        }
        _ => false,
    }
}

/// A claim, as rules compare it.
pub(crate) fn shape(value: &Value) -> ClaimShape {
    match value {
        Value::String(text) => ClaimShape::Text(text.clone()),
        Value::Bool(_) => ClaimShape::Text(value.to_string()),
        Value::Number(number) if !number.is_f64() => ClaimShape::Text(value.to_string()),
        _ => ClaimShape::Other,
    }
}
