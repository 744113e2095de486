//! The page for a form that came twice: what the first one made, and what helps whoever did not see its value. A browser that
//! posts again while it waits drops the first answer, and no script need have held it back; what was shown once is in no other.

use axum::response::Response;
use http::StatusCode;
use keywarden_domain::Replayed;
use leptos::prelude::*;

use super::page;
use crate::{
    shell::Shell,
    text::Text,
    ui::{Action, EmptyState},
};

/// 409: the form came twice.
pub(super) fn done_before(shell: &Shell, replayed: Replayed) -> Response {
    let t = shell.text;
    let (title, said) = match replayed {
        Replayed::Done { thing } => (t.error_done_before(), made(t, &thing, &shell.path)),
        Replayed::OtherRequest => {
            let again = (t.error_retry(), shell.path.clone());
            (t.error_other_request(), Said::new(t.error_other_request_why(), again))
        }
    };
    page(shell, title).status(StatusCode::CONFLICT).show(move || {
        view! {
            <EmptyState heading=1 title=title action=said.first others=said.others>{said.why}</EmptyState>
        }
    })
}

struct Said {
    why: &'static str,
    first: Action,
    others: Vec<Action>,
}

impl Said {
    fn new(why: &'static str, first: impl Into<Action>) -> Self {
        Self { why, first: first.into(), others: Vec::new() }
    }

    fn or(mut self, other: (&'static str, String)) -> Self {
        self.others.push(other.into());
        self
    }
}

/// What was made, by its typed id; `here` is the form's address.
fn made(t: Text, thing: &str, here: &str) -> Said {
    let id = thing.split(' ').next().unwrap_or_default();
    let look = |href: String| (t.error_done_look(), href);
    let above = |part: &str| here.split_once(part).map_or("/", |(before, _)| before);
    match id.split_once('_').map_or(id, |(kind, _)| kind) {
        "inv" => Said::new(t.error_done_invitation_why(), look("/people/invitations".into()))
            .or((t.people_invite(), "/people/invite".into()))
            .or((t.invitations_withdraw(), format!("/people/invitations/{id}/withdraw"))),
        "key" => Said::new(t.error_done_key_why(), look(format!("/keys/{id}")))
            .or((t.keys_rotate(), format!("/keys/{id}/rotate")))
            .or((t.keys_revoke(), format!("/keys/{id}/revoke"))),
        "chn" => Said::new(t.error_done_before_why(), look(format!("/channels/{id}"))),
        "pol" => Said::new(t.error_done_before_why(), look(format!("/policies/{id}"))),
        "pts" => Said::new(t.error_done_before_why(), look("/policies/tests".to_owned())),
        "acr" => Said::new(t.error_done_before_why(), look(format!("/access/requests/{id}"))),
        "std" => Said::new(t.error_done_before_why(), look(format!("/standards/{id}"))),
        "recovery-codes" => Said::new(t.error_done_codes_why(), (t.codes_renew(), here.to_owned())),
        // Two versions were compared: their own page reads them anew.
        "sev" => Said::new(
            t.secrets_shown_before_why(),
            look(here.rsplit_once('/').map_or("/", |(page, _)| page).into()),
        ),
        "shr" => {
            let secret = above("/versions/");
            Said::new(t.error_done_share_why(), look(secret.to_owned()))
                .or((t.shares_make(), here.to_owned()))
                .or((t.shares_withdraw(), format!("{secret}/shares/{id}/withdraw")))
        }
        "stk" => {
            let workload = above("/tokens/");
            Said::new(t.error_done_token_why(), look(workload.to_owned()))
                .or((t.tokens_issue(), here.to_owned()))
                .or((t.tokens_revoke(), format!("{workload}/tokens/{id}")))
        }
        _ => Said::new(t.error_done_before_why(), (t.error_home(), "/".to_owned())),
    }
}
