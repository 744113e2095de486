//! All keys, from the HSM's down to the data keys.

use axum::{extract::State, response::Response};
use keywarden_domain::{
    Action, Refused, Resource,
    project_keys::ProjectKeys,
    project_seals::{At, OfferedKeys, OfferedSeal},
    rewraps::Rewrap,
    system::{KeyStatus, Purpose, SealKeys, System},
};
use leptos::prelude::*;

use super::{
    around::{self, TREE, rewrap_path},
    offered,
};
use crate::{
    cells,
    context::{Asking, House},
    render::{self, page},
    shell::Section,
    text::Text,
    ui::{
        Badge, Column, EmptyState, Id, KeyLevel, KeyTree, LinkButton, PageHeader, Panel, Row, Table, Time,
        Tone, crumb, row,
    },
};

struct Loaded {
    system: System,
    seals: Vec<SealKeys>,
    offered: Vec<OfferedSeal>,
    offered_keys: Vec<OfferedKeys>,
    projects: ProjectKeys,
    rewraps: Vec<Rewrap>,
    may_rotate: bool,
}

pub(super) async fn show(State(house): State<House>, asking: Asking) -> Response {
    let Asking { shell, op } = asking.at(Section::System);
    let loaded = async {
        Ok::<_, Refused>(Loaded {
            system: house.domain.system(&op).await?,
            seals: house.domain.seal_keys(&op).await?,
            offered: house.domain.offered_seals(&op).await?,
            offered_keys: house.domain.offered_keys(&op).await?,
            projects: house.domain.project_keys(&op).await?,
            rewraps: house.domain.rewraps(&op).await?,
            may_rotate: house.domain.would(&op, Action::ManageSeals, &Resource::Organization).await?,
        })
    };
    let it = match loaded.await {
        Ok(loaded) => loaded,
        Err(refused) => return render::refused(&shell, refused),
    };
    let t = shell.text;
    page(&shell, t.encryption()).show(move || {
        let levels = vec![hsm(t, &it), keyring(t, &it), projects(t, &it), data_keys(t)];
        view! {
            <PageHeader title=t.encryption() lead=t.encryption_lead() crumbs=vec![crumb(t.system(), "/system")]/>
            <Panel id="tree" title=t.encryption_tree()><KeyTree label=t.encryption_tree() levels=levels/></Panel>
            {rewraps(t, &it.rewraps)}
            {hsm_keys(t, &it)}
            {keyring_keys(t, &it)}
            {project_keys(t, &it.projects)}
            {offered_seals(t, &it.offered)}
            {offered::panel(t, &it.offered_keys, it.may_rotate)}
        }
    })
}

fn rotate(t: Text, may: bool, href: &str) -> AnyView {
    may.then(|| view! { <LinkButton label=t.encryption_rotate() href=href/> }).into_any()
}

fn hsm(t: Text, it: &Loaded) -> KeyLevel {
    let seal = it.seals.first();
    let keys = seal.and_then(|seal| seal.keys.as_ref().ok());
    let wraps = match keys {
        Some(keys) => {
            t.encryption_hsm_wraps(keys.iter().map(|(_, wraps)| *wraps as u64).max().unwrap_or_default())
        }
        None => t.encryption_hsm_silent().to_owned(),
    };
    let newest = keys.and_then(|keys| keys.last()).map(|(number, _)| t.encryption_number(*number));
    let name = seal.map(|seal| seal.seal.to_string());
    KeyLevel {
        name: t.encryption_hsm_key().to_owned(),
        facts: view! { <code translate="no">{name}</code> <span>{newest}</span> }.into_any(),
        wraps,
        action: rotate(t, it.may_rotate && keys.is_some(), &format!("{TREE}/hsm/rotate")),
    }
}

/// The key of the keyring that wraps projects' keys now.
fn wrapping(system: &System) -> Option<&KeyStatus> {
    system.keys.iter().find(|key| key.purpose == Purpose::ProjectKey && key.retired_at.is_none())
}

fn keyring(t: Text, it: &Loaded) -> KeyLevel {
    let facts = wrapping(&it.system).map(|key| {
        view! {
            <Id value=key.id.to_string()/>
            <span>{t.encryption_made()} " " <Time at=key.created_at/></span>
            <span>{around::uses(t, key.uses)}</span>
        }
    });
    let others = it.system.keys.iter().filter(|key| key.purpose != Purpose::ProjectKey).count() as u64;
    let wraps =
        format!("{} {}", t.encryption_keyring_wraps(it.projects.counted), t.encryption_others(others));
    KeyLevel {
        name: t.encryption_keyring_key().to_owned(),
        facts: facts.into_any(),
        wraps,
        action: rotate(t, it.may_rotate, &format!("{TREE}/keyring/{}/rotate", Purpose::ProjectKey.name())),
    }
}

fn projects(t: Text, it: &Loaded) -> KeyLevel {
    let oldest = it.projects.keys.iter().map(|key| key.created_at).min();
    let facts = oldest.map(|at| view! { <span>{t.encryption_made()} " " <Time at=at/></span> });
    KeyLevel {
        name: format!("{} · {}", t.encryption_project_keys(), t.number(it.projects.counted)),
        facts: facts.into_any(),
        wraps: t.encryption_project_keys_wrap(it.projects.data_keys),
        action: ().into_any(),
    }
}

fn data_keys(t: Text) -> KeyLevel {
    KeyLevel {
        name: t.encryption_data_keys().to_owned(),
        facts: ().into_any(),
        wraps: t.encryption_data_keys_why().to_owned(),
        action: ().into_any(),
    }
}

fn rewraps(t: Text, rewraps: &[Rewrap]) -> AnyView {
    let rows = rewraps
        .iter()
        .map(|it| {
            let cells = cells![
                around::state(t, it.state),
                around::progress(t, it),
                view! { <Time at=it.started_at/> },
            ];
            row(rewrap_path(it.id, false), t.rewrap_kind(it.kind, it.project_slug.as_deref()), cells)
        })
        .collect();
    let columns = vec![
        Column::text(t.rewrap_what()),
        Column::text(t.projects_state()),
        Column::text(t.rewrap_progress()),
        Column::minor(t.rewrap_started()),
    ];
    let empty = view! { <EmptyState title=t.rewraps_none()>{t.rewraps_none_why()}</EmptyState> };
    view! {
        <Panel id="rewraps" title=t.rewraps()>
            <Table caption=t.rewraps() columns=columns rows=rows empty=empty.into_any()/>
        </Panel>
    }
    .into_any()
}

fn hsm_keys(t: Text, it: &Loaded) -> AnyView {
    let Some((seal, keys)) = it.seals.first().and_then(|seal| Some((seal, seal.keys.as_ref().ok()?))) else {
        return ().into_any();
    };
    let newest = keys.last().map(|(number, _)| *number);
    let rows = keys
        .iter()
        .map(|(number, wraps)| {
            let is_newest = newest == Some(*number);
            let destroy = (it.may_rotate && !is_newest && *wraps == 0).then(
                || view! { <a href=format!("{TREE}/hsm/{number}/destroy")>{t.encryption_destroy()}</a> },
            );
            let wrapped = match *wraps {
                0 => t.encryption_wraps_nothing().to_owned(),
                wraps => t.encryption_wraps_keys(wraps as u64),
            };
            let state = is_newest.then(|| view! { <Badge label=t.encryption_newest() tone=Tone::Good/> });
            let ends = seal.ends.get(number).map(|at| view! { <Time at=*at/> });
            Row::plain(t.encryption_number(*number), cells![wrapped, state, ends, destroy])
        })
        .collect();
    let columns = vec![
        Column::text(t.encryption_hsm_key()),
        Column::text(t.encryption_wraps()),
        Column::text(t.projects_state()),
        Column::text(t.encryption_ends()),
        Column::text(t.encryption_destroy()),
    ];
    view! {
        <Panel id="hsm" title=t.encryption_keys_of_hsm()>
            <Table caption=t.encryption_keys_of_hsm() columns=columns rows=rows/>
        </Panel>
    }
    .into_any()
}

fn keyring_keys(t: Text, it: &Loaded) -> AnyView {
    let rows = it
        .system
        .keys
        .iter()
        .map(|key| {
            let active = key.retired_at.is_none();
            let state = if active {
                view! { <Badge label=t.workloads_active() tone=Tone::Good/> }
            } else {
                view! { <Badge label=t.system_retired()/> }
            };
            let rotate = (it.may_rotate && active).then(|| {
                let href = format!("{TREE}/keyring/{}/rotate", key.purpose.name());
                view! { <a href=href>{t.encryption_rotate()}</a> }
            });
            let cells = cells![state, view! { <Time at=key.created_at/> }, t.number(key.uses), rotate];
            Row::plain(view! { <code translate="no">{key.purpose.name()}</code> }, cells)
        })
        .collect();
    let columns = vec![
        Column::text(t.system_purpose()),
        Column::text(t.projects_state()),
        Column::text(t.encryption_made()),
        Column::number(t.system_uses()),
        Column::text(t.encryption_rotate()),
    ];
    view! {
        <Panel id="keyring" title=t.system_keyring()>
            <Table caption=t.system_keyring() columns=columns rows=rows/>
        </Panel>
    }
    .into_any()
}

fn project_keys(t: Text, it: &ProjectKeys) -> AnyView {
    let rows = it
        .keys
        .iter()
        .map(|key| {
            let cells = cells![
                view! { <Id value=key.id.to_string()/> },
                view! { <Time at=key.created_at/> },
                t.number(key.uses.unsigned_abs()),
            ];
            row(format!("/projects/{}/key", key.project_slug), key.project_slug.clone(), cells)
        })
        .collect();
    let columns = vec![
        Column::text(t.encryption_project()),
        Column::minor(t.projects_id()),
        Column::text(t.encryption_made()),
        Column::number(t.project_key_uses()),
    ];
    let empty =
        view! { <EmptyState title=t.encryption_no_projects()>{t.encryption_no_projects_why()}</EmptyState> };
    view! {
        <Panel id="projects" title=t.encryption_project_keys()>
            <Table caption=t.encryption_project_keys() columns=columns rows=rows empty=empty.into_any()/>
        </Panel>
    }
    .into_any()
}

/// Seals that projects may name; nothing where the operator offers none.
fn offered_seals(t: Text, offered: &[OfferedSeal]) -> AnyView {
    if offered.is_empty() {
        return ().into_any();
    }
    let rows = offered.iter().map(|seal| {
        let state = match &seal.at {
            At::Away { since, .. } => view! {
                <Badge label=t.project_seal_away() tone=Tone::Bad/> " " <Time at=*since/>
            }
            .into_any(),
            At::NotHere => view! { <Badge label=t.project_seal_not_here() tone=Tone::Bad/> }.into_any(),
            At::Present => view! { <Badge label=t.project_seal_present() tone=Tone::Good/> }.into_any(),
        };
        let users = match seal.projects.as_slice() {
            [] => t.encryption_offered_unused().to_owned(),
            all => all.join(", "),
        };
        let cells = cells![state, users, view! { <Time at=seal.offered_at/> }];
        Row::plain(view! { <code translate="no">{seal.id.to_string()}</code> }, cells)
    });
    let rows: Vec<_> = rows.collect();
    let columns = vec![
        Column::text(t.project_seal()),
        Column::text(t.projects_state()),
        Column::text(t.encryption_offered_used()),
        Column::text(t.project_seal_since()),
    ];
    view! {
        <Panel id="offered" title=t.encryption_offered()>
            <Table caption=t.encryption_offered() columns=columns rows=rows/>
        </Panel>
    }
    .into_any()
}
