//! Roles of a person, team or workload: parts of their pages. The pages know where they are; these know roles.

mod grant;
mod revoke;
mod table;

use keywarden_domain::{Op, Refused, roles::Holder};

use crate::{context::House, text::Text, ui::Crumb};

pub(crate) use grant::{grant, new};
pub(crate) use revoke::{before, revoke};
pub(crate) use table::table;

/// Whose roles they are.
#[derive(Clone, Debug)]
pub(crate) struct Subject {
    /// Who holds them.
    pub(crate) holder: Holder,
    /// What the holder is called.
    pub(crate) name: String,
    /// The holder's page; `<home>/roles/new` and `<home>/roles/<id>/revoke` belong to it.
    pub(crate) home: String,
}

/// A noun whose pages hold roles: `…/roles/new` and `…/roles/<id>/revoke` below each.
pub(crate) trait Holds: Send + Sync + 'static {
    /// The one at this address, and the way there.
    fn find(
        house: &House,
        op: &Op,
        t: Text,
        at: &str,
    ) -> impl Future<Output = Result<(Subject, Vec<Crumb>), Refused>> + Send;
}
