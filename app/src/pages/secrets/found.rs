//! Secrets wherever they lie: what a search finds, and what is deleted.

use keywarden_domain::secrets::{SecretLine, SecretPage, Standing, Version};
use leptos::prelude::*;

use super::{
    around,
    filter::{Filter, PATH},
    validity,
};
use crate::{
    cells,
    text::Text,
    ui::{
        Badge, Column, EmptyState, PageHeader, Pager, Row, Table, Time, Tone, VersionStateBadge, crumb, row,
    },
};

pub(super) fn view(t: Text, filter: &Filter, bar: AnyView, found: SecretPage) -> AnyView {
    let deleted = filter.query.standing == Standing::Deleted;
    let more = found.next.is_some();
    let pager = Pager {
        shown: if found.secrets.is_empty() { String::new() } else { said(t, found.secrets.len(), more) },
        first: filter.params().any(&["after"]).then(|| filter.params().first(PATH)),
        next: found.next.map(|place| filter.params().after(PATH, &place)),
    };
    let rows = found.secrets.into_iter().map(|it| line(t, it)).collect();
    let mut columns = vec![
        Column::text(t.secrets_path()),
        Column::text(t.keys_place()),
        Column::minor(t.keys_owner()),
        Column::text(t.secrets_current()),
    ];
    columns.extend(if deleted {
        [Column::text(t.secrets_deleted_at()), Column::text(t.secrets_goes())]
    } else {
        [Column::text(t.secrets_kind()), Column::text(t.secrets_changed())]
    });
    let title = match filter.query.standing {
        Standing::Deleted => t.secrets_deleted_title(),
        Standing::Expiring => t.secrets_expiring_title(),
        Standing::There | Standing::Unreadable => t.secrets_found_title(),
    };
    let elsewise = filter.query.owner.is_some() || filter.query.tag.is_some();
    let (none, why) = match (deleted, filter.query.search.is_some() || elsewise) {
        (true, false) => (t.secrets_none_deleted(), t.secrets_none_deleted_why()),
        _ => (t.secrets_none_match(), t.secrets_none_match_why()),
    };
    let empty = view! { <EmptyState title=none action=(t.list_clear(), PATH)>{why}</EmptyState> };
    view! {
        <PageHeader title=title crumbs=vec![crumb(t.secrets(), PATH)]/>
        {bar}
        <Table caption=title columns=columns rows=rows pager=pager empty=empty.into_any()/>
    }
    .into_any()
}

fn line(t: Text, SecretLine { secret, current }: SecretLine) -> Row {
    let mut cells = cells![
        view! { <span translate="no">{format!("{} / {}", secret.project_slug, secret.environment_slug)}</span> },
        view! { <span translate="no">{secret.owner_name.clone()}</span> },
        version(t, current.as_ref()),
    ];
    cells.extend(match secret.deletion {
        Some(it) => cells![view! { <Time at=it.at/> }, view! { <Time at=it.purge_at/> }],
        None => cells![
            current.as_ref().map(|it| around::kind(t, it.kind)),
            view! { <Time at=current.map_or(secret.created_at, |it| it.created_at)/> },
        ],
    });
    row(around::path(&secret), secret.path.to_string(), cells)
}

/// The number of what callers read, and its state where they cannot.
pub(super) fn version(t: Text, current: Option<&Version>) -> AnyView {
    use keywarden_model::VersionState;
    match current {
        None => view! { <Badge label=t.secrets_no_current() tone=Tone::Warn/> }.into_any(),
        Some(it) => {
            let shut = (!matches!(it.state, VersionState::Enabled | VersionState::SoftDeleted))
                .then(|| view! { " " <VersionStateBadge state=it.state/> });
            view! { {t.secrets_version_n(it.number)}{shut}{validity::badge(t, it)} }.into_any()
        }
    }
}

/// How many a page shows; nobody counts the rest.
pub(super) fn said(t: Text, shown: usize, more: bool) -> String {
    let n = t.number(shown as u64);
    if more { t.secrets_shown_of_more(&n) } else { t.secrets_shown(&n) }
}
