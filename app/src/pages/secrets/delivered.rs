//! To whom the value went lately, by which way, and who last got a version that is not current.

use keywarden_domain::secrets::{Deliveries, Delivery, DeliveryWay, Secret};
use leptos::prelude::*;

use super::access::READINGS;
use crate::{
    cells,
    pages::audit::who,
    text::Text,
    ui::{Badge, Column, EmptyState, Panel, Row, Table, Time, Tone, row},
};

/// As much as is shown of what a program calls itself, in characters.
const AGENT: usize = 60;

pub(super) fn panel(t: Text, secret: &Secret, current: Option<i64>, found: Deliveries) -> AnyView {
    let Deliveries { last, more, since } = found;
    let old = last.iter().filter(|it| Some(it.version) != current).count();
    let rows = last.into_iter().map(|it| line(t, current, it)).collect();
    let columns = vec![
        Column::text(t.delivered_by()),
        Column::text(t.delivered_way()),
        Column::text(t.delivered_at()),
        Column::number(t.secrets_version()),
    ];
    let empty =
        view! { <EmptyState title=t.delivered_none() heading=3>{t.delivered_none_why()}</EmptyState> };
    let all = format!("/audit?resource={}&action={READINGS}", secret.id);
    view! {
        <Panel id="delivered" title=t.delivered()>
            <p class="field-hint">
                {t.delivered_lead()} " "
                {(old > 0).then(|| format!("{} ", t.delivered_old(old)))}
                <a href=all>{t.delivered_all()}</a>
            </p>
            <Table caption=t.delivered() columns=columns rows=rows empty=empty.into_any()/>
            {more.then(|| view! { <p class="field-hint">{t.delivered_more()}</p> })}
            {since.map(|at| view! { <p class="field-hint">{t.delivered_since(&t.day_of(at))}</p> })}
        </Panel>
    }
    .into_any()
}

fn line(t: Text, current: Option<i64>, it: Delivery) -> Row {
    let Delivery { event, version, way } = it;
    let not_current = (Some(version) != current)
        .then(|| view! { " " <Badge label=t.delivered_not_current() tone=Tone::Warn/> });
    let cells = cells![named(t, way), view! { <Time at=event.at/> }, view! { {version} {not_current} },];
    row(format!("/audit/{}", event.id), who(t, &event), cells)
}

/// The way, in words.
pub(super) fn named(t: Text, way: DeliveryWay) -> AnyView {
    match way {
        DeliveryWay::Client(command) => {
            view! { <code translate="no">{format!("keywarden {command}")}</code> }.into_any()
        }
        DeliveryWay::Console => t.delivered_console().into_any(),
        DeliveryWay::File => t.delivered_file().into_any(),
        DeliveryWay::Link => t.delivered_link().into_any(),
        DeliveryWay::Names => t.delivered_names().into_any(),
        DeliveryWay::Program(Some(agent)) => {
            t.delivered_api_by(&agent.chars().take(AGENT).collect::<String>()).into_any()
        }
        DeliveryWay::Program(None) => t.delivered_api().into_any(),
        DeliveryWay::Promotion => t.delivered_promotion().into_any(),
        DeliveryWay::Template => t.delivered_template().into_any(),
    }
}
