//! A secret in the other environments of its project, and carrying its value to one of them.

use axum::{
    extract::{Path, State},
    response::Response,
};
use keywarden_domain::{
    Action, Op, Refused, Resource,
    environments::Environment,
    keys::Place,
    secrets::{BesideRow, Cell, CellState, Expected, PromoteError, Promotion, PutError, Secret, SecretView},
};
use leptos::prelude::*;

use super::{
    around::{self, May},
    beside, reasons, reuse, validity,
};
use crate::{
    cells,
    context::{Asking, House, Posted},
    form::{Draft, Errors},
    render::{self, page},
    shell::{Section, Shell},
    text::Text,
    ui::{Column, Confirm, Form, Hidden, PageHeader, Panel, Row, Table, TextField, version_state_name},
};

/// What the project's other environments hold at a secret's path.
#[derive(Debug, Default)]
pub(super) struct Elsewhere {
    environments: Vec<Environment>,
    row: Option<BesideRow>,
    /// Its own place in the columns.
    own: Option<usize>,
    may: bool,
}

impl Elsewhere {
    pub(super) async fn of(house: &House, op: &Op, view: &SecretView, may: May) -> Result<Self, Refused> {
        let secret = &view.secret;
        let (environments, row) = house.domain.secret_side_by_side(op, secret.id).await?;
        let own = environments.iter().position(|it| it.id == secret.environment);
        // What is made there or put there, the same people may.
        let home = Resource::Environment { id: secret.environment, project: secret.project };
        let may = may.read && house.domain.would(op, Action::CreateSecret, &home).await?;
        Ok(Self { environments, row: Some(row), own, may })
    }

    /// Nothing where there is one environment.
    pub(super) fn panel(self, t: Text, secret: &Secret) -> Option<AnyView> {
        let row = self.row?;
        let cells = self.environments.iter().zip(&row.cells).enumerate();
        let others: Vec<_> = cells.filter(|(n, _)| Some(*n) != self.own).map(|(_, it)| it).collect();
        if others.is_empty() {
            return None;
        }
        let own_set = self.own.and_then(|n| row.cells.get(n)).is_some_and(Cell::is_set);
        let rows = others
            .into_iter()
            .map(|(environment, cell)| {
                let same = self.own.is_some_and(|own| cell.same_as.contains(&own));
                let here = environment.slug.clone();
                let carry = (self.may && own_set && !same && cell.state != CellState::Deleted).then(|| {
                    let href = format!("{}/promote/{here}", around::path(secret));
                    view! { <a href=href>{t.secrets_promote()}</a> }
                });
                let state = view! { {beside::state(t, cell, None)} {same.then(|| {
                    view! { <span class="beside-same">{t.secrets_beside_same_as_here()}</span> }
                })} };
                Row::plain(
                    view! { <span translate="no">{environment.name.clone()}</span> },
                    cells![state, carry],
                )
            })
            .collect();
        let columns = vec![
            Column::text(t.keys_environment()),
            Column::text(t.secrets_current_value()),
            Column::text(t.secrets_promote()),
        ];
        Some(
            view! {
                <Panel id="elsewhere" title=t.secrets_elsewhere()>
                    <Table caption=t.secrets_elsewhere() columns=columns rows=rows/>
                </Panel>
            }
            .into_any(),
        )
    }
}

/// Both sides of a promotion, as they are now.
struct Sides {
    secret: Secret,
    /// The version that is carried.
    version: i64,
    to: Environment,
    there: Cell,
    /// The number of what is current there; 0 if nothing is.
    current: i64,
}

async fn load(house: &House, op: &Op, (id, slug): &(String, String)) -> Result<Sides, Refused> {
    let view = around::load(house, op, id).await?;
    let version = around::current(&view).ok_or(Refused::NotFound)?;
    let (environments, row) = house.domain.secret_side_by_side(op, view.secret.id).await?;
    let found = environments.into_iter().zip(row.cells).find(|(it, _)| it.slug == *slug);
    let (to, there) = found.ok_or(Refused::NotFound)?;
    if to.id == view.secret.environment {
        return Err(Refused::NotFound);
    }
    let current = match (there.state, there.secret) {
        (CellState::Set(number), _) => number,
        (CellState::Unreadable, Some(id)) => {
            let view = around::load(house, op, &id.to_string()).await?;
            around::current(&view).unwrap_or_default()
        }
        _ => 0,
    };
    Ok(Sides { secret: view.secret, version, to, there, current })
}

pub(super) async fn ask(
    State(house): State<House>,
    asking: Asking,
    Path(at): Path<(String, String)>,
) -> Response {
    let Asking { mut shell, op } = asking.at(Section::Secrets);
    match load(&house, &op, &at).await {
        Ok(sides) => draw(&mut shell, sides, Draft::default()),
        Err(refused) => render::refused(&shell, refused),
    }
}

pub(super) async fn promote(
    State(house): State<House>,
    asking: Asking,
    Path(at): Path<(String, String)>,
    posted: Posted,
) -> Response {
    let Asking { mut shell, op } = asking.at(Section::Secrets).once(&posted);
    let t = shell.text;
    let sides = match load(&house, &op, &at).await {
        Ok(sides) => sides,
        Err(refused) => return house.refused(&shell, &op, &posted, refused).await,
    };
    let mut errors = Errors::new();
    let number = |name: &str| posted.fields.text(name).parse::<i64>().ok().filter(|it| *it >= 0);
    let (version, current) = (number("version"), number("current"));
    if version.is_none() || current.is_none() {
        errors.whole(t.form_unreadable());
    }
    reasons::fits(t, &posted.fields, &mut errors);
    if sides.to.purge_protection && posted.fields.text("name") != sides.to.slug {
        errors.at("name", t.secrets_destroy_name_wrong(&sides.to.slug));
    }
    if let (Some(version), Some(current), false) = (version, current, errors.any()) {
        let (id, to) = (sides.secret.id, Place::Environment(sides.to.id));
        let promotion = Promotion { to, version, expected: Some(Expected::Number(current)) };
        match house.domain.promote_secret(&op, id, promotion).await {
            Ok(made) => {
                let said = reuse::said(t, t.secrets_promoted_to(&sides.to.name, made.number), &made);
                return render::done(&shell, &format!("/secrets/{}", made.id), said);
            }
            Err(PromoteError::NoReason) => reasons::note(t, &posted.fields, &mut errors),
            Err(PromoteError::Refused(refused)) => return house.refused(&shell, &op, &posted, refused).await,
            Err(error) => errors.whole(why(t, &error)),
        }
    }
    draw(&mut shell, sides, Draft::refused(posted.fields, errors))
}

fn why(t: Text, error: &PromoteError) -> String {
    match error {
        PromoteError::Put(PutError::Archived) => t.keys_archived().to_owned(),
        PromoteError::Put(PutError::Deleted) => t.secrets_promote_deleted().to_owned(),
        PromoteError::Put(PutError::KeyExhausted) => t.secrets_key_exhausted().to_owned(),
        PromoteError::Put(PutError::NoOwner | PutError::OwnerUnknown) => t.secrets_promote_owner().to_owned(),
        PromoteError::Put(PutError::Standard(breach)) => t.standard_breach(breach),
        PromoteError::Put(PutError::TooManyLabels) => t.secrets_label_many().to_owned(),
        PromoteError::Put(PutError::Twin) => t.secrets_path_twin().to_owned(),
        PromoteError::Outside { number, outside } => validity::outside(t, *number, *outside),
        PromoteError::Same => t.secrets_promote_same().to_owned(),
        PromoteError::Shut { number, state } => t.secrets_version_is(*number, version_state_name(t, *state)),
        PromoteError::Here
        | PromoteError::NoReason
        | PromoteError::Put(_)
        | PromoteError::Refused(_)
        | PromoteError::Stale => t.changed_meanwhile().to_owned(),
    }
}

fn draw(shell: &mut Shell, sides: Sides, draft: Draft) -> Response {
    around::place(shell, &sides.secret.project_slug);
    let t = shell.text;
    let Sides { secret, version, to, there, current } = sides;
    let mut consequences = vec![t.secrets_promote_reads(version, &secret.environment_slug)];
    consequences.push(match there.secret {
        None => t.secrets_promote_makes(&to.name),
        Some(_) if current == 0 => t.secrets_promote_puts_first(&to.name),
        Some(_) => t.secrets_promote_puts(&to.name, current),
    });
    consequences.push(t.secrets_promote_callers(&to.name));
    page(shell, t.secrets_promote()).of(&draft).show(move || {
        let title = t.secrets_promote_title(secret.path.as_str(), &secret.environment_slug, &to.name);
        let asks = secret.reads_need_reason;
        let typed = to.purge_protection.then(|| {
            view! { <TextField name="name" label=t.secrets_promote_name() required=true mono=true maxlength=128 hint=t.secrets_destroy_name_hint(&to.slug)/> }
        });
        view! {
            <PageHeader title=t.secrets_promote() crumbs=around::crumbs_below(t, &secret)/>
            <Confirm title=title consequences=consequences calm=true>
                <Form draft=draft submit=t.secrets_promote() cancel=around::path(&secret)>
                    <Hidden name="version" value=version.to_string()/>
                    <Hidden name="current" value=current.to_string()/>
                    {typed}
                    {reasons::field(t, asks).unwrap_or_else(|| reasons::why(t))}
                </Form>
            </Confirm>
        }
    })
}
