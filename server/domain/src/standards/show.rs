//! One standard with its versions.

use keywarden_model::{PolicyState, StandardId};
use keywarden_store::standards as rows;

use super::{Standard, StandardVersion};
use crate::policy::resource;
use crate::{Action, Domain, Op, Refused};

/// Versions that are shown, newest first.
const VERSIONS: u32 = 1_000;

/// A standard, all of it.
#[derive(Debug, Clone)]
pub struct ShownStandard {
    /// The standard.
    pub standard: Standard,
    /// Its versions, newest first.
    pub versions: Vec<StandardVersion>,
}

impl ShownStandard {
    /// The version that is in force.
    pub fn active(&self) -> Option<&StandardVersion> {
        self.versions.iter().find(|it| it.state == PolicyState::Active)
    }
}

impl Domain {
    /// A standard with its versions.
    pub async fn standard(&self, op: &Op, id: StandardId) -> Result<ShownStandard, Refused> {
        let scope = self.standard_in_sight(op, id).await?;
        let _permit = self.authorize(op, Action::ViewPolicy, &resource(scope)).await?;
        let mut conn = self.store().read().await?;
        let standard = rows::find(&mut conn, id).await?.ok_or(Refused::NotFound)?;
        let versions = rows::versions(&mut conn, id, VERSIONS).await?;
        let versions = versions.into_iter().map(StandardVersion::try_from).collect::<Result<_, _>>()?;
        Ok(ShownStandard { standard: standard.try_into()?, versions })
    }
}
