//! Notices to the person who is signed in: what happened to their account, or one they answer for.

use axum::{
    Router,
    extract::{Path, State},
    response::Response,
};
use keywarden_domain::people::{Notice, NoticeKind};
use keywarden_model::NoticeId;
use leptos::prelude::*;

use crate::{
    context::{Asking, House, Posted},
    pages::elsewhere,
    render,
    ui::{Act, Time, words},
};

pub(crate) fn routes() -> Router<House> {
    Router::new().route("/notices/{id}/dismiss", elsewhere::to("/").post(dismiss))
}

/// Everything that was not dismissed, newest first; nothing at all if there is nothing.
#[component]
pub fn NoticeList(notices: Vec<Notice>) -> impl IntoView {
    let t = words().text;
    if notices.is_empty() {
        return ().into_any();
    }
    let items = notices
        .into_iter()
        .map(|Notice { id, kind, about: (user, name), secret, at }| {
            let sentence = match kind {
                NoticeKind::PasskeyAdded => t.notice_passkey_added(&name),
                NoticeKind::PasskeyRemoved => t.notice_passkey_removed(&name),
                NoticeKind::RecoveredByCode => t.notice_recovered_by_code(&name),
                NoticeKind::RecoveredByLink => t.notice_recovered_by_link(&name),
                NoticeKind::RecoveryCodesRenewed => t.notice_codes_renewed(&name),
                NoticeKind::ShareGuessed => t.notice_share_guessed().to_owned(),
            };
            let (look, label) = match secret {
                Some(secret) => (format!("/secrets/{secret}"), t.notice_look_at_secret()),
                None => (format!("/people/{user}"), t.notice_look()),
            };
            view! {
                <li class="notice">
                    <p>{sentence.clone()} " " <Time at=at/> " " <a href=look>{label}</a></p>
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

async fn dismiss(
    State(house): State<House>,
    asking: Asking,
    Path(id): Path<String>,
    posted: Posted,
) -> Response {
    let Asking { shell, op } = asking.once(&posted);
    let Ok(id) = id.parse::<NoticeId>() else { return render::not_found(&shell) };
    match house.domain.dismiss_notice(&op, id).await {
        Ok(()) => render::see_other("/"),
        Err(refused) => render::refused(&shell, refused),
    }
}
