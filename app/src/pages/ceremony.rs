//! The form around a passkey ceremony, and the answers to its script.

use axum::response::Response;
use http::StatusCode;
use keywarden_domain::{
    passkeys::{PasskeyError, Remedy},
    people::{CeremonyError, MOST_PASSKEYS, Started},
};
use keywarden_model::Name;
use leptos::prelude::*;
use serde::Serialize;

use crate::{
    context::json,
    shell::Shell,
    text::Text,
    ui::{Button, ButtonKind, LinkButton, words},
};

/// The script that performs ceremonies; a page with a [`PasskeyForm`] loads it.
pub(super) const SCRIPT: &str = "passkey.js";

/// What the browser asks of the authenticator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ask {
    /// A new passkey.
    Create,
    /// A signature of one that is there.
    Get,
}

/// A form that ends in a ceremony: fields (as children), a place for what goes wrong, the button.
#[component]
pub fn PasskeyForm(
    ask: Ask,
    /// Where the ceremony begins, and where it ends.
    #[prop(into)]
    start: String,
    #[prop(into)] finish: String,
    #[prop(into)] submit: String,
    /// Begins when the page opens.
    #[prop(optional)]
    autostart: bool,
    /// Where the form goes by itself, once the ceremony says so.
    #[prop(optional, into)]
    action: Option<String>,
    #[prop(optional, into)] cancel: Option<String>,
    #[prop(optional)] children: Option<Children>,
) -> impl IntoView {
    let t = words().text;
    let ask = match ask {
        Ask::Create => "create",
        Ask::Get => "get",
    };
    view! {
        <form
            class="form passkey"
            method="post"
            action=action
            data-passkey=ask
            data-start=start
            data-finish=finish
            data-autostart=autostart
            data-text-cancelled=t.passkey_cancelled()
            data-text-registered=t.passkey_registered()
            data-text-unsupported=t.passkey_unsupported()
            data-text-insecure=t.passkey_insecure()
            data-text-address=t.passkey_address()
            data-text-offline=t.passkey_offline()
            data-text-failed=t.passkey_failed()
        >
            {children.map(|children| children())}
            <p class="form-summary" role="alert" hidden></p>
            <noscript><p class="form-summary">{t.passkey_script()}</p></noscript>
            <div class="actions">
                <Button label=submit kind=ButtonKind::Primary/>
                {cancel.map(|cancel| view! { <LinkButton label=t.ui_cancel() href=cancel/> })}
            </div>
        </form>
    }
}

/// The script gets the options, or a sentence.
pub(super) fn started<O: Serialize>(started: &Started<O>) -> Response {
    json::answer(StatusCode::OK, started)
}

/// What went wrong with a ceremony of somebody known or signing in. `back` is the page with the form.
pub(super) fn refused(shell: &Shell, error: CeremonyError, back: &str) -> Response {
    let t = shell.text;
    match error {
        CeremonyError::Gone => json::error(StatusCode::UNPROCESSABLE_ENTITY, t.passkey_took_too_long()),
        CeremonyError::NameTaken => wrong(&t.form_at(t.entry_passkey(), t.passkey_name_taken())),
        CeremonyError::Passkey(error) => passkey(t, error),
        CeremonyError::Refused(refused) => json::refusal(shell, refused, back),
        CeremonyError::TooManyPasskeys => {
            json::error(StatusCode::UNPROCESSABLE_ENTITY, &t.passkey_too_many(MOST_PASSKEYS))
        }
    }
}

/// What went wrong with the passkey's answer, as a person can act on it.
pub(super) fn passkey(t: Text, error: PasskeyError) -> Response {
    tracing::info!(code = error.code(), "passkey refused");
    let sentence = match error {
        PasskeyError::AlreadyRegistered => t.passkey_registered(),
        PasskeyError::Expired => t.passkey_took_too_long(),
        _ => match error.remedy() {
            Remedy::AskOwner => t.passkey_ask(),
            Remedy::ReadAgain | Remedy::TryAgain => t.passkey_again(),
            Remedy::UseAnotherPasskey => t.passkey_another(),
            Remedy::UseOwnAddress => t.passkey_address(),
            Remedy::VerifyYourself => t.passkey_verify(),
        },
    };
    json::error(StatusCode::UNPROCESSABLE_ENTITY, sentence)
}

/// A name out of a script's field, or the sentence that says what is wrong with it.
pub(super) fn name(t: Text, label: &str, text: &str) -> Result<Name, String> {
    text.parse().map_err(|error| t.form_at(label, &t.name_wrong(&error)))
}

/// The script shows what is wrong with a field.
pub(super) fn wrong(sentence: &str) -> Response {
    json::error(StatusCode::UNPROCESSABLE_ENTITY, sentence)
}
