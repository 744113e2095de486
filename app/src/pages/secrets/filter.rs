//! Which secrets a list is about, read from its address. What makes no sense there is not there: a filter that nobody can
//! read must never widen to everything.

use axum::response::Response;
use keywarden_domain::{
    Op, Refused,
    authz::Owner,
    environments::Environment,
    projects::Project,
    secrets::{SecretQuery, Standing},
};
use leptos::prelude::*;

use super::{around, fields};
use crate::{
    context::House,
    form::Params,
    render,
    shell::Shell,
    text::Text,
    ui::{Choice, FilterBar, FilterChip, FilterInput, FilterSelect, choice},
};

pub(super) const PATH: &str = "/secrets";

/// Parameters that narrow, in the order of their chips.
const NAMES: [&str; 7] = ["q", "project", "environment", "folder", "state", "owner", "tag"];

/// The filter of an address.
#[derive(Clone, Debug)]
pub(super) struct Filter {
    pub(super) query: SecretQuery,
    pub(super) project: Option<Project>,
    pub(super) environment: Option<Environment>,
    params: Params,
    /// Of the project that is chosen.
    environments: Vec<Environment>,
    /// Owners to choose from.
    owners: Vec<Choice>,
}

impl Filter {
    /// Reads the filter and says in the frame which project it is about. Some addresses lead to a better one.
    pub(super) async fn read(
        house: &House,
        shell: &mut Shell,
        op: &Op,
        params: Params,
    ) -> Result<Self, Response> {
        let t = shell.text;
        let read = async {
            let standing = match params.text("state") {
                "" => Standing::There,
                text => text.parse().map_err(|_| Refused::NotFound)?,
            };
            let owner = match params.text("owner") {
                "" => None,
                text => Some(Owner::parse(text).ok_or(Refused::NotFound)?),
            };
            let tag = params.some("tag").map(|text| text.trim().parse().map_err(|_| Refused::NotFound));
            let tag = tag.transpose()?;
            let folder = params.some("folder").map(|text| text.parse().map_err(|_| Refused::NotFound));
            let folder = folder.transpose()?;
            let search = params.some("q");
            let query = SecretQuery { folder, search, owner, tag, standing, ..SecretQuery::default() };
            let owners = fields::owners(house, op, t, None).await?;
            let Some(slug) = params.some("project") else { return Ok((query, None, Vec::new(), owners)) };
            let project = house.domain.project(op, &slug).await?;
            let environments = house.domain.environments(op, project.id).await?;
            Ok((SecretQuery { project: Some(project.id), ..query }, Some(project), environments, owners))
        };
        let (mut query, project, environments, owners) =
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
        Ok(Self { query, project, environment, params, environments, owners })
    }

    /// Whether secrets are looked for wherever they lie, rather than one folder looked into.
    pub(super) fn searches(&self) -> bool {
        self.query.search.is_some() || self.narrows()
    }

    /// Whether more than a word or a place is asked for.
    pub(super) fn narrows(&self) -> bool {
        self.query.standing != Standing::There || self.query.owner.is_some() || self.query.tag.is_some()
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
        self.path_here("/secrets/new")
    }

    /// Where a file is imported into what is shown here.
    pub(super) fn import_path(&self) -> String {
        self.path_here(super::import::PATH)
    }

    /// Where what is shown here is given out.
    pub(super) fn export_path(&self) -> String {
        self.path_here("/secrets/export")
    }

    /// Where what is shown here is shown as it was.
    pub(super) fn as_of_path(&self) -> String {
        self.path_here(super::as_of::PATH)
    }

    fn path_here(&self, path: &str) -> String {
        let parameters = ["project", "environment", "folder"].map(|name| (name, self.params.text(name)));
        crate::pages::listing::href(path, &parameters)
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
        let states = vec![
            choice(Standing::Unreadable.as_str(), t.secrets_unreadable_ones()),
            choice(Standing::Expiring.as_str(), t.secrets_expiring_ones()),
            choice(Standing::Deleted.as_str(), t.secrets_deleted_ones()),
        ];
        let mut owners = self.owners.clone();
        if let Some(owner) = self.params.some("owner")
            && !owners.iter().any(|it| it.value() == owner)
        {
            owners.push(choice(owner.clone(), owner).named());
        }
        let (owner, tag) = (chosen("owner"), chosen("tag"));
        let (project, environment, state) = (chosen("project"), chosen("environment"), chosen("state"));
        view! {
            <FilterBar action=PATH search=chosen("q") search_label=t.secrets_search() chips=self.chips(t)>
                <FilterSelect name="project" label=t.keys_project() chosen=project choices=projects/>
                {(!environments.is_empty()).then(|| view! {
                    <FilterSelect name="environment" label=t.keys_environment() chosen=environment choices=environments/>
                })}
                <FilterSelect name="state" label=t.keys_state() any=t.secrets_state_there() chosen=state choices=states/>
                <FilterSelect name="owner" label=t.keys_owner() chosen=owner choices=owners/>
                <FilterInput name="tag" label=t.keys_tag() value=tag/>
                {folder}
            </FilterBar>
        }
        .into_any()
    }

    /// What a parameter's value is called.
    fn said(&self, t: Text, name: &str, value: &str) -> String {
        let owner = || self.owners.iter().find(|it| it.value() == value).map(|it| it.label().to_owned());
        match name {
            "owner" => owner(),
            "state" => match self.query.standing {
                Standing::Deleted => Some(t.secrets_deleted_ones().to_owned()),
                Standing::Expiring => Some(t.secrets_expiring_ones().to_owned()),
                Standing::Unreadable => Some(t.secrets_unreadable_ones().to_owned()),
                Standing::There => None,
            },
            _ => None,
        }
        .unwrap_or_else(|| value.to_owned())
    }

    /// Within a folder the breadcrumbs say where one is.
    fn chips(&self, t: Text) -> Vec<FilterChip> {
        if !self.searches() {
            return Vec::new();
        }
        let label = |name: &str| match name {
            "environment" => t.keys_environment(),
            "folder" => t.secrets_folder(),
            "owner" => t.keys_owner(),
            "project" => t.keys_project(),
            "state" => t.keys_state(),
            "tag" => t.keys_tag(),
            _ => t.keys_search_chip(),
        };
        let given = NAMES.into_iter().filter_map(|name| Some((name, self.params.some(name)?)));
        given
            .map(|(name, value)| FilterChip {
                label: format!("{}: {}", label(name), self.said(t, name, &value)),
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
