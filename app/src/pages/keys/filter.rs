//! Which keys a page is about, read from its address. What makes no sense there is not there: a filter that nobody can
//! read must never widen to everything.

use std::str::FromStr;

use axum::response::Response;
use keywarden_domain::{
    Op, Refused,
    authz::Owner,
    environments::Environment,
    keys::{KeyQuery, UnusedDays},
};
use keywarden_model::{KeyState, Tag};
use leptos::prelude::*;

use super::around;
use crate::{
    context::House,
    form::Params,
    render,
    shell::Shell,
    text::Text,
    ui::{FilterBar, FilterChip, FilterSelect, choice, state_name},
};

/// Parameters that narrow.
pub(super) const NAMES: [&str; 7] = ["q", "project", "environment", "state", "unused", "owner", "tag"];
/// Days without use that can be chosen.
const UNUSED: [&str; 3] = ["30", "90", "365"];

/// The filter of an address.
#[derive(Clone, Debug)]
pub(super) struct Filter {
    pub(super) query: KeyQuery,
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
        path: &str,
    ) -> Result<Self, Response> {
        if let Some(public) = public_part(params.text("q")) {
            return Err(render::see_other(&with(&params.without(path, "q"), "q", &public)));
        }
        let read = async {
            let mut query = KeyQuery {
                state: strict::<KeyState>(&params, "state")?,
                tag: strict::<Tag>(&params, "tag")?,
                unused: strict::<UnusedDays>(&params, "unused")?,
                search: params.some("q"),
                ..KeyQuery::default()
            };
            query.owner = match params.text("owner") {
                "" => None,
                text => Some(Owner::parse(text).ok_or(Refused::NotFound)?),
            };
            let mut environments = Vec::new();
            if let Some(slug) = params.some("project") {
                let project = house.domain.project(op, &slug).await?;
                query.project = Some(project.id);
                environments = house.domain.environments(op, project.id).await?;
            }
            Ok((query, environments))
        };
        let (mut query, environments) = read.await.map_err(|refused| render::refused(shell, refused))?;
        if let Some(slug) = params.some("environment") {
            // Left from another project: the select of the new one never offered it.
            let Some(found) = environments.iter().find(|it| it.slug == slug) else {
                return Err(render::see_other(&params.without(path, "environment")));
            };
            query.environment = Some(found.id);
        }
        if params.any(&["project"]) {
            around::place(shell, params.text("project"));
        }
        Ok(Self { query, params, environments })
    }

    /// Whether anything is left out.
    pub(super) fn narrows(&self) -> bool {
        self.params.any(&NAMES)
    }

    pub(super) fn params(&self) -> &Params {
        &self.params
    }

    /// The bar above the list; `more` are its own selects.
    pub(super) fn bar(&self, shell: &Shell, path: &'static str, more: AnyView) -> AnyView {
        let t = shell.text;
        let params = &self.params;
        let projects =
            shell.projects.iter().map(|it| choice(it.slug.clone(), it.name.clone()).named()).collect();
        let environments: Vec<_> =
            self.environments.iter().map(|it| choice(it.slug.clone(), it.name.clone()).named()).collect();
        let states = KeyState::ALL.map(|state| choice(state.as_str(), state_name(t, state))).to_vec();
        let chosen = |name: &str| params.text(name).to_owned();
        // These have no select; they come from links and stay until their chip is closed.
        // Another number of days has no choice either.
        let other = params.some("unused").filter(|days| !UNUSED.contains(&days.as_str())).map(|_| "unused");
        let kept = ["owner", "tag"]
            .into_iter()
            .chain(other)
            .filter_map(|name| Some((name, params.some(name)?)))
            .map(|(name, value)| view! { <input type="hidden" name=name value=value/> })
            .collect_view();
        let (project, environment, state) = (chosen("project"), chosen("environment"), chosen("state"));
        let unused = other.is_none().then(|| {
            let days = UNUSED.map(|days| choice(days, t.keys_unused_days(days))).to_vec();
            view! { <FilterSelect name="unused" label=t.keys_unused() chosen=chosen("unused") choices=days/> }
        });
        view! {
            <FilterBar action=path search=chosen("q") search_label=t.keys_search() chips=self.chips(t, path)>
                <FilterSelect name="project" label=t.keys_project() chosen=project choices=projects/>
                {(!environments.is_empty()).then(|| view! {
                    <FilterSelect name="environment" label=t.keys_environment() chosen=environment choices=environments/>
                })}
                <FilterSelect name="state" label=t.keys_state() chosen=state choices=states/>
                {unused}
                {more}
                {kept}
            </FilterBar>
        }
        .into_any()
    }

    fn chips(&self, t: Text, path: &str) -> Vec<FilterChip> {
        let label = |name: &str| match name {
            "environment" => t.keys_environment(),
            "owner" => t.keys_owner(),
            "project" => t.keys_project(),
            "state" => t.keys_state(),
            "tag" => t.keys_tag(),
            "unused" => t.keys_unused(),
            _ => t.keys_search_chip(),
        };
        let given = NAMES.into_iter().filter_map(|name| Some((name, self.params.some(name)?)));
        let said =
            |name: &str, value: String| if name == "unused" { t.keys_unused_days(&value) } else { value };
        given
            .map(|(name, value)| FilterChip {
                label: format!("{}: {}", label(name), said(name, value)),
                remove: self.params.without(path, name),
            })
            .collect()
    }
}

fn strict<T: FromStr>(params: &Params, name: &str) -> Result<Option<T>, Refused> {
    params.some(name).map(|text| text.parse().map_err(|_| Refused::NotFound)).transpose()
}

/// Somebody searched for a whole value: its secret part must not stay in the address.
fn public_part(text: &str) -> Option<String> {
    let mut parts = text.strip_prefix("kwk_")?.splitn(3, '_');
    let (label, id, secret) = (parts.next()?, parts.next()?, parts.next()?);
    (secret != "…").then(|| format!("kwk_{label}_{id}_…"))
}

fn with(address: &str, name: &str, value: &str) -> String {
    let apart = if address.contains('?') { '&' } else { '?' };
    let pair = form_urlencoded::Serializer::new(String::new()).append_pair(name, value).finish();
    format!("{address}{apart}{pair}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_whole_value_is_cut_to_what_may_be_shown() {
        let cut = public_part("kwk_live_4hG7kQ2mXw9Z_0123456789abcdef").unwrap();
        assert_eq!(cut, "kwk_live_4hG7kQ2mXw9Z_…");
        assert_eq!(public_part(&cut), None, "or the redirect would never end");
        for plain in ["pay-prod", "kwk_live", "kwk_live_4hG7kQ2mXw9Z", "key_01JDB2W1N9F6Q3R8T5V7X9Z0AB", ""] {
            assert_eq!(public_part(plain), None, "{plain}");
        }
    }

    #[test]
    fn the_better_address_keeps_the_other_filters() {
        assert_eq!(with("/keys", "q", "a b"), "/keys?q=a+b");
        assert_eq!(with("/keys?project=pay", "q", "…"), "/keys?project=pay&q=%E2%80%A6");
    }
}
