use axum::{
    extract::{Path, State},
    response::Response,
};
use keywarden_domain::{
    Op, Refused,
    keys::{DrainingValue, Key, StopError},
};
use keywarden_model::RevokeReason;
use leptos::prelude::*;

use super::{
    around,
    callers::{self, Seen},
};
use crate::{
    context::{Asking, House, Posted},
    form::{Draft, Errors, Params},
    render::{self, page},
    shell::{Section, Shell},
    ui::{Confirm, Form, PageHeader, RadioGroup, choice},
};

/// It has had its time: no reason to revoke it.
const OVER: &str = "over";

pub(super) async fn ask(
    State(house): State<House>,
    asking: Asking,
    Path((id, value)): Path<(String, String)>,
    params: Params,
) -> Response {
    let Asking { mut shell, op } = asking.at(Section::Keys);
    let why = params.read::<RevokeReason>("why").filter(|it| *it == RevokeReason::KeyCompromise);
    let why = why.map_or(OVER, RevokeReason::as_str);
    match load(&house, &op, &id, &value).await {
        Ok((key, Some(old))) => draw(&mut shell, &key, &old, why, Draft::default()),
        Ok((key, None)) => stopped(&shell, &key),
        Err(refused) => render::refused(&shell, refused),
    }
}

pub(super) async fn stop(
    State(house): State<House>,
    asking: Asking,
    Path((id, value)): Path<(String, String)>,
    posted: Posted,
) -> Response {
    let Asking { mut shell, op } = asking.at(Section::Keys).once(&posted);
    let t = shell.text;
    let (key, old) = match load(&house, &op, &id, &value).await {
        Ok((key, Some(old))) => (key, old),
        Ok((key, None)) => return stopped(&shell, &key),
        Err(refused) => return house.refused(&shell, &op, &posted, refused).await,
    };
    let mut errors = Errors::new();
    let reason = match posted.fields.text("why") {
        OVER => Some(None),
        other => other.parse().ok().filter(|it| *it == RevokeReason::KeyCompromise).map(Some),
    };
    let Some(reason) = reason else {
        errors.at("why", t.form_choose());
        return draw(&mut shell, &key, &old, OVER, Draft::refused(posted.fields, errors));
    };
    match house.domain.stop_old_value(&op, key.id, old.value.id, reason).await {
        Ok(()) => {
            return render::done(
                &shell,
                &around::drain_path(&key),
                t.drain_stopped_now(&around::shown(t, &old.value)),
            );
        }
        Err(StopError::Current) => errors.whole(t.drain_is_current()),
        Err(StopError::Stopped) => return stopped(&shell, &key),
        Err(StopError::Refused(refused)) => return house.refused(&shell, &op, &posted, refused).await,
    }
    draw(&mut shell, &key, &old, OVER, Draft::refused(posted.fields, errors))
}

/// The key, and the old value if it still works. A value that is none of the key's is not there.
pub(super) async fn load(
    house: &House,
    op: &Op,
    id: &str,
    value: &str,
) -> Result<(Key, Option<DrainingValue>), Refused> {
    let view = around::load(house, op, id).await?;
    if !view.values.iter().any(|it| it.id.to_string() == value) {
        return Err(Refused::NotFound);
    }
    let board = house.domain.drain_board(op, view.key.id).await?;
    Ok((view.key, board.draining.into_iter().find(|it| it.value.id.to_string() == value)))
}

/// There is nothing left to do about it: the board says so.
pub(super) fn stopped(shell: &Shell, key: &Key) -> Response {
    render::done(shell, &around::drain_path(key), shell.text.drain_stopped_already())
}

fn draw(shell: &mut Shell, key: &Key, old: &DrainingValue, why: &'static str, draft: Draft) -> Response {
    around::place(shell, &key.project_slug);
    let t = shell.text;
    let key = key.clone();
    let shown = around::shown(t, &old.value);
    let left: Vec<Seen> = old.would_break().map(|it| (it.caller.clone(), it.last_old)).collect();
    let mut consequences = vec![t.drain_stop_at_once().to_owned()];
    let (breaks, callers) = callers::breaks(t, shell.now, &left);
    consequences.push(breaks);
    if old.more {
        consequences.push(t.drain_more().to_owned());
    }
    let whys = vec![
        choice(OVER, t.drain_why_over()).hint(t.drain_why_over_hint()),
        choice(RevokeReason::KeyCompromise.as_str(), t.keys_reason_compromise())
            .hint(t.drain_why_compromise_hint()),
    ];
    page(shell, t.drain_stop()).of(&draft).show(move || {
        view! {
            <PageHeader title=t.drain_stop() crumbs=around::crumbs_below(t, &key)/>
            <Confirm title=t.drain_stop_title(&shown) consequences=consequences callers=callers>
                <Form draft=draft submit=t.drain_stop() danger=true cancel=around::drain_path(&key)>
                    <RadioGroup name="why" label=t.drain_why() required=true choices=whys value=why/>
                </Form>
            </Confirm>
        }
    })
}
