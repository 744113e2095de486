//! Setting the house up: once, with a link that only who started the server can read.

use std::sync::Arc;

use keywarden_model::{CeremonyId, Name, OrganizationId, Role};
use keywarden_store::Written;
use keywarden_store::people::{links, passkeys, setup};

use super::ceremonies::{Bound, Flow, Started};
use super::enrol::Gets;
use super::error::{EnrolError, registered_twice};
use super::links::{LinkKind, NewLink, Says};
use super::session::{SignedIn, alike};
use crate::passkeys::{CreationOptions, RelyingError, may_be_for};
use crate::{Actor, Domain, Fault, Op, Refused};

/// Whether the house has been set up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SetupState {
    /// It has: this organization lives in it.
    Done {
        /// Its name.
        organization: String,
    },
    /// Not yet: the setup link lets the first owner in.
    Waiting,
}

/// Passkeys were made for another relying party than the one configured now.
#[derive(Debug, thiserror::Error)]
pub enum RpIdError {
    /// They would never work again.
    #[error(
        "passkeys were made for `{stored}`, and none of them works for `{wanted}`: {names}; configure `{stored}` \
         again, or start with --change-rp-id and let everybody in by `keywarden operator recover`"
    )]
    Orphans {
        /// The relying party that they were made for.
        stored: String,
        /// The one configured now.
        wanted: String,
        /// Whose they are.
        names: String,
    },
    /// As everywhere.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// None would ever work here.
    #[error(transparent)]
    Relying(#[from] RelyingError),
}
crate::refused::carries_refused!(RpIdError);

fn orphans(stored: String, wanted: &str, names: &[String]) -> RpIdError {
    RpIdError::Orphans { stored, wanted: wanted.to_owned(), names: names.join(", ") }
}

impl Domain {
    /// Whether the house has been set up. Once done it stays done, whatever becomes of its people.
    pub async fn setup_state(&self) -> Result<SetupState, Fault> {
        let mut conn = self.store().read().await?;
        if setup::instance(&mut conn).await?.set_up_at.is_none() {
            return Ok(SetupState::Waiting);
        }
        let organization = setup::organization(&mut conn).await?;
        Ok(SetupState::Done { organization: organization.map(|it| it.name).unwrap_or_default() })
    }

    /// Makes the one setup link, good for 30 minutes; one made before stops working. For the start of a server.
    pub async fn open_setup(&self, op: &Op) -> Result<NewLink, EnrolError> {
        if !matches!(op.actor, Actor::System(_) | Actor::Operator { .. }) {
            return Err(Refused::NotFound.into());
        }
        let (link, row) = self.new_link(op, LinkKind::Setup, Says::default()).await?;
        let (id, now, row) = (link.id, op.now, Arc::new(row));
        self.change_unasked(op, "a start without an owner", &[], move |tx, record| {
            let row = Arc::clone(&row);
            Box::pin(async move {
                if setup::instance(tx).await?.set_up_at.is_some() {
                    return Err(EnrolError::AlreadySetUp);
                }
                links::withdraw_all(tx, LinkKind::Setup.as_str(), now).await?;
                links::insert(tx, &row, now).await?;
                let event = record.event("setup.open", "link", row.id).fact("expires_at", row.expires_at);
                Ok(Written::new(id, event.finish()?))
            })
        })
        .await?;
        Ok(link)
    }

    /// Begins: the first owner's passkey.
    pub async fn start_setup(
        &self,
        op: &Op,
        link: &str,
        organization: &Name,
        person: &Name,
    ) -> Result<Started<CreationOptions>, EnrolError> {
        let link = self.setup_link(op, link).await?;
        let bound = Bound::Link(link);
        self.start_enrolment(op, Flow::Setup, bound, person, Some(organization.clone())).await
    }

    /// Ends: organization, owner, role, passkey, recovery codes and session, or nothing.
    pub async fn finish_setup(
        &self,
        op: &Op,
        link: &str,
        ceremony: CeremonyId,
        response: &[u8],
        passkey_name: &Name,
    ) -> Result<SignedIn, EnrolError> {
        let link = self.setup_link(op, link).await?;
        let (newcomer, registered) =
            self.judge_enrolment(op, Flow::Setup, Bound::Link(link), ceremony, response).await?;
        let gets = Gets { role: Role::Owner, project: None, brought_by: "setup".into() };
        let (rows, signed_in) = self.enrolment(op, &newcomer, &registered, passkey_name, gets).await?;
        let name = newcomer.organization.ok_or_else(|| Fault::Damaged("setup without a name".into()))?;
        let organization: OrganizationId = self.fresh(op);
        let facts = Arc::new((rows, name, self.settings().rp_id.clone()));
        let (now, session) = (op.now, signed_in.person.session);
        let op = alike(op, Actor::Link(link));
        let subjects = [newcomer.user.to_string()];
        self.change_unasked(&op, "the setup link", &subjects, move |tx, record| {
            let facts = Arc::clone(&facts);
            Box::pin(async move {
                let (rows, name, rp_id) = &*facts;
                if !setup::begin(tx, rp_id, now).await? {
                    return Err(EnrolError::AlreadySetUp);
                }
                if !links::spend(tx, link, now).await? {
                    return Err(EnrolError::Link(super::error::LinkGone));
                }
                setup::insert_organization(tx, organization, name.as_str(), now).await?;
                rows.write(tx, now).await.map_err(|error| match registered_twice(&error) {
                    Some(twice) => twice.into(),
                    None => EnrolError::from(error),
                })?;
                let set_up = record
                    .event("organization.set-up", "organization", organization)
                    .fact("owner", rows.user.id)
                    .text("name", name)
                    .text("rp_id", rp_id);
                let user = rows.user.id.to_string();
                let joined = record
                    .event("user.join", "user", rows.user.id)
                    .fact("role", Role::Owner)
                    .fact("role_binding", rows.binding.id)
                    .fact("passkey", rows.passkey.id)
                    .fact("synced", rows.passkey.synced)
                    .fact("session", session)
                    .personal(&user, "name", &rows.user.name)
                    .personal(&user, "passkey_name", &rows.passkey.name);
                Ok(Written::new((), set_up.finish()?).and(joined.finish()?))
            })
        })
        .await?;
        Ok(signed_in)
    }

    async fn setup_link(&self, op: &Op, link: &str) -> Result<keywarden_model::InvitationId, EnrolError> {
        if self.setup_state().await? != SetupState::Waiting {
            return Err(EnrolError::AlreadySetUp);
        }
        Ok(self.look_at_link(op, LinkKind::Setup, link).await?.id)
    }

    /// At a start: passkeys belong to one relying party for ever. Refuses another one, naming what it would orphan,
    /// unless `change` says so.
    pub async fn check_rp_id(&self, op: &Op, rp_id: &str, change: bool) -> Result<(), RpIdError> {
        let Some((stored, names)) = self.orphaned_by(rp_id).await? else { return Ok(()) };
        if !names.is_empty() && !change {
            return Err(orphans(stored, rp_id, &names));
        }
        self.passkeys().as_ref().map_err(Clone::clone)?;
        let facts = Arc::new((stored, rp_id.to_owned()));
        let orphans = u64::try_from(names.len()).unwrap_or(u64::MAX);
        self.change_unasked(op, "the start of a server", &[], move |tx, record| {
            let facts = Arc::clone(&facts);
            Box::pin(async move {
                let (from, to) = &*facts;
                setup::change_rp_id(tx, to).await?;
                let event = record
                    .event("system.change-rp-id", "organization", "organization")
                    .fact("orphaned_passkeys", orphans)
                    .text("from", from)
                    .text("to", to);
                Ok::<_, RpIdError>(Written::new((), event.finish()?))
            })
        })
        .await
    }

    /// Why a start with this relying party would be refused, if it would.
    pub async fn would_orphan(&self, rp_id: &str) -> Result<Option<RpIdError>, Fault> {
        let other = self.orphaned_by(rp_id).await?.filter(|(_, names)| !names.is_empty());
        Ok(other.map(|(stored, names)| orphans(stored, rp_id, &names)))
    }

    /// The relying party of now, if it is another one, and the passkeys that work for it and would not for `rp_id`: what was
    /// made for neither is lost already, and what was made for `rp_id` comes back.
    async fn orphaned_by(&self, rp_id: &str) -> Result<Option<(String, Vec<String>)>, Fault> {
        let mut conn = self.store().read().await?;
        let stored = setup::instance(&mut conn).await?.rp_id;
        let Some(stored) = stored.filter(|stored| stored != rp_id) else { return Ok(None) };
        let mut all = passkeys::named(&mut conn).await?;
        all.retain(|it| may_be_for(&it.attestation, &stored));
        let names = all.into_iter().map(|it| format!("{} of {}", it.passkey, it.person)).collect();
        Ok(Some((stored, names)))
    }
}
