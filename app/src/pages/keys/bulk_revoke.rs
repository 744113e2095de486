use std::collections::BTreeMap;

use axum::{extract::State, response::Response};
use keywarden_domain::{
    Op, Refused,
    keys::{Affected, BulkPreview, BulkRevokeError, KeyLine},
};
use keywarden_model::ApiKeyId;
use leptos::prelude::*;

use super::{around, callers::who, filter::Filter, reasons};
use crate::{
    cells,
    context::{Asking, House, Posted},
    form::{Draft, Errors, Params},
    render::{self, page},
    shell::{Section, Shell},
    text::Text,
    ui::{
        Banner, Column, Confirm, EmptyState, Form, KeyStateBadge, PageHeader, Panel, Row, Table, Time, Tone,
        crumb, row,
    },
};

const PATH: &str = "/keys/revoke";
/// Callers that the page names; all of them are counted.
const NAMED: usize = 50;

pub(super) async fn ask(State(house): State<House>, asking: Asking, params: Params) -> Response {
    let Asking { mut shell, op } = asking.at(Section::Keys);
    let filter = match Filter::read(&house, &mut shell, &op, params, PATH).await {
        Ok(filter) => filter,
        Err(response) => return response,
    };
    match look(&house, &op, &filter).await {
        Ok(preview) => draw(&shell, filter, preview, Draft::default()),
        Err(refused) => render::refused(&shell, refused),
    }
}

pub(super) async fn revoke(
    State(house): State<House>,
    asking: Asking,
    params: Params,
    posted: Posted,
) -> Response {
    let Asking { mut shell, op } = asking.at(Section::Keys).once(&posted);
    let t = shell.text;
    let mut errors = Errors::new();
    // Exactly those that were shown, whatever the filter finds by now.
    let ids: Result<Vec<ApiKeyId>, _> =
        posted.fields.text("ids").split_whitespace().map(str::parse).collect();
    if ids.is_err() {
        errors.whole(t.form_unreadable());
    }
    let reason = reasons::read(t, &posted.fields, &mut errors);
    if let (Ok(ids), Some((reason, note))) = (ids, reason) {
        match house.domain.bulk_revoke(&op, ids, reason, &note).await {
            Ok(done) => {
                let mut said = t.keys_bulk_done(done.revoked);
                if done.already > 0 {
                    said = format!("{said} {}", t.keys_bulk_already(done.already));
                }
                return render::done(&shell, "/keys", said);
            }
            Err(BulkRevokeError::Nothing) => errors.whole(t.keys_bulk_nothing()),
            Err(BulkRevokeError::TooMany) => errors.whole(t.keys_bulk_many()),
            Err(BulkRevokeError::Refused(refused)) => {
                return house.refused(&shell, &op, &posted, refused).await;
            }
        }
    }
    let filter = match Filter::read(&house, &mut shell, &op, params, PATH).await {
        Ok(filter) => filter,
        Err(response) => return response,
    };
    match look(&house, &op, &filter).await {
        Ok(preview) => draw(&shell, filter, preview, Draft::refused(posted.fields, errors)),
        Err(refused) => render::refused(&shell, refused),
    }
}

/// Without a filter nothing is chosen: everything there is, is nobody's wish.
async fn look(house: &House, op: &Op, filter: &Filter) -> Result<Option<BulkPreview>, Refused> {
    if !filter.narrows() {
        return Ok(None);
    }
    house.domain.preview_bulk_revoke(op, &filter.query).await.map(Some)
}

fn draw(shell: &Shell, filter: Filter, preview: Option<BulkPreview>, draft: Draft) -> Response {
    let t = shell.text;
    let frame = shell.clone();
    page(shell, t.keys_revoke_many()).of(&draft).show(move || {
        let bar = filter.bar(&frame, PATH, ().into_any());
        let body = match preview {
            None => view! { <EmptyState title=t.keys_bulk_choose()>{t.keys_bulk_choose_why()}</EmptyState> }.into_any(),
            Some(preview) if preview.keys.is_empty() => {
                view! { <EmptyState title=t.keys_none_match() action=(t.list_clear(), PATH)>{t.keys_bulk_none_why()}</EmptyState> }
                    .into_any()
            }
            Some(preview) => previewed(t, preview, draft),
        };
        view! {
            <PageHeader title=t.keys_revoke_many() lead=t.keys_bulk_lead() crumbs=vec![crumb(t.keys(), "/keys")]/>
            {bar}
            {body}
        }
    })
}

fn previewed(t: Text, preview: BulkPreview, draft: Draft) -> AnyView {
    let BulkPreview { keys, affected, more, more_affected } = preview;
    let ids = keys.iter().map(|it| it.key.id.to_string()).collect::<Vec<_>>().join(" ");
    let names: BTreeMap<ApiKeyId, String> =
        keys.iter().map(|it| (it.key.id, it.key.name.to_string())).collect();
    let count = keys.len();
    let consequences = vec![
        t.keys_revoke_all().to_owned(),
        t.keys_revoke_final().to_owned(),
        if more_affected {
            t.keys_bulk_breaks_more(affected.len())
        } else {
            t.keys_bulk_breaks(affected.len())
        },
    ];
    let key_columns = vec![
        Column::text(t.keys_name()),
        Column::text(t.keys_value()),
        Column::text(t.keys_state()),
        Column::text(t.keys_place()),
        Column::minor(t.keys_owner()),
        Column::text(t.keys_last_used()),
    ];
    let caller_columns =
        vec![Column::text(t.callers_who()), Column::text(t.keys()), Column::text(t.keys_last_used())];
    let callers = affected.iter().take(NAMED).map(|it| caller_row(t, it, &names)).collect();
    let nobody = view! { <EmptyState title=t.keys_bulk_nobody()>{t.keys_bulk_nobody_why()}</EmptyState> };
    view! {
        {more.then(|| view! { <Banner tone=Tone::Warn title=t.keys_bulk_more()/> })}
        <Panel id="callers" title=t.keys_bulk_callers()>
            <Table caption=t.keys_bulk_callers() columns=caller_columns rows=callers empty=nobody.into_any()/>
        </Panel>
        <Panel id="keys" title=t.keys()>
            <Table caption=t.keys() columns=key_columns rows=keys.into_iter().map(|it| key_row(t, it)).collect()/>
        </Panel>
        <Confirm title=t.keys_bulk_title(count) consequences=consequences>
            <Form draft=draft submit=t.keys_revoke_many() danger=true cancel="/keys">
                // Not `Hidden`: after a refusal it is what the page shows now that is revoked.
                <input type="hidden" name="ids" value=ids/>
                {reasons::fields(t, "superseded")}
            </Form>
        </Confirm>
    }
    .into_any()
}

fn key_row(t: Text, line: KeyLine) -> Row {
    let KeyLine { key, state, values } = line;
    let shown = around::current(&values).map(|value| around::shown(t, value));
    let cells = cells![
        view! { <code translate="no">{shown}</code> },
        view! { <KeyStateBadge state=state/> },
        view! { <span translate="no">{format!("{} / {}", key.project_slug, key.environment_slug)}</span> },
        view! { <span translate="no">{key.owner_name.clone()}</span> },
        view! { <Time at=key.last_used_at/> },
    ];
    row(around::path(&key), key.name.to_string(), cells)
}

fn caller_row(t: Text, it: &Affected, names: &BTreeMap<ApiKeyId, String>) -> Row {
    let used: Vec<&str> = it.keys.iter().filter_map(|id| names.get(id)).map(String::as_str).collect();
    let cells =
        cells![view! { <span translate="no">{used.join(", ")}</span> }, view! { <Time at=it.last_at/> },];
    Row::plain(view! { <span translate="no">{who(t, &it.caller)}</span> }, cells)
}
