//! What all pages of one secret have around them.

use axum::response::Response;
use chrono::{DateTime, Utc};
use keywarden_domain::{
    Action, Op, Refused,
    secrets::{Address, Secret, SecretView, Version},
};
use keywarden_model::{SecretId, SecretKind, SecretLabel};
use leptos::prelude::*;

use crate::{
    context::{Asking, House},
    pages::listing::href,
    render,
    shell::{ProjectLink, Section, Shell},
    text::Text,
    ui::{Crumb, Tabs, crumb, tab},
};

/// The secret of an address; what is no id is not there.
pub(super) async fn load(house: &House, op: &Op, id: &str) -> Result<SecretView, Refused> {
    let id: SecretId = id.parse().map_err(|_| Refused::NotFound)?;
    house.domain.secret(op, &Address::Id(id)).await
}

/// The page that asks before something is done to a secret.
pub(super) async fn ask(
    house: &House,
    asking: Asking,
    id: &str,
    draw: impl FnOnce(&mut Shell, &SecretView) -> Response,
) -> Response {
    let Asking { mut shell, op } = asking.at(Section::Secrets);
    match load(house, &op, id).await {
        Ok(view) => draw(&mut shell, &view),
        Err(refused) => render::refused(&shell, refused),
    }
}

/// A secret with one of its versions.
pub(super) async fn load_version(
    house: &House,
    op: &Op,
    (id, number): &(String, String),
) -> Result<(SecretView, Version), Refused> {
    let view = load(house, op, id).await?;
    let found = view.versions.iter().find(|it| it.number.to_string() == *number).cloned();
    Ok((view, found.ok_or(Refused::NotFound)?))
}

/// What the person may do with a secret. What cannot be done now is not offered either.
#[derive(Clone, Copy, Debug)]
pub(super) struct May {
    pub(super) alias: bool,
    pub(super) delete: bool,
    pub(super) delete_version: bool,
    pub(super) destroy: bool,
    pub(super) disable: bool,
    pub(super) edit: bool,
    pub(super) enable: bool,
    pub(super) label: bool,
    pub(super) purge: bool,
    pub(super) put: bool,
    pub(super) read: bool,
    pub(super) restore: bool,
    pub(super) restore_version: bool,
    pub(super) rotate: bool,
    pub(super) withdraw_share: bool,
}

impl May {
    pub(super) async fn of(house: &House, op: &Op, secret: &Secret) -> Result<Self, Refused> {
        let resource = secret.resource();
        let there = secret.deletion.is_none();
        let would = async |action| house.domain.would(op, action, &resource).await;
        Ok(Self {
            alias: there && would(Action::AliasSecret).await?,
            delete: there && would(Action::DeleteSecret).await?,
            delete_version: there && would(Action::DeleteSecretVersion).await?,
            destroy: would(Action::DestroySecretVersion).await?,
            disable: there && would(Action::DisableSecretVersion).await?,
            edit: there && would(Action::EditSecret).await?,
            enable: there && would(Action::EnableSecretVersion).await?,
            label: there && would(Action::LabelSecret).await?,
            purge: !there && !secret.purge_protection && would(Action::PurgeSecret).await?,
            put: there && would(Action::PutSecret).await?,
            read: there && would(Action::ReadSecret).await?,
            restore: !there && would(Action::RestoreSecret).await?,
            restore_version: there && would(Action::RestoreSecretVersion).await?,
            rotate: there && would(Action::RotateDataKey).await?,
            withdraw_share: would(Action::WithdrawShare).await?,
        })
    }
}

/// The frame says in which project the page is, if the switcher has it.
pub(super) fn place(shell: &mut Shell, project: &str) {
    shell.project = shell.projects.iter().find(|it| it.slug == project).cloned().or_else(|| {
        let slug = project.to_owned();
        Some(ProjectLink { name: slug.clone(), slug })
    });
}

pub(super) fn path(secret: &Secret) -> String {
    format!("/secrets/{}", secret.id)
}

pub(super) fn version_path(secret: &Secret, number: i64) -> String {
    format!("/secrets/{}/versions/{number}", secret.id)
}

/// The list of a folder; of the whole environment for the empty one.
pub(super) fn folder_path(project: &str, environment: &str, folder: &str) -> String {
    href("/secrets", &[("project", project), ("environment", environment), ("folder", folder)])
}

/// The two ways to look at a folder of a project: one environment's, or all of them side by side.
pub(super) fn ways(t: Text, project: &str, environment: &str, folder: &str, beside: bool) -> AnyView {
    let folders = folder_path(project, environment, if environment.is_empty() { "" } else { folder });
    let tabs = vec![
        tab(t.secrets_tab_folders(), folders).current(!beside),
        tab(t.secrets_beside(), beside_path(project, environment, folder)).current(beside),
    ];
    view! { <Tabs tabs=tabs/> }.into_any()
}

/// A folder in all environments of a project; `environment` is where one came from.
pub(super) fn beside_path(project: &str, environment: &str, folder: &str) -> String {
    href("/secrets/beside", &[("project", project), ("environment", environment), ("folder", folder)])
}

/// The way to a folder: every step but the last leads to a list.
pub(super) fn crumbs_to(t: Text, project: &str, environment: &str, folder: &str) -> Vec<Crumb> {
    let mut crumbs = vec![
        crumb(t.secrets(), "/secrets"),
        crumb(project, href("/secrets", &[("project", project)])),
        crumb(environment, folder_path(project, environment, "")),
    ];
    for (end, name) in ends(folder) {
        let above = folder.get(..end).unwrap_or(folder);
        crumbs.push(crumb(name, folder_path(project, environment, above)));
    }
    crumbs
}

/// Where each folder of a path ends, and what it is called.
fn ends(folder: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut end = 0;
    folder.split('/').filter(|name| !name.is_empty()).map(move |name| {
        end = name.len().saturating_add((end > 0).into()).saturating_add(end);
        (end, name)
    })
}

/// The way to the secret's own page.
pub(super) fn crumbs(t: Text, secret: &Secret) -> Vec<Crumb> {
    crumbs_to(t, &secret.project_slug, &secret.environment_slug, secret.path.folder())
}

/// The way to a page below the secret's.
pub(super) fn crumbs_below(t: Text, secret: &Secret) -> Vec<Crumb> {
    let mut crumbs = crumbs(t, secret);
    crumbs.push(crumb(secret.path.name(), path(secret)));
    crumbs
}

/// The way to a page below a version's.
pub(super) fn crumbs_below_version(t: Text, secret: &Secret, number: i64) -> Vec<Crumb> {
    let mut crumbs = crumbs_below(t, secret);
    crumbs.push(crumb(t.secrets_version_n(number), version_path(secret, number)));
    crumbs
}

/// The number that `current` points at.
pub(super) fn current(view: &SecretView) -> Option<i64> {
    view.labels.iter().find(|(label, _)| label.as_str() == SecretLabel::CURRENT).map(|(_, number)| *number)
}

/// The day on which a deleted secret is destroyed.
pub(super) fn day(t: Text, at: DateTime<Utc>) -> String {
    t.day_of(at)
}

pub(super) fn kind(t: Text, kind: SecretKind) -> &'static str {
    match kind {
        SecretKind::Binary => t.secrets_kind_binary(),
        SecretKind::Json => t.secrets_kind_json(),
        SecretKind::Text => t.secrets_kind_text(),
    }
}

/// `1,204 bytes`.
pub(super) fn size(t: Text, bytes: i64) -> String {
    match bytes.unsigned_abs() {
        1 => t.secrets_byte().to_owned(),
        bytes => t.secrets_bytes(&t.number(bytes)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_folder_on_the_way_has_its_address() {
        assert_eq!(ends("").count(), 0);
        let folder = "база/primary/a b";
        let way: Vec<_> = ends(folder).map(|(end, name)| (&folder[..end], name)).collect();
        assert_eq!(way, [("база", "база"), ("база/primary", "primary"), ("база/primary/a b", "a b")]);
        assert_eq!(folder_path("pay", "live", ""), "/secrets?project=pay&environment=live");
        assert_eq!(
            folder_path("pay", "live", "a/b c"),
            "/secrets?project=pay&environment=live&folder=a%2Fb+c"
        );
    }
}
