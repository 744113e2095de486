//! What a secret is: its value behind a mask, its facts, its versions.

use keywarden_domain::secrets::{Deliveries, Held, References, Secret, SecretView, Share, Version};
use keywarden_model::{SecretKind, VersionState};
use leptos::prelude::*;

use super::{
    alias,
    around::{self, May},
    delivered,
    promote::Elsewhere,
    reuse, reveal, share, template, validity,
    who::Names,
};
use crate::{
    cells,
    form::Params,
    pages::listing::href,
    text::Text,
    ui::{
        Actions, Badge, Column, Fact, Facts, Id, LinkButton, Pager, Panel, Row, Table, Time, Tone,
        VersionStateBadge, fact, row, words,
    },
};

/// Versions on one page.
const VERSIONS: usize = 25;

/// It says nothing of the value, not even how long it is.
pub(super) const MASK: &str = "••••••••••••";

/// What a secret has to do with others.
pub(super) struct Beside {
    pub(super) elsewhere: Elsewhere,
    pub(super) shares: Vec<Share>,
    pub(super) references: References,
    /// Other secrets with its value.
    pub(super) reuse: Vec<Held>,
    /// For those who may read the record.
    pub(super) deliveries: Option<Deliveries>,
}

pub(super) fn view(
    t: Text,
    view: &SecretView,
    may: May,
    names: &Names,
    beside: Beside,
    params: &Params,
) -> AnyView {
    let Beside { elsewhere, shares, references, reuse, deliveries } = beside;
    let secret = &view.secret;
    let description = secret.description.as_str().to_owned();
    let current = around::current(view);
    let value = current.and_then(|number| view.versions.iter().find(|it| it.number == number));
    let value = value.filter(|_| secret.deletion.is_none()).map(|it| {
        let masked = masked(t, secret, it, may);
        view! { <Panel id="value" title=t.secrets_current_value()>{masked}</Panel> }
    });
    let none = (current.is_none() && secret.deletion.is_none())
        .then(|| view! { <p class="field-hint">{t.secrets_no_current_why()}</p> });
    let versions = versions(t, view, names, params);
    let elsewhere = elsewhere.panel(t, secret);
    let shares = share::panel(t, view, shares, may.withdraw_share);
    let references = template::panels(t, references);
    let reuse = reuse::panel(t, reuse);
    let aliases = alias::panel(t, view, may.alias);
    let deliveries = deliveries.map(|found| delivered::panel(t, secret, current, found));
    view! {
        {(!description.is_empty()).then(|| view! { <p class="secret-description" translate="no">{description}</p> })}
        {none}
        {value}
        <Facts facts=facts(t, secret, names)/>
        {shares}
        <Panel id="versions" title=t.secrets_versions()>{versions}</Panel>
        {references}
        {reuse}
        {aliases}
        {deliveries}
        {elsewhere}
    }
    .into_any()
}

/// The mask, what is behind it, and the acts that look there.
pub(super) fn masked(t: Text, secret: &Secret, version: &Version, may: May) -> AnyView {
    let path = around::version_path(secret, version.number);
    let said =
        t.secrets_value_said(version.number, around::kind(t, version.kind), &around::size(t, version.size));
    let now = words().now;
    let why = match (version.state, version.validity.outside(now)) {
        (VersionState::Enabled, Some(outside)) => validity::outside(t, version.number, outside),
        (VersionState::Enabled, None) if may.read => t.secrets_reveal_why().to_owned(),
        (VersionState::Enabled, None) => t.secrets_reveal_not_yours().to_owned(),
        _ => t.secrets_reveal_shut().to_owned(),
    };
    let acts = (may.read && version.is_read(now)).then(|| {
        let asks = secret.reads_need_reason;
        let (shows, is_template) = (version.kind != SecretKind::Binary, version.template);
        let has_fields = version.kind == SecretKind::Json;
        view! {
            <Actions>
                {shows.then(|| reveal::act(asks, "reveal", t.secrets_reveal(), format!("{path}/reveal")))}
                {has_fields.then(|| reveal::act(asks, "fields", t.fields(), format!("{path}/fields")))}
                {is_template.then(|| reveal::act(asks, "raw", t.templates_reveal_raw(), format!("{path}/raw")))}
                {reveal::act(asks, "download", t.secrets_download(), format!("{path}/download"))}
                {(!is_template).then(|| view! { <LinkButton label=t.shares_make() href=format!("{path}/share")/> })}
            </Actions>
        }
    });
    view! {
        <p><span class="revealed-mask" aria-hidden="true">{MASK}</span> " " {said} {validity::badge(t, version)} {template::badge(t, version)}</p>
        <p class="field-hint">{why} {version.template.then(|| format!(" {}", t.templates_why()))}</p>
        {acts}
    }
    .into_any()
}

fn facts(t: Text, secret: &Secret, names: &Names) -> Vec<Fact> {
    let (project, environment) = (secret.project_slug.clone(), secret.environment_slug.clone());
    let folder = around::folder_path(&project, &environment, "");
    let mut facts = vec![
        fact(t.secrets_path(), view! { <Id value=secret.path.to_string() whole=true/> }),
        fact(
            t.keys_project(),
            view! { <a href=format!("/projects/{project}") translate="no">{project.clone()}</a> },
        ),
        fact(t.keys_environment(), view! { <a href=folder translate="no">{environment}</a> }),
        fact(
            t.keys_owner(),
            view! { <a href=format!("/secrets?owner={}", secret.owner) translate="no">{secret.owner_name.clone()}</a> },
        ),
        fact(t.keys_tags(), tags(t, secret)),
        fact(t.projects_created(), view! { <Time at=secret.created_at/> }),
        fact(t.secrets_by(), names.show(&secret.created_by)),
        fact(t.keys_id(), view! { <Id value=secret.id.to_string()/> }),
    ];
    if let Some(it) = secret.deletion {
        facts.push(fact(t.secrets_deleted_at(), view! { <Time at=it.at/> }));
        facts.push(fact(t.secrets_goes(), view! { <Time at=it.purge_at/> }));
    }
    facts
}

fn tags(t: Text, secret: &Secret) -> AnyView {
    if secret.tags.is_empty() {
        return t.keys_no_tags().into_any();
    }
    let tags = secret.tags.words().into_iter().map(|tag| {
        let found = href("/secrets", &[("tag", tag.as_str())]);
        view! { <li><a href=found><code>{tag}</code></a></li> }
    });
    view! { <ul class="key-words" translate="no">{tags.collect_view()}</ul> }.into_any()
}

/// The current one first, then the newest.
fn versions(t: Text, view: &SecretView, names: &Names, params: &Params) -> AnyView {
    let path = around::path(&view.secret);
    let current = around::current(view);
    let before: i64 = params.read("before").unwrap_or(i64::MAX);
    let first = before == i64::MAX;
    let leads = |it: &&Version| first && Some(it.number) == current;
    let rest = view.versions.iter().filter(|it| Some(it.number) != current && it.number < before);
    let shown: Vec<_> = rest.take(VERSIONS).collect();
    let next = shown
        .last()
        .map(|it| it.number)
        .filter(|last| view.versions.iter().any(|it| it.number < *last && Some(it.number) != current));
    let pager = Pager {
        shown: String::new(),
        first: (!first).then(|| path.clone()),
        next: next.map(|number| href(&path, &[("before", number.to_string().as_str())])),
    };
    let rows =
        view.versions.iter().filter(leads).chain(shown).map(|it| version_row(t, view, it, names)).collect();
    let columns = vec![
        Column::text(t.secrets_version()),
        Column::text(t.secrets_labels()),
        Column::text(t.keys_state()),
        Column::minor(t.secrets_kind()),
        Column::minor(t.secrets_size()),
        Column::text(t.keys_made()),
        Column::text(t.secrets_by()),
    ];
    view! { <Table caption=t.secrets_versions() columns=columns rows=rows pager=pager/> }.into_any()
}

fn version_row(t: Text, view: &SecretView, version: &Version, names: &Names) -> Row {
    let cells = cells![
        labels(view, version.number),
        view! { <VersionStateBadge state=version.state/> {validity::badge(t, version)} {template::badge(t, version)} },
        around::kind(t, version.kind),
        around::size(t, version.size),
        view! { <Time at=version.created_at/> },
        names.show(&version.created_by),
    ];
    row(around::version_path(&view.secret, version.number), t.secrets_version_n(version.number), cells)
}

/// The labels of a version; `current` stands out.
pub(super) fn labels(view: &SecretView, number: i64) -> AnyView {
    let labels: Vec<_> = view.labels_of(number).map(ToString::to_string).collect();
    if labels.is_empty() {
        return ().into_any();
    }
    let badges = labels.into_iter().map(|label| {
        let tone = if label == "current" { Tone::Info } else { Tone::Neutral };
        view! { <Badge label=label tone=tone named=true/> }
    });
    view! { <span class="secret-words">{badges.collect_view()}</span> }.into_any()
}
