//! What people choose about a key, read from a form. Each field says for itself what is wrong with it.

use chrono::{DateTime, TimeDelta, Utc};
use keywarden_domain::{
    authz::Owner,
    keys::{NewKey, Place, TermError},
};
use keywarden_model::{
    AllowedCidrs, Description, Metadata, Name, RateLimit, Scopes, Tags, cidr::CidrError,
    metadata::MetadataError, scope::ScopesError, time::later,
};

use super::moments;
use crate::{
    form::{Errors, Fields},
    pages::{standards::held as standards, tags},
    text::Text,
};

/// Days that a form offers for a key's life.
pub(super) const DAYS: [i64; 3] = [30, 90, 365];

/// The attributes that issuing, importing and editing have in common.
#[derive(Clone, Debug)]
pub(super) struct Terms {
    pub(super) name: Name,
    pub(super) description: Description,
    /// `None`: the person who asks.
    pub(super) owner: Option<Owner>,
    pub(super) scopes: Scopes,
    pub(super) not_before: Option<DateTime<Utc>>,
    pub(super) allowed_cidrs: AllowedCidrs,
    pub(super) rate_limit: Option<RateLimit>,
    pub(super) tags: Tags,
    pub(super) metadata: Metadata,
}

/// Reads them all, so that a refused form says everything at once.
pub(super) fn read(t: Text, fields: &Fields, errors: &mut Errors) -> Option<Terms> {
    let name = fields.text("name").parse().map_err(|wrong| errors.at("name", t.name_wrong(&wrong)));
    let description = fields.text("description").parse();
    let description = description.map_err(|wrong| errors.at("description", t.name_wrong(&wrong)));
    let owner = read_owner(fields.text("owner")).map_err(|()| errors.at("owner", t.form_choose()));
    let scopes = Scopes::parse(words(fields.text("scopes"), |c| c == ',' || c.is_whitespace()));
    let scopes = scopes.map_err(|wrong| {
        errors.at(
            "scopes",
            match wrong {
                ScopesError::Malformed { text, .. } => t.keys_scope_wrong(&text),
                ScopesError::TooMany => t.keys_too_many(64),
            },
        );
    });
    let not_before = optional_moment(t, fields, errors, "not_before");
    let ranges = AllowedCidrs::parse(words(fields.text("allowed_cidrs"), |c| c == ',' || c.is_whitespace()));
    let allowed_cidrs = ranges.map_err(|wrong| {
        errors.at(
            "allowed_cidrs",
            match wrong {
                CidrError::HostBits { given, meant } => t.keys_range_meant(&given, &meant),
                CidrError::Malformed(text) => t.keys_range_wrong(&text),
                CidrError::TooMany => t.keys_too_many(64),
            },
        );
    });
    let rate_limit = read_rate(fields).map_err(|()| errors.at("rate_limit", t.keys_rate_wrong()));
    let tags = tags::read(t, fields, errors);
    let metadata = Metadata::parse(fields.text("metadata")).map_err(|wrong| {
        errors.at(
            "metadata",
            match wrong {
                MetadataError::Deep => t.keys_metadata_deep(),
                MetadataError::Large => t.keys_metadata_large(),
                MetadataError::NotAnObject => t.keys_metadata_wrong(),
                MetadataError::Number => t.keys_metadata_number(),
            },
        );
    });
    Some(Terms {
        name: name.ok()?,
        description: description.ok()?,
        owner: owner.ok()?,
        scopes: scopes.ok()?,
        not_before: not_before.ok()?,
        allowed_cidrs: allowed_cidrs.ok()?,
        rate_limit: rate_limit.ok()?,
        tags: tags?,
        metadata: metadata.ok()?,
    })
}

impl Terms {
    /// As a new key there; without an expiry it lives as long as the environment lets it.
    pub(super) fn into_key(self, place: Place, expires_at: Option<DateTime<Utc>>) -> NewKey {
        NewKey {
            place,
            name: self.name,
            description: self.description,
            owner: self.owner,
            scopes: self.scopes,
            not_before: self.not_before,
            expires_at,
            allowed_cidrs: self.allowed_cidrs,
            rate_limit: self.rate_limit,
            tags: self.tags,
            metadata: self.metadata,
        }
    }
}

/// When a new key expires; `None` is as late as the environment allows. What is wrong is noted.
pub(super) fn read_expiry(
    t: Text,
    fields: &Fields,
    errors: &mut Errors,
    now: DateTime<Utc>,
) -> Result<Option<DateTime<Utc>>, ()> {
    match fields.text("expiry") {
        "date" => {
            let at = moments::read(fields.text("expires_at"));
            at.map(Some).ok_or_else(|| errors.at("expires_at", t.keys_date_wrong()))
        }
        "longest" => Ok(None),
        text => {
            let days = text.parse().ok().filter(|days| DAYS.contains(days));
            let days = days.ok_or_else(|| errors.at("expiry", t.form_choose()))?;
            Ok(Some(later(now, TimeDelta::days(days))))
        }
    }
}

/// A moment, or an empty field. What is wrong is noted.
pub(crate) fn optional_moment(
    t: Text,
    fields: &Fields,
    errors: &mut Errors,
    field: &str,
) -> Result<Option<DateTime<Utc>>, ()> {
    match fields.text(field) {
        "" => Ok(None),
        text => moments::read(text).map(Some).ok_or_else(|| errors.at(field, t.keys_date_wrong())),
    }
}

/// Says at its field why terms do not stand.
pub(super) fn note(t: Text, errors: &mut Errors, error: &TermError) {
    match error {
        TermError::ExpiresBeforeItBegins => errors.at("expires_at", t.keys_expires_before()),
        TermError::ExpiresInThePast => errors.at("expires_at", t.keys_expires_past()),
        TermError::HasBegun => errors.at("not_before", t.keys_has_begun()),
        TermError::LivesTooLong { latest } => {
            errors.at("expires_at", t.keys_lives_too_long(&moments::minute(*latest)));
        }
        TermError::NameTaken => errors.at("name", t.keys_name_taken()),
        TermError::OwnerUnknown => errors.at("owner", t.keys_owner_unknown()),
        TermError::Standard(breach) => standards::note(t, errors, breach),
    }
}

fn read_owner(text: &str) -> Result<Option<Owner>, ()> {
    if text.is_empty() { Ok(None) } else { Owner::parse(text).map(Some).ok_or(()) }
}

fn read_rate(fields: &Fields) -> Result<Option<RateLimit>, ()> {
    let limit = fields.text("rate_limit");
    if limit.is_empty() {
        return Ok(None);
    }
    let limit = limit.parse().map_err(|_| ())?;
    let window = fields.text("rate_window").parse().map_err(|_| ())?;
    RateLimit::new(limit, window).map(Some).map_err(|_| ())
}

fn words(text: &str, apart: fn(char) -> bool) -> impl Iterator<Item = &str> {
    text.split(apart).map(str::trim).filter(|word| !word.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(body: &str) -> Fields {
        Fields::parse(body.as_bytes()).unwrap()
    }

    #[test]
    fn lists_are_read_by_line_or_comma() {
        let body = "name=pay&scopes=orders:read,orders:write%0Arefunds:*&allowed_cidrs=10.0.0.0/8+::1&\
            tags=team=payments+leads,%0Alive&rate_limit=100&rate_window=60&metadata={\"a\":1}";
        let mut errors = Errors::new();
        let terms = read(Text::default(), &fields(body), &mut errors).unwrap();
        assert!(!errors.any(), "{errors:?}");
        assert_eq!(terms.scopes.iter().count(), 3);
        assert_eq!(terms.allowed_cidrs.iter().count(), 2);
        assert_eq!(terms.tags.words(), ["live", "team=payments leads"]);
        assert_eq!(terms.rate_limit, Some(RateLimit::new(100, 60).unwrap()));
        assert_eq!(terms.owner, None);
    }

    #[test]
    fn every_wrong_field_is_named_at_once() {
        let body = "name=+&owner=nobody&scopes=Orders&not_before=soon&allowed_cidrs=10.1.2.3/8&rate_limit=0&\
            rate_window=60&tags=Team&metadata=[]";
        let mut errors = Errors::new();
        assert!(read(Text::default(), &fields(body), &mut errors).is_none());
        for field in
            ["name", "owner", "scopes", "not_before", "allowed_cidrs", "rate_limit", "tags", "metadata"]
        {
            assert!(errors.of(field).is_some(), "{field}");
        }
        assert!(errors.of("allowed_cidrs").unwrap().contains("10.0.0.0/8"));
    }

    #[test]
    fn an_expiry_is_days_a_date_or_as_late_as_may_be() {
        let now = DateTime::UNIX_EPOCH;
        let read = |body: &str| {
            let mut errors = Errors::new();
            let at = read_expiry(Text::default(), &fields(body), &mut errors, now);
            assert_eq!(at.is_err(), errors.any(), "{body}");
            at
        };
        assert_eq!(read("expiry=90"), Ok(Some(now + TimeDelta::days(90))));
        assert_eq!(read("expiry=longest"), Ok(None));
        assert_eq!(read("expiry=date&expires_at=1970-01-02T00:00"), Ok(Some(now + TimeDelta::days(1))));
        assert_eq!(read("expiry=date"), Err(()));
        assert_eq!(read("expiry=91"), Err(()));
        assert_eq!(read(""), Err(()));
    }
}
