//! `/teams/<slug>/roles/…`: giving a team a role, and taking one away.

use axum::{
    extract::{Path, State},
    response::Response,
};
use keywarden_domain::{Op, Refused, roles::Holder};

use super::{home, way_to};
use crate::{
    context::{Asking, House, Posted},
    pages::roles::{self, Subject},
    render,
    shell::Section,
    text::Text,
    ui::Crumb,
};

async fn load(house: &House, op: &Op, t: Text, slug: &str) -> Result<(Subject, Vec<Crumb>), Refused> {
    let team = house.domain.team(op, slug).await?.team;
    let subject = Subject { holder: Holder::Team(team.id), name: team.name.clone(), home: home(&team) };
    Ok((subject, way_to(t, &team)))
}

pub(super) async fn new(
    State(house): State<House>,
    Asking { mut shell, op }: Asking,
    Path(slug): Path<String>,
) -> Response {
    shell.section = Some(Section::People);
    match load(&house, &op, shell.text, &slug).await {
        Ok((subject, crumbs)) => roles::new(&house, &shell, &op, subject, crumbs).await,
        Err(refused) => render::refused(&shell, refused),
    }
}

pub(super) async fn grant(
    State(house): State<House>,
    asking: Asking,
    Path(slug): Path<String>,
    posted: Posted,
) -> Response {
    let Asking { mut shell, op } = asking.once(&posted);
    shell.section = Some(Section::People);
    match load(&house, &op, shell.text, &slug).await {
        Ok((subject, crumbs)) => roles::grant(&house, &shell, &op, posted, subject, crumbs).await,
        Err(refused) => render::refused(&shell, refused),
    }
}

pub(super) async fn before(
    State(house): State<House>,
    Asking { mut shell, op }: Asking,
    Path((slug, binding)): Path<(String, String)>,
) -> Response {
    shell.section = Some(Section::People);
    match load(&house, &op, shell.text, &slug).await {
        Ok((subject, crumbs)) => roles::before(&house, &shell, &op, &binding, subject, crumbs).await,
        Err(refused) => render::refused(&shell, refused),
    }
}

pub(super) async fn revoke(
    State(house): State<House>,
    asking: Asking,
    Path((slug, binding)): Path<(String, String)>,
    posted: Posted,
) -> Response {
    let Asking { mut shell, op } = asking.once(&posted);
    shell.section = Some(Section::People);
    match load(&house, &op, shell.text, &slug).await {
        Ok((subject, crumbs)) => roles::revoke(&house, &shell, &op, posted, &binding, subject, crumbs).await,
        Err(refused) => render::refused(&shell, refused),
    }
}
