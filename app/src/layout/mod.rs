//! The frame around every page: head, navigation, what needs saying, the page itself.

pub(crate) mod account;
mod banners;
mod head;
mod nav;

use leptos::prelude::*;

pub(crate) use head::head;

use crate::{
    islands::{Clock, ClockWords, Palette, PaletteWords},
    shell::{Protection, Shell, encoded},
    text::Text,
    ui::{Badge, Tone, clock, relative},
};

/// The body: the whole frame for who is signed in, the bare one for everybody else.
pub(crate) fn body(shell: &Shell, page: AnyView) -> AnyView {
    if shell.who.is_some() { framed(shell, page) } else { bare(shell, page) }
}

fn framed(shell: &Shell, page: AnyView) -> AnyView {
    let t = shell.text;
    view! {
        <body class="framed">
            {skip(t)}
            <header class="frame">
            <div class="side">{brand()}{nav::side(shell)}</div>
            <div class="top">
                <details class="menu top-menu">
                    <summary>{t.shell_menu()}</summary>
                    <div class="menu-body">{nav::side(shell)}</div>
                </details>
                {brand()}
                <div class="top-end">
                    {protection(shell)}
                    {proven(shell)}
                    {bell(shell)}
                    <div data-wake="palette" class="top-search"><Palette words=palette_words(t)/></div>
                </div>
            </div>
            </header>
            <main id="main" tabindex="-1">{banners::all(shell)}{page}</main>
            <div data-wake="clock"><Clock words=clock_words(t) now=shell.now.timestamp()/></div>
        </body>
    }
    .into_any()
}

/// For setting up and signing in: nothing to navigate to yet.
fn bare(shell: &Shell, page: AnyView) -> AnyView {
    view! {
        <body class="bare">
            {skip(shell.text)}
            <header class="bare-top">{brand()}{protection(shell)}</header>
            <main id="main" tabindex="-1">{banners::all(shell)}{page}</main>
            <footer class="bare-end">{account::theme(shell)}</footer>
        </body>
    }
    .into_any()
}

fn skip(t: Text) -> AnyView {
    view! { <a class="skip" href="#main">{t.shell_skip()}</a> }.into_any()
}

/// The name is the same in every language.
fn brand() -> AnyView {
    view! { <a class="brand" href="/" translate="no">"Keywarden"</a> }.into_any()
}

fn protection(shell: &Shell) -> AnyView {
    let t = shell.text;
    (shell.protection == Protection::Software)
        .then(|| {
            view! { <Badge label=t.shell_software_protected() title=t.shell_software_protected_why() tone=Tone::Warn/> }
        })
        .into_any()
}

/// Privileged mode: how long changes need no passkey, or the way to show it before one does.
fn proven(shell: &Shell) -> AnyView {
    let t = shell.text;
    match shell.proven_until {
        Some(until) => {
            let machine = until.format("%Y-%m-%dT%H:%M:%SZ").to_string();
            view! {
                <span class="proven proven-now" title=t.shell_unlocked_why()>
                    <span>{t.shell_unlocked()}</span>
                    " "
                    <time class="time" datetime=machine data-at=until.timestamp()>
                        <span class="proven-clock">{clock(until)}</span>
                        " "
                        <span class="time-distance">{relative(t, until, shell.now)}</span>
                    </time>
                </span>
            }
            .into_any()
        }
        None => {
            let href = format!("/step-up?to={}", encoded(&shell.path));
            view! { <a class="proven" href=href title=t.shell_locked_why()>{t.shell_locked()}</a> }.into_any()
        }
    }
}

/// The way to what the person was told, and how much of it they have not read.
fn bell(shell: &Shell) -> AnyView {
    let t = shell.text;
    let unread = shell.unread;
    let name = if unread == 0 { t.notices().to_owned() } else { t.notices_count(unread) };
    // Beyond that they are not counted.
    let count = if unread < 100 { unread.to_string() } else { "99+".to_owned() };
    let count = (unread > 0).then(|| view! { <span class="bell-count" aria-hidden="true">{count}</span> });
    view! {
        <a class="bell" href="/notices" aria-label=name.clone() title=name>
            {count}
        </a>
    }
    .into_any()
}

fn palette_words(t: Text) -> PaletteWords {
    PaletteWords {
        open: t.shell_search().into(),
        title: t.ui_palette_title().into(),
        hint: t.ui_palette_hint().into(),
        empty: t.ui_palette_empty().into(),
        failed: t.ui_palette_failed().into(),
    }
}

fn clock_words(t: Text) -> ClockWords {
    let n = "{n}";
    ClockWords {
        now: t.moment_now().into(),
        ago: [t.moment_seconds_ago(n), t.moment_minutes_ago(n), t.moment_hours_ago(n), t.moment_days_ago(n)],
        ahead: [t.moment_in_seconds(n), t.moment_in_minutes(n), t.moment_in_hours(n), t.moment_in_days(n)],
    }
}
