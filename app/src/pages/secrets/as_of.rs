//! A folder as it was at an instant beside how it is, and letting it be so again.

use axum::{extract::State, response::Response};
use chrono::{DateTime, Utc};
use http::StatusCode;
use keywarden_domain::{
    Action, Op, Refused,
    environments::Environment,
    keys::Place,
    projects::Project,
    secrets::{AsOf, AsOfError, Later, Lost, MOST_AS_OF, Return, ReturnError, Stand, WasLine, Way},
};
use keywarden_model::SecretPath;
use leptos::prelude::*;

use super::around;
use crate::{
    cells,
    context::{Asking, House, Posted},
    form::{Draft, Errors, Params},
    pages::keys::{minute, moment_field, read_moment},
    render::{self, page},
    shell::{Section, Shell},
    text::Text,
    ui::{
        Badge, Banner, CheckboxField, Column, Confirm, EmptyState, FilterInput, Form, PageHeader, Row, Table,
        TextKind, Tone, row,
    },
};

pub(super) const PATH: &str = "/secrets/as-of";

/// What an address asks for.
#[derive(Debug)]
struct Asked {
    project: Project,
    environment: Environment,
    folder: Option<SecretPath>,
    /// `None`: no instant, or none that can be read.
    at: Option<DateTime<Utc>>,
    params: Params,
}

/// What a page shows of it.
enum Shown {
    Ask,
    Found(AsOf),
    Wrong(String),
}

impl Asked {
    async fn read(house: &House, op: &Op, params: Params) -> Result<Self, Refused> {
        let slug = params.some("project").ok_or(Refused::NotFound)?;
        let project = house.domain.project(op, &slug).await?;
        let slug = params.some("environment").ok_or(Refused::NotFound)?;
        let environments = house.domain.environments(op, project.id).await?;
        let environment = environments.into_iter().find(|it| it.slug == slug).ok_or(Refused::NotFound)?;
        let folder = params.some("folder").map(|text| text.parse().map_err(|_| Refused::NotFound));
        let folder = folder.transpose()?;
        let at = read_moment(params.text("at"));
        Ok(Self { project, environment, folder, at, params })
    }

    fn place(&self) -> Place {
        Place::Environment(self.environment.id)
    }

    fn folder(&self) -> &str {
        self.folder.as_ref().map_or("", |folder| folder.as_str())
    }

    /// The folder's list.
    fn list(&self) -> String {
        around::folder_path(&self.project.slug, &self.environment.slug, self.folder())
    }

    async fn look(&self, house: &House, op: &Op, t: Text) -> Result<Shown, Refused> {
        if self.params.text("at").is_empty() {
            return Ok(Shown::Ask);
        }
        let Some(at) = self.at else { return Ok(Shown::Wrong(t.as_of_wrong().to_owned())) };
        match house.domain.secrets_as_of(op, &self.place(), self.folder.as_ref(), at).await {
            Ok(found) => Ok(Shown::Found(found)),
            Err(AsOfError::Future) => Ok(Shown::Wrong(t.as_of_future().to_owned())),
            Err(AsOfError::TooMuch) => Ok(Shown::Wrong(t.as_of_too_much(&t.number(MOST_AS_OF as u64)))),
            Err(AsOfError::Refused(refused)) => Err(refused),
        }
    }
}

pub(super) async fn show(State(house): State<House>, asking: Asking, params: Params) -> Response {
    let Asking { mut shell, op } = asking.at(Section::Secrets);
    let asked = match Asked::read(&house, &op, params).await {
        Ok(asked) => asked,
        Err(refused) => return render::refused(&shell, refused),
    };
    draw(&house, &mut shell, &op, asked, Draft::default()).await
}

pub(super) async fn back(
    State(house): State<House>,
    asking: Asking,
    params: Params,
    posted: Posted,
) -> Response {
    let Asking { mut shell, op } = asking.at(Section::Secrets).once(&posted);
    let t = shell.text;
    let asked = match Asked::read(&house, &op, params).await {
        Ok(asked) => asked,
        Err(refused) => return house.refused(&shell, &op, &posted, refused).await,
    };
    let mut errors = Errors::new();
    // What no page of ours sends was seen by nobody.
    let seen = Some(posted.fields.text("seen").to_owned());
    let later = if posted.fields.text("later") == "1" { Later::Delete } else { Later::Leave };
    if let Some(at) = asked.at {
        let folder = asked.folder.clone();
        match house.domain.return_secrets(&op, &asked.place(), &Return { folder, at, later, seen }).await {
            Ok(done) => {
                let said = t.as_of_done(done.moved, done.restored, done.deleted);
                return render::done(&shell, &asked.list(), said);
            }
            Err(ReturnError::Changed) => errors.whole(t.changed_meanwhile()),
            Err(ReturnError::Future | ReturnError::TooMuch) => errors.whole(t.form_refused_whole()),
            Err(ReturnError::Refused(refused)) => return house.refused(&shell, &op, &posted, refused).await,
        }
    } else {
        errors.whole(t.form_unreadable());
    }
    draw(&house, &mut shell, &op, asked, Draft::refused(posted.fields, errors)).await
}

async fn draw(house: &House, shell: &mut Shell, op: &Op, asked: Asked, draft: Draft) -> Response {
    let loaded = async {
        let shown = asked.look(house, op, shell.text).await?;
        let may = house.domain.reach(op, Action::ReturnSecrets).await?.covers(asked.project.id);
        Ok((shown, may))
    };
    let (shown, may) = match loaded.await {
        Ok(loaded) => loaded,
        Err(refused) => return render::refused(shell, refused),
    };
    around::place(shell, &asked.project.slug);
    let t = shell.text;
    let status = if matches!(shown, Shown::Wrong(_)) || draft.errors().any() {
        StatusCode::UNPROCESSABLE_ENTITY
    } else {
        StatusCode::OK
    };
    page(shell, t.as_of()).status(status).show(move || {
        let crumbs = around::crumbs_to(t, &asked.project.slug, &asked.environment.slug, asked.folder());
        let body = match shown {
            Shown::Ask => view! { <p class="field-hint">{t.as_of_ask()}</p> }.into_any(),
            Shown::Found(found) => found_view(t, &asked, &found, may, draft),
            Shown::Wrong(why) => {
                view! { <Banner tone=Tone::Warn title=t.as_of_not_shown()>{why}</Banner> }.into_any()
            }
        };
        view! {
            <PageHeader title=t.as_of() lead=t.as_of_lead() crumbs=crumbs/>
            {bar(t, &asked)}
            {body}
        }
    })
}

/// The instant, with the folder as it was chosen.
fn bar(t: Text, asked: &Asked) -> AnyView {
    let kept = ["project", "environment", "folder"]
        .into_iter()
        .filter_map(|name| Some((name, asked.params.some(name)?)))
        .map(|(name, value)| view! { <input type="hidden" name=name value=value/> })
        .collect_view();
    let at = asked.at.map_or_else(|| asked.params.text("at").to_owned(), moment_field);
    view! {
        <form method="get" action=PATH class="filter-form">
            {kept}
            <FilterInput name="at" label=t.as_of_at() kind=TextKind::DateTime value=at/>
            <button type="submit" class="button">{t.as_of_show()}</button>
        </form>
    }
    .into_any()
}

fn found_view(t: Text, asked: &Asked, found: &AsOf, may: bool, draft: Draft) -> AnyView {
    let columns = vec![
        Column::text(t.secrets_path()),
        Column::text(t.as_of_then()),
        Column::text(t.as_of_now()),
        Column::text(t.as_of_does()),
    ];
    let rows = found.lines.iter().map(|it| line(t, it)).collect();
    let empty = view! { <EmptyState title=t.as_of_empty()>{t.as_of_empty_why()}</EmptyState> };
    let decision = decision(t, asked, found, may, draft);
    view! {
        {decision}
        <Table caption=t.as_of_caption(&minute(found.at)) columns=columns rows=rows empty=empty.into_any()/>
    }
    .into_any()
}

/// What a return does, and the form that does it; or why there is none.
fn decision(t: Text, asked: &Asked, found: &AsOf, may: bool, draft: Draft) -> AnyView {
    let moved = found.count(|way| matches!(way, Way::Back { to: Some(_), .. }));
    let restored = found.count(|way| matches!(way, Way::Back { restore: true, .. }));
    let later = found.count(|way| *way == Way::Later);
    let lost = found.count(|way| matches!(way, Way::Lost(_)));
    if [moved, restored, later] == [0; 3] {
        return if lost > 0 {
            view! { <Banner tone=Tone::Warn title=t.as_of_nothing()>{t.as_of_lost(lost)}</Banner> }.into_any()
        } else if found.lines.is_empty() {
            ().into_any()
        } else {
            view! { <Banner tone=Tone::Good title=t.as_of_same()>{t.as_of_same_why()}</Banner> }.into_any()
        };
    }
    if !may {
        return view! { <p class="field-hint">{t.as_of_not_yours()}</p> }.into_any();
    }
    let some = |count: usize, said: fn(Text, usize) -> String| (count > 0).then(|| said(t, count));
    let consequences = [
        some(moved, Text::as_of_moves),
        some(restored, Text::as_of_restores),
        some(later, Text::as_of_laters),
        some(lost, Text::as_of_lost),
    ];
    let consequences = consequences.into_iter().flatten().collect();
    let (mark, cancel) = (found.mark(), asked.list());
    view! {
        <Confirm title=t.as_of_return_title(&minute(found.at)) consequences=consequences>
            <Form draft=draft submit=t.as_of_return() danger=true cancel=cancel>
                <input type="hidden" name="seen" value=mark/>
                {(later > 0).then(|| view! {
                    <CheckboxField name="later" label=t.as_of_delete_later(later) hint=t.as_of_delete_later_hint()/>
                })}
            </Form>
        </Confirm>
    }
    .into_any()
}

fn line(t: Text, it: &WasLine) -> Row {
    let cells = cells![stand(t, it.then), stand(t, it.now), way(t, it.way)];
    match it.now {
        Stand::Deleted | Stand::There(_) => row(format!("/secrets/{}", it.id), it.path.to_string(), cells),
        Stand::Absent | Stand::Purged => {
            Row::plain(view! { <span translate="no">{it.path.to_string()}</span> }, cells)
        }
    }
}

fn stand(t: Text, stand: Stand) -> String {
    match stand {
        Stand::Absent => t.as_of_absent().to_owned(),
        Stand::Deleted => t.as_of_deleted().to_owned(),
        Stand::Purged => t.as_of_purged().to_owned(),
        Stand::There(None) => t.secrets_no_current().to_owned(),
        Stand::There(Some(number)) => t.secrets_version_n(number),
    }
}

fn way(t: Text, way: Way) -> AnyView {
    let (label, tone) = match way {
        Way::Back { restore: false, to } => (t.as_of_to(to.unwrap_or_default()), Tone::Info),
        Way::Back { restore: true, to: None } => (t.as_of_restored().to_owned(), Tone::Info),
        Way::Back { restore: true, to: Some(number) } => (t.as_of_restored_to(number), Tone::Info),
        Way::Later => (t.as_of_later().to_owned(), Tone::Warn),
        Way::Lost(lost) => (self::lost(t, lost), Tone::Bad),
        Way::Stays => return t.as_of_stays().into_any(),
    };
    view! { <Badge label=label tone=tone/> }.into_any()
}

fn lost(t: Text, lost: Lost) -> String {
    match lost {
        Lost::Deleted(number) => t.as_of_lost_deleted(number),
        Lost::Destroyed(number) => t.as_of_lost_destroyed(number),
        Lost::Disabled(number) => t.as_of_lost_disabled(number),
        Lost::NoCurrent => t.as_of_lost_no_current().to_owned(),
        Lost::Purged => t.as_of_lost_purged().to_owned(),
    }
}
