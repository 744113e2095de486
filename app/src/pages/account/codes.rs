//! `/account/recovery-codes`: ten new ones, in the place of those before.

use axum::{extract::State, response::Response};
use leptos::prelude::*;

use super::{HOME, way};
use crate::{
    context::{Asking, House, Posted},
    pages::entry::codes,
    render::{self, page},
    shell::Section,
    ui::{Confirm, Form, PageHeader},
};

pub(super) async fn show(State(house): State<House>, Asking { mut shell, op }: Asking) -> Response {
    shell.section = Some(Section::Account);
    let t = shell.text;
    let left = match house.domain.recovery_codes_left(&op).await {
        Ok(left) => left,
        Err(refused) => return render::refused(&shell, refused),
    };
    page(&shell, t.codes()).show(move || {
        let left = if left == 0 { t.account_codes_none().to_owned() } else { t.account_codes_left(left) };
        let consequences =
            vec![t.account_codes_renew_ends().to_owned(), t.account_codes_renew_once().to_owned()];
        view! {
            <PageHeader title=t.codes() crumbs=way(t) lead=left/>
            <Confirm title=t.codes_renew() consequences=consequences>
                <Form submit=t.codes_renew() cancel=HOME/>
            </Confirm>
        }
    })
}

pub(super) async fn renew(State(house): State<House>, asking: Asking, posted: Posted) -> Response {
    let Asking { mut shell, op } = asking.once(&posted);
    shell.section = Some(Section::Account);
    match house.domain.renew_recovery_codes(&op).await {
        Ok(fresh) => codes::show(&shell, &fresh),
        Err(refused) => house.refused(&shell, &op, &posted, refused).await,
    }
}
