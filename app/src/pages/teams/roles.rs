//! `/teams/<slug>/roles/…`: whose roles they are.

use keywarden_domain::{Op, Refused, roles::Holder};

use super::{home, way_to};
use crate::{
    context::House,
    pages::roles::{Holds, Subject},
    text::Text,
    ui::Crumb,
};

/// A team holds them.
pub(super) struct OfTeam;

impl Holds for OfTeam {
    async fn find(house: &House, op: &Op, t: Text, slug: &str) -> Result<(Subject, Vec<Crumb>), Refused> {
        let team = house.domain.team(op, slug).await?.team;
        let subject = Subject { holder: Holder::Team(team.id), name: team.name.clone(), home: home(&team) };
        Ok((subject, way_to(t, &team)))
    }
}
