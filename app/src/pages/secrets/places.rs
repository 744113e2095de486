//! The top of the tree: environments that hold secrets, by project.

use keywarden_domain::{
    Action, Op, Refused, environments::Environment, projects::Project, projects::ProjectQuery,
    secrets::SecretQuery,
};
use leptos::prelude::*;

use super::{
    around,
    filter::{Filter, PATH},
};
use crate::{
    cells,
    context::House,
    text::Text,
    ui::{Badge, ButtonKind, Column, EmptyState, LinkButton, PageHeader, Pager, Row, Table, crumb, row},
};

/// Projects on one page.
const PROJECTS: u32 = 20;

/// Environments that a page shows.
#[derive(Debug)]
pub(super) struct Places {
    environments: Vec<(Project, Environment)>,
    next: Option<String>,
    /// Whether there is any secret at all to be seen.
    some: bool,
}

impl Places {
    pub(super) async fn of(house: &House, op: &Op, filter: &Filter) -> Result<Self, Refused> {
        let reach = house.domain.reach(op, Action::ViewSecret).await?;
        let (projects, next) = match &filter.project {
            Some(project) => (vec![project.clone()], None),
            None => {
                let after = filter.params().some("after");
                let query = ProjectQuery { after, limit: PROJECTS, ..ProjectQuery::default() };
                let page = house.domain.projects(op, &query).await?;
                (page.projects.into_iter().map(|it| it.project).collect(), page.next)
            }
        };
        let mut environments = Vec::new();
        for project in projects.into_iter().filter(|it| reach.covers(it.id)) {
            let of_it = house.domain.environments(op, project.id).await?;
            environments.extend(of_it.into_iter().map(|it| (project.clone(), it)));
        }
        let query = SecretQuery { limit: 1, cursor: None, ..filter.query.clone() };
        // A first page has no cursor to be wrong about.
        let some = match house.domain.secrets(op, &query).await {
            Ok(page) => !page.secrets.is_empty(),
            Err(keywarden_domain::secrets::SecretListError::Cursor) => false,
            Err(keywarden_domain::secrets::SecretListError::Refused(refused)) => return Err(refused),
        };
        Ok(Self { environments, next, some })
    }
}

pub(super) fn view(t: Text, filter: &Filter, bar: AnyView, places: Places, may_create: bool) -> AnyView {
    let Places { environments, next, some } = places;
    let pager = Pager {
        shown: String::new(),
        first: filter.params().any(&["after"]).then(|| filter.params().first(PATH)),
        next: next.map(|place| filter.params().after(PATH, &place)),
    };
    let nowhere = environments.is_empty();
    let empty = empty(t, filter, nowhere, may_create);
    let rows = if some || !may_create {
        environments.into_iter().map(|it| line(t, it)).collect()
    } else {
        Vec::new()
    };
    let columns = vec![
        Column::text(t.keys_environment()),
        Column::text(t.keys_project()),
        Column::text(t.secrets_window()),
        Column::text(t.secrets_protection()),
    ];
    let crumbs = if filter.project.is_some() { vec![crumb(t.secrets(), PATH)] } else { Vec::new() };
    let actions = (may_create && !nowhere).then(|| {
        let create =
            view! { <LinkButton kind=ButtonKind::Primary label=t.secrets_create() href=filter.new_path()/> };
        view! {
            <LinkButton label=t.import() href=filter.import_path()/>
            {some.then_some(create)}
        }
    });
    let (title, named) = match &filter.project {
        Some(project) => (project.name.clone(), true),
        None => (t.secrets().to_owned(), false),
    };
    let ways = filter.project.as_ref().filter(|_| some).map(|it| around::ways(t, &it.slug, "", "", false));
    // Where there is nothing to look for, there is nothing to look with.
    let bar = (some || filter.params().any(&["project"])).then_some(bar);
    view! {
        <PageHeader title=title named=named lead=t.secrets_lead() crumbs=crumbs actions=actions.into_any()/>
        {ways}
        {bar}
        <Table caption=t.environments() columns=columns rows=rows pager=pager empty=empty/>
    }
    .into_any()
}

fn line(t: Text, (project, environment): (Project, Environment)) -> Row {
    let protection = environment.purge_protection.then(|| view! { <Badge label=t.secrets_protected()/> });
    let cells = cells![
        view! { <span translate="no">{project.name}</span> },
        t.span_days(environment.secret_recovery_days.unsigned_abs()),
        protection,
    ];
    row(around::folder_path(&project.slug, &environment.slug, ""), environment.name, cells)
}

fn empty(t: Text, filter: &Filter, nowhere: bool, may_create: bool) -> AnyView {
    if !may_create {
        return view! { <EmptyState title=t.secrets_first()>{t.secrets_none_yours_why()}</EmptyState> }
            .into_any();
    }
    if nowhere {
        return view! { <EmptyState title=t.keys_nowhere() action=(t.projects(), "/projects")>{t.secrets_nowhere_why()}</EmptyState> }.into_any();
    }
    view! {
        <EmptyState
            title=t.secrets_first()
            action=(t.secrets_create(), filter.new_path())
            cli="curl -X PUT $KEYWARDEN/api/v1/projects/pay/environments/live/secrets/database/password -H \"Authorization: Bearer $KEYWARDEN_TOKEN\" -H 'Content-Type: application/json' -d @value.json"
        >
            {t.secrets_first_why()}
        </EmptyState>
    }
    .into_any()
}
