//! `/people/<id>/roles/…`: giving a person a role, and taking one away.

use axum::{
    extract::{Path, State},
    response::Response,
};
use keywarden_domain::{Op, Refused, people::ShownUser, roles::Holder};

use super::{find, home, way_to};
use crate::{
    context::{Asking, House, Posted},
    pages::roles::{self, Subject},
    render,
    shell::Section,
    text::Text,
    ui::Crumb,
};

fn subject(user: &ShownUser) -> Subject {
    Subject { holder: Holder::Person(user.id), name: user.name.clone(), home: home(user.id) }
}

async fn load(house: &House, op: &Op, t: Text, id: &str) -> Result<(Subject, Vec<Crumb>), Refused> {
    let user = find(house, op, id).await?;
    Ok((subject(&user), way_to(t, &user)))
}

pub(super) async fn new(
    State(house): State<House>,
    Asking { mut shell, op }: Asking,
    Path(id): Path<String>,
) -> Response {
    shell.section = Some(Section::People);
    match load(&house, &op, shell.text, &id).await {
        Ok((subject, crumbs)) => roles::new(&house, &shell, &op, subject, crumbs).await,
        Err(refused) => render::refused(&shell, refused),
    }
}

pub(super) async fn grant(
    State(house): State<House>,
    asking: Asking,
    Path(id): Path<String>,
    posted: Posted,
) -> Response {
    let Asking { mut shell, op } = asking.once(&posted);
    shell.section = Some(Section::People);
    match load(&house, &op, shell.text, &id).await {
        Ok((subject, crumbs)) => roles::grant(&house, &shell, &op, posted, subject, crumbs).await,
        Err(refused) => render::refused(&shell, refused),
    }
}

pub(super) async fn before(
    State(house): State<House>,
    Asking { mut shell, op }: Asking,
    Path((id, binding)): Path<(String, String)>,
) -> Response {
    shell.section = Some(Section::People);
    match load(&house, &op, shell.text, &id).await {
        Ok((subject, crumbs)) => roles::before(&house, &shell, &op, &binding, subject, crumbs).await,
        Err(refused) => render::refused(&shell, refused),
    }
}

pub(super) async fn revoke(
    State(house): State<House>,
    asking: Asking,
    Path((id, binding)): Path<(String, String)>,
    posted: Posted,
) -> Response {
    let Asking { mut shell, op } = asking.once(&posted);
    shell.section = Some(Section::People);
    match load(&house, &op, shell.text, &id).await {
        Ok((subject, crumbs)) => roles::revoke(&house, &shell, &op, posted, &binding, subject, crumbs).await,
        Err(refused) => render::refused(&shell, refused),
    }
}
