//! What needs saying on every page: the node's condition, rights that end, what was just done.

use leptos::prelude::*;

use crate::{
    shell::{Condition, Elevation, Shell},
    ui::{Banner, Tone, absolute},
};

pub(super) fn all(shell: &Shell) -> AnyView {
    let t = shell.text;
    let elevations = shell
        .elevations
        .iter()
        .map(|Elevation { role, until, give_back }| {
            let title = t.shell_elevated(role, &absolute(t, *until, shell.now));
            view! { <Banner tone=Tone::Warn title=title action=(t.shell_give_back(), give_back.clone())/> }
        })
        .collect_view();
    let flash = shell.flash.as_ref().map(|flash| {
        let sentence = flash.as_str().to_owned();
        view! { <Banner tone=Tone::Good title=sentence/> }
    });
    view! { {condition(shell)} {elevations} {flash} }.into_any()
}

fn condition(shell: &Shell) -> AnyView {
    let t = shell.text;
    match shell.condition {
        Condition::Ready => ().into_any(),
        Condition::Degraded { since, until } => {
            let (since, until) = (absolute(t, since, shell.now), absolute(t, until, shell.now));
            view! { <Banner tone=Tone::Bad title=t.shell_degraded()>{t.shell_degraded_until(&since, &until)}</Banner> }
                .into_any()
        }
        Condition::Sealed { since } => {
            let since = absolute(t, since, shell.now);
            view! { <Banner tone=Tone::Bad title=t.shell_sealed()>{t.shell_sealed_why(&since)}</Banner> }
                .into_any()
        }
    }
}
