//! Who is here: lists of people, and one of them.

use chrono::{DateTime, Utc};
use keywarden_model::time::from_micros;
use keywarden_model::{Name, UserId};
use keywarden_store::people::{owned, passkeys, sessions, users};

use crate::{Action, Domain, Fault, Op, Refused, Resource};

/// Whether somebody may sign in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UserState {
    /// They may.
    Active,
    /// They may not, until they are let back in.
    Deactivated,
}

impl UserState {
    /// The stored word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Deactivated => "deactivated",
        }
    }

    fn read(text: &str) -> Result<Self, Fault> {
        [Self::Active, Self::Deactivated]
            .into_iter()
            .find(|state| state.as_str() == text)
            .ok_or_else(|| Fault::Damaged("users: state".into()))
    }
}

/// Which people; empty fields do not narrow.
#[derive(Debug, Clone, Default)]
pub struct UserFilter {
    /// A part of the name, in any spelling.
    pub name: Option<Name>,
    /// The state.
    pub state: Option<UserState>,
}

/// A person in a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedUser {
    /// The id.
    pub id: UserId,
    /// As they are called.
    pub name: String,
    /// Whether they may sign in.
    pub state: UserState,
    /// When they joined.
    pub created_at: DateTime<Utc>,
    /// When a session of theirs was last used.
    pub last_seen_at: Option<DateTime<Utc>>,
}

/// A page of people by name, and where the next one begins.
#[derive(Debug)]
pub struct UserPage {
    /// The people.
    pub users: Vec<ListedUser>,
    /// Continue after this one.
    pub next: Option<UserId>,
}

/// A person. Their roles: [`Domain::roles_of`].
#[derive(Debug, Clone)]
pub struct ShownUser {
    /// The id.
    pub id: UserId,
    /// As they are called.
    pub name: String,
    /// Whether they may sign in.
    pub state: UserState,
    /// When they joined.
    pub created_at: DateTime<Utc>,
    /// Who brought them in: a typed id or a word.
    pub created_by: String,
    /// Since when they may not sign in.
    pub deactivated_at: Option<DateTime<Utc>>,
    /// When a session of theirs was last used.
    pub last_seen_at: Option<DateTime<Utc>>,
    /// Their teams: id and name.
    pub teams: Vec<(String, String)>,
    /// What only they themselves and those who may deactivate them see.
    pub account: Option<Account>,
}

/// How somebody gets in, counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Account {
    /// Passkeys.
    pub passkeys: usize,
    /// Sessions that have not reached their end.
    pub sessions: usize,
    /// Keys that they own.
    pub keys: i64,
}

fn listed(row: users::User) -> Result<ListedUser, Fault> {
    Ok(ListedUser {
        id: row.id,
        name: row.name,
        state: UserState::read(&row.state)?,
        created_at: from_micros(row.created_at),
        last_seen_at: row.last_seen_at.map(from_micros),
    })
}

impl Domain {
    /// People by name, at most `limit` (1 to 200).
    pub async fn list_users(
        &self,
        op: &Op,
        filter: &UserFilter,
        after: Option<UserId>,
        limit: u32,
    ) -> Result<UserPage, Refused> {
        let limit = limit.clamp(1, 200);
        let _seen = self.authorize(op, Action::ViewUsers, &Resource::Organization).await?;
        let mut conn = self.store().read().await?;
        let after = match after {
            Some(id) => {
                let last = users::find(&mut conn, id).await?.ok_or(Refused::NotFound)?;
                Some((last.folded_name, id))
            }
            None => None,
        };
        let wanted = users::Filter {
            name: filter.name.as_ref().map(Name::folded),
            state: filter.state.map(UserState::as_str),
            after,
        };
        let mut rows = users::list(&mut conn, &wanted, limit.saturating_add(1)).await?;
        let more = rows.len() > limit as usize;
        rows.truncate(limit as usize);
        let next = rows.last().map(|row| row.id).filter(|_| more);
        Ok(UserPage { users: rows.into_iter().map(listed).collect::<Result<_, _>>()?, next })
    }

    /// Everybody who is called so, however it is spelled.
    pub async fn users_called(&self, op: &Op, name: &Name) -> Result<Vec<ListedUser>, Refused> {
        let _seen = self.authorize(op, Action::ViewUsers, &Resource::Organization).await?;
        let mut conn = self.store().read().await?;
        let rows = users::called(&mut conn, &name.folded()).await?;
        Ok(rows.into_iter().map(listed).collect::<Result<_, _>>()?)
    }

    /// One person.
    pub async fn show_user(&self, op: &Op, id: UserId) -> Result<ShownUser, Refused> {
        let own = op.actor.person().is_some_and(|person| person.id == id);
        let (action, resource) = if own {
            (Action::ViewOwnAccount, Resource::Person(id))
        } else {
            (Action::ViewUsers, Resource::Organization)
        };
        let _seen = self.authorize(op, action, &resource).await?;
        let counted = own || self.would(op, Action::DeactivateUser, &Resource::Person(id)).await?;
        let mut conn = self.store().read().await?;
        let user = users::find(&mut conn, id).await?.ok_or(Refused::NotFound)?;
        let account = if counted {
            Some(Account {
                passkeys: passkeys::of(&mut conn, id).await?.len(),
                sessions: sessions::of(&mut conn, id, op.now).await?.len(),
                keys: owned::count(&mut conn, id).await?,
            })
        } else {
            None
        };
        let teams = users::teams(&mut conn, id).await?;
        Ok(ShownUser {
            id,
            name: user.name,
            state: UserState::read(&user.state)?,
            created_at: from_micros(user.created_at),
            created_by: user.created_by,
            deactivated_at: user.deactivated_at.map(from_micros),
            last_seen_at: user.last_seen_at.map(from_micros),
            teams: teams.into_iter().map(|team| (team.id, team.name)).collect(),
            account,
        })
    }
}
