//! Who may read the value, and which roles say so.

use keywarden_domain::secrets::{Ground, Reader, Readers, Secret};
use leptos::prelude::*;

use crate::{
    cells,
    text::Text,
    ui::{Column, EmptyState, Row, Table},
};

/// So many are shown; the API lists all of them.
const SHOWN: usize = 200;

/// What a value is read by: with one's own role, and by a link.
pub(super) const READINGS: &str = "secret.read,secret.open-share";

/// `may_audit`: the person may also see who did read it.
pub(super) fn view(t: Text, secret: &Secret, found: Readers, may_audit: bool) -> AnyView {
    let columns = vec![
        Column::text(t.people_name()),
        Column::minor(t.secrets_access_kind()),
        Column::text(t.secrets_access_by()),
    ];
    let project = secret.project_slug.clone();
    let more = found.readers.len().saturating_sub(SHOWN) as u64;
    let incomplete = found.incomplete;
    let rows = found.readers.into_iter().take(SHOWN).map(|reader| line(t, &project, reader)).collect();
    let empty =
        view! { <EmptyState title=t.secrets_access_none()>{t.secrets_access_none_why()}</EmptyState> };
    let readings = format!("/audit?resource={}&action={READINGS}", secret.id);
    let roles = format!("/projects/{}#roles", secret.project_slug);
    view! {
        <p class="field-hint">
            {if secret.deletion.is_some() { t.secrets_access_deleted() } else { t.secrets_access_lead() }}
            " "
            <a href=roles>{t.secrets_access_roles()}</a>
            {may_audit.then(|| view! { " · " <a href=readings>{t.secrets_access_did()}</a> })}
        </p>
        <Table caption=t.secrets_access_title() columns=columns rows=rows empty=empty.into_any()/>
        {(more > 0).then(|| view! { <p class="field-hint">{t.secrets_access_more(more)}</p> })}
        {incomplete.then(|| view! { <p class="field-hint">{t.secrets_access_incomplete()}</p> })}
    }
    .into_any()
}

fn line(t: Text, project: &str, reader: Reader) -> Row {
    let Reader { holder, name, grounds } = reader;
    let bearer = view! { <a href=format!("/o/{holder}") translate="no">{name}</a> };
    let grounds: Vec<_> = grounds.iter().map(|it| ground(t, project, it)).collect();
    Row::plain(bearer, cells![t.roles_kind(holder.kind()), grounds.join(" · ")])
}

/// `Manager in pay, through the team SRE`.
fn ground(t: Text, project: &str, ground: &Ground) -> String {
    let role = t.role(ground.role);
    let held = if ground.in_project { t.secrets_access_in(role, project) } else { role.to_owned() };
    match &ground.team {
        Some((_, team)) => format!("{held}, {}", t.roles_through(team)),
        None => held,
    }
}
