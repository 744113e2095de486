//! `keywarden secret import`: a file of values, or those of another system, all of it or nothing.

use std::{collections::HashMap, path::PathBuf};

use keywarden_domain::secrets::files::{FileFormat, Nested};
use keywarden_vault::SecretBytes;
use serde::Serialize;

use super::{print, print_json, value};
use crate::{
    client::{Aside, Client, ImportFile, Imported, Place, Running, Told},
    commands::Failure,
};

#[derive(Debug, clap::Args)]
pub(super) struct Import {
    /// `.env`, JSON, YAML or CSV; `-` is standard input
    #[arg(required_unless_present = "running", conflicts_with = "running")]
    file: Option<PathBuf>,
    #[command(flatten)]
    running: Running,
    /// The project's slug
    #[arg(long, short)]
    project: String,
    /// The environment's slug
    #[arg(long, short)]
    environment: String,
    /// The folder that the file's names lie in
    #[arg(long)]
    folder: Option<String>,
    /// `dotenv`, `json`, `yaml` or `csv`; otherwise what the file's name says
    #[arg(long)]
    format: Option<FileFormat>,
    /// What an object is, in a JSON file, a Vault or a value of AWS: `folders`, or `json`, one secret
    #[arg(long, default_value = "folders")]
    nested: String,
    /// Print what would happen, and do nothing
    #[arg(long)]
    dry_run: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// What comes in.
struct Incoming {
    format: FileFormat,
    /// `None`: nothing.
    content: Option<SecretBytes>,
    /// Whether it has lines that somebody can look up.
    is_file: bool,
    asides: Vec<Aside>,
    names: HashMap<String, String>,
}

/// What is printed as JSON.
#[derive(Serialize)]
struct Report<'a> {
    #[serde(flatten)]
    done: &'a Imported,
    /// What is told of secrets in the other system.
    #[serde(skip_serializing_if = "<[Aside]>::is_empty")]
    there: &'a [Aside],
}

/// Looks first, then imports exactly what was seen.
pub(super) async fn import(client: &Client, asked: Import) -> Result<(), Failure> {
    let incoming = incoming(&asked).await?;
    let Import { project, environment, folder, nested, dry_run, json, .. } = asked;
    let content = incoming.content.as_ref().map(|it| std::str::from_utf8(it.expose())).transpose();
    let content = content.map_err(|_| Failure::Usage("the file is not UTF-8: save it in that encoding"))?;
    let place = Place { project, environment };
    let folder = folder.as_deref().map(|folder| folder.trim_matches('/'));
    let file = content.map(|content| ImportFile {
        format: incoming.format.as_str(),
        content,
        folder,
        nested: Some(nested.as_str()),
        preview: true,
        seen: None,
    });
    let preview = match &file {
        Some(file) => client.import(&place, file).await?,
        None => Imported { preview: true, ..Imported::default() },
    };
    if !json {
        table(&preview, &incoming, folder)?;
    }
    let refused = incoming.asides.iter().filter(|it| it.outcome == Told::Refused).count();
    let refused = preview.refused.saturating_add(u32::try_from(refused).unwrap_or(u32::MAX));
    if refused > 0 {
        if json {
            print_json(&Report { done: &preview, there: &incoming.asides })?;
        }
        return Err(Failure::NotImported(refused));
    }
    let does = !dry_run && (preview.created > 0 || preview.changed > 0);
    let done = match file {
        Some(file) if does => {
            client.import(&place, &ImportFile { preview: false, seen: Some(&preview.seen), ..file }).await?
        }
        _ => preview,
    };
    if json {
        return print_json(&Report { done: &done, there: &incoming.asides });
    }
    let Imported { created, changed, unchanged, .. } = done;
    let done = if does { "" } else { "; nothing was done" };
    print(format_args!("{created} new, {changed} changed, {unchanged} unchanged{done}\n"))
}

/// What comes in, and how it is written.
async fn incoming(asked: &Import) -> Result<Incoming, Failure> {
    let nested: Nested =
        asked.nested.parse().map_err(|_| Failure::Usage("--nested is `folders` or `json`"))?;
    if let Some(taken) = asked.running.taken(nested).await? {
        let content = taken.content.map(|text| SecretBytes::copy_of(text.expose().as_bytes()));
        let (format, asides, names) = (taken.format, taken.asides, taken.names);
        return Ok(Incoming { format, content, is_file: false, asides, names });
    }
    let named = asked.file.as_ref().and_then(|file| FileFormat::of_name(file.to_str()?));
    let format = asked.format.or(named).ok_or(Failure::Usage("say how the file is written: `--format`"))?;
    let file = asked.file.clone().filter(|file| file.as_os_str() != "-");
    let content = Some(value(file)?);
    Ok(Incoming { format, content, is_file: true, asides: Vec::new(), names: HashMap::new() })
}

fn table(preview: &Imported, incoming: &Incoming, folder: Option<&str>) -> Result<(), Failure> {
    let paths = preview.entries.iter().map(|it| &it.path).chain(incoming.asides.iter().map(|it| &it.name));
    let width = paths.map(|it| it.chars().count()).max().unwrap_or(0);
    for it in &preview.entries {
        let mut what = match (it.outcome.as_str(), it.value, &it.reason) {
            ("create", ..) => "new".to_owned(),
            ("change", Some(true), _) => format!("new version, after {}", it.version),
            ("change", ..) => "description or tags".to_owned(),
            ("refused", _, Some(reason)) if incoming.is_file => {
                format!("refused, line {}: {reason}", it.line)
            }
            ("refused", _, Some(reason)) => format!("refused: {reason}"),
            (outcome, ..) => outcome.to_owned(),
        };
        let below = folder.and_then(|folder| it.path.strip_prefix(folder)?.strip_prefix('/'));
        let below = below.unwrap_or(&it.path);
        if let Some(name) = incoming.names.get(below).filter(|name| *name != below) {
            what = format!("{what}, from `{name}`");
        }
        print(format_args!("{:width$}  {what}\n", it.path))?;
    }
    for Aside { name, outcome, reason } in &incoming.asides {
        let what = match outcome {
            Told::LeftOut => "left out: ",
            Told::Note => "",
            Told::Refused => "refused: ",
        };
        print(format_args!("{name:width$}  {what}{reason}\n"))?;
    }
    Ok(())
}
