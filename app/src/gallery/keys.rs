//! What pages of a noun look like: a list, an object, a form. Copy from here.

use axum::{
    extract::{Path, State},
    response::Response,
};
use chrono::TimeDelta;
use keywarden_model::KeyState;
use leptos::prelude::*;

use super::shell::{framed, now};
use crate::{
    cells,
    console::Console,
    form::{Draft, Errors, Fields},
    render::{self, page},
    shell::{Section, Shell, Visit},
    ui::{
        Badge, ButtonKind, CheckboxField, CheckboxGroup, CodeBlock, Column, Confirm, Drain, EmptyState,
        Facts, FieldGroup, FilterBar, FilterChip, FilterSelect, Form, Id, KeyLevel, KeyStateBadge, KeyTree,
        LinkButton, PageHeader, Pager, Panel, Progress, RadioGroup, RevealedLines, RevealedValue,
        SecretValue, SelectField, Sparkline, Table, Tabs, TextArea, TextField, TextKind, Time, Tone, choice,
        crumb, fact, row, state_name, tab,
    },
};

pub(super) async fn list(State(console): State<Console>, visit: Visit) -> Response {
    let shell = framed(console, visit, Some(Section::Keys));
    let t = shell.text;
    page(&shell, t.keys()).show(move || {
        let columns = vec![
            Column::text(t.gallery_name()),
            Column::text(t.gallery_state()),
            Column::text(t.gallery_environment()),
            Column::minor(t.gallery_id()),
            Column::text(t.gallery_last_used()),
            Column::number(t.gallery_uses()),
        ];
        let rows = KeyState::ALL
            .into_iter()
            .cycle()
            .zip(1_i64..=12)
            .map(|(state, n)| {
                let used = (n % 4 != 0).then(|| now() - TimeDelta::minutes(n * n * 97));
                let cells = cells![
                    view! { <KeyStateBadge state=state/> },
                    view! { <Badge label=if n % 3 == 0 { "staging" } else { "production" } named=true/> },
                    view! { <Id value=format!("key_01JDB2W1N9F6Q3R8T5V7X9Z{n:03}")/> },
                    view! { <Time at=used/> },
                    t.number(n.unsigned_abs().pow(2) * 1_037),
                ];
                row(format!("/keys/pay-{n}"), format!("pay-prod-{n}"), cells)
            })
            .collect();
        let pager = Pager { shown: t.gallery_shown(1, 12, &t.number(1_204)), first: None, next: Some("/keys?after=key_01".into()) };
        view! {
            <PageHeader
                title=t.keys()
                lead=t.gallery_keys_lead()
                actions=view! { <LinkButton kind=ButtonKind::Primary label=t.gallery_issue() href="/keys/new"/> }.into_any()
            />
            <FilterBar
                action="/keys"
                search_label=t.gallery_search()
                chips=vec![FilterChip { label: "state: active".into(), remove: "/keys?".into() }]
            >
                <FilterSelect
                    name="state"
                    label=t.gallery_state()
                    chosen="active"
                    choices=KeyState::ALL.map(|state| choice(state.as_str(), state_name(t, state))).to_vec()
                />
                <FilterSelect name="env" label=t.gallery_environment() choices=vec![choice("prod", "production").named()]/>
            </FilterBar>
            <Table caption=t.keys() columns=columns rows=rows pager=pager/>
        }
    })
}

pub(super) async fn list_of_none(State(console): State<Console>, visit: Visit) -> Response {
    let shell = framed(console, visit, Some(Section::Keys));
    let t = shell.text;
    page(&shell, t.keys()).show(move || {
        let empty = view! {
            <EmptyState title=t.gallery_no_keys() action=(t.gallery_issue(), "/keys/new") cli="keywarden key create --project pay">
                {t.gallery_keys_lead()}
            </EmptyState>
        };
        view! {
            <PageHeader title=t.keys()/>
            <Table caption=t.keys() columns=vec![Column::text(t.gallery_name())] rows=vec![] empty=empty.into_any()/>
        }
    })
}

pub(super) async fn show(State(console): State<Console>, visit: Visit, Path(id): Path<String>) -> Response {
    let shell = framed(console, visit, Some(Section::Keys));
    let t = shell.text;
    page(&shell, id.clone()).show(move || {
        let made = now() - TimeDelta::days(41);
        let facts = vec![
            fact(t.gallery_owner(), view! { <span translate="no">"Payments leads"</span> }),
            fact(t.gallery_id(), view! { <Id value="key_01JDB2W1N9F6Q3R8T5V7X9Z0AB" whole=true/> }),
            fact(t.gallery_scopes(), view! { <code>"orders:read"</code> " " <code>"orders:write"</code> }),
            fact(t.gallery_issued(), view! { <Time at=made/> }),
            fact(t.gallery_expires(), view! { <Time at=now() + TimeDelta::days(49)/> }),
            fact(t.gallery_last_used(), view! { <Time at=now() - TimeDelta::seconds(42)/> }),
        ];
        let header = view! { <KeyStateBadge state=KeyState::Active/> <Badge label="production" named=true/> <Badge label=t.gallery_unused(92) tone=Tone::Warn/> };
        let actions = view! {
            <LinkButton label=t.gallery_edit() href="#"/>
            <LinkButton label=t.gallery_suspend() href="#"/>
            <LinkButton kind=ButtonKind::Primary label=t.gallery_rotate() href="#"/>
        };
        let tabs = vec![
            tab(t.gallery_overview(), "/keys/pay-prod").current(true),
            tab(t.gallery_callers(), "?tab=callers").count(6),
            tab(t.audit(), "?tab=audit"),
            tab(t.gallery_versions(), "?tab=versions").count(2),
        ];
        let level = |name: &str, wraps: String, action: AnyView| KeyLevel {
            name: name.to_owned(),
            facts: view! { <Id value="krk_01JDB2W1N9F6Q3R8T5V7X9Z0AB"/> <Time at=made/> }.into_any(),
            wraps,
            action,
        };
        let rotate = view! { <LinkButton label=t.encryption_rotate() href="#"/> };
        let levels = vec![
            level(t.encryption_hsm_key(), t.encryption_hsm_wraps(9), rotate.into_any()),
            level(t.encryption_project_keys(), t.encryption_project_keys_wrap(1204), ().into_any()),
        ];
        view! {
            <PageHeader
                title=id
                named=true
                crumbs=vec![crumb("Payments", "/projects/pay"), crumb(t.keys(), "/keys")]
                state=header.into_any()
                actions=actions.into_any()
            />
            <Tabs tabs=tabs/>
            <Facts facts=facts/>
            <Panel id="use" title=t.gallery_requests()>
                <Sparkline title=t.gallery_requests() description=t.gallery_requests_range() points=(0..30).map(|n| (n * 37) % 97 + n).collect()/>
            </Panel>
            <Panel id="drain" title=t.gallery_draining()>
                <Drain old_label=t.gallery_old() old=37 new_label=t.gallery_new() new=63/>
                <Progress label=t.rewrap_progress() done=400 total=1204/>
            </Panel>
            <Panel id="tree" title=t.encryption_tree()><KeyTree label=t.encryption_tree() levels=levels/></Panel>
            <Panel id="value" title=t.gallery_new_key()>
                <SecretValue id="secret" label=t.gallery_key() value="kwk_live_4hG7kQ2mXw9Z_0123456789abcdefghijklmnopqrstuvwxyzABCDEFGa1B2c3" hint=t.gallery_once()/>
                <RevealedValue id="revealed" label=t.secrets_value() value="first line\nsecond line"/>
                <RevealedLines id="lines" label=t.secrets_values() lines=vec![(' ', "kept".into()), ('-', "old".into()), ('+', "new".into())]/>
                <CodeBlock id="curl" label=t.gallery_verify() text="curl https://keys.example.com/api/v1/keys/verify \\\n  -H 'Authorization: Bearer kws_…' \\\n  -d '{\"key\":\"kwk_live_…\"}'"/>
            </Panel>
            <Confirm title=t.gallery_revoke() consequences=vec![t.gallery_revoke_breaks(6), t.gallery_revoke_final().into()]>
                <Form submit=t.gallery_revoke_it() danger=true cancel="/keys" id="revoke">
                    <RadioGroup name="reason" label=t.gallery_reason() required=true value="superseded" choices=vec![
                        choice("superseded", t.gallery_superseded()),
                        choice("key-compromise", t.gallery_compromised()).hint(t.gallery_compromised_hint()),
                    ]/>
                </Form>
            </Confirm>
        }
    })
}

pub(super) async fn new(State(console): State<Console>, visit: Visit) -> Response {
    form(&framed(console, visit, Some(Section::Keys)), Draft::default())
}

pub(super) async fn create(State(console): State<Console>, visit: Visit, fields: Fields) -> Response {
    let shell = framed(console, visit, Some(Section::Keys));
    let t = shell.text;
    let mut errors = Errors::new();
    let name = errors.required(t, &fields, "name", 40).to_owned();
    errors.required(t, &fields, "environment", 40);
    errors.optional(t, &fields, "note", 2000);
    errors.moment(t, &fields, "expires");
    errors.number(t, &fields, "limit", 1..=1_000_000);
    if errors.any() {
        return form(&shell, Draft::refused(fields, errors));
    }
    render::done(&shell, &format!("/keys/{name}"), t.gallery_issued_key(&name))
}

/// The page of both handlers: fresh, and refused with what was typed.
fn form(shell: &Shell, draft: Draft) -> Response {
    let t = shell.text;
    page(shell, t.gallery_issue()).of(&draft).show(move || {
        view! {
            <PageHeader title=t.gallery_issue() crumbs=vec![crumb(t.keys(), "/keys")]/>
            <Form draft=draft submit=t.gallery_issue() cancel="/keys">
                <TextField name="name" label=t.gallery_name() required=true maxlength=40 hint=t.gallery_name_hint() mono=true/>
                <SelectField name="environment" label=t.gallery_environment() required=true placeholder=t.gallery_choose() choices=vec![
                    choice("prod", "production").named(),
                    choice("test", "staging").named(),
                ]/>
                <CheckboxGroup name="scopes[]" label=t.gallery_scopes() choices=vec![
                    choice("orders:read", "orders:read").named(),
                    choice("orders:write", "orders:write").named().hint(t.gallery_scopes_hint()),
                ] values=vec!["orders:read".into()]/>
                <FieldGroup label=t.gallery_limits()>
                    <TextField name="expires" label=t.gallery_expires() kind=TextKind::DateTime required=true value="2027-02-23T14:00"/>
                    <TextField name="limit" label=t.gallery_rate() kind=TextKind::Number min="1"/>
                </FieldGroup>
                <TextArea name="note" label=t.gallery_note()/>
                <CheckboxField name="notify" label=t.gallery_notify() checked=true/>
            </Form>
        }
    })
}
