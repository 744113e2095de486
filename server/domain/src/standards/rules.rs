//! What a standard asks for, and whether a thing is so. Pure: no store, no clock.

use std::collections::BTreeSet;
use std::str::FromStr;

use chrono::{DateTime, TimeDelta, Utc};
use keywarden_model::time::later;
use keywarden_model::{KeyLabel, Scope, Scopes, Slug, StandardId, StandardRule, Tag, Tags};
use serde::{Deserialize, Deserializer, Serialize};

use super::pattern::NamePattern;

/// A number of days: 1 to 3 650.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub struct Days(u32);

/// Not a number of days.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("use 1 to 3650 days")]
pub struct DaysError;

/// An environment as a standard names it: by its slug, or by the label that its keys show.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub struct EnvironmentWord(String);

/// Neither a slug nor a label.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("name environments by slug or label, such as `production`")]
pub struct EnvironmentWordError;

/// How many environments a standard names at most.
pub const MOST_ENVIRONMENTS: usize = 32;

/// What a standard asks for. An empty field asks for nothing.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Rules {
    /// Which environments it is about, by slug or label; none: all of them.
    pub environments: BTreeSet<EnvironmentWord>,
    /// The form of keys' names.
    pub key_names: Option<NamePattern>,
    /// The form of secrets' paths.
    pub secret_names: Option<NamePattern>,
    /// How long after its newest value was made a key expires at the latest.
    pub key_lifetime_days: Option<Days>,
    /// How long after its newest value was made a key is rotated at the latest.
    pub key_rotation_days: Option<Days>,
    /// How long after its current version was made a secret gets another one at the latest.
    pub secret_rotation_days: Option<Days>,
    /// Whether keys and secrets belong to a team.
    pub team_owner: bool,
    /// Tags of keys and secrets: `team` is there with any value, `team=payments` with this one.
    pub tags: Tags,
    /// Scopes that need an approval: no key is given one that it covers or that covers it.
    pub approved_scopes: Scopes,
    /// Whether whoever reads a value says why.
    pub reads_need_reason: bool,
}

/// Something that is asked for, and is not so.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
pub enum Demand {
    /// It does not expire soon enough.
    #[error("keys live {days} days at most here, choose an earlier expiry")]
    KeyLifetime {
        /// At most so many.
        days: u32,
    },
    /// Its name has another form.
    #[error("names of keys look like `{pattern}` here, choose such a name")]
    KeyName {
        /// The form.
        pattern: String,
    },
    /// It was not rotated for too long.
    #[error("keys are rotated every {days} days here, rotate it")]
    KeyRotation {
        /// At most so many.
        days: u32,
    },
    /// It belongs to a person.
    #[error("keys and secrets belong to a team here, choose a team as the owner")]
    Owner,
    /// Values are read there without a reason.
    #[error("whoever reads a value says why here")]
    Reason,
    /// It has a scope that needs an approval.
    #[error("the scope `{scope}` needs an approval here, which cannot be asked for yet: leave it out")]
    Scope {
        /// The scope that the key has.
        scope: String,
    },
    /// Its path has another form.
    #[error("paths of secrets look like `{pattern}` here, choose such a path")]
    SecretName {
        /// The form.
        pattern: String,
    },
    /// It has had its value for too long.
    #[error("secrets get a new value every {days} days here, put one")]
    SecretRotation {
        /// At most so many.
        days: u32,
    },
    /// A tag is missing.
    #[error("the tag `{tag}` is asked for here, add it")]
    Tag {
        /// As it is asked for.
        tag: String,
    },
    /// What is asked for cannot be read.
    #[error("its rules cannot be read, end it or put another version of it in force")]
    Unreadable,
}

/// A standard that something breaks.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the standard `{name}` is in force: {demand}")]
pub struct Breach {
    /// Which one.
    pub standard: StandardId,
    /// What people call it.
    pub name: String,
    /// What it asks for.
    pub demand: Demand,
}

/// What of a key is held against standards.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct KeyStand<'a> {
    pub(crate) name: &'a str,
    pub(crate) of_team: bool,
    pub(crate) tags: &'a Tags,
    pub(crate) scopes: &'a Scopes,
    pub(crate) expires_at: Option<DateTime<Utc>>,
    /// When its newest value was made.
    pub(crate) since: DateTime<Utc>,
}

/// What of a secret is held against standards.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SecretStand<'a> {
    pub(crate) path: &'a str,
    pub(crate) of_team: bool,
    pub(crate) tags: &'a Tags,
    /// When its current version was made, if it has one.
    pub(crate) since: Option<DateTime<Utc>>,
}

impl Days {
    /// As a number.
    pub fn number(self) -> u32 {
        self.0
    }

    /// As a span of time.
    pub fn span(self) -> TimeDelta {
        TimeDelta::days(self.0.into())
    }
}

impl TryFrom<i64> for Days {
    type Error = DaysError;
    fn try_from(days: i64) -> Result<Self, DaysError> {
        u32::try_from(days).ok().filter(|days| (1..=3_650).contains(days)).map(Self).ok_or(DaysError)
    }
}

impl FromStr for Days {
    type Err = DaysError;
    fn from_str(text: &str) -> Result<Self, DaysError> {
        text.parse::<i64>().map_err(|_| DaysError)?.try_into()
    }
}

impl<'de> Deserialize<'de> for Days {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        i64::deserialize(d)?.try_into().map_err(serde::de::Error::custom)
    }
}

impl EnvironmentWord {
    /// As written.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for EnvironmentWord {
    type Err = EnvironmentWordError;
    fn from_str(text: &str) -> Result<Self, EnvironmentWordError> {
        let fits = text.parse::<Slug>().is_ok() || text.parse::<KeyLabel>().is_ok();
        fits.then(|| Self(text.to_owned())).ok_or(EnvironmentWordError)
    }
}

impl<'de> Deserialize<'de> for EnvironmentWord {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        String::deserialize(d)?.parse().map_err(serde::de::Error::custom)
    }
}

impl Demand {
    /// By which rule, where that is known.
    pub fn rule(&self) -> Option<StandardRule> {
        Some(match self {
            Self::KeyLifetime { .. } => StandardRule::KeyLifetime,
            Self::KeyName { .. } => StandardRule::KeyName,
            Self::KeyRotation { .. } => StandardRule::KeyRotation,
            Self::Owner => StandardRule::Owner,
            Self::Reason => StandardRule::Reason,
            Self::Scope { .. } => StandardRule::Scope,
            Self::SecretName { .. } => StandardRule::SecretName,
            Self::SecretRotation { .. } => StandardRule::SecretRotation,
            Self::Tag { .. } => StandardRule::Tag,
            Self::Unreadable => return None,
        })
    }

    /// Whether time alone brings it about: then nothing is refused for it.
    pub fn is_of_time(&self) -> bool {
        self.rule().is_some_and(StandardRule::is_broken_by_time)
    }
}

impl Rules {
    /// Whether nothing is asked for.
    pub fn is_empty(&self) -> bool {
        let Self {
            environments: _,
            key_names,
            secret_names,
            key_lifetime_days,
            key_rotation_days,
            secret_rotation_days,
            team_owner,
            tags,
            approved_scopes,
            reads_need_reason,
        } = self;
        key_names.is_none()
            && secret_names.is_none()
            && key_lifetime_days.is_none()
            && key_rotation_days.is_none()
            && secret_rotation_days.is_none()
            && !team_owner
            && tags.is_empty()
            && approved_scopes.is_empty()
            && !reads_need_reason
    }

    /// Whether they are about an environment of this slug and label.
    pub fn are_about(&self, slug: &str, label: &str) -> bool {
        let named = |it: &EnvironmentWord| it.0 == slug || it.0 == label;
        self.environments.is_empty() || self.environments.iter().any(named)
    }

    /// The environments as rows hold them: `,production,live,`, or nothing.
    pub(crate) fn environments_text(&self) -> String {
        if self.environments.is_empty() {
            return String::new();
        }
        let words: Vec<_> = self.environments.iter().map(EnvironmentWord::as_str).collect();
        format!(",{},", words.join(","))
    }

    /// Whether they ask anything of keys.
    pub(crate) fn ask_of_keys(&self) -> bool {
        self.key_names.is_some()
            || self.key_lifetime_days.is_some()
            || self.key_rotation_days.is_some()
            || self.ask_of_both()
            || !self.approved_scopes.is_empty()
    }

    /// Whether they ask anything of secrets.
    pub(crate) fn ask_of_secrets(&self) -> bool {
        self.secret_names.is_some() || self.secret_rotation_days.is_some() || self.ask_of_both()
    }

    fn ask_of_both(&self) -> bool {
        self.team_owner || !self.tags.is_empty()
    }

    /// What they ask of a key that is not so.
    pub(crate) fn of_key(&self, key: &KeyStand<'_>, now: DateTime<Utc>) -> Vec<Demand> {
        let mut demands = self.of_both(key.of_team, key.tags);
        if let Some(pattern) = self.key_names.as_ref().filter(|it| !it.fits(key.name)) {
            demands.push(Demand::KeyName { pattern: pattern.to_string() });
        }
        let late = |days: Days| key.expires_at.is_none_or(|end| end > later(key.since, days.span()));
        if let Some(days) = self.key_lifetime_days.filter(|days| late(*days)) {
            demands.push(Demand::KeyLifetime { days: days.number() });
        }
        if let Some(days) = self.key_rotation_days.filter(|days| later(key.since, days.span()) < now) {
            demands.push(Demand::KeyRotation { days: days.number() });
        }
        let kept_back = |scope: &Scope| {
            self.approved_scopes.iter().any(|listed| listed.covers(scope) || scope.covers(listed))
        };
        let scopes = key.scopes.iter().filter(|scope| kept_back(scope));
        demands.extend(scopes.map(|scope| Demand::Scope { scope: scope.to_string() }));
        demands.sort();
        demands
    }

    /// What they ask of a secret that is not so.
    pub(crate) fn of_secret(&self, secret: &SecretStand<'_>, now: DateTime<Utc>) -> Vec<Demand> {
        let mut demands = self.of_both(secret.of_team, secret.tags);
        if let Some(pattern) = self.secret_names.as_ref().filter(|it| !it.fits(secret.path)) {
            demands.push(Demand::SecretName { pattern: pattern.to_string() });
        }
        let old = |days: Days| secret.since.is_some_and(|since| later(since, days.span()) < now);
        if let Some(days) = self.secret_rotation_days.filter(|days| old(*days)) {
            demands.push(Demand::SecretRotation { days: days.number() });
        }
        demands.sort();
        demands
    }

    fn of_both(&self, of_team: bool, tags: &Tags) -> Vec<Demand> {
        let mut demands = Vec::new();
        if self.team_owner && !of_team {
            demands.push(Demand::Owner);
        }
        for wanted in self.tags.words() {
            let there = match wanted.parse::<Tag>() {
                Ok(_) if wanted.contains('=') => tags.words().contains(&wanted),
                _ => tags.iter().any(|(name, _)| name == wanted),
            };
            if !there {
                demands.push(Demand::Tag { tag: wanted });
            }
        }
        demands
    }
}

#[cfg(test)]
mod tests {
    use super::super::report::ReportPlace;
    use super::*;

    fn at(days: i64) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + TimeDelta::days(days)
    }

    fn rules(json: &str) -> Rules {
        serde_json::from_str(json).unwrap()
    }

    /// What people write of standards, changed by chance (S-28).
    #[test]
    fn parsers_of_standards_read_or_refuse_what_comes() {
        let specimens = [
            "[a-z]+-(live|test)",
            "90",
            "production",
            "env_01JDB2W1N9F6Q3R8T5V7X9Z0AB",
            r#"{"environments":["live"],"key_names":"[a-z-]+","key_lifetime_days":90,"tags":["team=payments"]}"#,
        ];
        keywarden_garble::texts(&specimens, |text| {
            if let Ok(pattern) = text.parse::<NamePattern>() {
                std::hint::black_box(pattern.fits(text));
            }
            drop((text.parse::<Days>(), text.parse::<EnvironmentWord>(), text.parse::<ReportPlace>()));
            drop(serde_json::from_str::<Rules>(text));
        });
    }

    #[test]
    fn rules_come_back_as_they_were_written_and_nothing_else_is_read() {
        let all = r#"{"environments":["live","production"],"key_names":"[a-z-]+","secret_names":"[a-z/]+",
            "key_lifetime_days":90,"key_rotation_days":30,"secret_rotation_days":60,"team_owner":true,
            "tags":["cost","team=payments"],"approved_scopes":["refunds:*"],"reads_need_reason":true}"#;
        let all = rules(all);
        assert!(!all.is_empty());
        let text = serde_json::to_string(&all).unwrap();
        assert_eq!(rules(&text), all);
        assert_eq!(all.environments_text(), ",live,production,");
        assert!(rules("{}").is_empty() && rules(r#"{"environments":["live"]}"#).is_empty());
        for wrong in [
            r#"{"key_lifetime_days":0}"#,
            r#"{"key_lifetime_days":3651}"#,
            r#"{"key_names":"("}"#,
            r#"{"environments":["a,b"]}"#,
            r#"{"environments":["%"]}"#,
            r#"{"colour":"red"}"#,
        ] {
            assert!(serde_json::from_str::<Rules>(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn an_environment_is_meant_by_its_slug_or_its_label() {
        let all = rules("{}");
        let some = rules(r#"{"environments":["production"]}"#);
        assert!(all.are_about("staging", "stg"));
        assert!(some.are_about("production", "live") && some.are_about("eu", "production"));
        assert!(!some.are_about("staging", "test"));
    }

    #[test]
    fn each_rule_names_what_is_not_so() {
        let rules = rules(
            r#"{"key_names":"pay-.*","key_lifetime_days":90,"key_rotation_days":30,"team_owner":true,
                "tags":["cost","team=payments"],"approved_scopes":["refunds:*"]}"#,
        );
        let tags = Tags::parse(["cost=12", "team=books"]).unwrap();
        let scopes = Scopes::parse(["orders:read", "refunds:write", "*"]).unwrap();
        let bad = KeyStand {
            name: "books",
            of_team: false,
            tags: &tags,
            scopes: &scopes,
            expires_at: None,
            since: at(0),
        };
        let said = rules.of_key(&bad, at(31));
        let expected = [
            Demand::KeyLifetime { days: 90 },
            Demand::KeyName { pattern: "pay-.*".into() },
            Demand::KeyRotation { days: 30 },
            Demand::Owner,
            Demand::Scope { scope: "*".into() },
            Demand::Scope { scope: "refunds:write".into() },
            Demand::Tag { tag: "team=payments".into() },
        ];
        assert_eq!(said, expected);

        let tags = Tags::parse(["cost", "team=payments"]).unwrap();
        let scopes = Scopes::parse(["orders:read"]).unwrap();
        let good = KeyStand {
            name: "pay-1",
            of_team: true,
            tags: &tags,
            scopes: &scopes,
            expires_at: Some(at(90)),
            since: at(0),
        };
        assert_eq!(rules.of_key(&good, at(30)), []);
        let late = KeyStand { expires_at: Some(at(90) + TimeDelta::microseconds(1)), ..good };
        assert_eq!(rules.of_key(&late, at(30)), [Demand::KeyLifetime { days: 90 }]);
    }

    #[test]
    fn a_secret_without_a_current_version_is_not_old() {
        let rules = rules(r#"{"secret_names":"[a-z]+/[a-z]+","secret_rotation_days":30}"#);
        let tags = Tags::default();
        let secret = SecretStand { path: "db/password", of_team: false, tags: &tags, since: None };
        assert_eq!(rules.of_secret(&secret, at(1_000)), []);
        let old = SecretStand { path: "Password", since: Some(at(0)), ..secret };
        let said = rules.of_secret(&old, at(31));
        let name = Demand::SecretName { pattern: "[a-z]+/[a-z]+".into() };
        assert_eq!(said, [name, Demand::SecretRotation { days: 30 }]);
    }
}
