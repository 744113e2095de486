//! `/people/<id>/deactivate`: what it breaks, then the deed; the hand-over comes next.

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
    ui::{Act, Confirm, Form, PageHeader, Panel},
};

pub(super) async fn before(
    State(house): State<House>,
    Asking { mut shell, op }: Asking,
    Path(id): Path<String>,
) -> Response {
    shell.section = Some(Section::People);
    match find(&house, &op, &id).await {
        Ok(user) => show(&shell, user, Draft::default()),
        Err(refused) => render::refused(&shell, refused),
    }
}

pub(super) async fn deactivate(
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
    let mut errors = Errors::new();
    match house.domain.deactivate_user(&op, user.id).await {
        Ok(id) => {
            let next = format!("{}/hand-over", home(id));
            return render::done(&shell, &next, t.people_deactivate_done(&user.name));
        }
        Err(DeactivateError::Already) => errors.whole(t.people_state_already()),
        Err(DeactivateError::LastOwner) => errors.whole(t.people_last_owner()),
        Err(DeactivateError::Refused(refused)) => {
            return house.refused(&shell, &op, &posted, refused).await;
        }
    }
    show(&shell, user, Draft::refused(posted.fields, errors))
}

fn show(shell: &Shell, user: ShownUser, draft: Draft) -> Response {
    let t = shell.text;
    page(shell, t.people_deactivate()).of(&draft).show(move || {
        let here = home(user.id);
        let mut consequences = vec![t.people_deactivate_sign_in().to_owned()];
        if let Some(account) = user.account {
            consequences.push(t.people_deactivate_sessions(account.sessions));
            if account.keys > 0 {
                consequences.push(t.people_deactivate_keys(account.keys));
            }
        }
        consequences.push(t.people_deactivate_seen().to_owned());
        consequences.push(t.people_deactivate_undo().to_owned());
        let end = format!("{here}/end-sessions");
        view! {
            <PageHeader title=t.people_deactivate() crumbs=way_to(t, &user)/>
            <Confirm title=t.people_deactivate_title(&user.name) consequences=consequences>
                <Form draft=draft submit=t.people_deactivate() danger=true cancel=here/>
            </Confirm>
            <Panel id="instead" title=t.people_end_sessions()>
                <p>{t.people_end_sessions_why()}</p>
                <Act id="sessions" label=t.people_end_sessions() action=end/>
            </Panel>
        }
    })
}
