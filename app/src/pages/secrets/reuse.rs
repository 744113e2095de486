//! Secrets that hold one value, or held it.

use keywarden_domain::secrets::{Held, Put};
use leptos::prelude::*;

use crate::{
    cells,
    text::Text,
    ui::{Column, Panel, Table, row},
};

/// Where else a secret's value is; nothing where it is nowhere else.
pub(super) fn panel(t: Text, held: Vec<Held>) -> Option<AnyView> {
    let table = (!held.is_empty()).then(|| table(t, t.reuse(), held))?;
    Some(
        view! { <Panel id="reuse" title=t.reuse()><p class="field-hint">{t.reuse_why()}</p>{table}</Panel> }
            .into_any(),
    )
}

/// The secrets, each with the versions that have the value.
pub(in crate::pages) fn table(t: Text, caption: &'static str, held: Vec<Held>) -> AnyView {
    let columns = vec![
        Column::text(t.secrets_path()),
        Column::text(t.keys_place()),
        Column::text(t.secrets_versions()),
        Column::text(t.leaks_current()),
    ];
    let rows = held.into_iter().map(|it| {
        let current = if it.is_current() { t.leaks_yes() } else { t.leaks_no() };
        let versions: Vec<_> = it.versions.iter().map(|version| version.number.to_string()).collect();
        let place = format!("{} / {}", it.secret.project_slug, it.secret.environment_slug);
        let cells = cells![view! { <span translate="no">{place}</span> }, versions.join(", "), current];
        row(format!("/secrets/{}", it.secret.id), it.secret.path.to_string(), cells)
    });
    let rows = rows.collect();
    view! { <Table caption=caption columns=columns rows=rows/> }.into_any()
}

/// What was done, and that the new version has the value of an earlier one.
pub(super) fn said(t: Text, done: String, made: &Put) -> String {
    match made.same_as {
        Some(number) => format!("{done} {}", t.reuse_same_as(number)),
        None => done,
    }
}
