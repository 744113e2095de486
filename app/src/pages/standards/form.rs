//! The form that a standard is written with.

use keywarden_domain::standards::{Days, EnvironmentWord, MOST_ENVIRONMENTS, NamePattern, Rules};
use keywarden_model::{Description, Scopes, scope::ScopesError};
use leptos::prelude::*;

use crate::{
    form::{Draft, Errors, Fields},
    pages::tags,
    text::Text,
    ui::{Banner, Button, CheckboxField, FieldGroup, Form, Hidden, TextArea, TextField, TextKind, Tone},
};

/// What was posted, as it is kept.
#[derive(Debug)]
pub(super) struct Written {
    pub(super) rules: Rules,
    pub(super) note: Description,
}

/// Whether it is only to be looked at.
pub(super) fn only_checks(fields: &Fields) -> bool {
    fields.text("act") == "check"
}

/// Reads all fields, so that a refused form says everything at once.
pub(super) fn read(t: Text, fields: &Fields, errors: &mut Errors) -> Option<Written> {
    let words = |name: &str| {
        let apart = |c: char| c == ',' || c == '\n';
        let words = fields.text(name).split(apart).map(|it| it.trim().to_owned());
        words.filter(|it| !it.is_empty()).collect::<Vec<_>>()
    };
    let named: Result<_, _> = words("environments").iter().map(|it| it.parse::<EnvironmentWord>()).collect();
    let environments = named.map_err(|_| errors.at("environments", t.standards_environments_wrong())).ok();
    let few = words("environments").len() <= MOST_ENVIRONMENTS;
    if !few {
        errors.at("environments", t.keys_too_many(MOST_ENVIRONMENTS));
    }
    let key_names = pattern(t, fields, errors, "key_names");
    let secret_names = pattern(t, fields, errors, "secret_names");
    let key_lifetime_days = days(t, fields, errors, "key_lifetime_days");
    let key_rotation_days = days(t, fields, errors, "key_rotation_days");
    let secret_rotation_days = days(t, fields, errors, "secret_rotation_days");
    let tags = tags::read(t, fields, errors);
    let scopes = Scopes::parse(words("approved_scopes")).map_err(|wrong| {
        let said = match wrong {
            ScopesError::Malformed { text, .. } => t.keys_scope_wrong(&text),
            ScopesError::TooMany => t.keys_too_many(64),
        };
        errors.at("approved_scopes", said);
    });
    let note = fields.text("note").parse().map_err(|wrong| errors.at("note", t.name_wrong(&wrong)));
    let rules = Rules {
        environments: environments.filter(|_| few)?,
        key_names: key_names?,
        secret_names: secret_names?,
        key_lifetime_days: key_lifetime_days?,
        key_rotation_days: key_rotation_days?,
        secret_rotation_days: secret_rotation_days?,
        team_owner: fields.ticked("team_owner"),
        tags: tags?,
        approved_scopes: scopes.ok()?,
        reads_need_reason: fields.ticked("reads_need_reason"),
    };
    let note = note.ok()?;
    if rules.is_empty() {
        errors.whole(t.standards_empty());
        return None;
    }
    Some(Written { rules, note })
}

#[expect(clippy::option_option, reason = "an empty field and a wrong one are not the same")]
fn pattern(t: Text, fields: &Fields, errors: &mut Errors, name: &str) -> Option<Option<NamePattern>> {
    match fields.text(name) {
        "" => Some(None),
        text => text.parse().map(Some).map_err(|wrong| errors.at(name, t.pattern_wrong(&wrong))).ok(),
    }
}

#[expect(clippy::option_option, reason = "an empty field and a wrong one are not the same")]
fn days(t: Text, fields: &Fields, errors: &mut Errors, name: &str) -> Option<Option<Days>> {
    match fields.text(name) {
        "" => Some(None),
        text => text.parse().map(Some).map_err(|_| errors.at(name, t.standards_days_wrong())).ok(),
    }
}

/// Whether the name to try fits the forms.
pub(super) fn tried(t: Text, fields: &Fields, rules: &Rules) -> Vec<String> {
    let name = fields.text("sample");
    if name.is_empty() {
        return Vec::new();
    }
    let forms =
        [(t.standards_key_names(), &rules.key_names), (t.standards_secret_names(), &rules.secret_names)];
    let said = forms.into_iter().filter_map(|(what, form)| {
        let fits = form.as_ref()?.fits(name);
        Some(if fits { t.standards_sample_fits(what, name) } else { t.standards_sample_fits_not(what, name) })
    });
    said.collect()
}

/// The form, beginning with these rules; `checked` says what a look at what was posted told.
pub(super) fn view(
    t: Text,
    draft: Draft,
    rules: &Rules,
    named: bool,
    row_version: Option<i64>,
    checked: Option<Vec<String>>,
    back: String,
) -> AnyView {
    let environments: Vec<_> = rules.environments.iter().map(|it| it.as_str().to_owned()).collect();
    let pattern = |it: &Option<NamePattern>| it.as_ref().map(ToString::to_string).unwrap_or_default();
    let days = |it: Option<Days>| it.map(|it| it.number().to_string()).unwrap_or_default();
    let scopes: Vec<_> = rules.approved_scopes.iter().map(ToString::to_string).collect();
    let (key_names, secret_names) = (pattern(&rules.key_names), pattern(&rules.secret_names));
    let (lifetime, rotation) = (days(rules.key_lifetime_days), days(rules.key_rotation_days));
    let secret_rotation = days(rules.secret_rotation_days);
    let (tags, scopes) = (rules.tags.words().join("\n"), scopes.join("\n"));
    let (team_owner, reason) = (rules.team_owner, rules.reads_need_reason);
    let checked = checked.map(|said| {
        let (title, rest) =
            (said.first().cloned().unwrap_or_default(), said.get(1..).unwrap_or_default().join(" "));
        view! { <Banner tone=Tone::Info title=title>{rest}</Banner> }
    });
    view! {
        {checked}
        <Form draft=draft submit=t.standards_save() cancel=back>
            {named.then(|| view! { <TextField name="name" label=t.policies_name() required=true maxlength=120/> })}
            {row_version.map(|it| view! { <Hidden name="row_version" value=it.to_string()/> })}
            <TextField name="environments" label=t.standards_environments() mono=true maxlength=1500 value=environments.join(", ") hint=t.standards_environments_hint()/>
            <FieldGroup label=t.standards_names()>
                <TextField name="key_names" label=t.standards_key_names() mono=true value=key_names hint=t.standards_key_names_hint()/>
                <TextField name="secret_names" label=t.standards_secret_names() mono=true value=secret_names hint=t.standards_secret_names_hint()/>
                <TextField name="sample" label=t.standards_sample() mono=true hint=t.standards_sample_hint()/>
            </FieldGroup>
            <FieldGroup label=t.standards_lives()>
                <TextField name="key_lifetime_days" label=t.standards_key_lifetime() kind=TextKind::Number min="1" max="3650" value=lifetime hint=t.standards_key_lifetime_hint()/>
                <TextField name="key_rotation_days" label=t.standards_key_rotation() kind=TextKind::Number min="1" max="3650" value=rotation hint=t.standards_rotation_hint()/>
                <TextField name="secret_rotation_days" label=t.standards_secret_rotation() kind=TextKind::Number min="1" max="3650" value=secret_rotation hint=t.standards_rotation_hint()/>
            </FieldGroup>
            <FieldGroup label=t.standards_owners()>
                <CheckboxField name="team_owner" label=t.standards_team_owner() hint=t.standards_team_owner_hint() checked=team_owner/>
                <TextArea name="tags" label=t.standards_tags() rows=3 value=tags hint=t.standards_tags_hint()/>
            </FieldGroup>
            <FieldGroup label=t.standards_use()>
                <TextArea name="approved_scopes" label=t.standards_scopes() rows=3 value=scopes hint=t.standards_scopes_hint()/>
                <CheckboxField name="reads_need_reason" label=t.standards_reason() hint=t.standards_reason_hint() checked=reason/>
            </FieldGroup>
            <TextArea name="note" label=t.standards_about() rows=2 maxlength=1000 hint=t.standards_about_hint()/>
            <div class="actions"><Button label=t.standards_check() name="act" value="check"/></div>
        </Form>
    }
    .into_any()
}
