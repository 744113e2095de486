//! `GET /step-up?post=…&to=…`: asks for the passkey, then sends the kept post where it was going. Like every page that asks
//! for one it stands alone, without the frame and its islands: nothing is fetched here that could hold the passkey up.

use axum::{
    extract::{Query, State},
    response::Response,
};
use keywarden_domain::{Refused, people::SessionChange};
use leptos::prelude::*;
use serde::Deserialize;

use crate::{
    context::{Asking, House, KEPT_POST, SIGN_IN},
    pages::ceremony::{Ask, PasskeyForm, SCRIPT},
    render::{self, page},
    shell::{back_path, encoded},
    ui::PageHeader,
};

/// What waits.
#[derive(Debug, Deserialize)]
pub(super) struct Waiting {
    /// The kept post, if there is one.
    #[serde(default)]
    post: String,
    /// The page it belongs to.
    #[serde(default)]
    to: String,
}

pub(super) async fn show(
    State(house): State<House>,
    Asking { mut shell, op }: Asking,
    Query(waiting): Query<Waiting>,
) -> Response {
    let passkey = match house.domain.session_passkey(&op).await {
        Ok(passkey) => passkey,
        Err(refused) => return render::refused(&shell, refused),
    };
    shell.who = None;
    let t = shell.text;
    let to = back_path(&waiting.to).to_owned();
    let Some(passkey) = passkey else {
        // Sign-in would lead a session that goes on straight back here.
        return match house.domain.sign_out(&op).await {
            Ok(()) | Err(Refused::NotFound) => {
                let mut response = render::see_other(&format!("{SIGN_IN}?next={}", encoded(&to)));
                response.extensions_mut().insert(SessionChange::Ended);
                response
            }
            Err(refused) => render::refused(&shell, refused),
        };
    };
    let post = Some(waiting.post).filter(|post| !post.is_empty());
    page(&shell, t.step_up()).script(SCRIPT).show(move || {
        let lead = if post.is_some() { t.step_up_why() } else { t.step_up_only_why() };
        let field = match post {
            // Sent by the browser itself when the passkey was shown: the address is that of the kept post.
            Some(post) => view! { <input type="hidden" name=KEPT_POST value=post/> }.into_any(),
            None => view! { <input type="hidden" name="to" value=to.clone()/> }.into_any(),
        };
        view! {
            <PageHeader title=t.step_up() lead=lead/>
            <p>{t.step_up_which(&passkey.name)}</p>
            <PasskeyForm
                ask=Ask::Get
                start="/step-up/start"
                finish="/step-up/finish"
                submit=t.step_up_do()
                autostart=true
                action=to.clone()
                cancel=to
            >
                {field}
            </PasskeyForm>
        }
    })
}
