//! After a rotation: who still uses an old value, and what can be done about it.

use keywarden_domain::keys::{DrainBoard, DrainStanding, DrainingCaller, DrainingValue, KeyView};
use leptos::prelude::*;

use super::{around, callers::who};
use crate::{
    cells,
    text::Text,
    ui::{Actions, Badge, Column, Drain, EmptyState, Facts, LinkButton, Panel, Row, Table, Time, Tone, fact},
};

pub(super) fn view(t: Text, view: &KeyView, board: &DrainBoard) -> AnyView {
    let panels: Vec<_> = board.draining.iter().map(|it| panel(t, view, it)).collect();
    let none = panels
        .is_empty()
        .then(|| view! { <EmptyState title=t.drain_none()>{t.drain_none_why()}</EmptyState> });
    let rows = board
        .current
        .iter()
        .map(|(caller, at)| {
            Row::plain(
                view! { <span translate="no">{who(t, caller)}</span> },
                cells![
                    view! { <span translate="no">{caller.verifier_name.clone()}</span> },
                    view! { <Time at=*at/> },
                ],
            )
        })
        .collect();
    let columns =
        vec![Column::text(t.callers_who()), Column::text(t.callers_via()), Column::text(t.keys_last_used())];
    let cut = board.more.then(|| view! { <p>{t.drain_more()}</p> });
    let unused = view! { <EmptyState title=t.callers_none()>{t.callers_none_why()}</EmptyState> };
    view! {
        {none}
        {panels}
        <Panel id="current" title=t.drain_current()>
            <Table caption=t.drain_current() columns=columns rows=rows empty=unused.into_any()/>
            {cut}
        </Panel>
    }
    .into_any()
}

fn panel(t: Text, view: &KeyView, draining: &DrainingValue) -> AnyView {
    let DrainingValue { value, callers, more } = draining;
    let base = format!("{}/values/{}", around::path(&view.key), value.id);
    let count = |n: usize| u64::try_from(n).unwrap_or(u64::MAX);
    let left = count(draining.would_break().count());
    let moved = count(callers.len()).saturating_sub(left);
    let facts = vec![
        fact(t.keys_stops(), view! { <Time at=value.stops_at otherwise=t.keys_stops_with_key()/> }),
        fact(t.keys_superseded(), view! { <Time at=value.superseded_at/> }),
        fact(t.drain_last_old(), view! { <Time at=value.last_used_at/> }),
    ];
    let columns = vec![
        Column::text(t.callers_who()),
        Column::text(t.keys_state()),
        Column::minor(t.callers_via()),
        Column::number(t.drain_uses()),
        Column::text(t.drain_last_old()),
        Column::text(t.drain_last_new()),
    ];
    let rows = callers.iter().map(|it| caller_row(t, it)).collect();
    let none = view! { <EmptyState title=t.callers_none()>{t.drain_unused_why()}</EmptyState> };
    let cut = more.then(|| view! { <p>{t.drain_more()}</p> });
    let may = view.may;
    let title = t.drain_old_value(&around::shown(t, value));
    view! {
        <Panel id=format!("value-{}", value.public_id) title=title.clone()>
            <Drain old_label=t.drain_left() old=left new_label=t.drain_moved() new=moved/>
            <Facts facts=facts/>
            <Table caption=title columns=columns rows=rows empty=none.into_any()/>
            {cut}
            {(may.stop_old || may.extend).then(|| view! {
                <Actions>
                    {may.stop_old.then(|| view! { <LinkButton label=t.drain_stop() href=format!("{base}/stop")/> })}
                    {may.extend.then(|| view! { <LinkButton label=t.drain_extend() href=format!("{base}/extend")/> })}
                </Actions>
            })}
        </Panel>
    }
    .into_any()
}

fn caller_row(t: Text, it: &DrainingCaller) -> Row {
    let (label, tone) = match it.standing {
        DrainStanding::Moved => (t.drain_is_moved(), Tone::Good),
        DrainStanding::Quiet => (t.drain_is_quiet(), Tone::Neutral),
        DrainStanding::Still => (t.drain_is_still(), Tone::Warn),
    };
    let cells = cells![
        view! { <Badge label=label tone=tone/> },
        view! { <span translate="no">{it.caller.verifier_name.clone()}</span> },
        t.number(it.uses),
        view! { <Time at=it.last_old/> },
        view! { <Time at=it.last_new otherwise=t.drain_not_yet()/> },
    ];
    Row::plain(view! { <span translate="no">{who(t, &it.caller)}</span> }, cells)
}
