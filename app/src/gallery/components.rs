//! The components that the other pages do not show.

use axum::{extract::State, response::Response};
use chrono::TimeDelta;
use leptos::prelude::*;

use super::shell::{framed, now};
use crate::{
    console::Console,
    render::page,
    shell::{Section, Visit},
    ui::{
        Actions, Badge, Banner, BarChart, Button, ButtonKind, Confirm, LinkButton, PageHeader, Panel,
        TextField, TextKind, Tone,
    },
};

pub(super) async fn show(State(console): State<Console>, visit: Visit) -> Response {
    let mut shell = framed(console, visit, Some(Section::Home));
    shell.proven_until = Some(now() + TimeDelta::minutes(4));
    let t = shell.text;
    page(&shell, t.gallery()).show(move || {
        let tones = [Tone::Neutral, Tone::Info, Tone::Good, Tone::Warn, Tone::Bad];
        let points: Vec<_> = (1..=30).map(|day: u64| (format!("{day} Nov"), (day * 37) % 97 + day)).collect();
        let refused = points.iter().map(|(day, n)| (day.clone(), n % 3)).collect();
        view! {
            <PageHeader title=t.gallery() lead=t.gallery_lead()/>
            {tones.map(|tone| view! { <Banner tone=tone title=t.gallery_banner()>{t.gallery_sentence()}</Banner> }).collect_view()}
            <Banner title=t.gallery_somewhere() action=(t.gallery_look(), "/keys")/>
            <Panel id="buttons" title=t.gallery_actions()>
                <Actions>
                    <Button kind=ButtonKind::Primary label=t.gallery_primary()/>
                    <Button label=t.gallery_quiet()/>
                    <Button kind=ButtonKind::Danger label=t.gallery_danger()/>
                    <LinkButton label=t.gallery_look() href="/keys"/>
                </Actions>
            </Panel>
            <Panel id="badges" title=t.gallery_badges() aside=view! { <a href="/keys">{t.keys()}</a> }.into_any()>
                <p>{tones.map(|tone| view! { <Badge tone=tone label=t.gallery_badge()/> " " }).collect_view()}</p>
            </Panel>
            <Panel id="chart" title=t.gallery_figures()>
                <div class="charts">
                    <BarChart title=t.gallery_requests() description=t.gallery_requests_range() label_heading=t.gallery_day() value_heading=t.gallery_requests_count() points=points/>
                    <BarChart title=t.gallery_refused() description=t.gallery_refused() label_heading=t.gallery_day() value_heading=t.gallery_refused() points=refused tone=Tone::Bad/>
                </div>
            </Panel>
            <Panel id="fields" title=t.gallery_fields()>
                <div class="field-pair">
                    <TextField name="day" label=t.gallery_day() kind=TextKind::Date/>
                    <TextField name="time" label=t.gallery_time() kind=TextKind::Time required=true/>
                </div>
                <TextField name="secret" label=t.gallery_code() kind=TextKind::Secret required=true/>
                <TextField name="mail" label=t.gallery_address() kind=TextKind::Email/>
                <TextField name="url" label=t.gallery_webhook() kind=TextKind::Url/>
            </Panel>
            <Confirm title=t.gallery_rotate() consequences=vec![t.gallery_old_works(2)] callers=vec!["10.20.4.17 · checkout/2.41.0".into(), "198.51.100.7 · partner/5.0".into()] calm=true>
                <Actions><Button kind=ButtonKind::Primary label=t.gallery_rotate()/></Actions>
            </Confirm>
        }
    })
}
