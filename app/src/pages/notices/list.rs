//! `GET /notices?show=all&after=…`: what the person was told, unread first.

use axum::{extract::State, response::Response};
use keywarden_domain::people::Notice;
use keywarden_model::NoticeId;
use leptos::prelude::*;

use super::{HERE, tabs, told};
use crate::{
    cells,
    context::{Asking, House, Posted},
    form::Params,
    render::{self, page},
    shell::Section,
    text::Text,
    ui::{Act, Badge, Column, EmptyState, LinkButton, PageHeader, Pager, Row, Table, Tabs, Time, Tone},
};

const PAGE: u32 = 50;
const ALL: &str = "/notices?show=all";

pub(super) async fn show(State(house): State<House>, asking: Asking, params: Params) -> Response {
    let Asking { shell, op } = asking.at(Section::Account);
    let t = shell.text;
    let all = params.text("show") == "all";
    let before = params.read::<NoticeId>("after");
    let loaded = house.domain.notices(&op, !all, before, PAGE).await;
    let found = match loaded {
        Ok(found) => found,
        Err(refused) => return render::refused(&shell, refused),
    };
    let back = shell.path.clone();
    page(&shell, t.notices()).show(move || {
        let newest = found.notices.first().map(|it| it.id).filter(|_| !all && before.is_none());
        let read_all = newest.map(|last| {
            view! {
                <Act id="read-all" label=t.notices_read_all() action="/notices/read">
                    <input type="hidden" name="last" value=last.to_string()/>
                </Act>
            }
        });
        let others = if all {
            view! { <LinkButton label=t.notices_unread_only() href=HERE/> }
        } else {
            view! { <LinkButton label=t.notices_all() href=ALL/> }
        };
        let actions = view! { {read_all} {others} };
        let pager = Pager {
            shown: String::new(),
            first: params.any(&["after"]).then(|| params.first(HERE)),
            next: found.next.map(|next| params.after(HERE, &next.to_string())),
        };
        let empty = if all {
            view! { <EmptyState title=t.notices_none_ever()>{t.notices_none_ever_why()}</EmptyState> }.into_any()
        } else {
            view! { <EmptyState title=t.notices_none() action=(t.notices_all(), ALL)>{t.notices_none_why()}</EmptyState> }
                .into_any()
        };
        let columns =
            vec![Column::text(t.notices_what()), Column::text(t.notices_when()), Column::text(t.notices_state()), Column::text(t.notice_dismiss())];
        let rows = found.notices.into_iter().map(|notice| line(t, &notice, &back)).collect();
        view! {
            <PageHeader title=t.notices() lead=t.notices_lead() actions=actions.into_any()/>
            <Tabs tabs=tabs(t, HERE)/>
            <Table caption=t.notices() columns=columns rows=rows pager=pager empty=empty/>
        }
    })
}

fn line(t: Text, notice: &Notice, back: &str) -> Row {
    let told::Said { sentence, href, label } = told::say(t, notice);
    let unread = notice.read_at.is_none();
    let state = if unread {
        view! { <Badge label=t.notices_unread() tone=Tone::Info/> }.into_any()
    } else {
        view! { <Badge label=t.notices_read()/> }.into_any()
    };
    let dismiss = unread.then(|| {
        let id = notice.id;
        let back = back.to_owned();
        view! {
            <Act
                id=id.to_string()
                label=t.notice_dismiss()
                name=t.notice_dismiss_what(&sentence)
                action=format!("/notices/{id}/dismiss")
            >
                <input type="hidden" name="back" value=back/>
            </Act>
        }
    });
    let at = notice.at;
    let cells = cells![view! { <Time at=at/> }, state, dismiss];
    Row::plain(view! { {sentence.clone()} " " <a href=href>{label}</a> }, cells)
}

/// Up to the newest one that stood on the page: what came since is not marked.
pub(super) async fn read_all(State(house): State<House>, asking: Asking, posted: Posted) -> Response {
    let Asking { shell, op } = asking.at(Section::Account).once(&posted);
    let Ok(last) = posted.fields.text("last").parse::<NoticeId>() else { return render::not_found(&shell) };
    match house.domain.dismiss_notices(&op, last).await {
        Ok(()) => render::done(&shell, HERE, shell.text.notices_all_read()),
        Err(refused) => house.refused(&shell, &op, &posted, refused).await,
    }
}
