//! `POST /sign-out`.

use axum::{extract::State, response::Response};
use keywarden_domain::people::SessionChange;

use crate::{
    context::{House, SIGN_IN, Signed},
    render,
};

pub(super) async fn sign_out(State(house): State<House>, Signed { shell, op }: Signed) -> Response {
    match house.domain.sign_out(&op).await {
        Ok(()) => {
            let mut response = render::done(&shell, SIGN_IN, shell.text.signed_out());
            response.extensions_mut().insert(SessionChange::Ended);
            response
        }
        Err(refused) => render::refused(&shell, refused),
    }
}
