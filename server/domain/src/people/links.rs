//! One-time links: a value that is shown once, of which the store keeps a keyed hash.

use chrono::{DateTime, TimeDelta, Utc};
use keywarden_model::time::{from_micros, later};
use keywarden_model::{InvitationId, ProjectId, Role, UserId};
use keywarden_store::people::links;
use keywarden_vault::SecretString;
use keywarden_vault::token::{self, Kind};

use super::error::{LinkError, LinkGone};
use crate::{Domain, Fault, Op, one_time};

/// What a link is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LinkKind {
    /// Lets a new person in, with a role.
    Invitation,
    /// Lets a known person enrol a new passkey.
    Recovery,
    /// Sets the house up.
    Setup,
}

impl LinkKind {
    /// The stored word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Invitation => "invitation",
            Self::Recovery => "recovery",
            Self::Setup => "setup",
        }
    }

    /// The label in its values: `kwt_setup_…`.
    fn label(self) -> &'static str {
        match self {
            Self::Invitation => "invite",
            Self::Recovery => "recover",
            Self::Setup => "setup",
        }
    }

    /// The console's path, to which the value is appended: `/setup/kwt_setup_…`.
    pub fn path(self) -> &'static str {
        match self {
            Self::Invitation => "/join/",
            Self::Recovery => "/recover/",
            Self::Setup => "/setup/",
        }
    }

    fn lifetime(self) -> TimeDelta {
        match self {
            Self::Invitation => TimeDelta::days(7),
            Self::Recovery | Self::Setup => TimeDelta::minutes(30),
        }
    }
}

/// A link as it leaves the house, this once.
#[derive(Debug)]
pub struct NewLink {
    /// Its id.
    pub id: InvitationId,
    /// The whole URL.
    pub url: SecretString,
    /// Until when it serves.
    pub expires_at: DateTime<Utc>,
}

/// A link that serves, and what it says.
#[derive(Debug, Clone)]
pub struct Link {
    /// Its id.
    pub id: InvitationId,
    /// What it is for.
    pub kind: LinkKind,
    /// Whose recovery it is.
    pub user: Option<UserId>,
    /// Whom it invites, as the inviter called them.
    pub name: Option<String>,
    /// The role it gives.
    pub role: Option<Role>,
    /// In which project: id and name.
    pub project: Option<(ProjectId, String)>,
    /// Who made it: a typed id or a word.
    pub created_by: String,
    /// When.
    pub created_at: DateTime<Utc>,
    /// Until when it serves.
    pub expires_at: DateTime<Utc>,
}

/// What a new link will say.
#[derive(Debug, Default)]
pub(super) struct Says {
    pub(super) user: Option<UserId>,
    pub(super) name: Option<String>,
    pub(super) role: Option<Role>,
    pub(super) project: Option<ProjectId>,
}

impl Domain {
    /// Draws a link; it serves once its row is written.
    pub(super) async fn new_link(
        &self,
        op: &Op,
        kind: LinkKind,
        says: Says,
    ) -> Result<(NewLink, links::Insert), Fault> {
        let drawn = self.draw_one_time(kind.label()).await?;
        let (id, expires_at) = (self.fresh(op), later(op.now, kind.lifetime()));
        let url = [&*self.settings().origin, kind.path(), drawn.value.expose()].concat();
        let row = links::Insert {
            id,
            kind: kind.as_str(),
            public_id: drawn.public_id,
            mac_key_id: drawn.mac_key_id,
            mac: drawn.mac,
            user: says.user,
            name: says.name,
            role: says.role.map(Role::as_str),
            project: says.project,
            created_by: op.actor.id(),
            expires_at,
        };
        Ok((NewLink { id, url: SecretString::new(url), expires_at }, row))
    }

    /// The link that somebody shows, if it serves. Spends nothing. Unknown, wrong, used and old ones look alike.
    /// What does not serve is counted as a refusal.
    pub async fn look_at_link(&self, op: &Op, kind: LinkKind, value: &str) -> Result<Link, LinkError> {
        let found = self.serving_link(op, kind, value).await;
        if let Err(LinkError::Gone(LinkGone)) = &found {
            self.note_refusal(&op.source, kind.path(), "dead-link");
        }
        found
    }

    async fn serving_link(&self, op: &Op, kind: LinkKind, value: &str) -> Result<Link, LinkError> {
        let parsed = token::parse(value).map_err(|_| LinkGone)?;
        if parsed.kind() != Kind::OneTime || parsed.label() != kind.label() {
            return Err(LinkGone.into());
        }
        let mut conn = self.store().read().await?;
        let row = links::find(&mut conn, parsed.id().as_str()).await?;
        let tag = row.as_ref().map(|row| (row.mac_key_id.as_str(), row.mac.as_slice()));
        let proven = one_time::proves(self.keyring(), parsed.material(), tag)?;
        let row = row.filter(|row| proven && row.kind == kind.as_str()).ok_or(LinkGone)?;
        let spent = row.used_at.is_some() || row.revoked_at.is_some();
        if spent || op.now >= from_micros(row.expires_at) {
            return Err(LinkGone.into());
        }
        let link = link(kind, row)?;
        if !self.still_invites(&mut conn, &link, op.now).await? {
            return Err(LinkGone.into());
        }
        Ok(link)
    }
}

pub(super) fn link(kind: LinkKind, row: links::Row) -> Result<Link, Fault> {
    fn read<T: std::str::FromStr>(text: Option<String>) -> Result<Option<T>, Fault>
    where
        T::Err: std::fmt::Display,
    {
        let damaged = |cause: T::Err| Fault::Damaged(format!("one_time_links: {cause}"));
        text.map(|text| text.parse()).transpose().map_err(damaged)
    }
    let project = read(row.project_id)?;
    Ok(Link {
        id: row.id,
        kind,
        user: read(row.user_id)?,
        name: row.name,
        role: read(row.role)?,
        project: project.map(|id| (id, row.project_name.unwrap_or_default())),
        created_by: row.created_by,
        created_at: from_micros(row.created_at),
        expires_at: from_micros(row.expires_at),
    })
}
