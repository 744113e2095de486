//! `keywarden export`: an environment's secrets as a file for something that cannot ask for them itself.

use std::io::Write as _;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use clap::ValueEnum;
use zeroize::Zeroizing;

use super::{Failure, wanted::Wanted};
use crate::client::{Value, Variable};

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
    let values = wanted.values().await?;
    let text = match format {
        Format::Dotenv => lines(&values, |name, text| format!("{name}={}\n", shell(text)))?,
        Format::Json => {
            let all = lines(&values, |name, text| format!("  {}: {},\n", json(name), json(text)))?;
            Zeroizing::new(match all.strip_suffix(",\n") {
                Some(all) => format!("{{\n{all}\n}}\n"),
                None => "{}\n".to_owned(),
            })
        }
        Format::K8s => {
            let name = name.unwrap_or_else(|| format!("{}-{}", wanted.project, wanted.environment));
            manifest(&name, &values)
        }
        Format::Yaml => lines(&values, |name, text| format!("{name}: {}\n", json(text)))?,
    };
    std::io::stdout().lock().write_all(text.as_bytes()).map_err(Failure::io("print"))
}

/// A line for each value, which must be text.
fn lines(
    values: &[(Variable, Value)],
    line: impl Fn(&str, &str) -> String,
) -> Result<Zeroizing<String>, Failure> {
    let mut all = Zeroizing::new(String::new());
    for (variable, value) in values {
        let text = (!value.is_binary).then(|| std::str::from_utf8(value.bytes.expose()).ok()).flatten();
        let text = text.filter(|text| !text.contains('\0'));
        let text = text.ok_or_else(|| Failure::Binary(variable.path.clone()))?;
        all.push_str(&Zeroizing::new(line(&variable.name, text)));
    }
    Ok(all)
}

/// A word of a shell: nothing in it is expanded. Between double quotes only where it has a single one.
fn shell(text: &str) -> String {
    if !text.contains('\'') {
        return format!("'{text}'");
    }
    let mut quoted = String::from("\"");
    for c in text.chars() {
        if matches!(c, '"' | '\\' | '$' | '`') {
            quoted.push('\\');
        }
        quoted.push(c);
    }
    quoted.push('"');
    quoted
}

/// A string of JSON, and so of YAML 1.2.
fn json(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

fn manifest(name: &str, values: &[(Variable, Value)]) -> Zeroizing<String> {
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

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    #[test]
    fn a_shell_reads_back_what_was_quoted() {
        for text in ["", "plain", "two\nlines", "$HOME `id` \\ \"", "it's $HOME `id` \\n \" ü", "'", "a=b#c "]
        {
            let script = format!("V={}\nprintf %s \"$V\"", shell(text));
            let output = Command::new("sh").args(["-c", &script]).output().unwrap();
            assert_eq!(String::from_utf8_lossy(&output.stdout), text, "{script}");
        }
    }
}
