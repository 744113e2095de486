//! Roles of a person, team or workload: parts of their pages. The pages know where they are; these know roles.

mod grant;
mod revoke;
mod table;

use keywarden_domain::roles::Holder;

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
