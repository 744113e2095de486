//! Recovery codes, shown once: to newcomers at `/welcome`, to others when they make new ones. A click shows them,
//! not the opening of a page, so that no preview and no reload loses them.

use axum::{extract::State, response::Response};
use keywarden_domain::{SecretString, people::RecoveryCodes};
use leptos::prelude::*;

use crate::{
    context::{Asking, House},
    pages::account,
    render::{self, page},
    shell::Shell,
    ui::{Act, Actions, ButtonKind, CodeBlock, EmptyState, LinkButton, PageHeader},
};

const RENEW: &str = "/account/recovery-codes";

pub(super) async fn before(Asking { shell, .. }: Asking) -> Response {
    let t = shell.text;
    page(&shell, t.codes()).show(move || {
        view! {
            <PageHeader title=t.codes() lead=t.codes_before()/>
            <Actions>
                <Act id="codes" kind=ButtonKind::Primary label=t.codes_show() action="/welcome/codes"/>
                <LinkButton label=t.codes_not_now() href="/"/>
            </Actions>
        }
    })
}

pub(super) async fn show_once(State(house): State<House>, Asking { shell, op }: Asking) -> Response {
    match house.domain.take_unseen_codes(&op).await {
        Ok(Some(codes)) => show(&shell, &codes),
        Ok(None) => {
            let t = shell.text;
            page(&shell, t.codes()).show(move || {
                view! {
                    <EmptyState heading=1 title=t.codes_gone() action=(t.codes_renew(), RENEW)>
                        {t.codes_gone_why()}
                    </EmptyState>
                }
            })
        }
        Err(refused) => render::refused(&shell, refused),
    }
}

/// The page with the codes: the answer to a post, so it has no address to come back to.
pub(crate) fn show(shell: &Shell, codes: &RecoveryCodes) -> Response {
    let t = shell.text;
    let text = codes.iter().map(SecretString::expose).collect::<Vec<_>>().join("\n");
    page(shell, t.codes()).lives_at(account::HOME).show(move || {
        view! {
            <PageHeader title=t.codes() lead=t.codes_lead()/>
            <div class="recovery-codes"><CodeBlock id="codes" label=t.codes_yours() text=text/></div>
            <p class="screen-only">{t.codes_print()}</p>
            <Actions>
                <LinkButton kind=ButtonKind::Primary label=t.codes_stored() href="/"/>
            </Actions>
        }
    })
}
