//! Whose session this is, and how they like to look at it.

use leptos::prelude::*;

use crate::{
    shell::{Section, Shell, Theme, Who},
    text::Locale,
};

pub(super) fn menu(shell: &Shell) -> AnyView {
    let t = shell.text;
    let Some(Who { name, detail }) = shell.who.clone() else { return ().into_any() };
    let current = (shell.section == Some(Section::Account)).then_some("page");
    view! {
        <details class="menu account">
            <summary>
                <span class="visually-hidden">{t.shell_account()}": "</span>
                <span class="account-name" translate="no">{name}</span>
                <span class="account-detail" translate="no">{detail}</span>
            </summary>
            <div class="menu-body">
                <a href=Section::Account.href() aria-current=current>{t.account()}</a>
                {theme(shell)}
                <form method="post" action="/sign-out" aria-label=t.shell_sign_out()><button type="submit" class="menu-button">{t.shell_sign_out()}</button></form>
            </div>
        </details>
    }
    .into_any()
}

/// A button for every language of the catalogue, each in its own.
pub(crate) fn language(shell: &Shell) -> AnyView {
    let t = shell.text;
    let buttons = Locale::ALL
        .map(|locale| {
            let pressed = if t.locale() == locale { "true" } else { "false" };
            view! {
                <button type="submit" name="locale" value=locale.tag() lang=locale.tag() translate="no" aria-pressed=pressed>
                    {locale.name()}
                </button>
            }
        })
        .collect_view();
    view! {
        <form method="post" action="/locale" class="theme" aria-label=t.account_language()>
            <input type="hidden" name="back" value=shell.path.clone()/>
            <fieldset><legend class="visually-hidden">{t.account_language()}</legend>{buttons}</fieldset>
        </form>
    }
    .into_any()
}

/// Three buttons: the choice is a cookie, so the next page is drawn in it from its first byte.
pub(crate) fn theme(shell: &Shell) -> AnyView {
    let t = shell.text;
    let buttons = Theme::ALL
        .map(|theme| {
            let label = match theme {
                Theme::Dark => t.shell_theme_dark(),
                Theme::Light => t.shell_theme_light(),
                Theme::System => t.shell_theme_system(),
            };
            let pressed = if shell.theme == theme { "true" } else { "false" };
            view! { <button type="submit" name="theme" value=theme.as_str() aria-pressed=pressed>{label}</button> }
        })
        .collect_view();
    view! {
        <form method="post" action="/theme" class="theme" aria-label=t.shell_theme()>
            <input type="hidden" name="back" value=shell.path.clone()/>
            <fieldset><legend class="visually-hidden">{t.shell_theme()}</legend>{buttons}</fieldset>
        </form>
    }
    .into_any()
}
