//! Lists of keys, within what the caller may see.

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, TimeDelta, Utc};
use keywarden_model::{ApiKeyId, EnvironmentId, KeyState, Name, ProjectId, Tag, time::earlier};
use keywarden_store::keys::list::{self as rows, After, Filter, Rank};
use keywarden_store::keys::{KeyRow, ValueRow, value_by_public_id, values_of_many};
use keywarden_vault::token::{self, PublicId};

use super::key::{Key, KeyValue};
use crate::authz::{Owner, Reach};
use crate::refused::carries_refused;
use crate::{Action, Domain, Fault, Op, Refused};

/// More keys than this are "many".
const COUNTED: u32 = 10_000;

/// What a list is ordered by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Order {
    /// When they were issued, newest first.
    #[default]
    Created,
    /// When they expire, soonest first.
    Expires,
    /// When they were last used, latest first.
    LastUsed,
    /// By name.
    Name,
}

impl Order {
    /// All, alphabetical.
    pub const ALL: [Self; 4] = [Self::Created, Self::Expires, Self::LastUsed, Self::Name];

    /// The word in addresses.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Expires => "expires",
            Self::LastUsed => "last-used",
            Self::Name => "name",
        }
    }

    /// From its word.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|order| order.as_str() == text)
    }

    fn row_order(self) -> rows::Order {
        match self {
            Self::Created => rows::Order::Created,
            Self::Expires => rows::Order::Expires,
            Self::LastUsed => rows::Order::LastUsed,
            Self::Name => rows::Order::Name,
        }
    }

    fn descends(self, reversed: bool) -> bool {
        matches!(self, Self::Created | Self::LastUsed) != reversed
    }
}

/// For how many days a key was not used, although it was there: 1 to 3 650.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UnusedDays(u16);

/// Not a number of days.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("use a whole number of days, from 1 to 3650")]
pub struct UnusedDaysError;

impl UnusedDays {
    /// When the days began.
    fn began(self, now: DateTime<Utc>) -> DateTime<Utc> {
        earlier(now, TimeDelta::days(self.0.into()))
    }
}

impl FromStr for UnusedDays {
    type Err = UnusedDaysError;
    fn from_str(text: &str) -> Result<Self, UnusedDaysError> {
        text.parse().ok().filter(|days| (1..=3_650).contains(days)).map(Self).ok_or(UnusedDaysError)
    }
}

impl fmt::Display for UnusedDays {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// What is looked for. Empty fields do not narrow.
#[derive(Debug, Clone, Default)]
pub struct KeyQuery {
    /// In this project.
    pub project: Option<ProjectId>,
    /// In this environment.
    pub environment: Option<EnvironmentId>,
    /// In this state.
    pub state: Option<KeyState>,
    /// Of this person or team.
    pub owner: Option<Owner>,
    /// With this tag.
    pub tag: Option<Tag>,
    /// Not used for so long.
    pub unused: Option<UnusedDays>,
    /// A part of the name in any spelling, an id, a public id, or a whole value (of which only the public part counts).
    pub search: Option<String>,
    /// The order.
    pub order: Order,
    /// The other way round.
    pub reversed: bool,
    /// Where to go on: [`KeyPage::next`] of the page before.
    pub cursor: Option<String>,
    /// At most this many: 1 to 200.
    pub limit: u32,
}

/// A key in a list.
#[derive(Debug, Clone)]
pub struct KeyLine {
    /// The key.
    pub key: Key,
    /// Its state now.
    pub state: KeyState,
    /// Its values, newest first.
    pub values: Vec<KeyValue>,
}

/// A page of keys.
#[derive(Debug)]
pub struct KeyPage {
    /// The keys.
    pub keys: Vec<KeyLine>,
    /// Give it as [`KeyQuery::cursor`] for the next page; `None` at the end.
    pub next: Option<String>,
}

/// Why there is no list.
#[derive(Debug, thiserror::Error)]
pub enum ListError {
    /// Not a cursor of a list in this order.
    #[error("this cursor belongs to no list in this order: begin without one")]
    Cursor,
    /// As everywhere.
    #[error(transparent)]
    Refused(#[from] Refused),
}
carries_refused!(ListError);

impl Domain {
    /// A page of the keys that the caller may see.
    pub async fn keys(&self, op: &Op, query: &KeyQuery) -> Result<KeyPage, ListError> {
        let filter = self.key_filter(op, query, Action::ViewKey).await?;
        let (order, descending) = (query.order.row_order(), query.order.descends(query.reversed));
        let after = query.cursor.as_deref().map(|text| read_cursor(text, query.order)).transpose()?;
        let limit = query.limit.clamp(1, 200);
        let mut conn = self.store().read().await?;
        let mut found =
            rows::list(&mut conn, &filter, order, descending, after.as_ref(), limit.saturating_add(1))
                .await?;
        let more = found.len() > limit as usize;
        found.truncate(limit as usize);
        let next = found.last().filter(|_| more).map(|last| cursor(last, query.order)).transpose()?;
        let ids: Vec<_> = found.iter().map(|row| row.id).collect();
        let values = values_of_many(&mut conn, &ids).await?;
        let keys = found.into_iter().map(|row| line(row, &values, op.now)).collect::<Result<_, _>>()?;
        Ok(KeyPage { keys, next })
    }

    /// How many keys there are of these, up to ten thousand.
    pub async fn count_keys(&self, op: &Op, query: &KeyQuery) -> Result<u64, ListError> {
        let filter = self.key_filter(op, query, Action::ViewKey).await?;
        let mut conn = self.store().read().await?;
        Ok(rows::count(&mut conn, &filter, COUNTED).await?)
    }

    /// What is looked for, within where the caller may do `action`.
    pub(super) async fn key_filter(
        &self,
        op: &Op,
        query: &KeyQuery,
        action: Action,
    ) -> Result<Filter, Refused> {
        let reach = match self.reach(op, action).await? {
            Reach::All => None,
            Reach::Part { projects, owners } => {
                Some((projects, owners.iter().map(ToString::to_string).collect()))
            }
        };
        let search = query.search.as_deref().map(str::trim).filter(|text| !text.is_empty());
        let (id, name_contains) = match search {
            None => (None, None),
            Some(text) => match self.sought_id(text).await? {
                Some(id) => (Some(id), None),
                // What is no name is in no name.
                None => {
                    (None, Some(text.parse::<Name>().map_or_else(|_| text.to_lowercase(), |it| it.folded())))
                }
            },
        };
        Ok(Filter {
            reach,
            project: query.project,
            environment: query.environment,
            owner: query.owner.map(|owner| owner.to_string()),
            tag: query.tag.as_ref().map(ToString::to_string),
            state: query.state,
            stands: false,
            unused_since: query.unused.map(|days| days.began(op.now)),
            name_contains,
            id,
            now: op.now,
        })
    }
}

impl Domain {
    /// The id that is searched for, if it is one. A name may look like a public id: then it is one only if there is a
    /// value that bears it.
    async fn sought_id(&self, text: &str) -> Result<Option<String>, Fault> {
        if let Some(id) = exactly(text) {
            return Ok(Some(id));
        }
        let Ok(id) = text.parse::<PublicId>() else { return Ok(None) };
        let mut conn = self.store().read().await?;
        let found = value_by_public_id(&mut conn, id.as_str()).await?;
        Ok(found.map(|value| value.public_id))
    }
}

/// A text that can only be an id: the search then looks for nothing else. A whole value is cut to its public part.
fn exactly(text: &str) -> Option<String> {
    if let Ok(parsed) = token::parse(text) {
        return Some(parsed.id().to_string());
    }
    if let Ok(id) = text.parse::<ApiKeyId>() {
        return Some(id.to_string());
    }
    // `kwk_live_<public id>_…`, as pages show it.
    let id = text.strip_prefix("kwk_")?.split('_').nth(1)?;
    id.parse::<PublicId>().ok().map(|id| id.to_string())
}

pub(super) fn line(row: KeyRow, values: &[ValueRow], now: DateTime<Utc>) -> Result<KeyLine, Fault> {
    let (key, values) = Key::with_values(row, values, now)?;
    Ok(KeyLine { state: key.state(now), values, key })
}

/// Where a page ends: the order's word, the rank and the id of its last key.
fn cursor(last: &KeyRow, order: Order) -> Result<String, Fault> {
    let name: Name = last.name.parse().map_err(|cause| Fault::Damaged(format!("api_keys: {cause}")))?;
    let rank = match order.row_order().rank(last, &name.folded()) {
        Rank::Moment(at) => at.to_string(),
        Rank::None => String::new(),
        Rank::Text(text) => text,
    };
    Ok(URL_SAFE_NO_PAD.encode(format!("{} {} {rank}", order.as_str(), last.id)))
}

fn read_cursor(text: &str, order: Order) -> Result<After, ListError> {
    let wrong = || ListError::Cursor;
    let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| wrong())?;
    let text = String::from_utf8(bytes).map_err(|_| wrong())?;
    let mut parts = text.splitn(3, ' ');
    let (Some(word), Some(id), Some(rank)) = (parts.next(), parts.next(), parts.next()) else {
        return Err(wrong());
    };
    if word != order.as_str() {
        return Err(wrong());
    }
    let rank = match order {
        Order::Created => Rank::None,
        Order::Expires | Order::LastUsed => Rank::Moment(rank.parse().map_err(|_| wrong())?),
        Order::Name => Rank::Text(rank.to_owned()),
    };
    Ok(After { rank, id: id.parse().map_err(|_| wrong())? })
}
