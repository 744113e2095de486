//! Urlencoded bodies, read strictly.

use std::{collections::BTreeMap, fmt};

use axum::{
    body::{Body, Bytes, to_bytes},
    extract::{FromRef, FromRequest, FromRequestParts as _, Request},
    response::Response,
};
use http::{StatusCode, header, request::Parts};
use keywarden_domain::Settings;
use zeroize::Zeroizing;

use crate::{console::Console, render, shell::Shell, shell::Visit};

/// Room for two lists of 200 things to tick, and what stands beside them.
const MOST_FIELDS: usize = 500;
const LONGEST_NAME: usize = 100;
const LONGEST_FIELD: usize = 64 << 10;

/// How much a form may hold, in bytes.
#[derive(Clone, Copy, Debug)]
pub struct Room {
    /// The body, urlencoded.
    body: usize,
    /// One field, as it was typed.
    field: usize,
}

impl Room {
    /// For a large form; uploads do not come this way.
    pub const USUAL: Self = Self { body: 128 << 10, field: LONGEST_FIELD };

    /// For a form in which a value is written: it may be all ends of lines, which are two bytes each, and in base64 it is
    /// longer by a third.
    pub fn for_value(settings: &Settings) -> Self {
        let field = settings.max_value.saturating_mul(2).max(LONGEST_FIELD);
        Self { body: settings.longest_post(), field }
    }
}

/// The hidden field of every `Form`.
pub const IDEMPOTENCY_KEY: &str = "idempotency_key";

/// Why a body is no form of ours. A browser never sends one of these by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FieldsError {
    #[error("this is not a urlencoded form")]
    Kind,
    #[error("the field came twice")]
    Repeated,
    #[error("the form is too large")]
    TooLarge,
    #[error("a field is not text")]
    Unreadable,
}

impl FieldsError {
    pub(super) fn status(self) -> StatusCode {
        match self {
            Self::Kind => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::Repeated | Self::Unreadable => StatusCode::BAD_REQUEST,
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
        }
    }
}

/// The fields of a posted form by name. A name comes once, unless it ends in `[]` (`scopes[]`: a group of
/// checkboxes). They may hold secrets: `Debug` shows names only, the values are zeroized.
#[derive(Clone, Default)]
pub struct Fields(BTreeMap<String, Vec<Zeroizing<String>>>);

impl Fields {
    /// Reads the body of a form in which no value is written. Line ends become `\n`; other control characters except tab are
    /// refused.
    pub fn parse(body: &[u8]) -> Result<Self, FieldsError> {
        Self::within(Room::USUAL, body)
    }

    /// As [`Fields::parse`], for a form that has so much room.
    pub fn within(room: Room, body: &[u8]) -> Result<Self, FieldsError> {
        if body.len() > room.body {
            return Err(FieldsError::TooLarge);
        }
        let mut fields = Self::default();
        for (count, (name, value)) in form_urlencoded::parse(body).enumerate() {
            if count >= MOST_FIELDS {
                return Err(FieldsError::TooLarge);
            }
            fields.add(room, &name, &value)?;
        }
        Ok(fields)
    }

    /// One more field, as strictly.
    pub(super) fn add(&mut self, room: Room, name: &str, value: &str) -> Result<(), FieldsError> {
        if self.0.len() >= MOST_FIELDS || name.len() > LONGEST_NAME || value.len() > room.field {
            return Err(FieldsError::TooLarge);
        }
        let value = Zeroizing::new(value.replace("\r\n", "\n"));
        if !is_text(name) || !is_text(&value) {
            return Err(FieldsError::Unreadable);
        }
        let values = self.0.entry(name.to_owned()).or_default();
        values.push(value);
        if values.len() > 1 && !name.ends_with("[]") { Err(FieldsError::Repeated) } else { Ok(()) }
    }

    /// The field without the blanks around it; empty if it did not come.
    pub fn text(&self, name: &str) -> &str {
        self.raw(name).trim()
    }

    /// The field as it came; empty if it did not.
    pub fn raw(&self, name: &str) -> &str {
        self.many(name).next().unwrap_or_default()
    }

    /// Every value of a field that may come several times.
    pub fn many(&self, name: &str) -> impl Iterator<Item = &str> {
        self.0.get(name).into_iter().flatten().map(|value| value.as_str())
    }

    /// Every value of the fields whose names start so.
    pub fn starting<'a>(&'a self, start: &'a str) -> impl Iterator<Item = &'a str> {
        let fields = self.0.iter().filter(move |(name, _)| name.starts_with(start));
        fields.flat_map(|(_, values)| values.iter().map(|value| value.as_str()))
    }

    /// Whether a checkbox was ticked.
    pub fn ticked(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    /// The form's idempotency key; empty if a program posted without one.
    pub fn idempotency_key(&self) -> &str {
        self.text(IDEMPOTENCY_KEY)
    }
}

/// U+FFFD is what the decoder put where bytes were not UTF-8.
fn is_text(text: &str) -> bool {
    !text.chars().any(|c| c == char::REPLACEMENT_CHARACTER || (c.is_control() && c != '\n' && c != '\t'))
}

impl fmt::Debug for Fields {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

impl Fields {
    /// Reads a request's body within this room; what is no form of ours gets the page that says so. Gives the bytes, too.
    pub(crate) async fn read<S: Send + Sync>(
        room: Room,
        parts: &mut Parts,
        body: Body,
        state: &S,
    ) -> Result<(Self, Bytes), Response>
    where
        Console: FromRef<S>,
    {
        let kind = parts.headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
        let kind = kind.and_then(|kind| kind.split(';').next()).unwrap_or_default().trim();
        let is_form = kind.eq_ignore_ascii_case("application/x-www-form-urlencoded");
        let read = async {
            if !is_form {
                return Err(FieldsError::Kind);
            }
            // The limit of the server's own layer answers first where it is lower.
            let bytes = to_bytes(body, room.body).await.map_err(|_| FieldsError::TooLarge)?;
            Ok((Self::within(room, &bytes)?, bytes))
        };
        let error = match read.await {
            Ok(read) => return Ok(read),
            Err(error) => error,
        };
        tracing::info!(%error, "form refused");
        let visit = match Visit::from_request_parts(parts, state).await {
            Ok(visit) => visit,
            Err(never) => match never {},
        };
        Err(render::refused_form(&Shell::unmoved(Console::from_ref(state), visit), error.status()))
    }
}

/// As a handler's last argument; the state must hand out a [`Console`] for the page that says what is wrong.
impl<S: Send + Sync> FromRequest<S> for Fields
where
    Console: FromRef<S>,
{
    type Rejection = Response;

    async fn from_request(request: Request, state: &S) -> Result<Self, Response> {
        let (mut parts, body) = request.into_parts();
        Ok(Self::read(Room::USUAL, &mut parts, body, state).await?.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_found_by_name() {
        let fields = Fields::parse(b"name=+pay%2Dprod+&note=a%0D%0Ab&on=1&scopes[]=a&scopes[]=b").unwrap();
        assert_eq!(fields.text("name"), "pay-prod");
        assert_eq!(fields.raw("name"), " pay-prod ");
        assert_eq!(fields.raw("note"), "a\nb");
        assert!(fields.ticked("on") && !fields.ticked("off"));
        assert_eq!(fields.many("scopes[]").collect::<Vec<_>>(), ["a", "b"]);
        assert_eq!(fields.text("ghost"), "");
        assert_eq!(fields.starting("no").collect::<Vec<_>>(), ["a\nb"]);
    }

    #[test]
    fn what_no_browser_sends_is_refused() {
        for (body, error) in [
            ("name=a&name=b", FieldsError::Repeated),
            ("scopes[]=a&name=a&scopes[]=b&name=b", FieldsError::Repeated),
            ("name=%FF", FieldsError::Unreadable),
            ("name=a%00b", FieldsError::Unreadable),
            ("na%0Dme=a", FieldsError::Unreadable),
        ] {
            assert_eq!(Fields::parse(body.as_bytes()).unwrap_err(), error, "{body}");
        }
        let crowd = "a[]=1&".repeat(MOST_FIELDS + 1);
        let novel = format!("a={}", "x".repeat(LONGEST_FIELD + 1));
        let heavy = "a[]=xxxxxxxxxxxxxxxx&".repeat(Room::USUAL.body / 20);
        for body in [crowd, novel, heavy] {
            assert_eq!(Fields::parse(body.as_bytes()).unwrap_err(), FieldsError::TooLarge);
        }
    }

    #[test]
    fn debug_shows_no_value() {
        let fields = Fields::parse(b"code=hunter2").unwrap();
        assert_eq!(format!("{fields:?}"), "{\"code\"}");
    }
}
