//! Signing out elsewhere. Restricting oneself can wait for no passkey.

use axum::{
    extract::{Path, State},
    response::Response,
};
use keywarden_model::SessionId;

use super::HOME;
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
    let Ok(id) = id.parse::<SessionId>() else { return render::not_found(&shell) };
    match house.domain.end_own_session(&op, id).await {
        Ok(()) => render::done(&shell, HOME, shell.text.account_ended()),
        Err(refused) => render::refused(&shell, refused),
    }
}

pub(super) async fn end_others(State(house): State<House>, asking: Asking, posted: Posted) -> Response {
    let Asking { shell, op } = asking.once(&posted);
    match house.domain.end_all_other_sessions(&op).await {
        Ok(()) => render::done(&shell, HOME, shell.text.account_others_ended()),
        Err(refused) => render::refused(&shell, refused),
    }
}
