//! What a file would do, and doing it. The file stays where it is kept; the page knows its paths and what was seen there.

use axum::{
    extract::{Path, State},
    response::Response,
};
use http::StatusCode;
use keywarden_domain::{
    Action, Op,
    secrets::{EntryOutcome, ImportError, ImportPreview, PlannedEntry, Seen, files::FileError},
};
use leptos::prelude::*;

use super::{
    PATH, done,
    kept::{self, Kept},
    words,
};
use crate::{
    cells,
    context::{Asking, House, Posted},
    form::{Draft, Errors, Params},
    pages::{
        keys::spots,
        listing::href,
        secrets::{around, reasons},
    },
    render::{self, page},
    shell::{Section, Shell},
    text::Text,
    ui::{
        Actions, Banner, ButtonKind, Column, Crumb, EmptyState, Form, LinkButton, PageHeader, Pager, Row,
        Tab, Table, Tabs, Tone, crumb, row, tab,
    },
};

/// Entries on one page.
const PAGE: usize = 100;

/// Which entries are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shown {
    All,
    Changed,
    New,
    Refused,
    Unchanged,
}

impl Shown {
    const EACH: [Self; 5] = [Self::All, Self::New, Self::Changed, Self::Unchanged, Self::Refused];

    fn of(text: &str) -> Self {
        Self::EACH.into_iter().find(|it| it.word() == text).unwrap_or(Self::All)
    }

    fn word(self) -> &'static str {
        match self {
            Self::All => "",
            Self::Changed => "changed",
            Self::New => "new",
            Self::Refused => "refused",
            Self::Unchanged => "unchanged",
        }
    }

    fn label(self, t: Text) -> &'static str {
        match self {
            Self::All => t.import_all(),
            Self::Changed => t.import_changes_all(),
            Self::New => t.import_creates_all(),
            Self::Refused => t.import_refuses_all(),
            Self::Unchanged => t.import_unchanged_all(),
        }
    }

    fn has(self, outcome: &EntryOutcome) -> bool {
        match self {
            Self::All => true,
            Self::Changed => matches!(outcome, EntryOutcome::Change { .. }),
            Self::New => matches!(outcome, EntryOutcome::Create),
            Self::Refused => matches!(outcome, EntryOutcome::Refused(_)),
            Self::Unchanged => matches!(outcome, EntryOutcome::Unchanged),
        }
    }
}

/// The form as it was left, and why an import was refused.
#[derive(Debug, Default)]
struct Left {
    draft: Draft,
    why: Option<ImportError>,
}

/// What all pages of one kept file have around them.
pub(super) struct Around {
    /// Where this page is.
    pub(super) path: String,
    /// `pay / live / shop`, or less of it.
    pub(super) place: String,
    /// The folder's list.
    pub(super) folder: String,
    pub(super) crumbs: Vec<Crumb>,
    /// Where another file is chosen for it.
    pub(super) other: String,
}

impl Around {
    async fn of(house: &House, shell: &mut Shell, op: &Op, file: &str, kept: &Kept) -> Self {
        let t = shell.text;
        let spots = spots(house, op, Action::ViewProject).await.unwrap_or_default();
        let id = kept.plan.environment.to_string();
        let spot = spots.into_iter().find(|it| it.id == id);
        let (project, environment) = spot.map(|it| (it.project, it.environment)).unwrap_or_default();
        around::place(shell, &project);
        let folder = kept.folder();
        let place = [project.as_str(), environment.as_str(), folder];
        let other =
            [("project", project.as_str()), ("environment", environment.as_str()), ("folder", folder)];
        let other = href(PATH, &other);
        let mut crumbs = around::crumbs_to(t, &project, &environment, folder);
        crumbs.push(crumb(t.import_title(), other.clone()));
        Self {
            path: format!("{PATH}/{file}"),
            place: place.into_iter().filter(|it| !it.is_empty()).collect::<Vec<_>>().join(" / "),
            folder: around::folder_path(&project, &environment, folder),
            crumbs,
            other,
        }
    }
}

pub(in crate::pages::secrets) async fn show(
    State(house): State<House>,
    asking: Asking,
    Path(file): Path<String>,
    params: Params,
) -> Response {
    let Asking { mut shell, op } = asking.at(Section::Secrets);
    let kept = match kept::find(&house, &op, &file).await {
        Ok(Some(kept)) => kept,
        Ok(None) => return gone(&shell),
        Err(refused) => return render::refused(&shell, refused),
    };
    look(&house, &mut shell, &op, (file.as_str(), &kept), &params, Left::default()).await
}

pub(in crate::pages::secrets) async fn import(
    State(house): State<House>,
    asking: Asking,
    Path(file): Path<String>,
    posted: Posted,
) -> Response {
    let Asking { mut shell, op } = asking.at(Section::Secrets).once(&posted);
    let kept = match kept::find(&house, &op, &file).await {
        Ok(Some(kept)) => kept,
        Ok(None) => return gone(&shell),
        Err(refused) => return render::refused(&shell, refused),
    };
    let (again, mut errors) = (Params::default(), Errors::new());
    if !reasons::fits(shell.text, &posted.fields, &mut errors) {
        let left = Left { draft: Draft::refused(posted.fields, errors), why: None };
        return look(&house, &mut shell, &op, (file.as_str(), &kept), &again, left).await;
    }
    let seen: Result<Vec<i64>, _> = posted.fields.text("seen").split(',').map(str::parse).collect();
    // What no page of ours sends was seen by nobody.
    let seen = Seen::InOrder(seen.unwrap_or_default());
    match house.domain.import_secrets(&op, &kept.place(), &kept.file, Some(&seen)).await {
        Ok(imported) => {
            let around = Around::of(&house, &mut shell, &op, &file, &kept).await;
            done::show(&shell, around, imported)
        }
        Err(ImportError::Refused(refused)) => house.refused(&shell, &op, &posted, refused).await,
        Err(error) => {
            let left = Left { draft: Draft::refused(posted.fields, errors), why: Some(error) };
            look(&house, &mut shell, &op, (file.as_str(), &kept), &again, left).await
        }
    }
}

/// Draws the preview, as its form was left.
async fn look(
    house: &House,
    shell: &mut Shell,
    op: &Op,
    (file, kept): (&str, &Kept),
    params: &Params,
    left: Left,
) -> Response {
    let preview = match house.domain.preview_import(op, &kept.place(), &kept.file).await {
        Ok(preview) => preview,
        Err(ImportError::File(error)) => {
            let around = Around::of(house, shell, op, file, kept).await;
            return unreadable(shell, around, error);
        }
        Err(ImportError::Refused(refused)) => return render::refused(shell, refused),
        // Of an archived project; the others come of an import alone.
        Err(_) => {
            let around = Around::of(house, shell, op, file, kept).await;
            return stopped(shell, around, shell.text.import_archived().to_owned());
        }
    };
    let around = Around::of(house, shell, op, file, kept).await;
    draw(shell, around, kept, preview, params, left)
}

fn draw(
    shell: &Shell,
    around: Around,
    kept: &Kept,
    preview: ImportPreview,
    params: &Params,
    Left { draft, why }: Left,
) -> Response {
    let t = shell.text;
    let status = if why.is_some() { StatusCode::CONFLICT } else { StatusCode::OK };
    let what = if kept.plan.name.is_empty() { t.import_pasted().to_owned() } else { kept.plan.name.clone() };
    let lead = t.import_preview_lead(&what, &around.place);
    let (shown, from) = (Shown::of(params.text("show")), params.text("from").parse().unwrap_or(0));
    page(shell, t.import_preview()).status(status).of(&draft).show(move || {
        let Around { path, crumbs, other, folder, .. } = around;
        let tabs = tabs(t, &path, &preview, shown);
        let decision = decision(t, &preview, draft, other, folder);
        let table = table(t, &path, preview, shown, from);
        view! {
            <PageHeader title=t.import_preview() lead=lead crumbs=crumbs/>
            {why.map(|why| refused(t, &why))}
            {decision}
            <Tabs tabs=tabs/>
            {table}
        }
    })
}

fn refused(t: Text, why: &ImportError) -> AnyView {
    let title = match why {
        ImportError::Changed(paths) => {
            paths.first().map_or(t.import_moved_some().to_owned(), |path| t.import_moved(path))
        }
        ImportError::KeyExhausted => t.secrets_key_exhausted().to_owned(),
        ImportError::NoOwner => t.keys_owner_unknown().to_owned(),
        ImportError::Standard(path, breach) => format!("{path}: {}", t.standard_breach(breach)),
        ImportError::TooManyLabels(path) => format!("{path}: {}", t.secrets_label_many()),
        _ => t.import_moved_some().to_owned(),
    };
    view! { <Banner tone=Tone::Warn title=title>{t.import_moved_why()}</Banner> }.into_any()
}

/// The button, or why there is none.
fn decision(t: Text, preview: &ImportPreview, draft: Draft, other: String, folder: String) -> AnyView {
    let stops = preview.count(|it| matches!(it, EntryOutcome::Refused(_)));
    let does = preview.count(|it| matches!(it, EntryOutcome::Create | EntryOutcome::Change { .. }));
    if stops > 0 {
        return view! {
            <Banner tone=Tone::Bad title=t.import_stops(stops)>{t.import_stops_why()}</Banner>
            <Actions><LinkButton kind=ButtonKind::Primary label=t.import_other_file() href=other/></Actions>
        }
        .into_any();
    }
    if does == 0 {
        return view! {
            <Banner tone=Tone::Good title=t.import_nothing()>{t.import_nothing_why()}</Banner>
            <Actions>
                <LinkButton kind=ButtonKind::Primary label=t.import_to_folder() href=folder/>
                <LinkButton label=t.import_other_file() href=other/>
            </Actions>
        }
        .into_any();
    }
    let seen = preview.entries.iter().map(|it| it.current.to_string()).collect::<Vec<_>>().join(",");
    view! {
        <Form draft=draft submit=t.import_do(does) cancel=other>
            <input type="hidden" name="seen" value=seen/>
            {reasons::why(t)}
        </Form>
    }
    .into_any()
}

fn tabs(t: Text, path: &str, preview: &ImportPreview, shown: Shown) -> Vec<Tab> {
    let count = |it: Shown| preview.count(|outcome| it.has(outcome)) as u64;
    let each = Shown::EACH.into_iter().filter(|it| *it == Shown::All || *it == shown || count(*it) > 0);
    each.map(|it| tab(it.label(t), href(path, &[("show", it.word())])).current(it == shown).count(count(it)))
        .collect()
}

fn table(t: Text, path: &str, preview: ImportPreview, shown: Shown, from: usize) -> AnyView {
    let entries: Vec<_> = preview.entries.into_iter().filter(|it| shown.has(&it.outcome)).collect();
    let of = entries.len();
    let from = if from < of { from } else { 0 };
    let to = of.min(from.saturating_add(PAGE));
    let at = |from: usize| {
        let from = if from == 0 { String::new() } else { from.to_string() };
        href(path, &[("show", shown.word()), ("from", &from)])
    };
    let said = |n: usize| t.number(n as u64);
    let pager = Pager {
        shown: if of > PAGE {
            t.import_shown(&said(from.saturating_add(1)), &said(to), &said(of))
        } else {
            String::new()
        },
        first: (from > 0).then(|| at(0)),
        next: (to < of).then(|| at(to)),
    };
    let why = entries.iter().any(|it| matches!(it.outcome, EntryOutcome::Refused(_)));
    let mut columns = vec![
        Column::text(t.secrets_path()),
        Column::text(t.import_does()),
        Column::text(t.secrets_version()),
        Column::number(t.import_line()),
    ];
    columns.extend(why.then(|| Column::text(t.import_why())));
    let rows = entries.into_iter().skip(from).take(PAGE).map(|it| line(t, &it)).collect();
    let empty =
        view! { <EmptyState title=t.import_none_of_these()>{t.import_none_of_these_why()}</EmptyState> };
    view! { <Table caption=t.import_preview() columns=columns rows=rows pager=pager empty=empty.into_any()/> }
        .into_any()
}

fn line(t: Text, it: &PlannedEntry) -> Row {
    let version = match &it.outcome {
        EntryOutcome::Change { value: true, .. } if it.current > 0 => {
            t.import_version_next(it.current, it.current.saturating_add(1))
        }
        _ if it.current > 0 => it.current.to_string(),
        _ => String::new(),
    };
    let why = match &it.outcome {
        EntryOutcome::Refused(why) => words::refusal(t, why),
        _ => String::new(),
    };
    let cells = cells![words::badge(t, &it.outcome), version, t.number(it.line), why];
    match it.secret {
        Some(id) => row(format!("/secrets/{id}"), it.path.clone(), cells),
        None => Row::plain(view! { <span translate="no">{it.path.clone()}</span> }, cells),
    }
}

/// A file that is not what it is said to be.
fn unreadable(shell: &Shell, around: Around, error: FileError) -> Response {
    let t = shell.text;
    page(shell, t.import_unreadable()).status(StatusCode::UNPROCESSABLE_ENTITY).show(move || {
        let columns = vec![Column::text(t.import_line()), Column::text(t.secrets_name()), Column::text(t.import_wrong())];
        let rows = error.flaws.iter().map(|it| {
            let at = it.line.map_or_else(|| t.import_whole().to_owned(), |line| t.number(line));
            let name = it.name.clone().map(|name| view! { <span translate="no">{name}</span> });
            Row::plain(at, cells![name, words::flaw(t, it)])
        });
        let rows = rows.collect();
        view! {
            <PageHeader title=t.import_unreadable() lead=t.import_unreadable_why() crumbs=around.crumbs/>
            <Actions><LinkButton kind=ButtonKind::Primary label=t.import_other_file() href=around.other/></Actions>
            <Table caption=t.import_wrong() columns=columns rows=rows/>
            {error.more.then(|| view! { <p>{t.import_more_flaws()}</p> })}
        }
    })
}

/// Nothing can be imported there now.
fn stopped(shell: &Shell, around: Around, why: String) -> Response {
    let t = shell.text;
    page(shell, t.import_unreadable()).status(StatusCode::CONFLICT).show(move || {
        view! {
            <EmptyState heading=1 title=t.import_unreadable() action=(t.import_to_folder(), around.folder)>{why}</EmptyState>
        }
    })
}

fn gone(shell: &Shell) -> Response {
    let t = shell.text;
    page(shell, t.import_gone()).status(StatusCode::GONE).show(move || {
        view! {
            <EmptyState heading=1 title=t.import_gone() action=(t.import_other_file(), PATH)>{t.import_gone_why()}</EmptyState>
        }
    })
}
