//! How the house is: what wraps the keys, the keyring, the records, backups, the nodes.

mod backups;
mod drills;

use axum::{Router, extract::State, response::Response, routing::get};
use keywarden_domain::{
    Resource,
    system::{Protection, RENEW_AT, System},
};
use leptos::prelude::*;

use crate::{
    cells,
    context::{Asking, House},
    pages::{elsewhere, permissions},
    render::{self, page},
    shell::Section,
    text::Text,
    ui::{Badge, Banner, Column, Facts, Id, LinkButton, PageHeader, Panel, Row, Table, Time, Tone, fact},
};

pub(crate) fn routes() -> Router<House> {
    Router::new().route("/system", get(show)).route("/system/drills", elsewhere::up().post(drills::ask))
}

async fn show(State(house): State<House>, asking: Asking) -> Response {
    let Asking { shell, op } = asking.at(Section::System);
    let system = match house.domain.system(&op).await {
        Ok(system) => system,
        Err(refused) => return render::refused(&shell, refused),
    };
    let kept = match house.domain.backups(&op).await {
        Ok(kept) => kept,
        Err(refused) => return render::refused(&shell, refused),
    };
    let who = match permissions::way_for(&house, &op, &Resource::Organization).await {
        Ok(who) => who,
        Err(refused) => return render::refused(&shell, refused),
    };
    let t = shell.text;
    let settings = house.domain.settings().clone();
    page(&shell, t.system()).show(move || {
        let who = who.map(|href| view! { <LinkButton label=t.permissions_who_can() href=href/> });
        let actions = view! { {who} <LinkButton label=t.encryption() href="/system/keys"/> };
        let one_seal = (system.seals.len() < 2).then(
            || view! { <Banner tone=Tone::Warn title=t.system_one_seal()>{t.system_one_seal_why()}</Banner> },
        );
        let as_root = settings.libraries_as_root.then(|| {
            view! { <Banner tone=Tone::Warn title=t.system_library_root()>{t.system_library_root_why()}</Banner> }
        });
        let solver = settings.prover.last().unwrap_or_else(|_| t.proofs_system_none().to_owned());
        let facts = vec![
            fact(t.system_engine(), view! { <span translate="no">{system.engine.clone()}</span> }),
            fact(t.system_schema(), system.schema.0.to_string()),
            fact(t.system_origin(), view! { <code translate="no">{settings.origin}</code> }),
            fact(t.system_rp_id(), view! { <code translate="no">{settings.rp_id}</code> }),
            fact(t.proofs_system(), view! { <span translate="no">{solver}</span> }),
            fact(t.system_mail(), settings.carry.mails_by().unwrap_or_else(|| t.system_no_mail().to_owned())),
            fact(t.system_set_up(), view! { <Time at=system.set_up_at/> }),
        ];
        view! {
            <PageHeader title=t.system() lead=t.system_lead() actions=actions.into_any()/>
            {one_seal}
            {as_root}
            {backups::warning(t, &kept)}
            {drills::warning(t, &kept)}
            <Facts facts=facts/>
            {seals(t, &system)}
            {backups::section(t, &kept)}
            {drills::section(t, &kept)}
            {keys(t, &system)}
            {nodes(t, &system)}
        }
    })
}

fn seals(t: Text, system: &System) -> AnyView {
    let rows = system
        .seals
        .iter()
        .map(|seal| {
            let protection = match seal.protection {
                Protection::Hsm => view! { <Badge label=t.system_hardware() tone=Tone::Good/> },
                Protection::Software => view! { <Badge label=t.shell_software_protected() tone=Tone::Warn/> },
            };
            let whole = if seal.lacks == 0 {
                view! { <Badge label=t.system_wraps_all() tone=Tone::Good/> }
            } else {
                view! { <Badge label=t.system_lacks(seal.lacks as u64) tone=Tone::Bad/> }
            };
            let id = view! { <code translate="no">{seal.id.to_string()}</code> };
            Row::plain(id, cells![protection, whole, view! { <Time at=seal.added_at/> }])
        })
        .collect();
    let columns = vec![
        Column::text(t.system_seal()),
        Column::text(t.system_protection()),
        Column::text(t.system_keys_wrapped()),
        Column::text(t.roles_since()),
    ];
    view! {
        <Panel id="seals" title=t.system_seals()>
            <Table caption=t.system_seals() columns=columns rows=rows/>
        </Panel>
    }
    .into_any()
}

fn keys(t: Text, system: &System) -> AnyView {
    let rows = system
        .keys
        .iter()
        .map(|key| {
            let state = if key.retired_at.is_some() {
                view! { <Badge label=t.system_retired()/> }
            } else if key.uses >= RENEW_AT {
                view! { <Badge label=t.system_half_used() tone=Tone::Warn/> }
            } else {
                view! { <Badge label=t.workloads_active() tone=Tone::Good/> }
            };
            let cells = cells![
                view! { <Id value=key.id.to_string()/> },
                state,
                view! { <Time at=key.created_at/> },
                t.number(key.uses),
            ];
            Row::plain(view! { <code translate="no">{key.purpose.name()}</code> }, cells)
        })
        .collect();
    let columns = vec![
        Column::text(t.system_purpose()),
        Column::text(t.projects_id()),
        Column::text(t.projects_state()),
        Column::text(t.projects_created()),
        Column::number(t.system_uses()),
    ];
    view! {
        <Panel id="keyring" title=t.system_keyring()>
            <Table caption=t.system_keyring() columns=columns rows=rows/>
        </Panel>
    }
    .into_any()
}

fn nodes(t: Text, system: &System) -> AnyView {
    let rows = system
        .nodes
        .iter()
        .map(|node| {
            let tone = if node.condition == "ready" { Tone::Good } else { Tone::Bad };
            let cells = cells![
                view! { <Badge label=t.system_condition(&node.condition) tone=tone/> },
                view! { <code translate="no">{node.version.clone()}</code> },
                view! { <Time at=node.started_at/> },
                view! { <Time at=node.seen_at/> },
            ];
            Row::plain(view! { <span translate="no">{node.name.clone()}</span> }, cells)
        })
        .collect();
    let columns = vec![
        Column::text(t.system_node()),
        Column::text(t.projects_state()),
        Column::text(t.system_version()),
        Column::text(t.system_started()),
        Column::text(t.system_seen()),
    ];
    view! {
        <Panel id="nodes" title=t.system_nodes()>
            <Table caption=t.system_nodes() columns=columns rows=rows/>
        </Panel>
    }
    .into_any()
}
