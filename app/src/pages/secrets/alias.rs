//! What clients of other systems call a secret: shown with it, given and taken away.

use axum::{
    extract::{Path, State},
    response::Response,
};
use keywarden_domain::{
    Op, Refused,
    secrets::{AliasSecretError, Secret, SecretView},
};
use keywarden_model::{Alias, Dialect};
use leptos::prelude::*;

use super::around;
use crate::{
    cells,
    context::{Asking, House, Posted},
    form::{Draft, Errors},
    render::{self, page},
    shell::{Section, Shell},
    text::Text,
    ui::{Column, Form, Hidden, PageHeader, Panel, Row, Table, TextField, row},
};

/// Its names, and the way to one in another system for those who may give it.
pub(super) fn panel(t: Text, view: &SecretView, may: bool) -> AnyView {
    let rows: Vec<_> = Dialect::ALL.into_iter().filter_map(|it| named(t, view, it, may)).collect();
    let others = Dialect::ALL.into_iter().filter(|it| may && view.alias(*it).is_none());
    let others: Vec<_> =
        others.map(|it| view! { <li><a href=path(&view.secret, it)>{system(t, it)}</a></li> }).collect();
    if rows.is_empty() && others.is_empty() {
        return ().into_any();
    }
    let names = if rows.is_empty() {
        view! { <p class="field-hint">{t.aliases_none()}</p> }.into_any()
    } else {
        let columns = vec![Column::text(t.aliases_system()), Column::text(t.aliases_name())];
        view! {
            <p class="field-hint">{t.aliases_why()}</p>
            <Table caption=t.aliases() columns=columns rows=rows/>
        }
        .into_any()
    };
    let more = (!others.is_empty()).then(|| {
        view! { <details class="secret-more"><summary>{t.aliases_more()}</summary><ul>{others}</ul></details> }
    });
    view! { <Panel id="aliases" title=t.aliases()>{names}{more}</Panel> }.into_any()
}

/// Its name in a system, if it has one there.
fn named(t: Text, view: &SecretView, dialect: Dialect, may: bool) -> Option<Row> {
    let name = view.alias(dialect)?.name().to_owned();
    let cells = cells![view! { <code translate="no">{name}</code> }];
    Some(if may {
        row(path(&view.secret, dialect), system(t, dialect), cells)
    } else {
        Row::plain(system(t, dialect), cells)
    })
}

fn path(secret: &Secret, dialect: Dialect) -> String {
    format!("{}/aliases/{dialect}", around::path(secret))
}

fn system(t: Text, dialect: Dialect) -> &'static str {
    match dialect {
        Dialect::Aws => t.aliases_aws(),
        Dialect::Azure => t.aliases_azure(),
        Dialect::Conjur => t.aliases_conjur(),
        Dialect::Gcp => t.aliases_gcp(),
        Dialect::VaultKv2 => t.aliases_vault(),
    }
}

fn hint(t: Text, dialect: Dialect) -> &'static str {
    match dialect {
        Dialect::Aws => t.aliases_aws_hint(),
        Dialect::Azure => t.aliases_azure_hint(),
        Dialect::Conjur | Dialect::VaultKv2 => t.aliases_path_hint(),
        Dialect::Gcp => t.aliases_gcp_hint(),
    }
}

/// The secret and the system of an address.
async fn load(
    house: &House,
    op: &Op,
    (id, dialect): &(String, String),
) -> Result<(SecretView, Dialect), Refused> {
    let view = around::load(house, op, id).await?;
    Ok((view, dialect.parse().map_err(|_| Refused::NotFound)?))
}

pub(super) async fn form(
    State(house): State<House>,
    asking: Asking,
    Path(at): Path<(String, String)>,
) -> Response {
    let Asking { mut shell, op } = asking.at(Section::Secrets);
    match load(&house, &op, &at).await {
        Ok((view, dialect)) => draw(&mut shell, &view, dialect, Draft::default()),
        Err(refused) => render::refused(&shell, refused),
    }
}

pub(super) async fn save(
    State(house): State<House>,
    asking: Asking,
    Path(at): Path<(String, String)>,
    posted: Posted,
) -> Response {
    let Asking { mut shell, op } = asking.at(Section::Secrets).once(&posted);
    let t = shell.text;
    let (view, dialect) = match load(&house, &op, &at).await {
        Ok(loaded) => loaded,
        Err(refused) => return house.refused(&shell, &op, &posted, refused).await,
    };
    let mut errors = Errors::new();
    let alias = match posted.fields.text("name") {
        "" => None,
        name => Alias::new(dialect, name).map_err(|_| errors.at("name", t.aliases_wrong())).ok(),
    };
    if alias.is_none() && view.alias(dialect).is_none() {
        match house.domain.was_done(&op).await {
            Ok(true) => return render::see_other(&around::path(&view.secret)),
            Ok(false) => errors.at("name", t.form_missing()),
            Err(refused) => return render::refused(&shell, refused),
        }
    }
    let seen = posted.fields.text("row_version").parse().ok();
    if seen.is_none() {
        errors.whole(t.form_unreadable());
    }
    if let Some(seen) = seen.filter(|_| !errors.any()) {
        let (domain, id) = (&house.domain, view.secret.id);
        let done = match &alias {
            Some(alias) => domain.alias_secret(&op, id, Some(seen), alias).await,
            None => domain.unalias_secret(&op, id, Some(seen), dialect).await,
        };
        match done {
            Ok(()) => {
                let said = match alias {
                    Some(alias) => t.aliases_given(system(t, dialect), alias.name()),
                    None => t.aliases_gone(system(t, dialect)),
                };
                return render::done(&shell, &around::path(&view.secret), said);
            }
            Err(AliasSecretError::Deleted) => errors.whole(t.secrets_is_deleted()),
            Err(AliasSecretError::Stale) => errors.whole(t.changed_meanwhile()),
            Err(AliasSecretError::Taken) => errors.at("name", t.aliases_taken()),
            Err(AliasSecretError::Refused(refused)) => {
                return house.refused(&shell, &op, &posted, refused).await;
            }
        }
    }
    draw(&mut shell, &view, dialect, Draft::refused(posted.fields, errors))
}

fn draw(shell: &mut Shell, view: &SecretView, dialect: Dialect, draft: Draft) -> Response {
    around::place(shell, &view.secret.project_slug);
    let t = shell.text;
    let secret = view.secret.clone();
    // A path that could be the name is offered as such.
    let offered = Alias::new(dialect, secret.path.as_str()).ok();
    let name = view.alias(dialect).or(offered.as_ref()).map(|alias| alias.name().to_owned());
    let title = t.aliases_edit(system(t, dialect));
    page(shell, title.clone()).of(&draft).show(move || {
        view! {
            <PageHeader title=title lead=t.aliases_edit_lead() crumbs=around::crumbs_below(t, &secret)/>
            <Form draft=draft submit=t.save() cancel=around::path(&secret)>
                <Hidden name="row_version" value=secret.row_version.to_string()/>
                <TextField name="name" label=t.aliases_name() mono=true maxlength=dialect.longest().into() value=name.unwrap_or_default() hint=hint(t, dialect)/>
            </Form>
        }
    })
}
