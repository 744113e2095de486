use axum::{
    extract::{Path, State},
    response::Response,
};
use keywarden_domain::{
    authz::Owner,
    keys::{EditKeyError, Key, KeyPatch},
    policy::difference::{Described, Grant},
};
use leptos::prelude::*;

use super::{
    around, choices,
    fields::{self, Start},
    moments, terms,
};
use crate::{
    context::{Asking, House, Posted},
    form::{Draft, Errors},
    pages::{
        policies::difference::{Impact, is_preview, panel, preview},
        tags,
    },
    render::{self, page},
    shell::{Section, Shell},
    ui::{Form, Hidden, PageHeader, choice},
};

pub(super) async fn form(State(house): State<House>, asking: Asking, Path(id): Path<String>) -> Response {
    let Asking { mut shell, op } = asking.at(Section::Keys);
    let loaded =
        async { Ok((around::load(&house, &op, &id).await?.key, choices::teams(&house, &op).await?)) };
    match loaded.await {
        Ok((key, teams)) => draw(&mut shell, &key, teams, (Impact::None, Draft::default())),
        Err(refused) => render::refused(&shell, refused),
    }
}

pub(super) async fn save(
    State(house): State<House>,
    asking: Asking,
    Path(id): Path<String>,
    posted: Posted,
) -> Response {
    let Asking { mut shell, op } = asking.at(Section::Keys).once(&posted);
    let t = shell.text;
    let loaded =
        async { Ok((around::load(&house, &op, &id).await?.key, choices::teams(&house, &op).await?)) };
    let (key, teams) = match loaded.await {
        Ok(loaded) => loaded,
        Err(refused) => return house.refused(&shell, &op, &posted, refused).await,
    };
    let mut errors = Errors::new();
    if is_preview(&posted.fields) {
        let owner = Owner::parse(posted.fields.text("owner"));
        if owner.is_none() {
            errors.at("owner", t.form_choose());
        }
        let (Some(owner), Some(tags)) = (owner, tags::read(t, &posted.fields, &mut errors)) else {
            return draw(&mut shell, &key, teams, (Impact::None, Draft::refused(posted.fields, errors)));
        };
        let grant = Grant::Describe(Described::Key(key.id), Some(owner), tags);
        return match Impact::given(&house.domain, &op, grant).await {
            Ok(impact) => draw(&mut shell, &key, teams, (impact, Draft::refused(posted.fields, errors))),
            Err(refused) => house.refused(&shell, &op, &posted, refused).await,
        };
    }
    let read = terms::read(t, &posted.fields, &mut errors);
    let expires_at = terms::optional_moment(t, &posted.fields, &mut errors, "expires_at");
    let version = posted.fields.text("row_version").parse().ok();
    if version.is_none() {
        errors.whole(t.form_unreadable());
    }
    let (Some(read), Ok(expires_at), Some(version)) = (read, expires_at, version) else {
        return draw(&mut shell, &key, teams, (Impact::None, Draft::refused(posted.fields, errors)));
    };
    let patch = KeyPatch {
        name: Some(read.name),
        description: Some(read.description),
        owner: read.owner,
        scopes: Some(read.scopes),
        // Fields know no seconds: a date that was not touched stays as it is, to the second.
        not_before: (read.not_before.map(moments::field) != key.not_before.map(moments::field))
            .then_some(read.not_before),
        expires_at: (expires_at.map(moments::field) != key.expires_at.map(moments::field))
            .then_some(expires_at),
        allowed_cidrs: Some(read.allowed_cidrs),
        rate_limit: Some(read.rate_limit),
        tags: Some(read.tags),
        metadata: Some(read.metadata),
    };
    match house.domain.edit_key(&op, key.id, Some(version), patch).await {
        Ok(()) => return render::done(&shell, &around::path(&key), t.saved()),
        Err(EditKeyError::Archived) => errors.whole(t.projects_is_archived()),
        Err(EditKeyError::Revoked) => errors.whole(t.keys_is_revoked()),
        Err(EditKeyError::Stale) => errors.whole(t.changed_meanwhile()),
        Err(EditKeyError::Terms(error)) => terms::note(t, &mut errors, &error),
        Err(EditKeyError::Refused(refused)) => return house.refused(&shell, &op, &posted, refused).await,
    }
    draw(&mut shell, &key, teams, (Impact::None, Draft::refused(posted.fields, errors)))
}

fn draw(
    shell: &mut Shell,
    key: &Key,
    teams: Vec<(String, String)>,
    (impact, draft): (Impact, Draft),
) -> Response {
    around::place(shell, &key.project_slug);
    let t = shell.text;
    let key = key.clone();
    page(shell, t.keys_edit()).of(&draft).show(move || {
        let start = Start::of(&key);
        let owner = key.owner.to_string();
        // Whose it is now may be anybody; whom it goes to is a team that one knows.
        let mut owners = vec![choice(owner.clone(), key.owner_name.clone()).named()];
        owners.extend(
            teams.into_iter().filter(|(id, _)| *id != owner).map(|(id, name)| choice(id, name).named()),
        );
        let expires_at = key.expires_at.map(moments::field).unwrap_or_default();
        let impact = panel(t, impact, None);
        view! {
            <PageHeader title=t.keys_edit() crumbs=around::crumbs_below(t, &key)/>
            {impact}
            <Form draft=draft submit=t.save() cancel=around::path(&key) beside=preview(t)>
                <Hidden name="row_version" value=key.row_version.to_string()/>
                {fields::who(t, owners, &start)}
                {fields::dates(t, expires_at, &start)}
                {fields::limits(t, &start)}
            </Form>
        }
    })
}
