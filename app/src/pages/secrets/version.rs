//! One version: what is known of it, which labels point at it, what can be done with it.

use axum::{
    extract::{Path, State},
    response::Response,
};
use keywarden_domain::{
    backup::Holding,
    secrets::{Making, SecretView, Version},
};
use keywarden_model::VersionState;
use leptos::prelude::*;

use super::{
    around::{self, May},
    in_backups, making, overview, template, validity,
    who::{self, Names},
};
use crate::{
    cells,
    context::{Asking, House},
    render::{self, page},
    shell::Section,
    text::Text,
    ui::{
        Banner, ButtonKind, Column, EmptyState, Fact, Facts, Id, LinkButton, PageHeader, Panel, Row, Table,
        Time, Tone, VersionStateBadge, fact, words,
    },
};

pub(super) async fn show(
    State(house): State<House>,
    asking: Asking,
    Path(at): Path<(String, String)>,
) -> Response {
    let Asking { mut shell, op } = asking.at(Section::Secrets);
    let loaded = async {
        let (view, version) = around::load_version(&house, &op, &at).await?;
        let may = May::of(&house, &op, &view.secret).await?;
        let names = if who::may_audit(&house, &op, &view.secret).await? {
            Names::of(&house, &op, &view).await?
        } else {
            Names::default()
        };
        let holding = match version.destroyed_at {
            Some(_) => Some(house.domain.backups_holding(&op, &view.secret, &version).await?),
            None => None,
        };
        let making = house.domain.secret_version_making(&op, &view.secret, &version).await?;
        Ok((view, version, may, names, holding, making))
    };
    let (view, version, may, names, holding, making) = match loaded.await {
        Ok(loaded) => loaded,
        Err(refused) => return render::refused(&shell, refused),
    };
    around::place(&mut shell, &view.secret.project_slug);
    let t = shell.text;
    page(&shell, format!("{} · {}", t.secrets_version_n(version.number), view.secret.path.name())).show(
        move || {
            let secret = &view.secret;
            let is_there = version.state != VersionState::Destroyed && secret.deletion.is_none();
            let value = is_there.then(|| {
                let masked = overview::masked(t, secret, &version, may);
                view! { <Panel id="value" title=t.secrets_value()>{masked}</Panel> }
            });
            let deleted = version.deletion.filter(|_| secret.deletion.is_none()).map(|it| {
                let title = t.secrets_version_deleted_until(&around::day(t, it.purge_at));
                view! { <Banner tone=Tone::Warn title=title>{t.secrets_version_deleted_why()}</Banner> }
            });
            let labels = labels(t, &view, version.number, may);
            let state =
                view! { <VersionStateBadge state=version.state/> {validity::badge(t, &version)} {template::badge(t, &version)} {overview::labels(&view, version.number)} };
            view! {
                <PageHeader
                    title=t.secrets_version_n(version.number)
                    crumbs=around::crumbs_below(t, secret)
                    state=state.into_any()
                    actions=actions(t, &view, &version, may)
                />
                {value}
                {deleted}
                <Facts facts=facts(t, &version, &names, holding, making)/>
                <Panel id="labels" title=t.secrets_labels()>{labels}</Panel>
            }
        },
    )
}

fn actions(t: Text, view: &SecretView, version: &Version, may: May) -> AnyView {
    let path = around::version_path(&view.secret, version.number);
    let link = |may: bool, label: &'static str, verb: &str| {
        may.then(|| view! { <LinkButton label=label href=format!("{path}/{verb}")/> })
    };
    let state = version.state;
    let is_current = around::current(view) == Some(version.number);
    let switches = matches!(state, VersionState::Enabled | VersionState::Disabled);
    let is_deleted = version.deletion.is_some();
    let deleted = view.secret.deletion.is_some();
    let labels = may.label && switches;
    let compares = may.read && version.is_read(words().now) && view.versions.len() > 1;
    view! {
        {link(compares, t.secrets_compare(), "compare")}
        {link(may.destroy && state != VersionState::Destroyed && (!is_current || deleted), t.secrets_destroy(), "destroy")}
        {link(may.disable && state == VersionState::Enabled, t.secrets_disable(), "disable")}
        {link(may.delete_version && switches && !is_current, t.secrets_delete(), "delete")}
        {link(may.restore_version && is_deleted, t.secrets_restore(), "restore")}
        {link(may.enable && state == VersionState::Disabled, t.secrets_enable(), "enable")}
        {labels.then(|| view! { <LinkButton kind=ButtonKind::Primary label=t.secrets_label_set() href=format!("{path}/label")/> })}
    }
    .into_any()
}

fn facts(
    t: Text,
    version: &Version,
    names: &Names,
    holding: Option<Holding>,
    making: Option<Making>,
) -> Vec<Fact> {
    let mut facts = vec![
        fact(t.secrets_kind(), around::kind(t, version.kind)),
        fact(
            t.secrets_content_type(),
            view! { <span translate="no">{version.content_type.to_string()}</span> },
        ),
        fact(t.secrets_size(), around::size(t, version.size)),
        fact(t.keys_made(), view! { <Time at=version.created_at/> }),
        fact(t.secrets_by(), names.show(&version.created_by)),
    ];
    facts.extend(making::facts(t, making));
    facts.extend([
        fact(t.secrets_promoted(), view! { <Time at=version.promoted_at/> }),
        fact(t.keys_id(), view! { <Id value=version.id.to_string()/> }),
    ]);
    facts.extend(validity::facts(t, version.validity));
    if let Some(it) = version.deletion {
        facts.push(fact(t.secrets_deleted_at(), view! { <Time at=it.at/> }));
        facts.push(fact(t.secrets_goes(), view! { <Time at=it.purge_at/> }));
    }
    if let Some(at) = version.destroyed_at {
        facts.push(fact(t.state_destroyed(), view! { <Time at=at/> }));
    }
    if let Some(holding) = holding {
        facts.push(fact(t.destroy_backups(), in_backups::sentences(t, holding).join(" ")));
    }
    facts
}

fn labels(t: Text, view: &SecretView, number: i64, may: May) -> AnyView {
    let path = around::path(&view.secret);
    let rows = view
        .labels_of(number)
        .map(|label| {
            let means = match label.as_str() {
                "current" => t.secrets_label_current_hint(),
                "pending" => t.secrets_label_pending_hint(),
                "previous" => t.secrets_label_previous_hint(),
                _ => t.secrets_label_own_hint(),
            };
            let removal = (may.label && !label.follows()).then(|| {
                view! { <a href=format!("{path}/labels/{label}")>{t.secrets_unlabel()}</a> }
            });
            Row::plain(view! { <code translate="no">{label.to_string()}</code> }, cells![means, removal])
        })
        .collect();
    let columns = vec![
        Column::text(t.secrets_label()),
        Column::text(t.secrets_label_means()),
        Column::text(t.secrets_unlabel()),
    ];
    let empty = view! { <EmptyState title=t.secrets_no_labels()>{t.secrets_no_labels_why()}</EmptyState> };
    view! { <Table caption=t.secrets_labels() columns=columns rows=rows empty=empty.into_any()/> }.into_any()
}
