//! `/access/rules?project=…`: who approves, how many it takes, and for how long at most.

use axum::{extract::State, response::Response};
use keywarden_domain::{
    Action, Op, Refused, Resource,
    access::{MOST_APPROVERS, Rule, RuleAt, RuleError, SetRuleError, ShownRule},
    authz::PolicyScope,
};
use keywarden_model::PasskeyStrength;
use leptos::prelude::*;

use super::way;
use crate::{
    context::{Asking, House, Posted},
    form::{Draft, Errors, Fields, Params},
    pages::listing::href,
    render::{self, page},
    shell::{Section, Shell},
    text::Text,
    ui::{
        Banner, Facts, Form, Hidden, PageHeader, Panel, RadioGroup, TextArea, TextField, TextKind, Tone,
        Writes, choice, fact,
    },
};

const HERE: &str = "/access/rules";

/// A scope with its rule, and what whoever looks may do.
struct Place {
    slug: String,
    name: String,
    scope: PolicyScope,
    shown: ShownRule,
    may: bool,
}

async fn load(house: &House, op: &Op, t: Text, slug: &str) -> Result<Place, Refused> {
    let (scope, name, thing) = match slug {
        "" => (PolicyScope::Organization, t.access_organization().to_owned(), Resource::Organization),
        slug => {
            let project = house.domain.project(op, slug).await?;
            (PolicyScope::Project(project.id), project.name, Resource::Project(project.id))
        }
    };
    let shown = house.domain.access_rule(op, scope).await?;
    let may = house.domain.would(op, Action::SetAccessRule, &thing).await?;
    Ok(Place { slug: slug.to_owned(), name, scope, shown, may })
}

pub(super) async fn form(State(house): State<House>, asking: Asking, params: Params) -> Response {
    let Asking { shell, op } = asking.at(Section::Access);
    match load(&house, &op, shell.text, params.text("project")).await {
        Ok(place) => draw(&shell, place, Draft::default()),
        Err(refused) => render::refused(&shell, refused),
    }
}

pub(super) async fn save(
    State(house): State<House>,
    asking: Asking,
    params: Params,
    posted: Posted,
) -> Response {
    let Asking { shell, op } = asking.at(Section::Access).once(&posted);
    let t = shell.text;
    let place = match load(&house, &op, t, params.text("project")).await {
        Ok(place) => place,
        Err(refused) => return house.refused(&shell, &op, &posted, refused).await,
    };
    let mut errors = Errors::new();
    let drops = posted.fields.ticked("drop");
    let rule = if drops { Some(None) } else { read(t, &posted.fields, &mut errors).map(Some) };
    let newest: Option<i64> = posted.fields.text("newest").parse().ok();
    match (rule, newest) {
        (Some(rule), Some(newest)) => {
            match house.domain.set_access_rule(&op, place.scope, rule, newest).await {
                Ok(_) => {
                    let there = href(HERE, &[("project", &place.slug)]);
                    return render::done(&shell, &there, t.access_rules_saved());
                }
                Err(SetRuleError::ChangedMeanwhile) => errors.whole(t.changed_meanwhile()),
                Err(SetRuleError::NoneOfItsOwn) => errors.whole(t.access_rules_none()),
                Err(SetRuleError::Refused(refused)) => {
                    return house.refused(&shell, &op, &posted, refused).await;
                }
                Err(SetRuleError::Rule(why)) => errors.at(field_of(why), t.access_rules_wrong()),
            }
        }
        (_, None) => errors.whole(t.form_unreadable()),
        (None, Some(_)) => {}
    }
    draw(&shell, place, Draft::refused(posted.fields, errors))
}

fn read(t: Text, fields: &Fields, errors: &mut Errors) -> Option<Rule> {
    let approvers = errors.number(t, fields, "approvers", 1..=u64::from(MOST_APPROVERS));
    let longest = errors.number(t, fields, "longest", 1..=720);
    let unanswered = errors.number(t, fields, "unanswered", 1..=720);
    for field in ["approvers", "longest", "unanswered"] {
        if fields.text(field).is_empty() {
            errors.at(field, t.form_missing());
        }
    }
    let strength = fields.text("strength").parse::<PasskeyStrength>().ok();
    if strength.is_none() {
        errors.at("strength", t.form_missing());
    }
    let only = fields.raw("only").lines().map(str::trim).filter(|it| !it.is_empty());
    let hours = |hours: u64| i64::try_from(hours).ok()?.checked_mul(3_600);
    Some(Rule {
        approvers: u32::try_from(approvers?).ok()?,
        only: only.map(str::to_owned).collect(),
        longest_seconds: hours(longest?)?,
        unanswered_seconds: hours(unanswered?)?,
        strength: strength?,
    })
}

fn from(t: Text, at: &RuleAt) -> &'static str {
    match at.scope.as_str() {
        "built-in" => t.access_rules_from_built_in(),
        "organization" => t.access_rules_from_organization(),
        _ => t.access_rules_from_project(),
    }
}

/// Whole hours, upwards.
fn hours(seconds: i64) -> String {
    seconds.saturating_add(3_599).checked_div(3_600).unwrap_or_default().to_string()
}

fn draw(shell: &Shell, place: Place, draft: Draft) -> Response {
    let t = shell.text;
    page(shell, t.access_rules()).of(&draft).show(move || {
        let Place { slug, name, shown, may, .. } = place;
        let ShownRule { rule, at, newest, named, .. } = shown;
        let whose = view! { <Banner tone=Tone::Info title=from(t, &at)/> };
        let names = named.iter().map(|it| format!("{} {}", it.name, it.id)).collect::<Vec<_>>().join(", ");
        let facts = vec![
            fact(t.access_rules_approvers(), rule.approvers.to_string()),
            fact(t.access_rules_only(), view! { <span translate="no">{names}</span> }),
            fact(t.access_rules_longest(), t.span(rule.longest())),
            fact(t.access_rules_unanswered(), t.span(rule.unanswered())),
            fact(t.access_rules_strength(), t.access_strength(rule.strength)),
        ];
        let form = may.then(|| {
            let strengths = PasskeyStrength::ALL.map(|it| choice(it.as_str(), t.access_strength(it)));
            let own = newest > 0 && !slug.is_empty() && at.scope.starts_with("prj_");
            let drop = own.then(|| drop_form(t, newest));
            view! {
                <Panel id="change" title=t.access_rules_save()>
                    <Form draft=draft submit=t.access_rules_save() cancel="/access">
                        <Hidden name="newest" value=newest.to_string()/>
                        <TextField name="approvers" label=t.access_rules_approvers() hint=t.access_rules_approvers_hint() kind=TextKind::Number min="1" max="5" value=rule.approvers.to_string() required=true/>
                        <TextField name="longest" label=t.access_rules_longest() hint=t.access_rules_longest_hint() kind=TextKind::Number min="1" max="720" value=hours(rule.longest_seconds) required=true/>
                        <TextField name="unanswered" label=t.access_rules_unanswered() hint=t.access_rules_unanswered_hint() kind=TextKind::Number min="1" max="720" value=hours(rule.unanswered_seconds) required=true/>
                        <RadioGroup name="strength" label=t.access_rules_strength() hint=t.access_rules_strength_hint() choices=strengths.into() value=rule.strength.as_str() required=true/>
                        <TextArea name="only" label=t.access_rules_only() hint=t.access_rules_only_hint() value=rule.only.join("\n") maxlength=2000 rows=4 writes=Writes::Code/>
                    </Form>
                    {drop}
                </Panel>
            }
        });
        view! {
            <PageHeader title=t.access_rules_of(&name) lead=t.access_rules_lead() crumbs=way(t)/>
            {whose}
            <Facts facts=facts/>
            {form}
        }
    })
}

/// Lets what holds around the project hold in it.
fn drop_form(t: Text, newest: i64) -> AnyView {
    view! {
        <Form submit=t.access_rules_drop() id="drop">
            <Hidden name="newest" value=newest.to_string()/>
            <Hidden name="drop" value="1"/>
        </Form>
    }
    .into_any()
}

/// The field that a rule is wrong in.
fn field_of(error: RuleError) -> &'static str {
    match error {
        RuleError::Approvers => "approvers",
        RuleError::Longest => "longest",
        RuleError::Named => "only",
        RuleError::Unanswered => "unanswered",
    }
}
