//! Choosing a file, its folder and format.

use axum::{extract::State, response::Response};
use keywarden_domain::{
    Action, SecretBytes,
    people::KeepError,
    secrets::files::{FileFormat, MAX_FILE, Nested},
};
use keywarden_model::{EnvironmentId, SecretPath};
use leptos::prelude::*;

use super::kept::{self, Plan};
use crate::{
    context::{Asking, House},
    form::{Draft, Errors, Fields, Params, Upload},
    pages::{
        keys::{Spot, spots},
        secrets::{around, fields, filter},
    },
    render::{self, page},
    shell::{Section, Shell},
    snippets::Source,
    text::Text,
    ui::{
        CodeBlock, EmptyState, FileField, Form, PageHeader, Panel, RadioGroup, SelectField, TextArea,
        TextField, Writes, choice, crumb,
    },
};

/// Longer folders leave no room for a name, and none in an address.
const LONGEST_FOLDER: u32 = 480;

pub(in crate::pages::secrets) async fn form(
    State(house): State<House>,
    asking: Asking,
    params: Params,
) -> Response {
    let Asking { shell, op } = asking.at(Section::Secrets);
    match spots(&house, &op, Action::CreateSecret).await {
        Ok(spots) => draw(&shell, spots, &params, Draft::default()),
        Err(refused) => render::refused(&shell, refused),
    }
}

pub(in crate::pages::secrets) async fn keep(
    State(house): State<House>,
    asking: Asking,
    params: Params,
    upload: Upload,
) -> Response {
    let Asking { shell, op } = asking.at(Section::Secrets);
    let t = shell.text;
    let mut errors = Errors::new();
    if let Some((plan, file)) = read(t, &upload, &mut errors) {
        match kept::keep(&house, &op, &plan, file).await {
            Ok(preview) => return render::see_other(&preview),
            Err(KeepError::TooLong) => errors.at("file", t.import_large()),
            Err(KeepError::Refused(refused)) => return render::refused(&shell, refused),
        }
    }
    // No page can choose a file for its reader, and no page shows a value again.
    if upload.file.is_some() || upload.paste.is_some() {
        errors.at(if upload.file.is_some() { "file" } else { "paste" }, t.import_again());
    }
    match spots(&house, &op, Action::CreateSecret).await {
        Ok(spots) => draw(&shell, spots, &params, Draft::refused(upload.fields, errors)),
        Err(refused) => render::refused(&shell, refused),
    }
}

fn read<'a>(t: Text, upload: &'a Upload, errors: &mut Errors) -> Option<(Plan, &'a SecretBytes)> {
    let typed = &upload.fields;
    let environment = typed.text("environment").parse::<EnvironmentId>();
    if environment.is_err() {
        errors.at("environment", t.form_choose());
    }
    let folder = folder(t, typed, errors);
    let nested = typed.text("nested").parse::<Nested>();
    if nested.is_err() {
        errors.at("nested", t.form_choose());
    }
    let (name, file) = match (&upload.file, &upload.paste) {
        (Some(file), None) => (file.name.as_str(), &file.bytes),
        (None, Some(paste)) => ("", paste),
        (None, None) => {
            errors.at("file", t.import_one());
            return None;
        }
        (Some(_), Some(_)) => {
            errors.at("file", t.import_both());
            return None;
        }
    };
    if file.expose().len() > MAX_FILE {
        errors.at("file", t.import_large());
        return None;
    }
    let format = match typed.text("format") {
        "auto" => FileFormat::of_name(name),
        named => named.parse().ok(),
    };
    let Some(format) = format else {
        let why = match (typed.text("format"), name) {
            ("auto", "") => t.import_format_needed(),
            ("auto", _) => t.import_format_unknown(),
            _ => t.form_choose(),
        };
        errors.at("format", why);
        return None;
    };
    let (Ok(environment), Some(folder), Ok(nested)) = (environment, folder, nested) else { return None };
    Some((Plan { environment, folder, format, nested, name: name.to_owned() }, file))
}

/// The folder, perhaps the top; `None`: what is wrong with it is noted.
#[expect(clippy::option_option, reason = "the top is no error")]
fn folder(t: Text, typed: &Fields, errors: &mut Errors) -> Option<Option<SecretPath>> {
    let text = typed.text("folder").trim_end_matches('/');
    if text.is_empty() {
        return Some(None);
    }
    if text.len() > LONGEST_FOLDER as usize {
        errors.at("folder", t.secrets_path_long(LONGEST_FOLDER as usize));
        return None;
    }
    text.parse().map(Some).map_err(|wrong| errors.at("folder", fields::path_wrong(t, &wrong))).ok()
}

fn draw(shell: &Shell, spots: Vec<Spot>, params: &Params, draft: Draft) -> Response {
    let t = shell.text;
    let (project, environment) = (params.text("project"), params.text("environment"));
    let fits = |it: &&Spot| {
        (project.is_empty() || it.project == project)
            && (environment.is_empty() || it.environment == environment)
    };
    let first = match (spots.iter().find(fits), spots.iter().filter(fits).count()) {
        (Some(spot), 1) => spot.id.clone(),
        _ => String::new(),
    };
    let folder = params.text("folder").to_owned();
    let (crumbs, cancel) = if project.is_empty() || environment.is_empty() {
        (vec![crumb(t.secrets(), filter::PATH)], filter::PATH.to_owned())
    } else {
        let here = around::folder_path(project, environment, &folder);
        (around::crumbs_to(t, project, environment, &folder), here)
    };
    let (project, environment) = (project.to_owned(), environment.to_owned());
    page(shell, t.import_title()).of(&draft).show(move || {
        if spots.is_empty() {
            return view! {
                <PageHeader title=t.import_title() crumbs=crumbs/>
                <EmptyState title=t.keys_nowhere() action=(t.projects(), "/projects")>{t.secrets_nowhere_why()}</EmptyState>
            }
            .into_any();
        }
        let places = spots.into_iter().map(|it| choice(it.id, it.name).named()).collect();
        let formats = vec![
            choice("auto", t.import_format_auto()),
            choice("dotenv", t.import_format_dotenv()),
            choice("json", t.import_format_json()),
            choice("yaml", t.import_format_yaml()),
            choice("csv", t.import_format_csv()),
        ];
        let nested = vec![
            choice("folders", t.import_nested_folders()).hint(t.import_nested_folders_hint()),
            choice("json", t.import_nested_json()).hint(t.import_nested_json_hint()),
        ];
        let running = running(t, &project, &environment, &folder);
        let longest = u32::try_from(MAX_FILE).unwrap_or(u32::MAX);
        view! {
            <PageHeader title=t.import_title() lead=t.import_lead() crumbs=crumbs/>
            <Form draft=draft upload=true submit=t.import_look() cancel=cancel>
                <SelectField name="environment" label=t.keys_environment() required=true placeholder=t.choose() choices=places value=first/>
                <TextField name="folder" label=t.import_folder() mono=true maxlength=LONGEST_FOLDER value=folder hint=t.import_folder_hint()/>
                <FileField name="file" either=true label=t.import_file() hint=t.import_file_hint()/>
                <TextArea name="paste" either=true label=t.import_paste() writes=Writes::Secret rows=6 maxlength=longest hint=t.import_paste_hint()/>
                <SelectField name="format" label=t.import_format() required=true choices=formats value="auto" hint=t.import_format_hint()/>
                <RadioGroup name="nested" label=t.import_nested() required=true choices=nested value="folders"/>
            </Form>
            <Panel id="running" title=t.import_running()>{running}</Panel>
        }
        .into_any()
    })
}

/// Systems that only the command line asks, since this server knows none of their keys.
fn running(t: Text, project: &str, environment: &str, folder: &str) -> AnyView {
    let or = |said: &str, other: &str| (if said.is_empty() { other } else { said }).to_owned();
    let (project, environment) = (or(project, "PROJECT"), or(environment, "ENVIRONMENT"));
    let blocks = Source::ALL
        .into_iter()
        .map(|source| {
            let (id, label, keys) = match source {
                Source::Aws => ("from-aws", t.import_running_aws(), t.import_running_aws_keys()),
                Source::Vault => ("from-vault", t.import_running_vault(), t.import_running_vault_keys()),
            };
            let text = source.text(&project, &environment, folder);
            view! { <CodeBlock id=id label=label text=text/><p>{keys}</p> }
        })
        .collect_view();
    view! { <p>{t.import_running_lead()}</p>{blocks} }.into_any()
}
