//! Giving out a folder's values as a file: a post of its own, each reading in the record before the file leaves.

use axum::{
    extract::State,
    response::{IntoResponse as _, Response},
};
use http::{HeaderValue, StatusCode, header};
use keywarden_domain::{
    Op, Refused, Replayed,
    keys::Place,
    secrets::{Export, ExportError, Exportable, Exported, Secret, files::FileFormat},
};
use keywarden_model::{Description, SecretPath};
use leptos::prelude::*;

use super::{around, reasons};
use crate::{
    cells,
    context::{Asking, House, Posted},
    form::{Draft, Errors, Params},
    render::{self, page},
    shell::{Section, Shell},
    text::Text,
    ui::{
        Banner, Column, EmptyState, Form, PageHeader, Panel, RadioGroup, Row, Table, TextArea, Tone, choice,
        row,
    },
};

/// Secrets that the page names; all of them are counted.
const NAMED: usize = 50;

/// Which folder an address is about.
#[derive(Clone, Debug)]
struct Which {
    project: String,
    environment: String,
    folder: Option<SecretPath>,
    place: Place,
}

impl Which {
    fn of(params: &Params) -> Result<Self, Refused> {
        let (project, environment) =
            (params.text("project").to_owned(), params.text("environment").to_owned());
        let (Ok(of_project), Ok(of_environment)) = (project.parse(), environment.parse()) else {
            return Err(Refused::NotFound);
        };
        let folder = params.some("folder").map(|text| text.parse().map_err(|_| Refused::NotFound));
        let place = Place::Slugs { project: of_project, environment: of_environment };
        Ok(Self { project, environment, folder: folder.transpose()?, place })
    }

    fn folder(&self) -> &str {
        self.folder.as_ref().map_or("", |folder| folder.as_str())
    }

    fn list(&self) -> String {
        around::folder_path(&self.project, &self.environment, self.folder())
    }
}

pub(super) async fn form(State(house): State<House>, asking: Asking, params: Params) -> Response {
    let Asking { mut shell, op } = asking.at(Section::Secrets);
    let which = match Which::of(&params) {
        Ok(which) => which,
        Err(refused) => return render::refused(&shell, refused),
    };
    look(&house, &mut shell, &op, which, Draft::default()).await
}

pub(super) async fn export(
    State(house): State<House>,
    asking: Asking,
    params: Params,
    posted: Posted,
) -> Response {
    let Asking { mut shell, op } = asking.at(Section::Secrets).once(&posted);
    let t = shell.text;
    let which = match Which::of(&params) {
        Ok(which) => which,
        Err(refused) => return house.refused(&shell, &op, &posted, refused).await,
    };
    let mut errors = Errors::new();
    let format = posted.fields.text("format").parse::<FileFormat>();
    if format.is_err() {
        errors.at("format", t.form_choose());
    }
    let reason = posted.fields.text("reason").parse::<Description>();
    let reason = reason.map_err(|wrong| errors.at("reason", t.name_wrong(&wrong)));
    if let (Ok(format), Ok(reason)) = (format, reason) {
        let export = Export { folder: which.folder.clone(), format, reason: reason.to_string() };
        match house.domain.export_secrets(&op, &which.place, &export).await {
            Ok(exported) => return file(format, &exported),
            Err(ExportError::Refused(Refused::Replayed(Replayed::Done { .. }))) => {
                return before(&shell, &which);
            }
            Err(ExportError::Refused(refused)) => {
                return house.refused(&shell, &op, &posted, refused).await;
            }
            Err(ExportError::NoReason) => reasons::note(t, &posted.fields, &mut errors),
            Err(error) => errors.whole(said(t, &error)),
        }
    }
    look(&house, &mut shell, &op, which, Draft::refused(posted.fields, errors)).await
}

fn said(t: Text, error: &ExportError) -> String {
    match error {
        ExportError::Changed => t.export_changed().to_owned(),
        ExportError::Names { name, first, second } => t.export_names(first, second, name),
        ExportError::NotText(path) => t.export_not_text(path.as_str()),
        ExportError::NoReason | ExportError::Nothing | ExportError::Refused(_) => {
            t.export_nothing().to_owned()
        }
        ExportError::TooMuch => t.export_much().to_owned(),
    }
}

async fn look(house: &House, shell: &mut Shell, op: &Op, which: Which, draft: Draft) -> Response {
    let found = house.domain.exportable(op, &which.place, which.folder.as_ref()).await;
    let found = match found {
        Ok(found) => found,
        Err(ExportError::Refused(refused)) => return render::refused(shell, refused),
        Err(error) => return nothing(shell, &which, said(shell.text, &error)),
    };
    if found.secrets.is_empty() {
        return nothing(shell, &which, shell.text.export_nothing_why().to_owned());
    }
    around::place(shell, &which.project);
    draw(shell, which, found, draft)
}

fn draw(shell: &Shell, which: Which, found: Exportable, draft: Draft) -> Response {
    let t = shell.text;
    page(shell, t.export_title()).of(&draft).show(move || {
        let crumbs = around::crumbs_to(t, &which.project, &which.environment, which.folder());
        let formats = vec![
            choice("dotenv", t.import_format_dotenv()).hint(t.export_format_dotenv_hint()),
            choice("json", t.import_format_json()),
            choice("yaml", t.import_format_yaml()),
            choice("csv", t.import_format_csv()).hint(t.export_format_hint()),
        ];
        let count = found.secrets.len();
        // One environment's secrets: what holds for one of them holds for all.
        let asks = found.secrets.first().is_some_and(|it| it.reads_need_reason);
        let templates = match found.templates.len() {
            0 => None,
            n => Some(view! { <Banner tone=Tone::Warn title=t.templates_export(n)>{t.templates_export_why()}</Banner> }),
        };
        let binary = match found.binary.len() {
            0 => None,
            n => Some(view! { <Banner tone=Tone::Info title=t.export_binary(n)>{t.export_binary_why()}</Banner> }),
        };
        let out = (!found.left_out.is_empty()).then(|| {
            let table = named(t, t.export_out(), &found.left_out);
            view! { <Panel id="left-out" title=t.export_out()><p>{t.export_out_why()}</p>{table}</Panel> }
        });
        view! {
            <PageHeader title=t.export_title() lead=t.export_lead() crumbs=crumbs/>
            {templates}
            {binary}
            <Form draft=draft submit=t.export_do(count) cancel=which.list() file=true>
                <RadioGroup name="format" label=t.import_format() required=true choices=formats value="dotenv"/>
                {reason(t, asks)}
            </Form>
            <Panel id="in-the-file" title=t.export_in()>{named(t, t.export_in(), &found.secrets)}</Panel>
            {out}
        }
    })
}

fn reason(t: Text, asks: bool) -> AnyView {
    reasons::field(t, asks).unwrap_or_else(|| {
        view! {
            <TextArea name="reason" label=t.export_reason() maxlength=1000 rows=2 hint=t.export_reason_hint()/>
        }
        .into_any()
    })
}

fn named(t: Text, caption: &'static str, secrets: &[Secret]) -> AnyView {
    let rows: Vec<Row> = secrets
        .iter()
        .take(NAMED)
        .map(|it| {
            let description = it.description.as_str().to_owned();
            let description = view! { <span translate="no">{description}</span> };
            row(around::path(it), it.path.to_string(), cells![description])
        })
        .collect();
    let more = secrets.len().saturating_sub(NAMED);
    let columns = vec![Column::text(t.secrets_path()), Column::minor(t.keys_description())];
    view! {
        <Table caption=caption columns=columns rows=rows/>
        {(more > 0).then(|| view! { <p>{t.export_more(more)}</p> })}
    }
    .into_any()
}

/// There is nothing that could be given out.
fn nothing(shell: &Shell, which: &Which, why: String) -> Response {
    let t = shell.text;
    let back = which.list();
    page(shell, t.export_nothing()).status(StatusCode::CONFLICT).show(move || {
        view! { <EmptyState heading=1 title=t.export_nothing() action=(t.import_to_folder(), back)>{why}</EmptyState> }
    })
}

/// A reload: nothing was read again.
fn before(shell: &Shell, which: &Which) -> Response {
    let t = shell.text;
    let again = shell.path.clone();
    let back = if again.is_empty() { which.list() } else { again };
    page(shell, t.export_before()).status(StatusCode::CONFLICT).show(move || {
        view! { <EmptyState heading=1 title=t.export_before() action=(t.export(), back)>{t.export_before_why()}</EmptyState> }
    })
}

fn file(format: FileFormat, exported: &Exported) -> Response {
    let kind = match format {
        FileFormat::Csv => "text/csv; charset=utf-8",
        FileFormat::Dotenv => "text/plain; charset=utf-8",
        FileFormat::Json => "application/json",
        FileFormat::Yaml => "application/yaml",
    };
    let disposition = HeaderValue::from_str(&format!("attachment; filename=\"{}\"", exported.name));
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static(kind)),
        (header::CONTENT_DISPOSITION, disposition.unwrap_or(HeaderValue::from_static("attachment"))),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
        (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    ];
    (headers, exported.file.expose().to_owned()).into_response()
}
