//! `keywarden secret import`: a file of values, all of it or nothing.

use std::path::PathBuf;

use keywarden_domain::secrets::files::FileFormat;
use keywarden_vault::SecretBytes;

use super::{print, print_json, value};
use crate::{
    client::{Client, ImportFile, Imported, Place, VaultAccess},
    commands::Failure,
};

#[derive(Debug, clap::Args)]
pub(super) struct Import {
    /// `.env`, JSON, YAML or CSV; `-` is standard input
    #[arg(required_unless_present = "from_vault", conflicts_with = "from_vault")]
    file: Option<PathBuf>,
    #[command(flatten)]
    vault: VaultAccess,
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
    /// What an object within a JSON file is: `folders`, or `json`, one secret
    #[arg(long)]
    nested: Option<String>,
    /// Print what would happen, and do nothing
    #[arg(long)]
    dry_run: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Looks first, then imports exactly what was seen.
pub(super) async fn import(client: &Client, asked: Import) -> Result<(), Failure> {
    let (format, content) = content(&asked).await?;
    let Import { project, environment, folder, nested, dry_run, json, .. } = asked;
    let content = std::str::from_utf8(content.expose())
        .map_err(|_| Failure::Usage("the file is not UTF-8: save it in that encoding"))?;
    let place = Place { project, environment };
    let asked = ImportFile {
        format: format.as_str(),
        content,
        folder: folder.as_deref().map(|folder| folder.trim_matches('/')),
        nested: nested.as_deref(),
        preview: true,
        seen: None,
    };
    let preview = client.import(&place, &asked).await?;
    if !json {
        table(&preview)?;
    }
    if preview.refused > 0 {
        if json {
            print_json(&preview)?;
        }
        return Err(Failure::NotImported(preview.refused));
    }
    let does = !dry_run && (preview.created > 0 || preview.changed > 0);
    let done = if does {
        client.import(&place, &ImportFile { preview: false, seen: Some(&preview.seen), ..asked }).await?
    } else {
        preview
    };
    if json {
        return print_json(&done);
    }
    let Imported { created, changed, unchanged, .. } = done;
    let done = if does { "" } else { "; nothing was done" };
    print(format_args!("{created} new, {changed} changed, {unchanged} unchanged{done}\n"))
}

/// What comes in, and how it is written.
async fn content(asked: &Import) -> Result<(FileFormat, SecretBytes), Failure> {
    if let Some(text) = asked.vault.file().await? {
        return Ok((FileFormat::Json, SecretBytes::copy_of(text.expose().as_bytes())));
    }
    let named = asked.file.as_ref().and_then(|file| FileFormat::of_name(file.to_str()?));
    let format = asked.format.or(named).ok_or(Failure::Usage("say how the file is written: `--format`"))?;
    let file = asked.file.clone().filter(|file| file.as_os_str() != "-");
    Ok((format, value(file)?))
}

fn table(preview: &Imported) -> Result<(), Failure> {
    let width = preview.entries.iter().map(|it| it.path.chars().count()).max().unwrap_or(0);
    for it in &preview.entries {
        let what = match (it.outcome.as_str(), it.value, &it.reason) {
            ("create", ..) => "new".to_owned(),
            ("change", Some(true), _) => format!("new version, after {}", it.version),
            ("change", ..) => "description or tags".to_owned(),
            ("refused", _, Some(reason)) => format!("refused, line {}: {reason}", it.line),
            (outcome, ..) => outcome.to_owned(),
        };
        print(format_args!("{:width$}  {what}\n", it.path))?;
    }
    Ok(())
}
