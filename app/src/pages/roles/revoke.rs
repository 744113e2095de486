//! Taking a role away: what it stops, then the deed.

use axum::{
    extract::{Path, State},
    response::Response,
};
use keywarden_domain::{
    Op, Refused,
    policy::difference::Grant,
    roles::{RevokeRoleError, RoleBinding},
};
use keywarden_model::RoleBindingId;
use leptos::prelude::*;

use super::{Holds, Subject};
use crate::{
    context::{Asking, House, Posted},
    form::{Draft, Errors},
    pages::policies::difference::{Impact, panel},
    render::{self, page},
    shell::{Section, Shell},
    ui::{Confirm, Crumb, Form, PageHeader},
};

/// A role that the subject holds itself.
async fn find(house: &House, op: &Op, id: &str, subject: &Subject) -> Result<RoleBinding, Refused> {
    let id: RoleBindingId = id.parse().map_err(|_| Refused::NotFound)?;
    let held = house.domain.roles_of(op, subject.holder).await?;
    let own = |it: &RoleBinding| it.id == id && it.holder == subject.holder;
    held.into_iter().find(own).ok_or(Refused::NotFound)
}

pub(crate) async fn before<H: Holds>(
    State(house): State<House>,
    asking: Asking,
    Path((at, binding)): Path<(String, String)>,
) -> Response {
    let Asking { shell, op } = asking.at(Section::People);
    let found = async {
        let (subject, crumbs) = H::find(&house, &op, shell.text, &at).await?;
        let binding = find(&house, &op, &binding, &subject).await?;
        let taken = Grant::Take(binding.holder, binding.role, binding.project);
        let impact = Impact::given(&house.domain, &op, taken).await?;
        Ok((subject, crumbs, binding, impact))
    };
    match found.await {
        Ok((subject, crumbs, binding, impact)) => {
            show(&shell, (binding, impact), subject, crumbs, Draft::default())
        }
        Err(refused) => render::refused(&shell, refused),
    }
}

pub(crate) async fn revoke<H: Holds>(
    State(house): State<House>,
    asking: Asking,
    Path((at, binding)): Path<(String, String)>,
    posted: Posted,
) -> Response {
    let Asking { shell, op } = asking.at(Section::People).once(&posted);
    let t = shell.text;
    let (subject, crumbs) = match H::find(&house, &op, t, &at).await {
        Ok(found) => found,
        Err(refused) => return render::refused(&shell, refused),
    };
    let binding = match find(&house, &op, &binding, &subject).await {
        Ok(binding) => binding,
        Err(refused) => return house.missed(&shell, &op, &posted, refused, &subject.home).await,
    };
    match house.domain.revoke_role(&op, binding.id).await {
        Ok(_) => render::done(&shell, &subject.home, t.roles_taken()),
        Err(error @ (RevokeRoleError::LastOwner | RevokeRoleError::LocksOut)) => {
            let mut errors = Errors::new();
            let last = matches!(error, RevokeRoleError::LastOwner);
            errors.whole(if last { t.roles_last_owner() } else { t.roles_locks_out() });
            show(&shell, (binding, Impact::None), subject, crumbs, Draft::refused(posted.fields, errors))
        }
        Err(RevokeRoleError::Refused(refused)) => house.refused(&shell, &op, &posted, refused).await,
    }
}

fn show(
    shell: &Shell,
    (binding, impact): (RoleBinding, Impact),
    subject: Subject,
    crumbs: Vec<Crumb>,
    draft: Draft,
) -> Response {
    let t = shell.text;
    let role = t.role(binding.role);
    page(shell, t.roles_take_what(role)).of(&draft).show(move || {
        let stops = match &binding.project_slug {
            Some(project) => t.roles_take_there(project),
            None => t.roles_take_everywhere().to_owned(),
        };
        let impact = panel(t, impact, None);
        view! {
            <PageHeader title=t.roles_take_what(role) crumbs=crumbs/>
            {impact}
            <Confirm title=t.roles_take_title(role, &subject.name) consequences=vec![stops, t.roles_take_others().to_owned()]>
                <Form draft=draft submit=t.roles_take() danger=true cancel=subject.home/>
            </Confirm>
        }
    })
}
