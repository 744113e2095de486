//! `/people/<id>/roles/…`: whose roles they are.

use keywarden_domain::{Op, Refused, roles::Holder};

use super::{find, home, way_to};
use crate::{
    context::House,
    pages::roles::{Holds, Subject},
    text::Text,
    ui::Crumb,
};

/// A person holds them.
pub(super) struct OfPerson;

impl Holds for OfPerson {
    async fn find(house: &House, op: &Op, t: Text, id: &str) -> Result<(Subject, Vec<Crumb>), Refused> {
        let user = find(house, op, id).await?;
        let subject =
            Subject { holder: Holder::Person(user.id), name: user.name.clone(), home: home(user.id) };
        Ok((subject, way_to(t, &user)))
    }
}
