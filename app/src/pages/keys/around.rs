//! What all pages of one key have around them.

use keywarden_domain::{
    Op, Refused,
    keys::{Key, KeyValue, KeyView},
};
use keywarden_model::ApiKeyId;

use super::callers::{self, Seen};
use crate::{
    context::House,
    shell::{ProjectLink, Shell},
    text::Text,
    ui::{Crumb, crumb},
};

/// The key of an address; what is no id is not there.
pub(super) async fn load(house: &House, op: &Op, id: &str) -> Result<KeyView, Refused> {
    let id: ApiKeyId = id.parse().map_err(|_| Refused::NotFound)?;
    house.domain.key(op, id).await
}

/// The key, and whoever would miss it.
pub(super) async fn load_with_callers(
    house: &House,
    op: &Op,
    id: &str,
) -> Result<(KeyView, Vec<Seen>), Refused> {
    let view = load(house, op, id).await?;
    let board = house.domain.drain_board(op, view.key.id).await?;
    Ok((view, callers::seen(&board)))
}

/// The frame says in which project the page is, if the switcher has it.
pub(super) fn place(shell: &mut Shell, project: &str) {
    shell.project = shell.projects.iter().find(|it| it.slug == project).cloned().or_else(|| {
        let slug = project.to_owned();
        Some(ProjectLink { name: slug.clone(), slug })
    });
}

pub(super) fn path(key: &Key) -> String {
    format!("/keys/{}", key.id)
}

/// Where the old values of a key are shown.
pub(super) fn drain_path(key: &Key) -> String {
    format!("/keys/{}?tab=drain", key.id)
}

/// The way to the key's own page.
pub(super) fn crumbs(t: Text, key: &Key) -> Vec<Crumb> {
    let slug = &key.project_slug;
    vec![crumb(slug.clone(), format!("/projects/{slug}")), crumb(t.keys(), format!("/keys?project={slug}"))]
}

/// The way to a page below the key's.
pub(super) fn crumbs_below(t: Text, key: &Key) -> Vec<Crumb> {
    let mut crumbs = crumbs(t, key);
    crumbs.push(crumb(key.name.as_str(), path(key)));
    crumbs
}

/// The value that callers should use; values are newest first.
pub(super) fn current(values: &[KeyValue]) -> Option<&KeyValue> {
    values.iter().find(|value| value.superseded_at.is_none()).or(values.first())
}

/// A value as people may see it: its public part, or the fingerprint of one that was imported.
pub(crate) fn shown(t: Text, value: &KeyValue) -> String {
    if value.imported { t.keys_imported_value(&value.public_id) } else { value.shown.clone() }
}

/// How many old values work on.
pub(super) fn draining(values: &[KeyValue]) -> u64 {
    values.iter().filter(|value| value.superseded_at.is_some() && value.is_living()).map(|_| 1).sum()
}
