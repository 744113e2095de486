//! What can be brought back after everything is lost, and by whom.

use keywarden_domain::backup::{Backup, Backups};
use leptos::prelude::*;

use crate::{
    cells,
    text::Text,
    ui::{Banner, Column, EmptyState, Id, Panel, Row, Table, Time, Tone},
};

/// What is missing, above everything else.
pub(super) fn warning(t: Text, backups: &Backups) -> Option<AnyView> {
    let (title, why) = if backups.recipients.is_empty() {
        (t.backups_no_recipient(), t.backups_no_recipient_why())
    } else if backups.latest.is_empty() {
        (t.backups_missing(), t.backups_none_why())
    } else {
        return None;
    };
    Some(view! { <Banner tone=Tone::Warn title=title>{why}</Banner> }.into_any())
}

pub(super) fn section(t: Text, backups: &Backups) -> AnyView {
    let (latest, recipients) = (latest(t, backups), recipients(t, backups));
    view! {
        <Panel id="backups" title=t.backups()>{latest}</Panel>
        <Panel id="recipients" title=t.backups_recipients()>{recipients}</Panel>
    }
    .into_any()
}

fn latest(t: Text, backups: &Backups) -> AnyView {
    if backups.latest.is_empty() {
        let cli = "keywarden backup --to /media/usb/keywarden.kwbackup";
        return view! {
            <EmptyState heading=3 title=t.backups_none() cli=cli>{t.backups_what()}</EmptyState>
        }
        .into_any();
    }
    let rows = backups.latest.iter().map(|backup| row(t, backup, backups)).collect();
    let columns = vec![
        Column::text(t.backups_of()),
        Column::number(t.backups_size()),
        Column::text(t.backups_digest()),
        Column::text(t.backups_opens_for()),
        Column::text(t.backups_file()),
    ];
    view! { <Table caption=t.backups() columns=columns rows=rows/> }.into_any()
}

fn row(t: Text, backup: &Backup, backups: &Backups) -> Row {
    let name = |id| backups.recipients.iter().find(|it| it.id == id).map(|it| it.name.clone());
    let names: Vec<_> =
        backup.recipients.iter().map(|id| name(*id).unwrap_or_else(|| id.to_string())).collect();
    let cells = cells![
        t.backups_bytes(&t.number(backup.size)),
        view! { <Id value=backup.digest.clone()/> },
        names.join(", "),
        view! { <code translate="no">{backup.file.display().to_string()}</code> },
    ];
    Row::plain(view! { <Time at=backup.made_at/> }, cells)
}

fn recipients(t: Text, backups: &Backups) -> AnyView {
    if backups.recipients.is_empty() {
        let cli = "keywarden backup recipient add --name \"Safe in Bern\" recipient.txt";
        return view! {
            <EmptyState heading=3 title=t.backups_no_recipients() cli=cli>{t.backups_recipients_what()}</EmptyState>
        }
        .into_any();
    }
    let rows = backups
        .recipients
        .iter()
        .map(|it| {
            let cells = cells![view! { <Id value=it.id.to_string()/> }, view! { <Time at=it.added_at/> }];
            Row::plain(it.name.clone(), cells)
        })
        .collect();
    let columns = vec![
        Column::text(t.backups_recipient()),
        Column::text(t.projects_id()),
        Column::text(t.roles_since()),
    ];
    view! { <Table caption=t.backups_recipients() columns=columns rows=rows/> }.into_any()
}
