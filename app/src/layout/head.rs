//! The document's head.

use leptos::prelude::*;

use crate::{render::Islands, shell::Shell};

/// No inline script and no inline style: scripts read from their own element what they need to know. `address` is where
/// the page is found again, if it is the answer to a post that has no other.
pub(crate) fn head(
    shell: &Shell,
    title: String,
    address: Option<String>,
    scripts: &[&'static str],
    islands: Islands,
) -> AnyView {
    let href = |name| shell.console.href(name);
    let history = shell.posted.then(|| {
        view! { <script type="module" src=href("history.js") data-address=address></script> }
    });
    // A passkey's form is sent by its own script, beside which runs nothing else.
    let once = scripts.is_empty().then(|| view! { <script type="module" src=href("once.js")></script> });
    let at_once = (islands == Islands::AtOnce).then(|| {
        view! {
            <link rel="modulepreload" href=href("keywarden.js")/>
            <link rel="preload" href=href("keywarden.wasm") r#as="fetch" r#type="application/wasm" crossorigin=""/>
        }
    });
    let loader = (islands != Islands::Never).then(|| {
        view! { <script type="module" src=href("islands.js") data-islands=href("keywarden.js")></script> }
    });
    let scripts =
        scripts.iter().map(|name| view! { <script type="module" src=href(name)></script> }).collect_view();
    view! {
        <head>
            <meta charset="utf-8"/>
            <title>{title}</title>
            <meta name="viewport" content="width=device-width, initial-scale=1"/>
            <meta name="color-scheme" content="light dark"/>
            <meta name="robots" content="noindex"/>
            <link rel="icon" type="image/svg+xml" href=href("favicon.svg")/>
            <link rel="stylesheet" href=href("keywarden.css")/>
            {history}
            {once}
            {at_once}
            {loader}
            {scripts}
        </head>
    }
    .into_any()
}
