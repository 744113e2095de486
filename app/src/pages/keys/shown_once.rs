//! The answer to the post that made a value: the only page that holds it.

use axum::response::Response;
use keywarden_domain::SecretString;
use keywarden_model::ApiKeyId;
use leptos::prelude::*;

use crate::{
    render::page,
    shell::Shell,
    ui::{ButtonKind, CodeBlock, LinkButton, PageHeader, Panel, SecretValue, crumb},
};

/// A value that was just made, and of which key.
pub(super) struct Made<'a> {
    pub(super) id: ApiKeyId,
    pub(super) name: String,
    pub(super) value: &'a SecretString,
    /// "Key issued".
    pub(super) title: &'static str,
}

/// The value stands in one field; the command to try it reads it from the keyboard.
pub(super) fn shown_once(shell: &Shell, origin: &str, made: Made<'_>) -> Response {
    let t = shell.text;
    let Made { id, name, value, title } = made;
    let value = value.expose().to_owned();
    let curl = verify_command(origin);
    let back = format!("/keys/{id}");
    page(shell, title).lives_at(back.clone()).show(move || {
        view! {
            <PageHeader title=title crumbs=vec![crumb(t.keys(), "/keys"), crumb(name, back.clone())]/>
            <Panel id="value" title=t.keys_value()>
                <SecretValue id="secret" label=t.keys_value() value=value hint=t.shown_once()/>
                <div class="actions"><LinkButton kind=ButtonKind::Primary label=t.stored_it() href=back/></div>
            </Panel>
            <Panel id="try" title=t.keys_try()>
                <p>{t.keys_try_why()}</p>
                <CodeBlock id="curl" label=t.keys_try() text=curl/>
            </Panel>
        }
    })
}

/// Asks whether a key is good, without putting it into a shell's history.
fn verify_command(origin: &str) -> String {
    format!(
        "read -rs KEY\n\
         printf '{{\"key\":\"%s\"}}' \"$KEY\" | curl {origin}/api/v1/keys/verify \\\n  \
         -H \"Authorization: Bearer $KEYWARDEN_TOKEN\" \\\n  \
         -H 'Content-Type: application/json' -d @-"
    )
}

#[cfg(test)]
mod tests {
    use super::verify_command;

    #[test]
    fn the_command_asks_this_house() {
        let command = verify_command("https://keys.example.com");
        assert!(command.contains("curl https://keys.example.com/api/v1/keys/verify \\\n  -H"), "{command}");
        assert!(command.contains("'{\"key\":\"%s\"}'"), "{command}");
    }
}
