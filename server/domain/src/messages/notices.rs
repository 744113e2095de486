//! The bell: what a person was told, read and unread.

use keywarden_model::NoticeId;
use keywarden_store::Written;
use keywarden_store::people::notices as rows;

use crate::people::Notice;
use crate::{Action, Domain, Fault, Op, Refused, Resource};

/// Unread notices are counted no further.
const COUNTED: i64 = 100;

/// A page of a person's notices, newest first, and where the next one begins.
#[derive(Debug)]
pub struct NoticePage {
    /// The notices.
    pub notices: Vec<Notice>,
    /// Continue with those older than this.
    pub next: Option<NoticeId>,
}

impl Domain {
    /// What the person who asks was told; only what they have not read, where `unread`. At most `limit` (1 to 200).
    pub async fn notices(
        &self,
        op: &Op,
        unread: bool,
        before: Option<NoticeId>,
        limit: u32,
    ) -> Result<NoticePage, Refused> {
        let user = op.actor.person().ok_or(Refused::NotFound)?.id;
        let _seen = self.authorize(op, Action::ViewOwnAccount, &Resource::Person(user)).await?;
        let limit = limit.clamp(1, 200);
        let mut conn = self.store().read().await.map_err(Fault::from)?;
        let filter = rows::Filter { unread, before };
        let mut found = rows::list(&mut conn, user, filter, limit.saturating_add(1)).await?;
        let more = found.len() > limit as usize;
        found.truncate(limit as usize);
        let next = found.last().map(|row| row.id).filter(|_| more);
        let ids = found.iter().filter_map(|row| row.resource_id.as_deref());
        let names = keywarden_store::names::of(&mut conn, ids).await?;
        let notices = found.into_iter().map(|row| Notice::read(row, &names)).collect::<Result<_, _>>()?;
        Ok(NoticePage { notices, next })
    }

    /// How many notices the person who asks has not read; from 100 on it is not counted further. Nothing is decided here: it
    /// stands in the frame of each page of theirs.
    pub async fn unread_notices(&self, op: &Op) -> Result<u64, Refused> {
        let Some(person) = op.actor.person().filter(|person| !person.recovering) else { return Ok(0) };
        let mut conn = self.store().read().await.map_err(Fault::from)?;
        let counted = rows::unread(&mut conn, person.id, COUNTED).await?;
        Ok(u64::try_from(counted).unwrap_or_default())
    }

    /// Marks all notices of the person who asks as read, up to one that they have seen.
    pub async fn dismiss_notices(&self, op: &Op, last: NoticeId) -> Result<(), Refused> {
        let user = op.actor.person().ok_or(Refused::NotFound)?.id;
        let now = op.now;
        self.change(op, Action::DismissNotice, &Resource::Person(user), &[], move |tx, record| {
            Box::pin(async move {
                let read = rows::dismiss_all(tx, user, last, now).await?;
                let event = record.event(Action::DismissNotice.name(), "notice", last).fact("read", read);
                Ok(Written::new((), event.finish()?))
            })
        })
        .await
    }
}
