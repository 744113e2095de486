//! `/people/<id>/reactivate`: back in, with what they had.

use axum::{
    extract::{Path, State},
    response::Response,
};
use keywarden_domain::people::{DeactivateError, ShownUser};
use leptos::prelude::*;

use super::{find, home, way_to};
use crate::{
    context::{Asking, House, Posted},
    form::{Draft, Errors},
    render::{self, page},
    shell::{Section, Shell},
    ui::{Confirm, Form, PageHeader},
};

pub(super) async fn before(
    State(house): State<House>,
    Asking { mut shell, op }: Asking,
    Path(id): Path<String>,
) -> Response {
    shell.section = Some(Section::People);
    match find(&house, &op, &id).await {
        Ok(user) => show(&shell, &user, Draft::default()),
        Err(refused) => render::refused(&shell, refused),
    }
}

pub(super) async fn reactivate(
    State(house): State<House>,
    asking: Asking,
    Path(id): Path<String>,
    posted: Posted,
) -> Response {
    let Asking { mut shell, op } = asking.once(&posted);
    shell.section = Some(Section::People);
    let t = shell.text;
    let user = match find(&house, &op, &id).await {
        Ok(user) => user,
        Err(refused) => return render::refused(&shell, refused),
    };
    match house.domain.reactivate_user(&op, user.id).await {
        Ok(id) => render::done(&shell, &home(id), t.people_reactivate_done(&user.name)),
        Err(DeactivateError::Already | DeactivateError::LastOwner) => {
            let mut errors = Errors::new();
            errors.whole(t.people_state_already());
            show(&shell, &user, Draft::refused(posted.fields, errors))
        }
        Err(DeactivateError::Refused(refused)) => house.refused(&shell, &op, &posted, refused).await,
    }
}

fn show(shell: &Shell, user: &ShownUser, draft: Draft) -> Response {
    let t = shell.text;
    let (here, title, crumbs) = (home(user.id), t.people_reactivate_title(&user.name), way_to(t, user));
    page(shell, t.people_reactivate()).of(&draft).show(move || {
        view! {
            <PageHeader title=t.people_reactivate() crumbs=crumbs/>
            <Confirm title=title consequences=vec![t.people_reactivate_roles().to_owned()] calm=true>
                <Form draft=draft submit=t.people_reactivate() cancel=here/>
            </Confirm>
        }
    })
}
