//! Notices to the person who is signed in: what happened to their account, or one they answer for.

use axum::{
    Router,
    extract::{Path, State},
    response::Response,
    routing::post,
};
use keywarden_domain::people::{Notice, NoticeKind};
use keywarden_model::NoticeId;
use leptos::prelude::*;

use crate::{
    context::{Asking, House},
    render,
    ui::{Time, words},
};

pub(crate) fn routes() -> Router<House> {
    Router::new().route("/notices/{id}/dismiss", post(dismiss))
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
                    <form method="post" action=format!("/notices/{id}/dismiss")>
                        <button type="submit" class="button" aria-label=t.notice_dismiss_what(&sentence)>
                            {t.notice_dismiss()}
                        </button>
                    </form>
                </li>
            }
        })
        .collect_view();
    view! { <section aria-label=t.notices()><ul class="notices">{items}</ul></section> }.into_any()
}

async fn dismiss(
    State(house): State<House>,
    Asking { shell, op }: Asking,
    Path(id): Path<String>,
) -> Response {
    let Ok(id) = id.parse::<NoticeId>() else { return render::not_found(&shell) };
    match house.domain.dismiss_notice(&op, id).await {
        Ok(()) => render::see_other("/"),
        Err(refused) => render::refused(&shell, refused),
    }
}
