//! `POST /people/<id>/end-sessions`: signs somebody out everywhere.

use axum::{
    extract::{Path, State},
    response::Response,
};

use super::{find, home};
use crate::{
    context::{Asking, House, Posted},
    render,
};

pub(super) async fn end(
    State(house): State<House>,
    asking: Asking,
    Path(id): Path<String>,
    posted: Posted,
) -> Response {
    let Asking { shell, op } = asking.once(&posted);
    let user = match find(&house, &op, &id).await {
        Ok(user) => user,
        Err(refused) => return render::refused(&shell, refused),
    };
    match house.domain.end_sessions_of(&op, user.id).await {
        Ok(()) => render::done(&shell, &home(user.id), shell.text.people_sessions_ended(&user.name)),
        Err(refused) => house.refused(&shell, &op, &posted, refused).await,
    }
}
