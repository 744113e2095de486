//! Whose a new key or secret is.
//!
//! Each has an owner, a person or a team: somebody must be asked about it. Who makes one in person owns it unless they
//! name another. What a machine or the operator's shell makes without naming anybody belongs to the team `operators`,
//! those who run this Keywarden; it is made when it is first needed, so that a house without people can begin, and it is
//! empty until an admin puts somebody in.
//!
//! The person who made the machine is deliberately not taken: the owner of a key may rotate and revoke it, and that person
//! may have left the project since. To own a secret gives no right to it: roles alone say who reads and changes it.

use keywarden_model::{Name, TeamId};
use keywarden_store::{EventRow, Tx, teams};

use crate::audit::{Fact, Record};
use crate::authz::Owner;
use crate::{Actor, Fault, Refused};

/// The slug of the house's own team. It is a reserved word, so that nobody else can have made it.
pub(crate) const OPERATORS: &str = "operators";
/// What it is called at first; admins may call it something else.
const CALLED: &str = "Operators";

/// Who was named, or who asks.
pub(crate) fn named_or_asking(named: Option<Owner>, actor: &Actor) -> Option<Owner> {
    named.or_else(|| actor.person().map(|person| Owner::Person(person.id)))
}

/// The owner, and the event of the house's own team where it had to be made. `None`: one must be named.
pub(crate) async fn settle(
    tx: &mut Tx,
    record: &Record,
    owner: Option<Owner>,
    of: impl Into<Fact>,
) -> Result<Option<(Owner, Option<EventRow>)>, Refused> {
    if let Some(owner) = owner {
        return Ok(Some((owner, None)));
    }
    if let Some(team) = teams::find_by_slug(tx, OPERATORS).await? {
        return Ok(Some((Owner::Team(team.id), None)));
    }
    let name: Name = CALLED.parse().map_err(|cause| Fault::Unexpected(format!("a name: {cause}")))?;
    let id: TeamId = record.env().id(record.now());
    let row =
        teams::Insert { id, slug: OPERATORS, name: &name, created_at: record.now(), created_by: "keywarden" };
    if teams::insert_if_free(tx, row).await? {
        let event = record
            .event("team.create", "team", id)
            .change("slug", Fact::none(), Fact::word(OPERATORS))
            .fact("for", of)
            .text("name", &name)
            .finish()?;
        return Ok(Some((Owner::Team(id), Some(event))));
    }
    // Somebody was faster; or another team bears the name, and then an owner must be named.
    Ok(teams::find_by_slug(tx, OPERATORS).await?.map(|team| (Owner::Team(team.id), None)))
}

/// An owner, as events tell it.
pub(crate) fn fact(owner: Owner) -> Fact {
    match owner {
        Owner::Person(id) => id.into(),
        Owner::Team(id) => id.into(),
    }
}
