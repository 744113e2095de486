//! What fields of conditions offer while somebody types: tags, time zones, short names. Lists that no field asks for are left out.

use keywarden_domain::{
    authz::zones,
    policy::form::{Condition, Form, Group, Takes, field},
};
use leptos::prelude::*;

use super::super::names::Names;
use crate::ui::Suggestions;

/// The list that such a field has, by its id.
pub(super) fn list(field: &str, takes: Takes) -> Option<&'static str> {
    Some(match takes {
        Takes::Slug if field == "project" => "offered-projects",
        Takes::Slug => "offered-environments",
        Takes::Tag => "offered-tags",
        Takes::TagName => "offered-tag-names",
        Takes::ZonedDays | Takes::ZonedTime => "offered-zones",
        _ => return None,
    })
}

/// The lists of a form's fields, each once.
pub(super) fn lists(form: &Form, names: &Names) -> AnyView {
    let mut asked = Vec::new();
    form.clauses.iter().for_each(|clause| ask(&clause.group, &mut asked));
    asked.sort_unstable();
    asked.dedup();
    let lists = asked.into_iter().map(|id| {
        let values = match id {
            "offered-projects" => names.project_slugs(),
            "offered-tags" => names.tags().to_vec(),
            "offered-tag-names" => names.tag_names(),
            "offered-zones" => zones().map(str::to_owned).collect(),
            _ => names.environment_slugs(),
        };
        view! { <Suggestions id=id values=values/> }
    });
    lists.collect_view().into_any()
}

fn ask(group: &Group, asked: &mut Vec<&'static str>) {
    for condition in &group.of {
        match condition {
            Condition::Group(inner) | Condition::Not(inner) => ask(inner, asked),
            Condition::Test(test) => {
                let takes = field(&test.field).and_then(|it| it.operator(&test.operator)).map(|it| it.takes);
                asked.extend(takes.and_then(|takes| list(&test.field, takes)));
            }
            Condition::Text(_) => {}
        }
    }
}
