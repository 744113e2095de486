//! Which secrets a list is about, read from its address. What makes no sense there is not there: a filter that nobody can
//! read must never widen to everything.

use axum::response::Response;
use keywarden_domain::{Op, Refused, environments::Environment, projects::Project, secrets::SecretQuery};
use leptos::prelude::*;

use super::around;
use crate::{
    context::House,
    form::Params,
    render,
    shell::Shell,
    text::Text,
    ui::{FilterBar, FilterChip, FilterSelect, choice},
};

pub(super) const PATH: &str = "/secrets";

/// Parameters that narrow, in the order of their chips.
const NAMES: [&str; 5] = ["q", "project", "environment", "folder", "state"];

/// The filter of an address.
#[derive(Clone, Debug)]
pub(super) struct Filter {
    pub(super) query: SecretQuery,
    pub(super) project: Option<Project>,
    pub(super) environment: Option<Environment>,
    params: Params,
    /// Of the project that is chosen.
    environments: Vec<Environment>,
}

impl Filter {
    /// Reads the filter and says in the frame which project it is about. Some addresses lead to a better one.
    pub(super) async fn read(
        house: &House,
        shell: &mut Shell,
        op: &Op,
        params: Params,
    ) -> Result<Self, Response> {
        let read = async {
            let deleted = match params.text("state") {
                "" => false,
                "deleted" => true,
                _ => return Err(Refused::NotFound),
            };
            let folder = params.some("folder").map(|text| text.parse().map_err(|_| Refused::NotFound));
            let folder = folder.transpose()?;
            let query = SecretQuery { folder, search: params.some("q"), deleted, ..SecretQuery::default() };
            let Some(slug) = params.some("project") else { return Ok((query, None, Vec::new())) };
            let project = house.domain.project(op, &slug).await?;
            let environments = house.domain.environments(op, project.id).await?;
            Ok((SecretQuery { project: Some(project.id), ..query }, Some(project), environments))
        };
        let (mut query, project, environments) =
            read.await.map_err(|refused| render::refused(shell, refused))?;
        let environment = match params.some("environment") {
            None => None,
            Some(slug) => match environments.iter().find(|it| it.slug == slug) {
                Some(found) => Some(found.clone()),
                // Left from another project: the select of the new one never offered it.
                None => return Err(render::see_other(&without_place(&params))),
            },
        };
        query.environment = environment.as_ref().map(|it| it.id);
        if query.folder.is_some() && environment.is_none() {
            return Err(render::see_other(&params.without(PATH, "folder")));
        }
        if let Some(project) = &project {
            around::place(shell, &project.slug);
        }
        Ok(Self { query, project, environment, params, environments })
    }

    /// Whether secrets are looked for wherever they lie, rather than one folder looked into.
    pub(super) fn searches(&self) -> bool {
        self.query.search.is_some() || self.query.deleted
    }

    pub(super) fn params(&self) -> &Params {
        &self.params
    }

    /// The folder that is looked into; empty at the top.
    pub(super) fn folder(&self) -> &str {
        self.query.folder.as_ref().map_or("", |folder| folder.as_str())
    }

    /// Where something new is made from here.
    pub(super) fn new_path(&self) -> String {
        let parameters = ["project", "environment", "folder"].map(|name| (name, self.params.text(name)));
        crate::pages::listing::href("/secrets/new", &parameters)
    }

    /// The bar above the list.
    pub(super) fn bar(&self, shell: &Shell) -> AnyView {
        let t = shell.text;
        let chosen = |name: &str| self.params.text(name).to_owned();
        let projects =
            shell.projects.iter().map(|it| choice(it.slug.clone(), it.name.clone()).named()).collect();
        let environments: Vec<_> =
            self.environments.iter().map(|it| choice(it.slug.clone(), it.name.clone()).named()).collect();
        // It has no select: folders are gone into.
        let folder = self
            .params
            .some("folder")
            .map(|value| view! { <input type="hidden" name="folder" value=value/> });
        let states = vec![choice("deleted", t.secrets_deleted_ones())];
        let (project, environment, state) = (chosen("project"), chosen("environment"), chosen("state"));
        view! {
            <FilterBar action=PATH search=chosen("q") search_label=t.secrets_search() chips=self.chips(t)>
                <FilterSelect name="project" label=t.keys_project() chosen=project choices=projects/>
                {(!environments.is_empty()).then(|| view! {
                    <FilterSelect name="environment" label=t.keys_environment() chosen=environment choices=environments/>
                })}
                <FilterSelect name="state" label=t.keys_state() any=t.secrets_state_there() chosen=state choices=states/>
                {folder}
            </FilterBar>
        }
        .into_any()
    }

    /// Within a folder the breadcrumbs say where one is.
    fn chips(&self, t: Text) -> Vec<FilterChip> {
        if !self.searches() {
            return Vec::new();
        }
        let label = |name: &str| match name {
            "environment" => t.keys_environment(),
            "folder" => t.secrets_folder(),
            "project" => t.keys_project(),
            "state" => t.keys_state(),
            _ => t.keys_search_chip(),
        };
        let given = NAMES.into_iter().filter_map(|name| Some((name, self.params.some(name)?)));
        given
            .map(|(name, value)| FilterChip {
                label: format!("{}: {value}", label(name)),
                remove: self.params.without(PATH, name),
            })
            .collect()
    }
}

/// The address with neither environment nor folder.
fn without_place(params: &Params) -> String {
    let address = params.without(PATH, "environment");
    let query = address.split_once('?').map_or("", |(_, query)| query);
    Params::parse(query).without(PATH, "folder")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_projects_environment_goes_with_its_folder() {
        let params = Params::parse("project=pay&environment=old&folder=a%2Fb&q=x&after=y");
        assert_eq!(without_place(&params), "/secrets?project=pay&q=x");
    }
}
