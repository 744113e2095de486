//! What the pages of encryption keys share.

use keywarden_domain::rewraps::{Rewrap, State};
use leptos::prelude::*;

use crate::{
    text::Text,
    ui::{Badge, Crumb, Progress, Tone, crumb},
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
