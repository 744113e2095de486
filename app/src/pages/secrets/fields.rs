//! What people say about a secret: where it lives, what it is for.

use keywarden_domain::{
    Op, Refused,
    authz::Owner,
    secrets::{About, Secret, SecretPatch},
};
use keywarden_model::{Description, SecretPath, Tags, secret::SecretPathError};
use leptos::prelude::*;

use crate::{
    context::House,
    form::{Errors, Fields},
    pages::tags,
    text::Text,
    ui::{Choice, FieldGroup, RadioGroup, SelectField, TextArea, TextField, Writes, choice},
};

/// Teams that a select offers; there are other doors for houses with more.
const MOST: u32 = 200;

/// Whose a secret may be: the person asking, or a team. Whose it is now may be anybody.
pub(super) async fn owners(
    house: &House,
    op: &Op,
    t: Text,
    now: Option<&Secret>,
) -> Result<Vec<Choice>, Refused> {
    let mut owners = Vec::new();
    if let Some(person) = op.actor.person() {
        owners.push(choice(person.id.to_string(), t.keys_owner_me()));
    }
    let teams = house.domain.teams(op, None, MOST).await?.teams;
    owners.extend(teams.into_iter().map(|it| choice(it.id.to_string(), it.name).named()));
    if let Some(secret) = now {
        let owner = secret.owner.to_string();
        if !owners.iter().any(|it| it.value() == owner) {
            owners.insert(0, choice(owner, secret.owner_name.clone()).named());
        }
    }
    Ok(owners)
}

/// The attributes that can change.
#[derive(Clone, Debug)]
pub(super) struct Attributes {
    description: Description,
    tags: Tags,
    owner: Option<Owner>,
}

impl Attributes {
    pub(super) fn into_about(self) -> About {
        About { description: self.description, tags: self.tags, owner: self.owner }
    }

    pub(super) fn into_patch(self) -> SecretPatch {
        SecretPatch { description: Some(self.description), tags: Some(self.tags), owner: self.owner }
    }
}

/// Owner, description and tags, as they are.
pub(super) fn attributes(t: Text, secret: Option<&Secret>, owners: Vec<Choice>) -> AnyView {
    let owner = match secret {
        Some(secret) => secret.owner.to_string(),
        None => owners.first().map(|it| it.value().to_owned()).unwrap_or_default(),
    };
    let description = secret.map(|it| it.description.to_string()).unwrap_or_default();
    let tags = secret.map(|it| it.tags.words().join("\n")).unwrap_or_default();
    view! {
        <SelectField name="owner" label=t.keys_owner() required=true choices=owners value=owner hint=t.secrets_owner_hint()/>
        <TextArea name="description" label=t.keys_description() maxlength=1000 rows=2 value=description hint=t.secrets_description_hint()/>
        <TextArea name="tags" label=t.keys_tags() writes=Writes::Code maxlength=5000 rows=2 value=tags hint=t.keys_tags_hint()/>
    }
    .into_any()
}

/// Reads all of them, so that a refused form says everything at once.
pub(super) fn read_attributes(t: Text, fields: &Fields, errors: &mut Errors) -> Option<Attributes> {
    let description = fields.text("description").parse::<Description>();
    let description = description.map_err(|wrong| errors.at("description", t.name_wrong(&wrong)));
    let tags = tags::read(t, fields, errors);
    let owner = match fields.text("owner") {
        "" => Ok(None),
        text => Owner::parse(text).map(Some).ok_or_else(|| errors.at("owner", t.keys_owner_unknown())),
    };
    Some(Attributes { description: description.ok()?, tags: tags?, owner: owner.ok()? })
}

/// The path of something new.
pub(super) fn read_path(t: Text, fields: &Fields, errors: &mut Errors) -> Option<SecretPath> {
    let text = fields.text("path");
    if text.is_empty() {
        errors.at("path", t.form_missing());
        return None;
    }
    let path = text.parse::<SecretPath>();
    path.map_err(|wrong| errors.at("path", path_wrong(t, &wrong))).ok()
}

pub(super) fn path_wrong(t: Text, wrong: &SecretPathError) -> String {
    match wrong {
        SecretPathError::Dots => t.secrets_path_dots().to_owned(),
        SecretPathError::Empty => t.secrets_path_empty().to_owned(),
        SecretPathError::Invisible => t.form_invisible().to_owned(),
        SecretPathError::LooksLikeASlash(c) => t.secrets_path_slash(&c.to_string()),
        SecretPathError::TooLong => t.secrets_path_long(SecretPath::MAX),
        SecretPathError::TooLongName => t.secrets_path_long_name(SecretPath::MAX_NAME),
        SecretPathError::TooManyFolders => t.secrets_path_deep(SecretPath::MAX_FOLDERS),
        SecretPathError::Untidy => t.secrets_path_untidy().to_owned(),
    }
}

/// What a new version is called: callers read it at once, or nobody does until it is said so.
pub(super) fn labels(t: Text) -> Vec<crate::ui::Choice> {
    vec![
        choice("current", t.secrets_label_current()).hint(t.secrets_label_current_hint()),
        choice("pending", t.secrets_label_pending()).hint(t.secrets_label_pending_hint()),
        choice("own", t.secrets_label_own()).hint(t.secrets_label_own_hint()),
    ]
}

/// The label of a new version, to be drawn within the form.
pub(super) fn label(t: Text) -> AnyView {
    view! {
        <FieldGroup label=t.secrets_label()>
            <RadioGroup name="label" label=t.secrets_label_which() required=true choices=labels(t) value="current"/>
            <TextField name="own" label=t.secrets_label_name() mono=true maxlength=64 hint=t.secrets_label_name_hint()/>
        </FieldGroup>
    }
    .into_any()
}

/// The label out of `label` and `own`; what is wrong with it is noted.
pub(super) fn read_label(
    t: Text,
    fields: &Fields,
    errors: &mut Errors,
) -> Option<keywarden_model::SecretLabel> {
    let (field, text) = match fields.text("label") {
        "own" => ("own", fields.text("own")),
        known @ ("current" | "pending") => ("label", known),
        _ => {
            errors.at("label", t.form_choose());
            return None;
        }
    };
    if text.is_empty() {
        errors.at(field, t.form_missing());
        return None;
    }
    text.parse().map_err(|_| errors.at(field, t.secrets_label_wrong())).ok()
}
