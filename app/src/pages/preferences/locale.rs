//! `POST /locale`: the language of the console.

use axum::{extract::State, response::Response};
use http::header;

use crate::{
    console::Console,
    form::Fields,
    render,
    shell::{Lifetime, back_path, set_cookie},
    text::Locale,
};

pub(super) async fn set(State(console): State<Console>, fields: Fields) -> Response {
    let locale = Locale::named(fields.text("locale")).unwrap_or_default();
    let mut response = render::see_other(back_path(fields.text("back")));
    if let Some(cookie) = set_cookie(console, "locale", locale.tag(), Lifetime::Year) {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    response
}
