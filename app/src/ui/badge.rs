//! Short facts in a chip.

use keywarden_model::{KeyState, VersionState};
use leptos::prelude::*;

use super::{Tone, words};
use crate::text::Text;

/// A word or two about a thing: a risk, an environment, a state.
#[component]
pub fn Badge(
    #[prop(into)] label: String,
    #[prop(optional)] tone: Tone,
    /// More about it, for those who point at it.
    #[prop(optional, into)]
    title: Option<String>,
    /// The label is a name: it is not translated.
    #[prop(optional)]
    named: bool,
) -> impl IntoView {
    let class = format!("badge badge-{}", tone.as_str());
    view! { <span class=class title=title translate=named.then_some("no")>{label}</span> }
}

/// The state of a key's value, by NIST SP 800-57.
#[component]
pub fn KeyStateBadge(state: KeyState) -> impl IntoView {
    let tone = match state {
        KeyState::Active => Tone::Good,
        KeyState::Compromised => Tone::Bad,
        KeyState::Deactivated | KeyState::Destroyed => Tone::Neutral,
        KeyState::PreActivation => Tone::Info,
        KeyState::Suspended => Tone::Warn,
    };
    let label = state_name(words().text, state);
    view! { <span class=format!("badge badge-state badge-{}", tone.as_str()) data-state=state.as_str()>{label}</span> }
}

/// The state as people read it.
pub fn state_name(t: Text, state: KeyState) -> &'static str {
    match state {
        KeyState::Active => t.state_active(),
        KeyState::Compromised => t.state_compromised(),
        KeyState::Deactivated => t.state_deactivated(),
        KeyState::Destroyed => t.state_destroyed(),
        KeyState::PreActivation => t.state_pre_activation(),
        KeyState::Suspended => t.state_suspended(),
    }
}

/// The state of a secret's version.
#[component]
pub fn VersionStateBadge(state: VersionState) -> impl IntoView {
    let tone = match state {
        VersionState::Destroyed | VersionState::SoftDeleted => Tone::Neutral,
        VersionState::Disabled => Tone::Warn,
        VersionState::Enabled => Tone::Good,
    };
    let label = version_state_name(words().text, state);
    view! { <span class=format!("badge badge-state badge-{}", tone.as_str()) data-state=state.as_str()>{label}</span> }
}

/// The state as people read it.
pub fn version_state_name(t: Text, state: VersionState) -> &'static str {
    match state {
        VersionState::Destroyed => t.state_destroyed(),
        VersionState::Disabled => t.state_disabled(),
        VersionState::Enabled => t.state_enabled(),
        VersionState::SoftDeleted => t.state_soft_deleted(),
    }
}
