//! How far rewraps are.

use keywarden_model::RewrapId;
use keywarden_store::rewraps as rows;

use super::Rewrap;
use crate::{Action, Domain, Op, Refused, Resource};

/// The most rewraps that are shown at once.
const MOST: u32 = 50;

impl Domain {
    /// The latest rewraps, those under way first.
    pub async fn rewraps(&self, op: &Op) -> Result<Vec<Rewrap>, Refused> {
        let _permit = self.authorize(op, Action::ViewSystem, &Resource::Organization).await?;
        let found = rows::latest(&mut self.store().read().await?, MOST).await?;
        found.into_iter().map(|row| Ok(Rewrap::from_row(row)?)).collect()
    }

    /// One rewrap, for whoever may see what it is a matter of. To others there is none.
    pub async fn find_rewrap(&self, op: &Op, id: RewrapId) -> Result<Rewrap, Refused> {
        let found = rows::find(&mut self.store().read().await?, id).await?;
        let rewrap = Rewrap::from_row(found.ok_or(Refused::NotFound)?)?;
        let action = match rewrap.project {
            Some(_) => Action::ViewProject,
            None => Action::ViewSystem,
        };
        match self.authorize(op, action, &rewrap.resource()).await {
            Ok(_permit) => Ok(rewrap),
            Err(Refused::Forbidden(_)) => Err(Refused::NotFound),
            Err(refused) => Err(refused),
        }
    }
}
