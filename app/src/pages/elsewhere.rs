//! Addresses that only take posts. A link leads to one all the same: of a passkey that was cancelled, of a page that could not
//! be answered, of the address bar. Whoever follows it is led to the page that has the button.

use axum::{
    extract::State,
    response::Response,
    routing::{MethodRouter, get},
};
use http::{StatusCode, Uri};
use leptos::prelude::*;

use crate::{
    context::House,
    render::{self, page},
    shell::{Shell, Visit},
    ui::EmptyState,
};

/// Leads to a page.
pub(crate) fn to<S: Clone + Send + Sync + 'static>(page: &'static str) -> MethodRouter<S> {
    get(move || async move { render::see_other(page) })
}

/// Leads to what the address is below.
pub(crate) fn up<S: Clone + Send + Sync + 'static>() -> MethodRouter<S> {
    get(
        |uri: Uri| async move { render::see_other(uri.path().rsplit_once('/').map_or("/", |(above, _)| above)) },
    )
}

/// 405: what a script sends, or what no browser does.
pub(crate) async fn nothing(State(house): State<House>, visit: Visit) -> Response {
    let shell = Shell::unmoved(house.console, visit);
    let t = shell.text;
    page(&shell, t.error_no_page()).status(StatusCode::METHOD_NOT_ALLOWED).show(move || {
        view! {
            <EmptyState heading=1 title=t.error_no_page() action=(t.error_home(), "/")>{t.error_no_page_why()}</EmptyState>
        }
    })
}
