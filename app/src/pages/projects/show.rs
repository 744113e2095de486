use axum::{
    extract::{Path, State},
    response::Response,
};
use keywarden_domain::{Action, Resource};
use leptos::prelude::*;

use super::terms::span;
use crate::{
    cells,
    context::{Asking, House},
    pages::permissions,
    render::{self, page},
    shell::{ProjectLink, Section},
    ui::{
        Badge, ButtonKind, Column, EmptyState, Facts, Id, LinkButton, PageHeader, Panel, Row, Table, Time,
        crumb, fact, row,
    },
};

pub(super) async fn show(State(house): State<House>, asking: Asking, Path(slug): Path<String>) -> Response {
    let Asking { mut shell, op } = asking.at(Section::Projects);
    let loaded = async {
        let project = house.domain.project(&op, &slug).await?;
        let home = Resource::Project(project.id);
        let environments = house.domain.environments(&op, project.id).await?;
        let roles = match house.domain.project_roles(&op, project.id, None, 200).await {
            Ok(page) => Some(page.bindings),
            Err(keywarden_domain::Refused::NotFound | keywarden_domain::Refused::Forbidden(_)) => None,
            Err(other) => return Err(other),
        };
        let may = [
            house.domain.would(&op, Action::EditProject, &home).await?,
            house.domain.would(&op, Action::CreateEnvironment, &home).await?,
            house.domain.would(&op, Action::GrantProjectRole, &home).await?,
            house.domain.would(&op, Action::ArchiveProject, &home).await?,
        ];
        let who = permissions::way_for(&house, &op, &home).await?;
        Ok((project, environments, roles, may, who))
    };
    let (project, environments, roles, [may_edit, may_create, may_grant, may_archive], who) =
        match loaded.await {
            Ok(loaded) => loaded,
            Err(refused) => return render::refused(&shell, refused),
        };
    shell.project = Some(ProjectLink { slug: project.slug.clone(), name: project.name.clone() });
    let t = shell.text;
    page(&shell, project.name.clone()).show(move || {
        let base = format!("/projects/{}", project.slug);
        let open = project.archived_at.is_none();
        let facts = vec![
            fact(t.projects_slug(), view! { <Id value=project.slug.clone() whole=true/> }),
            fact(t.projects_id(), view! { <Id value=project.id.to_string()/> }),
            fact(t.projects_created(), view! { <Time at=project.created_at/> }),
        ];
        let state = (!open).then(|| view! { <Badge label=t.projects_archived()/> });
        let actions = view! {
            {(may_archive && open).then(|| view! { <LinkButton label=t.projects_archive() href=format!("{base}/archive")/> })}
            {(may_edit && open).then(|| view! { <LinkButton label=t.edit() href=format!("{base}/edit")/> })}
            {who.map(|href| view! { <LinkButton label=t.permissions_who_can() href=href/> })}
            <LinkButton label=t.project_key() href=format!("{base}/key")/>
            <LinkButton label=t.projects_see_secrets() href=format!("/secrets?project={}", project.slug)/>
            <LinkButton kind=ButtonKind::Primary label=t.projects_see_keys() href=format!("/keys?project={}", project.slug)/>
        };
        let environment_rows = environments
            .into_iter()
            .map(|it| {
                let cells = cells![
                    view! { <code translate="no">{it.slug.clone()}</code> },
                    view! { <code translate="no">{format!("kwk_{}_…", it.label)}</code> },
                    it.max_lifetime_seconds.map_or_else(|| t.environments_no_limit().to_owned(), |it| span(t, it)),
                    span(t, it.overlap_seconds),
                ];
                row(format!("{base}/environments/{}", it.slug), it.name, cells)
            })
            .collect();
        let no_environment = view! {
            <EmptyState title=t.environments_none() action=(t.environments_create(), format!("{base}/environments/new"))>
                {t.environments_none_why()}
            </EmptyState>
        };
        let add_environment = (may_create && open)
            .then(|| view! { <LinkButton label=t.environments_create() href=format!("{base}/environments/new")/> }.into_any());
        let roles = roles.map(|bindings| {
            let rows = bindings
                .into_iter()
                .map(|it| {
                    let inactive = (!it.holder_active).then(|| view! { " " <Badge label=t.roles_inactive()/> });
                    let cells = cells![
                        t.roles_kind(it.holder.kind()),
                        t.role(it.role),
                        view! { <Time at=it.created_at/> },
                        may_grant.then(|| view! { <a href=format!("{base}/roles/{}", it.id)>{t.roles_take()}</a> }),
                    ];
                    Row::plain(view! { <span translate="no">{it.holder_name}</span>{inactive} }, cells)
                })
                .collect();
            let columns = vec![
                Column::text(t.roles_holder()),
                Column::text(t.roles_what()),
                Column::text(t.roles_role()),
                Column::minor(t.roles_since()),
                Column::text(t.roles_take()),
            ];
            let empty = view! { <EmptyState title=t.roles_none()>{t.roles_none_why()}</EmptyState> };
            let add = (may_grant && open)
                .then(|| view! { <LinkButton label=t.roles_give() href=format!("{base}/roles")/> }.into_any());
            view! {
                <Panel id="roles" title=t.roles() aside=add.into_any()>
                    <Table caption=t.roles() columns=columns rows=rows empty=empty.into_any()/>
                </Panel>
            }
        });
        let columns = vec![
            Column::text(t.projects_name()),
            Column::text(t.projects_slug()),
            Column::text(t.environments_values()),
            Column::text(t.environments_lifetime()),
            Column::minor(t.environments_overlap()),
        ];
        view! {
            <PageHeader title=project.name.clone() named=true state=state.into_any() actions=actions.into_any() crumbs=vec![crumb(t.projects(), "/projects")]/>
            <Facts facts=facts/>
            <Panel id="environments" title=t.environments() aside=add_environment.into_any()>
                <Table caption=t.environments() columns=columns rows=environment_rows empty=no_environment.into_any()/>
            </Panel>
            {roles}
        }
    })
}
