//! `/people/<id>/hand-over`: what somebody owns, with "give to …", and what they have seen that still opens something.

use axum::{
    extract::{Path, State},
    response::Response,
};
use keywarden_domain::{
    Op, Refused,
    authz::Owner,
    people::{
        ConcernedKey, HandOver, HandOverError, MOST_KEYS, OwnedSecret, Portion, SeenKey, SeenSecret,
        SeenToken, ShownUser, UserFilter, UserState,
    },
};
use keywarden_model::{ApiKeyId, Name, SecretId, UserId};
use leptos::prelude::*;

use super::{find, home, way_to};
use crate::{
    cells,
    context::{Asking, House, Posted},
    form::{Draft, Errors, Params},
    render::{self, page},
    shell::{Section, Shell},
    text::Text,
    ui::{
        CheckboxGroup, Choice, Column, EmptyState, FilterBar, FilterChip, Form, LinkButton, PageHeader,
        Panel, Row, SelectField, Table, Time, choice, row,
    },
};

/// People, and teams, in the select.
const RECEIVERS: u32 = 200;
/// The parameter by which they are searched.
const SEARCH: &str = "q";

struct Facts {
    user: ShownUser,
    left: HandOver,
    receivers: Receivers,
}

/// Who may be given something.
struct Receivers {
    /// What was searched for.
    part: Option<String>,
    found: Vec<Choice>,
    /// There are more than fit.
    more: bool,
}

pub(super) async fn show(
    State(house): State<House>,
    Asking { mut shell, op }: Asking,
    Path(id): Path<String>,
    params: Params,
) -> Response {
    shell.section = Some(Section::People);
    draw(&house, &shell, &op, &id, &params, Draft::default()).await
}

pub(super) async fn give(
    State(house): State<House>,
    asking: Asking,
    Path(id): Path<String>,
    params: Params,
    posted: Posted,
) -> Response {
    let Asking { mut shell, op } = asking.once(&posted);
    shell.section = Some(Section::People);
    let t = shell.text;
    let Ok(from) = id.parse::<UserId>() else { return render::not_found(&shell) };
    let keys: Result<Vec<ApiKeyId>, _> = posted.fields.many("keys[]").map(str::parse).collect();
    let secrets: Result<Vec<SecretId>, _> = posted.fields.many("secrets[]").map(str::parse).collect();
    let (Ok(keys), Ok(secrets)) = (keys, secrets) else { return render::not_found(&shell) };
    let mut errors = Errors::new();
    match Owner::parse(posted.fields.text("to")) {
        None => errors.at("to", t.hand_over_receiver()),
        Some(to) => match house.domain.hand_over(&op, from, to, &keys, &secrets).await {
            Ok(_) => {
                let here = format!("{}/hand-over", home(from));
                return render::done(&shell, &here, given(t, keys.len(), secrets.len()));
            }
            Err(HandOverError::Count) => errors.whole(t.hand_over_count(MOST_KEYS)),
            Err(HandOverError::NotTheirs(_)) => errors.at("keys[]", t.hand_over_not_theirs()),
            Err(HandOverError::SecretNotTheirs(_)) => errors.at("secrets[]", t.hand_over_not_theirs()),
            Err(HandOverError::Receiver) => errors.at("to", t.hand_over_receiver()),
            Err(HandOverError::Refused(refused)) => {
                return house.refused(&shell, &op, &posted, refused).await;
            }
        },
    }
    draw(&house, &shell, &op, &id, &params, Draft::refused(posted.fields, errors)).await
}

fn given(t: Text, keys: usize, secrets: usize) -> String {
    let keys = (keys > 0).then(|| t.hand_over_given(keys));
    let secrets = (secrets > 0).then(|| t.hand_over_given_secrets(secrets));
    keys.into_iter().chain(secrets).collect::<Vec<_>>().join(" ")
}

async fn load(house: &House, op: &Op, t: Text, id: &str, params: &Params) -> Result<Facts, Refused> {
    let user = find(house, op, id).await?;
    let left = house.domain.hand_over_facts(op, user.id).await?;
    let receivers = receivers(house, op, t, user.id, params.some(SEARCH)).await?;
    Ok(Facts { user, left, receivers })
}

async fn receivers(
    house: &House,
    op: &Op,
    t: Text,
    from: UserId,
    part: Option<String>,
) -> Result<Receivers, Refused> {
    let name: Option<Name> = match part.as_deref().map(str::parse).transpose() {
        Ok(name) => name,
        // No name looks like this, so nobody has it.
        Err(_) => return Ok(Receivers { part, found: Vec::new(), more: false }),
    };
    let teams = match &name {
        Some(name) => house.domain.teams_named(op, name, RECEIVERS).await?,
        None => house.domain.teams(op, None, RECEIVERS).await?,
    };
    let active = UserFilter { name, state: Some(UserState::Active) };
    let people = house.domain.list_users(op, &active, None, RECEIVERS).await?;
    let more = teams.next.is_some() || people.next.is_some();
    let teams =
        teams.teams.into_iter().map(|it| choice(it.id.to_string(), t.hand_over_team(&it.name)).named());
    let people = people.users.into_iter().filter(|it| it.id != from);
    let people = people.map(|it| choice(it.id.to_string(), it.name).named());
    Ok(Receivers { part, found: teams.chain(people).collect(), more })
}

async fn draw(house: &House, shell: &Shell, op: &Op, id: &str, params: &Params, draft: Draft) -> Response {
    let t = shell.text;
    let Facts { user, left, receivers } = match load(house, op, t, id, params).await {
        Ok(facts) => facts,
        Err(refused) => return render::refused(shell, refused),
    };
    page(shell, t.hand_over()).of(&draft).show(move || {
        let HandOver { name, owns, secrets, has_seen, tokens, has_read } = left;
        view! {
            <PageHeader title=t.hand_over_of(&name) crumbs=way_to(t, &user) lead=t.hand_over_lead()/>
            <Panel id="owns" title=t.hand_over_owns()>
                {owned(t, (owns, secrets), receivers, draft, home(user.id))}
            </Panel>
            <Panel id="seen" title=t.hand_over_seen()>{seen(t, has_seen, &home(user.id))}</Panel>
            {seen_tokens(t, tokens)}
            {seen_secrets(t, has_read)}
        }
    })
}

fn owned(
    t: Text,
    (keys, secrets): (Portion<ConcernedKey>, Portion<OwnedSecret>),
    receivers: Receivers,
    draft: Draft,
    back: String,
) -> AnyView {
    if keys.first.is_empty() && secrets.first.is_empty() {
        return view! {
            <EmptyState heading=3 title=t.hand_over_owns_none()>{t.hand_over_owns_none_why()}</EmptyState>
        }
        .into_any();
    }
    let portions = (portion(t, &keys), portion(t, &secrets));
    // Where there is one kind only, some of it must be chosen.
    let alone = keys.first.is_empty() != secrets.first.is_empty();
    let keys = keys.first.into_iter().map(|key| {
        let place = t.hand_over_place(&key.project.1, &key.environment);
        choice(key.id.to_string(), key.name).named().hint(place)
    });
    let secrets = secrets.first.into_iter().map(|secret| {
        let place = t.hand_over_place(&secret.project, &secret.environment);
        choice(secret.id.to_string(), secret.path).named().hint(place)
    });
    let (keys, secrets): (Vec<_>, Vec<_>) = (keys.collect(), secrets.collect());
    let Receivers { part, found, more } = receivers;
    let search = (more || part.is_some()).then(|| search(t, format!("{back}/hand-over"), part));
    let placeholder = if found.is_empty() { t.hand_over_nobody() } else { t.hand_over_choose() };
    let told = more.then(|| view! { <p>{t.hand_over_more(RECEIVERS)}</p> });
    view! {
        {search}
        {told}
        <Form draft=draft submit=t.hand_over_give() cancel=back>
            {portions.0}
            {group("keys[]", t.hand_over_keys(), keys, alone)}
            {portions.1}
            {group("secrets[]", t.hand_over_secrets(), secrets, alone)}
            <SelectField name="to" label=t.hand_over_to() required=true placeholder=placeholder choices=found/>
        </Form>
    }
    .into_any()
}

/// All of it ticked; nothing where there is none.
fn group(name: &'static str, label: &'static str, choices: Vec<Choice>, required: bool) -> Option<AnyView> {
    let all: Vec<String> = choices.iter().map(|it| it.value().to_owned()).collect();
    (!all.is_empty()).then(|| {
        view! { <CheckboxGroup name=name label=label required=required choices=choices values=all/> }
            .into_any()
    })
}

/// What of a list is not there.
fn portion<T>(t: Text, it: &Portion<T>) -> Option<AnyView> {
    let listed = it.first.len();
    (it.of > listed as u64).then(|| view! { <p>{t.hand_over_first(listed, it.of)}</p> }.into_any())
}

/// More people and teams than a select holds are searched.
fn search(t: Text, here: String, part: Option<String>) -> AnyView {
    let chips = part.iter().map(|part| FilterChip { label: part.clone(), remove: here.clone() }).collect();
    let part = part.unwrap_or_default();
    view! { <FilterBar action=here search=part search_label=t.hand_over_search() chips=chips/> }.into_any()
}

fn seen(t: Text, keys: Portion<SeenKey>, home: &str) -> AnyView {
    let rotate = keys.first.iter().any(|it| it.current).then(|| {
        let href = format!("{home}/hand-over/rotate");
        view! { <div class="actions"><LinkButton label=t.hand_over_rotate_these() href=href/></div> }
    });
    let columns = vec![
        Column::text(t.people_name()),
        Column::text(t.hand_over_project()),
        Column::text(t.hand_over_environment()),
        Column::text(t.hand_over_seen_at()),
        Column::minor(t.hand_over_last_used()),
        Column::text(t.hand_over_settle()),
    ];
    let portion = portion(t, &keys);
    let rows = keys
        .first
        .into_iter()
        .map(|SeenKey { key, seen_at, current }| {
            let settle = if current {
                view! { <LinkButton label=t.hand_over_rotate() href=format!("/keys/{}/rotate", key.id)/> }
            } else {
                view! { <LinkButton label=t.hand_over_stop() href=format!("/keys/{}?tab=drain", key.id)/> }
            };
            let cells = cells![
                view! { <span translate="no">{key.project.1}</span> },
                view! { <span translate="no">{key.environment}</span> },
                view! { <Time at=Some(seen_at)/> },
                view! { <Time at=key.last_used_at otherwise=t.hand_over_never_used()/> },
                settle,
            ];
            row(format!("/keys/{}", key.id), key.name, cells)
        })
        .collect::<Vec<_>>();
    let lead = (!rows.is_empty()).then(|| view! { <p>{t.hand_over_seen_lead()}</p> });
    let empty = view! {
        <EmptyState heading=3 title=t.hand_over_seen_none()>{t.hand_over_seen_none_why()}</EmptyState>
    };
    view! { {lead}{rotate}{portion}<Table caption=t.hand_over_seen() columns=columns rows=rows empty=empty.into_any()/> }
        .into_any()
}

/// Signing in as themselves is over; whoever kept a token of a workload signs in as that.
fn seen_tokens(t: Text, tokens: Portion<SeenToken>) -> Option<AnyView> {
    let columns = vec![
        Column::text(t.tokens_value()),
        Column::text(t.workloads_one()),
        Column::text(t.hand_over_seen_at()),
        Column::minor(t.hand_over_last_used()),
        Column::text(t.tokens_expires()),
        Column::text(t.hand_over_settle()),
    ];
    let portion = portion(t, &tokens);
    let rows: Vec<_> = tokens
        .first
        .into_iter()
        .map(|token| {
            let workload = format!("/workloads/{}", token.workload.0);
            let revoke = format!("{workload}/tokens/{}", token.id);
            let cells = cells![
                view! { <a href=workload translate="no">{token.workload.1}</a> },
                view! { <Time at=Some(token.created_at)/> },
                view! { <Time at=token.last_used_at otherwise=t.hand_over_never_used()/> },
                view! { <Time at=Some(token.expires_at)/> },
                view! { <LinkButton label=t.revoke() href=revoke/> },
            ];
            Row::plain(view! { <code translate="no">{format!("kws_…_{}_…", token.public_id)}</code> }, cells)
        })
        .collect();
    (!rows.is_empty()).then(|| {
        view! {
            <Panel id="tokens" title=t.hand_over_tokens()>
                <p>{t.hand_over_tokens_lead()}</p>
                {portion}
                <Table caption=t.hand_over_tokens() columns=columns rows=rows/>
            </Panel>
        }
        .into_any()
    })
}

fn seen_secrets(t: Text, secrets: Portion<SeenSecret>) -> Option<AnyView> {
    let columns = vec![
        Column::text(t.secrets_path()),
        Column::text(t.hand_over_project()),
        Column::text(t.hand_over_environment()),
        Column::text(t.secrets_version()),
        Column::text(t.hand_over_seen_at()),
        Column::text(t.hand_over_settle()),
    ];
    let portion = portion(t, &secrets);
    let rows: Vec<_> = secrets
        .first
        .into_iter()
        .map(|SeenSecret { secret, number, seen_at }| {
            let path = format!("/secrets/{}", secret.id);
            let put = format!("{path}/versions/new");
            let cells = cells![
                view! { <span translate="no">{secret.project}</span> },
                view! { <span translate="no">{secret.environment}</span> },
                number.to_string(),
                view! { <Time at=Some(seen_at)/> },
                view! { <LinkButton label=t.secrets_new_version() href=put/> },
            ];
            row(path, secret.path, cells)
        })
        .collect();
    (!rows.is_empty()).then(|| {
        view! {
            <Panel id="read" title=t.hand_over_read()>
                <p>{t.hand_over_read_lead()}</p>
                {portion}
                <Table caption=t.hand_over_read() columns=columns rows=rows/>
            </Panel>
        }
        .into_any()
    })
}
