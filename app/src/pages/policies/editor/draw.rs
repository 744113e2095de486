//! The editor's fields.

use keywarden_domain::policy::form::{
    Clause, Condition, DEEPEST, Effect, Form, Group, Takes, Test, What, field, fields,
};
use leptos::prelude::*;

use super::super::names::{Names, Place, actions as actions_of};
use super::offered;
use super::posted::{annotation, days, kind, name, scope_value, ticked, zoned};
use crate::{
    text::Text,
    ui::{CheckboxGroup, Choice, Hidden, SelectField, TextArea, TextField, TextKind, Writes, choice},
};

/// The form of a policy: each part of the sentence, and its conditions.
pub(super) fn parts(t: Text, form: &Form, names: &Names, place: &Place) -> AnyView {
    let effect = if form.effect == Effect::Permit { "permit" } else { "forbid" };
    let effects = vec![choice("permit", t.policies_can()), choice("forbid", t.policies_must_never())];
    let who = scope_value(&form.who);
    let things = scope_value(&form.things);
    let whos = with(names.principals(t), &who);
    let all_things = with(names.things(t, place), &things);
    let annotations = form.annotations.iter().map(|(name, value)| {
        view! { <input type="hidden" name="annotations[]" value=annotation(name, value.as_deref())/> }
    });
    let annotations = annotations.collect_view();
    let next = there(&form.clauses.len().to_string());
    let clauses = form.clauses.iter().enumerate();
    let clauses = clauses.map(|(at, it)| clause(t, &at.to_string(), it, names)).collect_view();
    view! {
        // Whoever presses Enter in a field has the form drawn again, and presses no other button by it.
        <button type="submit" name="do" value="draw" class="visually-hidden" tabindex="-1" aria-hidden="true">{t.policies_draw()}</button>
        {annotations}
        <div class="policy-head">
            <SelectField name="who" label=t.policies_who() required=true placeholder=t.policies_choose() choices=whos value=who/>
            <SelectField name="effect" label=t.policies_effect() required=true choices=effects value=effect/>
            <SelectField name="things" label=t.policies_things() required=true placeholder=t.policies_choose() choices=all_things value=things/>
        </div>
        {actions(t, form, place)}
        {clauses}
        {offered::lists(form, names)}
        <div class="actions">
            <button type="submit" class="button" name="do" value="when" formaction=next.clone()>{t.policies_add_when()}</button>
            <button type="submit" class="button" name="do" value="unless" formaction=next>{t.policies_add_unless()}</button>
        </div>
    }
    .into_any()
}

/// What is chosen is always among the choices, also if it was chosen in the text.
fn with(mut choices: Vec<Choice>, value: &str) -> Vec<Choice> {
    if !value.is_empty() && !choices.iter().any(|it| it.value() == value) {
        choices.push(choice(value, value).named());
    }
    choices
}

fn actions(t: Text, form: &Form, place: &Place) -> AnyView {
    let chosen = ticked(&form.what);
    let before = chosen.join("\n");
    let listed = matches!(form.what, What::Listed(_));
    let nouns = actions_of(t, place, form.effect, &chosen).into_iter().map(|noun| {
        let count = noun.choices.iter().filter(|it| chosen.iter().any(|one| one == it.value())).count();
        let (values, open) = (chosen.clone(), count > 0);
        let badge = open.then(|| view! { " " <span class="policy-count">{t.policies_chosen(count)}</span> });
        view! {
            <details class="policy-actions" open=open>
                <summary>{noun.label.clone()}{badge}</summary>
                <CheckboxGroup name=format!("what-{}[]", noun.name) label=noun.label.clone() choices=noun.choices values=values/>
            </details>
        }
    });
    let nouns = nouns.collect_view();
    view! {
        <fieldset class="field-section policy-what" id="field-what">
            <legend>{t.policies_what()}</legend>
            <p class="field-hint">{t.policies_what_hint()}</p>
            <Hidden name="what_before" value=before/>
            {listed.then(|| view! { <Hidden name="what_listed" value="1"/> })}
            {nouns}
        </fieldset>
    }
    .into_any()
}

fn clause(t: Text, at: &str, clause: &Clause, names: &Names) -> AnyView {
    let word = if clause.unless { "unless" } else { "when" };
    let words = vec![choice("when", t.policies_when()), choice("unless", t.policies_unless())];
    let legend = if clause.unless { t.policies_unless() } else { t.policies_when() };
    let place = place_of(at);
    view! {
        <fieldset class="field-section policy-clause" id=format!("at-{at}")>
            <legend>{legend}</legend>
            <div class="policy-group-head">
                <SelectField name=name(at, "word") label=t.policies_word(&place) required=true choices=words value=word/>
                {group_kind(t, at, &clause.group, None)}
                {buttons(t, at, &place)}
            </div>
            {group(t, at, &clause.group, 1, names)}
        </fieldset>
    }
    .into_any()
}

/// The page again, at this place: whoever pressed a button looks at what came of it.
fn there(at: &str) -> String {
    format!("#at-{at}")
}

/// A place as people count.
fn place_of(at: &str) -> String {
    let steps = at.split('-').map(|it| it.parse::<usize>().unwrap_or_default().saturating_add(1).to_string());
    steps.collect::<Vec<_>>().join(".")
}

fn group_kind(t: Text, at: &str, group: &Group, not: Option<bool>) -> AnyView {
    let mut kinds = vec![choice("all", t.policies_all_of()), choice("any", t.policies_any_of())];
    if not.is_some() {
        kinds.push(choice("none", t.policies_none_of()));
        kinds.push(choice("not", t.policies_not_all_of()));
    }
    let value = kind(group, not.unwrap_or_default());
    view! { <SelectField name=name(at, "kind") label=t.policies_kind(&place_of(at)) required=true choices=kinds value=value/> }
        .into_any()
}

fn buttons(t: Text, at: &str, place: &str) -> AnyView {
    let (nest, remove) = (t.policies_nest_what(place), t.policies_remove_what(place));
    let (here, above) = (there(at), there(at.rsplit_once('-').map_or("0", |(above, _)| above)));
    view! {
        <div class="policy-buttons">
            <button type="submit" class="button" name="do" value=format!("nest {at}") formaction=here aria-label=nest>{t.policies_nest()}</button>
            <button type="submit" class="button" name="do" value=format!("remove {at}") formaction=above aria-label=remove>{t.policies_remove()}</button>
        </div>
    }
    .into_any()
}

fn group(t: Text, at: &str, group: &Group, depth: usize, names: &Names) -> AnyView {
    let items = group.of.iter().enumerate().map(|(place, it)| {
        let at = format!("{at}-{place}");
        let condition = condition(t, &at, it, depth.saturating_add(1), names);
        view! { <li class="policy-condition" id=format!("at-{at}")>{condition}</li> }
    });
    let items = items.collect_view();
    let list = (!group.of.is_empty()).then(|| view! { <ul class="policy-conditions">{items}</ul> });
    let new = name(at, "new");
    let (place, add) = (place_of(at), format!("add {at}"));
    let label = t.policies_add_what(&place);
    view! {
        {list}
        <div class="policy-add">
            <SelectField name=new label=t.policies_new_condition(&place) choices=kinds(t, depth)/>
            <button type="submit" class="button" name="do" value=add formaction=there(at) aria-label=label>{t.policies_add()}</button>
        </div>
    }
    .into_any()
}

/// Everything that can be added to a group.
fn kinds(t: Text, depth: usize) -> Vec<Choice> {
    let tests = fields().iter().flat_map(|field| field.operators.iter().map(move |it| (field.name, it.name)));
    let tests = tests
        .map(|(field, operator)| choice(format!("{field}:{operator}"), t.policies_test(field, operator)));
    let groups = [
        choice("all", t.policies_group_all()),
        choice("any", t.policies_group_any()),
        choice("none", t.policies_group_none()),
    ];
    let groups = groups.into_iter().filter(move |_| depth < DEEPEST);
    tests.chain(groups).chain([choice("text", t.policies_text_condition())]).collect()
}

fn condition(t: Text, at: &str, condition: &Condition, depth: usize, names: &Names) -> AnyView {
    let place = place_of(at);
    let kind = |word: &'static str| view! { <Hidden name=name(at, "kind") value=word/> };
    match condition {
        Condition::Group(inner) | Condition::Not(inner) => {
            let not = matches!(condition, Condition::Not(_));
            view! {
                <div class="policy-group-head">
                    {group_kind(t, at, inner, Some(not))}
                    {buttons(t, at, &place)}
                </div>
                {group(t, at, inner, depth, names)}
            }
            .into_any()
        }
        Condition::Test(it) => {
            view! { {kind("test")} {test(t, at, it, names)} {buttons(t, at, &place)} }.into_any()
        }
        Condition::Text(text) => {
            let label = t.policies_text_condition_at(&place);
            view! {
                {kind("text")}
                <TextArea name=name(at, "value") label=label writes=Writes::Code required=true maxlength=4000 rows=2 value=text.clone()/>
                {buttons(t, at, &place)}
            }
            .into_any()
        }
    }
}

fn test(t: Text, at: &str, test: &Test, names: &Names) -> AnyView {
    let what = format!("{}:{}", test.field, test.operator);
    let label = t.policies_test(&test.field, &test.operator);
    let takes = field(&test.field).and_then(|field| field.operator(&test.operator)).map(|it| it.takes);
    let (field, value) = (name(at, "value"), test.value.clone());
    let input = match takes {
        None | Some(Takes::Nothing) => view! { <p class="policy-flag">{label}</p> }.into_any(),
        Some(Takes::Days) => {
            let chosen = value.split(' ').map(str::to_owned).collect();
            let boxes = (1..=7).map(|day| choice(day.to_string(), t.policies_day(day))).collect();
            view! { <CheckboxGroup name=days(at) label=label choices=boxes values=chosen required=true/> }.into_any()
        }
        Some(Takes::ZonedDays) => {
            let (zone_name, value) = zoned(&value);
            let chosen = value.split(' ').map(str::to_owned).collect();
            let boxes = (1..=7).map(|day| choice(day.to_string(), t.policies_day(day))).collect();
            view! {
                {zone(t, at, zone_name)}
                <CheckboxGroup name=days(at) label=label choices=boxes values=chosen required=true/>
            }
            .into_any()
        }
        Some(Takes::ZonedTime) => {
            let (zone_name, value) = zoned(&value);
            view! {
                {zone(t, at, zone_name)}
                <TextField name=field label=label kind=TextKind::Time required=true value=value.to_owned()/>
            }
            .into_any()
        }
        Some(it @ (Takes::Slug | Takes::Tag | Takes::TagName)) => {
            let (hint, most) = match it {
                Takes::Slug => (t.policies_slug_hint(), 40),
                Takes::Tag => (t.policies_tag_hint(), 121),
                _ => (t.policies_tag_name_hint(), 40),
            };
            let list = offered::list(&test.field, it);
            view! { <TextField name=field label=label required=true mono=true maxlength=most value=value hint=hint list=list.unwrap_or_default()/> }
                .into_any()
        }
        Some(Takes::Thing(kind)) => {
            let choices = with(names.choices(t, kind), &value);
            view! { <SelectField name=field label=label required=true placeholder=t.policies_choose() choices=choices value=value/> }
                .into_any()
        }
        Some(Takes::Word(words)) => {
            let choices = words.iter().map(|word| choice(*word, t.policies_method(word))).collect();
            view! { <SelectField name=field label=label required=true placeholder=t.policies_choose() choices=choices value=value/> }
                .into_any()
        }
        Some(Takes::Time) => {
            view! { <TextField name=field label=label kind=TextKind::Time required=true value=value hint=t.policies_utc_hint()/> }
                .into_any()
        }
        Some(Takes::Number) => {
            view! { <TextField name=field label=label kind=TextKind::Number required=true value=value min="0" hint=t.policies_number_hint()/> }
                .into_any()
        }
        Some(Takes::Instant) => {
            view! { <TextField name=field label=label required=true mono=true maxlength=30 value=value hint=t.policies_instant_hint()/> }
                .into_any()
        }
        Some(Takes::Address) => {
            view! { <TextField name=field label=label required=true mono=true maxlength=60 value=value hint=t.policies_address_hint()/> }
                .into_any()
        }
    };
    view! { <Hidden name=name(at, "what") value=what/> {input} }.into_any()
}

/// Where clocks show what a condition compares.
fn zone(t: Text, at: &str, value: &str) -> AnyView {
    let (name, value) = (name(at, "zone"), value.to_owned());
    let list = offered::list("", Takes::ZonedTime).unwrap_or_default();
    view! {
        <TextField name=name label=t.policies_zone() required=true mono=true maxlength=60 value=value hint=t.policies_zone_hint() list=list/>
    }
    .into_any()
}
