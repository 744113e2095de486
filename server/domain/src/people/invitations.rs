//! Invitations: a link, good for seven days, that lets one new person in with one role.

use std::sync::Arc;

use chrono::{DateTime, Utc};

use keywarden_model::time::{from_micros, micros};
use keywarden_model::{CeremonyId, InvitationId, Name, ProjectId, Role, RoleScope};
use keywarden_store::people::links;
use keywarden_store::{ChangeKind, Conn, Written};
use keywarden_vault::SecretString;

use super::ceremonies::{Bound, Flow, Started};
use super::enrol::Gets;
use super::error::{EnrolError, LinkGone, registered_twice};
use super::links::{Link, LinkKind, NewLink, Says, link};
use super::session::{SignedIn, alike};
use crate::once::Repeatable;
use crate::passkeys::CreationOptions;
use crate::refused::carries_refused;
use crate::{Action, Actor, Domain, Fault, Op, Refused, Resource};

/// Why nobody was invited.
#[derive(Debug, thiserror::Error)]
pub enum InviteError {
    /// A role of a project without a project, or a role of the organization with one.
    #[error("the role `{0}` {hint}", hint = scope_hint(*.0))]
    Scope(Role),
    /// As everywhere.
    #[error(transparent)]
    Refused(#[from] Refused),
}
carries_refused!(InviteError);

fn scope_hint(role: Role) -> &'static str {
    match role.scope() {
        RoleScope::Organization => "holds in the whole organization: choose no project",
        RoleScope::Project => "holds in one project: choose which",
    }
}

/// What it takes to invite somebody with this role.
fn asked(role: Role, project: Option<ProjectId>) -> [(Action, Resource); 2] {
    let where_to = project.map_or(Resource::Organization, Resource::Project);
    [(Action::InviteUser, Resource::Organization), (Action::to_grant(role), where_to)]
}

impl Domain {
    /// Invites somebody. Whoever does must be entitled to give that role themselves.
    pub async fn invite(
        &self,
        op: &Op,
        name: &Name,
        role: Role,
        project: Option<ProjectId>,
    ) -> Result<NewLink, InviteError> {
        if (role.scope() == RoleScope::Project) != project.is_some() {
            return Err(InviteError::Scope(role));
        }
        let questions = asked(role, project);
        let says =
            Says { name: Some(name.as_str().to_owned()), role: Some(role), project, ..Says::default() };
        let (link, row) = self.new_link(op, LinkKind::Invitation, says).await?;
        let now = op.now;
        let facts = Arc::new((row, SecretString::new(link.url.expose().to_owned())));
        let done = self
            .change_together(op, &questions, move |tx, records| {
                let facts = Arc::clone(&facts);
                Box::pin(async move {
                    let (row, url) = &*facts;
                    let record = records.of(Action::InviteUser)?;
                    links::insert(tx, row, now).await?;
                    tx.restrict(ChangeKind::Session, row.id, now).await?;
                    let event = record
                        .event(Action::InviteUser.name(), "invitation", row.id)
                        .project(row.project)
                        .fact("role", role)
                        .fact("expires_at", row.expires_at)
                        .text("name", row.name.as_deref().unwrap_or_default());
                    let url = SecretString::new(url.expose().to_owned());
                    let invited = Invited(NewLink { id: row.id, url, expires_at: row.expires_at });
                    Ok::<_, InviteError>(Written::new(invited, event.finish()?))
                })
            })
            .await?;
        Ok(done.0)
    }

    /// Whether a link is no invitation, or one that whoever made it might make now: an authority that was taken away must
    /// not live on in links.
    pub(super) async fn still_invites(
        &self,
        conn: &mut Conn,
        link: &Link,
        now: DateTime<Utc>,
    ) -> Result<bool, Fault> {
        let Some(role) = link.role else { return Ok(true) };
        let questions = asked(role, link.project.as_ref().map(|(id, _)| *id));
        self.gate().may_still(conn, &link.created_by, &questions, now).await
    }

    /// Invitations that were neither used nor withdrawn and are not too old, newest first.
    pub async fn invitations(&self, op: &Op) -> Result<Vec<Link>, Refused> {
        if !self.would(op, Action::InviteUser, &Resource::Organization).await? {
            return Err(Refused::NotFound);
        }
        let mut conn = self.store().read().await?;
        let rows = links::open(&mut conn, LinkKind::Invitation.as_str(), op.now).await?;
        rows.into_iter().map(|row| Ok(link(LinkKind::Invitation, row)?)).collect()
    }

    /// Withdraws an invitation that was not used.
    pub async fn withdraw_invitation(&self, op: &Op, id: InvitationId) -> Result<(), Refused> {
        let now = op.now;
        self.change(op, Action::InviteUser, &Resource::Organization, &[], move |tx, record| {
            Box::pin(async move {
                if !links::withdraw(tx, id, LinkKind::Invitation.as_str(), now).await? {
                    return Err(Refused::NotFound);
                }
                tx.restrict(ChangeKind::Session, id, now).await?;
                let event = record.event("user.withdraw-invitation", "invitation", id);
                Ok(Written::new((), event.finish()?))
            })
        })
        .await
    }

    /// Begins: the newcomer's passkey, under the name that they choose.
    pub async fn start_accept(
        &self,
        op: &Op,
        link: &str,
        person: &Name,
    ) -> Result<Started<CreationOptions>, EnrolError> {
        let link = self.look_at_link(op, LinkKind::Invitation, link).await?;
        self.start_enrolment(op, Flow::Invitation, Bound::Link(link.id), person, None).await
    }

    /// Ends: person, role, passkey, recovery codes and session, or nothing. Whether whoever invited still may is decided
    /// in the same write.
    pub async fn finish_accept(
        &self,
        op: &Op,
        link: &str,
        ceremony: CeremonyId,
        response: &[u8],
        passkey_name: &Name,
    ) -> Result<SignedIn, EnrolError> {
        let link = self.look_at_link(op, LinkKind::Invitation, link).await?;
        let (newcomer, registered) =
            self.judge_enrolment(op, Flow::Invitation, Bound::Link(link.id), ceremony, response).await?;
        let role = link.role.ok_or_else(|| Fault::Damaged(format!("one_time_links: {}", link.id)))?;
        let project = link.project.as_ref().map(|(id, _)| *id);
        let gets = Gets { role, project, brought_by: link.created_by.clone() };
        let (rows, signed_in) = self.enrolment(op, &newcomer, &registered, passkey_name, gets).await?;
        let (now, session) = (op.now, signed_in.person.session);
        let op = alike(op, Actor::Link(link.id));
        let (domain, link) = (self.clone(), Arc::new(link));
        let subjects = [newcomer.user.to_string()];
        self.change_unasked(&op, "an invitation", &subjects, move |tx, record| {
            let (domain, link, rows) = (domain.clone(), Arc::clone(&link), Arc::clone(&rows));
            Box::pin(async move {
                if !domain.still_invites(tx, &link, now).await? || !links::spend(tx, link.id, now).await? {
                    return Err(EnrolError::Link(LinkGone));
                }
                rows.write(tx, now).await.map_err(|error| match registered_twice(&error) {
                    Some(twice) => twice.into(),
                    None => EnrolError::from(error),
                })?;
                let user = rows.user.id.to_string();
                let event = record
                    .event("user.join", "user", rows.user.id)
                    .project(rows.binding.project)
                    .fact("role", rows.binding.role)
                    .fact("role_binding", rows.binding.id)
                    .fact("passkey", rows.passkey.id)
                    .fact("synced", rows.passkey.synced)
                    .fact("session", session)
                    .personal(&user, "name", &rows.user.name)
                    .personal(&user, "passkey_name", &rows.passkey.name);
                Ok(Written::new((), event.finish()?))
            })
        })
        .await?;
        Ok(signed_in)
    }
}

/// A link that is kept for replays with its end: that of another try would be later.
#[derive(Debug)]
struct Invited(NewLink);

impl Repeatable for Invited {
    fn thing(&self) -> String {
        format!("{} {}", self.0.id, micros(self.0.expires_at))
    }
    fn secret(&self) -> Option<&SecretString> {
        Some(&self.0.url)
    }
    fn again(thing: &str, secret: Option<SecretString>) -> Option<Self> {
        let (id, expires_at) = thing.split_once(' ')?;
        let expires_at = from_micros(expires_at.parse().ok()?);
        Some(Self(NewLink { id: id.parse().ok()?, url: secret?, expires_at }))
    }
}
