//! What the pages of encryption keys share.

use axum::response::Response;
use keywarden_domain::{
    Op, Refused,
    rewraps::{Rewrap, State},
    system::{KeyNumber, SealId},
};
use leptos::prelude::*;

use crate::{
    context::{House, Posted},
    form::{Draft, Errors},
    render::{self, page},
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

/// An old key of a seal, which is destroyed when the seal's name is typed.
pub(super) struct OldKey {
    pub(super) seal: SealId,
    pub(super) number: KeyNumber,
    /// What cannot be opened any more.
    pub(super) backups: &'static str,
}

/// Why a key was not destroyed.
pub(super) enum Kept {
    /// As everywhere.
    Refused(Refused),
    /// In the words of its page.
    Why(String),
}

impl OldKey {
    /// Asks before it is destroyed.
    pub(super) fn draw(&self, shell: &Shell, draft: Draft) -> Response {
        let t = shell.text;
        let title = t.encryption_hsm_destroy_title(self.number, self.seal.as_str());
        let hint = t.encryption_hsm_destroy_hint(self.seal.as_str());
        let consequences = vec![t.encryption_hsm_destroy_final().to_owned(), self.backups.to_owned()];
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

    /// Waits for the deed if the name was typed, and says what came of it.
    pub(super) async fn destroy(
        &self,
        house: &House,
        shell: &Shell,
        op: &Op,
        posted: Posted,
        deed: impl Future<Output = Result<(), Kept>>,
    ) -> Response {
        let t = shell.text;
        let mut errors = Errors::new();
        if posted.fields.text("name") == self.seal.as_str() {
            match deed.await {
                Ok(()) => return render::done(shell, TREE, t.encryption_hsm_destroyed(self.number)),
                Err(Kept::Refused(refused)) => return house.refused(shell, op, &posted, refused).await,
                Err(Kept::Why(why)) => errors.whole(why),
            }
        } else {
            errors.at("name", t.encryption_hsm_destroy_wrong(self.seal.as_str()));
        }
        self.draw(shell, Draft::refused(posted.fields, errors))
    }
}
