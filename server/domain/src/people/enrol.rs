//! A newcomer: their passkey, recovery codes, role and first session, all in one transaction.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use keywarden_model::{CeremonyId, Name, PasskeyId, ProjectId, Role, RoleBindingId, UserId, time::later};
use keywarden_store::people::{codes, passkeys, sessions, users};
use keywarden_store::{StoreError, Tx, roles};
use keywarden_vault::Purpose;
use serde::{Deserialize, Serialize};

use super::ceremonies::{Bound, Flow, Started};
use super::error::EnrolError;
use super::session::{Contents, SignedIn};
use super::unseen;
use crate::passkeys::{CreationOptions, Registered, Registrant, UserHandle};
use crate::{Domain, Fault, Op};

/// Somebody who is about to join; kept with their ceremony, so that what was agreed at its start holds at its end.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Newcomer {
    pub(super) user: UserId,
    pub(super) handle: UserHandle,
    pub(super) name: Name,
    /// What they call the organization, if they set it up.
    pub(super) organization: Option<Name>,
}

/// What a newcomer gets.
#[derive(Debug)]
pub(super) struct Gets {
    pub(super) role: Role,
    pub(super) project: Option<ProjectId>,
    pub(super) brought_by: String,
}

/// The role that a newcomer gets.
#[derive(Debug)]
pub(super) struct Binding {
    pub(super) id: RoleBindingId,
    pub(super) role: Role,
    pub(super) project: Option<ProjectId>,
    brought_by: String,
}

/// The rows of a newcomer.
#[derive(Debug)]
pub(super) struct Enrolment {
    pub(super) user: users::Insert,
    pub(super) binding: Binding,
    pub(super) passkey: passkeys::Insert,
    session: sessions::Insert,
    codes: Vec<codes::Insert>,
    unseen: Vec<u8>,
}

impl Enrolment {
    pub(super) async fn write(&self, tx: &mut Tx, now: DateTime<Utc>) -> Result<(), StoreError> {
        users::insert(tx, &self.user, now).await?;
        let binding = &self.binding;
        let binding = roles::Insert {
            id: binding.id,
            principal_kind: "person",
            principal_id: &self.user.id.to_string(),
            role: binding.role,
            project: binding.project,
            created_at: now,
            created_by: &binding.brought_by,
        };
        roles::insert(tx, binding).await?;
        passkeys::insert(tx, &self.passkey, now).await?;
        codes::replace(tx, self.user.id, &self.codes, now).await?;
        sessions::insert(tx, &self.session, now).await?;
        codes::keep_unseen(tx, self.session.id, &self.unseen, now, later(now, unseen::KEPT)).await
    }
}

impl Domain {
    pub(super) async fn start_enrolment(
        &self,
        op: &Op,
        flow: Flow,
        bound: Bound,
        name: &Name,
        organization: Option<Name>,
    ) -> Result<Started<CreationOptions>, EnrolError> {
        let newcomer = Newcomer {
            user: self.fresh(op),
            handle: UserHandle::random(self.env()),
            name: name.clone(),
            organization,
        };
        let registrant =
            Registrant { handle: &newcomer.handle, name: name.as_str(), display_name: name.as_str() };
        let (options, ceremony) = self.ceremonies()?.start_registration(registrant, &[], op.now)?;
        let ceremony = self.keep_ceremony(op, flow, bound, &ceremony, &newcomer).await?;
        Ok(Started { ceremony, options })
    }

    /// Takes the ceremony and checks the answer; nothing is written yet.
    pub(super) async fn judge_enrolment(
        &self,
        op: &Op,
        flow: Flow,
        bound: Bound,
        ceremony: CeremonyId,
        response: &[u8],
    ) -> Result<(Newcomer, Registered), EnrolError> {
        let taken = self.take_ceremony::<Newcomer>(op, flow, bound, ceremony).await?;
        let (ceremony, newcomer) = taken.ok_or(EnrolError::Gone)?;
        let registered = self.ceremonies()?.finish_registration(ceremony, response, op.now)?;
        Ok((newcomer, registered))
    }

    /// Prepares the rows.
    pub(super) async fn enrolment(
        &self,
        op: &Op,
        newcomer: &Newcomer,
        registered: &Registered,
        passkey_name: &Name,
        gets: Gets,
    ) -> Result<(Arc<Enrolment>, SignedIn), EnrolError> {
        let (codes, rows) = self.draw_codes(newcomer.user).await?;
        let id: PasskeyId = self.fresh(op);
        let passkey = new_passkey(id, newcomer.user, passkey_name, registered, op.now)?;
        let contents = Contents::proven(op, id, registered.passkey.synced());
        let opening = self.opening(op, newcomer.user, &contents)?;
        let context = unseen::context(opening.row.id);
        let unseen = self
            .env()
            .with_rng(|rng| {
                self.keyring().seal(Purpose::Session, &context, codes.joined().expose().as_bytes(), rng)
            })
            .map_err(Fault::from)?;
        let rows = Enrolment {
            user: users::Insert {
                id: newcomer.user,
                name: newcomer.name.as_str().to_owned(),
                folded_name: newcomer.name.folded(),
                handle: newcomer.handle.as_bytes().to_vec(),
                created_by: gets.brought_by.clone(),
            },
            binding: Binding {
                id: self.fresh(op),
                role: gets.role,
                project: gets.project,
                brought_by: gets.brought_by,
            },
            passkey,
            session: opening.row,
            codes: rows,
            unseen,
        };
        Ok((Arc::new(rows), opening.signed_in))
    }
}

/// The row of a passkey that was just registered.
pub(super) fn new_passkey(
    id: PasskeyId,
    user: UserId,
    name: &Name,
    registered: &Registered,
    may_approve_after: DateTime<Utc>,
) -> Result<passkeys::Insert, crate::passkeys::PasskeyError> {
    Ok(passkeys::Insert {
        id,
        user,
        credential_id: registered.passkey.credential_id().as_bytes().to_vec(),
        name: name.as_str().to_owned(),
        credential: registered.passkey.to_json()?,
        attestation: registered.attestation_object.clone(),
        synced: registered.passkey.synced(),
        may_approve_after,
    })
}
