//! Notices to the person who is signed in: what happened to their account, or what they answer for.

mod choices;
mod list;
mod told;

use axum::{
    Router,
    extract::{Path, State},
    response::Response,
    routing::get,
};
use keywarden_domain::{Refused, people::Notice};
use keywarden_model::NoticeId;
use leptos::prelude::*;

pub(crate) use told::kind_name;

use crate::{
    context::{Asking, House, Posted},
    pages::elsewhere,
    render,
    shell::back_path,
    text::Text,
    ui::{Act, Tab, Time, tab, words},
};

const HERE: &str = "/notices";
const CHOICES: &str = "/notices/choices";

pub(crate) fn routes() -> Router<House> {
    Router::new()
        .route("/notices", get(list::show))
        .route("/notices/read", elsewhere::to(HERE).post(list::read_all))
        .route("/notices/choices", get(choices::show).post(choices::save))
        .route("/notices/{id}/dismiss", elsewhere::to("/").post(dismiss))
}

/// What has to do with being told.
pub(crate) fn tabs(t: Text, current: &str) -> Vec<Tab> {
    [(t.notices(), HERE), (t.choices(), CHOICES), (t.channels(), "/channels")]
        .into_iter()
        .map(|(label, href)| tab(label, href).current(href == current))
        .collect()
}

/// Everything that was not read, newest first; nothing at all if there is nothing.
#[component]
pub fn NoticeList(notices: Vec<Notice>) -> impl IntoView {
    let t = words().text;
    if notices.is_empty() {
        return ().into_any();
    }
    let items = notices
        .into_iter()
        .map(|notice| {
            let told::Said { sentence, href, label } = told::say(t, &notice);
            let Notice { id, at, .. } = notice;
            view! {
                <li class="notice">
                    <p>{sentence.clone()} " " <Time at=at/> " " <a href=href>{label}</a></p>
                    <Act
                        id=id.to_string()
                        label=t.notice_dismiss()
                        name=t.notice_dismiss_what(&sentence)
                        action=format!("/notices/{id}/dismiss")
                    />
                </li>
            }
        })
        .collect_view();
    view! { <section aria-label=t.notices()><ul class="notices">{items}</ul></section> }.into_any()
}

/// Leads back to where the button stood; whoever presses it twice sees what is true.
async fn dismiss(
    State(house): State<House>,
    asking: Asking,
    Path(id): Path<String>,
    posted: Posted,
) -> Response {
    let Asking { shell, op } = asking.once(&posted);
    let Ok(id) = id.parse::<NoticeId>() else { return render::not_found(&shell) };
    match house.domain.dismiss_notice(&op, id).await {
        Ok(()) => render::see_other(back_path(posted.fields.text("back"))),
        Err(Refused::NotFound) if !posted.fields.text("back").is_empty() => {
            render::see_other(back_path(posted.fields.text("back")))
        }
        Err(refused) => render::refused(&shell, refused),
    }
}
