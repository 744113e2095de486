//! `keywarden export`: an environment's secrets as a file for something that cannot ask for them itself.

use std::io::{self, Write as _};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use clap::ValueEnum;
use keywarden_domain::secrets::files::{FileFormat, Line, text_of, write};
use keywarden_model::SecretKind;
use zeroize::Zeroizing;

use super::{
    Failure,
    wanted::{Values, Wanted},
};

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    wanted: Wanted,
    /// What is printed
    #[arg(long, value_enum, default_value = "dotenv")]
    format: Format,
    /// With `k8s`, the name of the Secret; `<project>-<environment>` without one
    #[arg(long)]
    name: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// `NAME='value'`, as shells and dotenv read it
    Dotenv,
    /// An object of strings
    Json,
    /// A Kubernetes Secret; the only one that takes binary values
    K8s,
    /// A mapping of strings
    Yaml,
}

pub(super) async fn run(arguments: Arguments) -> Result<(), Failure> {
    let Arguments { wanted, format, name } = arguments;
    let values = wanted.values(&wanted.client("export").await?, &Values::new()).await?;
    let format = match format {
        Format::Dotenv => FileFormat::Dotenv,
        Format::Json => FileFormat::Json,
        Format::Yaml => FileFormat::Yaml,
        Format::K8s => {
            let name = name.unwrap_or_else(|| format!("{}-{}", wanted.project, wanted.environment));
            return print(&manifest(&name, &values));
        }
    };
    let text =
        write(format, &lines(&values)?).map_err(|cause| Failure::io("print")(io::Error::other(cause)))?;
    print(text.expose())
}

fn print(text: &str) -> Result<(), Failure> {
    io::stdout().lock().write_all(text.as_bytes()).map_err(Failure::io("print"))
}

/// A line for each value, which must be text.
fn lines(values: &Values) -> Result<Vec<Line<'_>>, Failure> {
    let mut lines = Vec::with_capacity(values.len());
    for (variable, value) in values {
        let bytes = value.bytes.expose();
        if value.is_binary || text_of(bytes).is_none() {
            return Err(Failure::Binary(variable.path.clone()));
        }
        lines.push(Line {
            name: &variable.name,
            value: bytes,
            kind: SecretKind::Text,
            description: "",
            tags: &[],
            template: false,
        });
    }
    Ok(lines)
}

/// A string of JSON, and so of YAML 1.2.
fn json(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

fn manifest(name: &str, values: &Values) -> Zeroizing<String> {
    let head =
        ["apiVersion: v1", "kind: Secret", "metadata:", &format!("  name: {}", json(name)), "type: Opaque"];
    let data = values.iter().map(|(variable, value)| {
        Zeroizing::new(format!("  {}: {}\n", variable.name, STANDARD.encode(value.bytes.expose())))
    });
    let mut text = Zeroizing::new(head.join("\n"));
    text.push_str(if values.is_empty() { "\ndata: {}\n" } else { "\ndata:\n" });
    for line in data {
        text.push_str(&line);
    }
    text
}
