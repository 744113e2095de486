//! What the pages of encryption keys share.

use axum::response::Response;
use keywarden_domain::{
    rewraps::{Rewrap, State},
    system::SealId,
};
use leptos::prelude::*;

use crate::{
    form::Draft,
    render::page,
    shell::Shell,
    text::Text,
    ui::{Badge, Confirm, Crumb, Form, PageHeader, Progress, TextField, Tone, crumb},
};

/// The page of all keys.
pub(super) const TREE: &str = "/system/keys";

/// A rewrap's own page. With `follow` it looks again by itself.
pub(super) fn rewrap_path(rewrap: impl std::fmt::Display, follow: bool) -> String {
    format!("/rewraps/{rewrap}{}", if follow { "?follow=1" } else { "" })
}

/// The way to a page below the tree.
pub(super) fn crumbs(t: Text) -> Vec<Crumb> {
    vec![crumb(t.system(), "/system"), crumb(t.encryption(), TREE)]
}

pub(super) fn state(t: Text, state: State) -> AnyView {
    let tone = match state {
        State::Done => Tone::Good,
        State::Paused => Tone::Warn,
        State::Running => Tone::Info,
    };
    view! { <Badge label=t.rewrap_state(state) tone=tone/> }.into_any()
}

pub(super) fn progress(t: Text, rewrap: &Rewrap) -> AnyView {
    // What was destroyed meanwhile needs no rewrapping: at the end all is done.
    let ended = rewrap.done.saturating_add(rewrap.skipped);
    let total = if rewrap.state == State::Done { ended } else { rewrap.total };
    view! {
        <Progress label=t.rewrap_progress() done=rewrap.done.unsigned_abs() total=total.unsigned_abs()/>
    }
    .into_any()
}

/// `1,204 of 4,294,967,295 uses`.
pub(super) fn uses(t: Text, uses: u64) -> String {
    t.encryption_uses(&t.number(uses), &t.number(keywarden_domain::project_keys::MAX_SEALS.unsigned_abs()))
}

/// Asks for the seal's name before one of its keys is destroyed.
pub(super) fn draw_destroy(
    shell: &Shell,
    title: String,
    seal: &SealId,
    backups: &str,
    draft: Draft,
) -> Response {
    let t = shell.text;
    let hint = t.encryption_hsm_destroy_hint(seal.as_str());
    let consequences = vec![t.encryption_hsm_destroy_final().to_owned(), backups.to_owned()];
    page(shell, t.encryption_hsm_destroy()).of(&draft).show(move || {
        view! {
            <PageHeader title=t.encryption_hsm_destroy() crumbs=crumbs(t)/>
            <Confirm title=title consequences=consequences>
                <Form draft=draft submit=t.encryption_destroy() danger=true cancel=TREE>
                    <TextField name="name" label=t.encryption_hsm_destroy_word() required=true mono=true maxlength=128 hint=hint/>
                </Form>
            </Confirm>
        }
    })
}
