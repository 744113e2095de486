//! `GET /policies/new?project=…&template=…`: the usual cases, and the editor.

use axum::{extract::State, response::Response};
use keywarden_domain::{
    Op, Refused,
    policy::{DraftPolicyError, NewPolicy, form::Form as Policy},
};
use keywarden_model::Name;
use leptos::prelude::*;

use super::{
    LIST,
    editor::{Asked, Editor},
    names::{Names, Place},
    templates::Template,
    way,
};
use crate::{
    context::{Asking, House, Posted},
    form::Params,
    pages::listing::href,
    render::{self, page},
    shell::{Section, Shell},
    text::Text,
    ui::{Fact, Facts, PageHeader, Panel, fact},
};

/// Where the policy is to hold: the address says so.
async fn place(house: &House, op: &Op, params: &Params) -> Result<Place, Refused> {
    match params.text("project") {
        "" => Ok(Place::Organization),
        slug => {
            let project = house.domain.project(op, slug).await?;
            Ok(Place::Project { id: project.id, name: project.name })
        }
    }
}

pub(super) async fn form(State(house): State<House>, asking: Asking, params: Params) -> Response {
    let Asking { shell, op } = asking.at(Section::Policies);
    let template = Template::named(params.text("template"));
    let begin = template.map_or_else(Policy::default, Template::form);
    let loaded = async {
        let place = place(&house, &op, &params).await?;
        Ok((Names::load(&house.domain, &op, &place).await?, place))
    };
    match loaded.await {
        Ok((names, place)) => draw(&shell, Editor::with(begin), template, names, place, &params),
        Err(refused) => render::refused(&shell, refused),
    }
}

pub(super) async fn create(
    State(house): State<House>,
    asking: Asking,
    params: Params,
    posted: Posted,
) -> Response {
    let Asking { shell, op } = asking.at(Section::Policies).once(&posted);
    let t = shell.text;
    let loaded = async {
        let place = place(&house, &op, &params).await?;
        Ok((Names::load(&house.domain, &op, &place).await?, place))
    };
    let (names, place) = match loaded.await {
        Ok(loaded) => loaded,
        Err(refused) => return house.refused(&shell, &op, &posted, refused).await,
    };
    let (mut editor, asked) = Editor::posted(t, &posted.fields, true);
    if let Asked::Save { text, note } = asked {
        match posted.fields.text("name").parse::<Name>() {
            Err(error) => editor.errors().at("name", t.name_wrong(&error)),
            Ok(name) => {
                let new = NewPolicy { scope: place.scope(), name, text, note };
                match house.domain.draft_policy(&op, new).await {
                    Ok(id) => return render::done(&shell, &format!("{LIST}/{id}"), t.policies_saved()),
                    Err(DraftPolicyError::Refused(refused)) => {
                        return house.refused(&shell, &op, &posted, refused).await;
                    }
                    Err(error) => editor.not_kept(t, error),
                }
            }
        }
    } else if let Err(refused) = editor.look(t, &house.domain, &op, place.scope()).await {
        return house.refused(&shell, &op, &posted, refused).await;
    }
    let template = Template::named(params.text("template"));
    draw(&shell, editor, template, names, place, &params)
}

fn draw(
    shell: &Shell,
    editor: Editor,
    template: Option<Template>,
    names: Names,
    place: Place,
    params: &Params,
) -> Response {
    let t = shell.text;
    let project = params.text("project").to_owned();
    page(shell, t.policies_new()).of(&editor.draft()).show(move || {
        let cases = match template {
            Some(template) => {
                view! { <Panel id="template" title=template.title(t)><p>{template.means(t)}</p></Panel> }
                    .into_any()
            }
            None => cases(t, &project),
        };
        let (title, lead) = match &place {
            Place::Organization => (t.policies_new().to_owned(), t.policies_new_lead()),
            Place::Project { name, .. } => (t.policies_new_in(name), t.policies_new_lead()),
        };
        view! {
            <PageHeader title=title lead=lead crumbs=way(t)/>
            {cases}
            {editor.view(t, &names, &place, LIST.to_owned(), None)}
        }
    })
}

/// The usual cases, each with the way to it.
fn cases(t: Text, project: &str) -> AnyView {
    let facts: Vec<Fact> = Template::ALL
        .into_iter()
        .filter(|it| project.is_empty() || it.is_of_projects())
        .map(|it| {
            let there = href("/policies/new", &[("template", it.slug()), ("project", project)]);
            let name = it.title(t);
            let start = view! { <a href=there aria-label=t.policies_start_with_what(name)>{t.policies_start_with()}</a> };
            fact(name, view! { {it.means(t)} " " {start} })
        })
        .collect();
    view! {
        <Panel id="cases" title=t.policies_start()>
            <p>{t.policies_start_lead()}</p>
            <Facts facts=facts/>
        </Panel>
    }
    .into_any()
}
