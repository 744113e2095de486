//! One folder: the folders in it, then the secrets in it.
//!
//! Paths come in their order, with all that lies below them. A page reads on until it is full; where one folder holds more
//! than a page may read, the page ends within it and the next one begins there.

use keywarden_domain::{
    Op,
    secrets::{SecretLine, SecretListError, SecretQuery},
};
use keywarden_model::SecretPath;
use leptos::prelude::*;

use super::{around, filter::Filter, found};
use crate::{
    cells,
    context::House,
    text::Text,
    ui::{ButtonKind, Column, EmptyState, LinkButton, PageHeader, Pager, Row, Table, Time, row},
};

/// Secrets that are read at once.
const READ: u32 = 50;
/// How often a page reads on.
const READS: usize = 20;
/// Rows with which a page is full.
const FULL: usize = 50;

/// What the person may do in a folder.
#[derive(Clone, Copy, Debug)]
pub(super) struct Here {
    pub(super) create: bool,
    pub(super) export: bool,
}

/// What lies in a folder, as far as one page goes.
#[derive(Debug, Default)]
pub(super) struct Content {
    folders: Vec<Folder>,
    secrets: Vec<SecretLine>,
    next: Option<String>,
}

/// A folder, and how many secrets of it the page has met.
#[derive(Debug, PartialEq, Eq)]
struct Folder {
    path: String,
    folded: String,
    secrets: u64,
}

impl Content {
    pub(super) async fn of(house: &House, op: &Op, filter: &Filter) -> Result<Self, SecretListError> {
        let mut content = Self::default();
        let mut cursor = filter.params().some("after");
        for _ in 0..READS {
            let query = SecretQuery { cursor, limit: READ, ..filter.query.clone() };
            let page = house.domain.secrets(op, &query).await?;
            for line in page.secrets {
                content.take(filter.folder(), line);
            }
            cursor = page.next;
            if cursor.is_none() || content.rows() >= FULL {
                break;
            }
        }
        content.next = cursor;
        Ok(content)
    }

    pub(super) fn rows(&self) -> usize {
        self.folders.len().saturating_add(self.secrets.len())
    }

    fn take(&mut self, folder: &str, line: SecretLine) {
        let Some(path) = below(folder, &line.secret.path) else {
            self.secrets.push(line);
            return;
        };
        let folded = path.parse::<SecretPath>().map_or_else(|_| path.clone(), |path| path.folded());
        match self.folders.iter_mut().find(|it| it.folded == folded) {
            Some(known) => known.secrets = known.secrets.saturating_add(1),
            None => self.folders.push(Folder { path, folded, secrets: 1 }),
        }
    }
}

/// The folder right below `folder` in which a secret lies; `None` if it lies in `folder` itself.
fn below(folder: &str, path: &SecretPath) -> Option<String> {
    let below = folder.split('/').filter(|name| !name.is_empty()).count().saturating_add(1);
    let names: Vec<_> = path.as_str().split('/').collect();
    let (folder, rest) = names.split_at_checked(below)?;
    (!rest.is_empty()).then(|| folder.join("/"))
}

/// The page's own part: its heading, and the table.
pub(super) fn view(t: Text, filter: &Filter, bar: AnyView, content: Content, may: Here) -> AnyView {
    let Here { create: may_create, export: may_export } = may;
    let project = filter.project.as_ref().map(|it| it.slug.clone()).unwrap_or_default();
    let environment = filter.environment.as_ref().map(|it| it.slug.clone()).unwrap_or_default();
    let title = match filter.folder().rsplit('/').next() {
        Some(name) if !name.is_empty() => name.to_owned(),
        _ => environment.clone(),
    };
    let mut crumbs = around::crumbs_to(t, &project, &environment, filter.folder());
    // The last step is this page.
    crumbs.pop();
    let some = content.rows() > 0;
    let more = content.next.is_some();
    let pager = Pager {
        shown: if some { found::said(t, content.rows(), more) } else { String::new() },
        first: filter.params().any(&["after"]).then(|| filter.params().first(super::filter::PATH)),
        next: content.next.as_ref().map(|place| filter.params().after(super::filter::PATH, place)),
    };
    let (of_project, of_environment) = (project.clone(), environment.clone());
    let folders = content.folders.into_iter().map(|it| folder_row(t, &of_project, &of_environment, it));
    let secrets = content.secrets.into_iter().map(|it| secret_row(t, it));
    let rows = folders.chain(secrets).collect();
    let columns = vec![
        Column::text(t.secrets_name()),
        Column::minor(t.keys_description()),
        Column::text(t.secrets_current()),
        Column::text(t.secrets_kind()),
        Column::text(t.secrets_changed()),
    ];
    let new = filter.new_path();
    let empty = empty(t, filter, may_create);
    let (as_of, import, export) = (filter.as_of_path(), filter.import_path(), filter.export_path());
    let actions = view! {
        <LinkButton label=t.as_of() href=as_of/>
        {(may_export && some).then(|| view! { <LinkButton label=t.export() href=export/> })}
        {may_create.then(|| view! { <LinkButton label=t.import() href=import/> })}
        {(may_create && some).then(|| view! { <LinkButton kind=ButtonKind::Primary label=t.secrets_create() href=new/> })}
    };
    view! {
        <PageHeader title=title named=true crumbs=crumbs actions=actions.into_any()/>
        {around::ways(t, &project, &environment, filter.folder(), false)}
        {bar}
        <Table caption=t.secrets() columns=columns rows=rows pager=pager empty=empty/>
    }
    .into_any()
}

fn folder_row(t: Text, project: &str, environment: &str, folder: Folder) -> Row {
    let name = folder.path.rsplit('/').next().unwrap_or_default().to_owned();
    let href = around::folder_path(project, environment, &folder.path);
    let name = view! { <span class="secret-folder">{format!("{name}/")}</span> };
    row(href, name, cells![t.secrets_found(folder.secrets), (), (), ()])
}

fn secret_row(t: Text, SecretLine { secret, current }: SecretLine) -> Row {
    let description = secret.description.as_str().to_owned();
    let cells = cells![
        view! { <span translate="no">{description}</span> },
        found::version(t, current.as_ref()),
        current.as_ref().map(|it| around::kind(t, it.kind)),
        view! { <Time at=current.map_or(secret.created_at, |it| it.created_at)/> },
    ];
    row(around::path(&secret), secret.path.name().to_owned(), cells)
}

fn empty(t: Text, filter: &Filter, may_create: bool) -> AnyView {
    if may_create {
        return view! {
            <EmptyState title=t.secrets_none_here() action=(t.secrets_create(), filter.new_path())>{t.secrets_none_here_why()}</EmptyState>
        }
        .into_any();
    }
    view! { <EmptyState title=t.secrets_none_here()>{t.secrets_none_yours_why()}</EmptyState> }.into_any()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_lies_in_the_folder_or_in_one_right_below_it() {
        let below = |folder: &str, path: &str| below(folder, &path.parse().unwrap());
        assert_eq!(below("", "token"), None);
        assert_eq!(below("", "db/primary/password").as_deref(), Some("db"));
        assert_eq!(below("db", "db/token"), None);
        assert_eq!(below("db", "DB/primary/x/y").as_deref(), Some("DB/primary"));
    }
}
