//! `keywarden secret labels`: which label points at which version.

use std::str::FromStr;

use super::{Address, print, print_json};
use crate::{client::Client, commands::Failure};

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// `project/environment/path`
    secret: Address,
    /// Let a label point at a version; `current` too. May be given more than once
    #[arg(long, value_name = "LABEL=N")]
    point: Vec<Pointed>,
    /// Take a label away; may be given more than once
    #[arg(long, value_name = "LABEL")]
    remove: Vec<String>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// A label and the number of the version that it is to point at.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Pointed {
    label: String,
    version: i64,
}

impl FromStr for Pointed {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (label, version) = text.split_once('=').ok_or("write `LABEL=N`, as in `stable=3`")?;
        let version = version.parse().ok().filter(|_| !label.is_empty());
        let version = version.ok_or("write `LABEL=N`, as in `stable=3`")?;
        Ok(Self { label: label.to_owned(), version })
    }
}

pub(super) async fn labels(client: &Client, asked: Arguments) -> Result<(), Failure> {
    let path = asked.secret.path()?;
    let reads = asked.point.is_empty() && asked.remove.is_empty();
    let id = if reads {
        client.find_even_deleted(&asked.secret.place, path).await?
    } else {
        client.find(&asked.secret.place, path, false).await?
    };
    let mut whole = None;
    for Pointed { label, version } in &asked.point {
        whole = Some(client.label(&id, label, *version).await?);
    }
    for label in &asked.remove {
        whole = Some(client.unlabel(&id, label).await?);
    }
    let whole = match whole {
        Some(whole) => whole,
        None => client.show(&id).await?,
    };
    if asked.json {
        return print_json(&whole);
    }
    let width = whole.labels.keys().map(|label| label.chars().count()).max().unwrap_or(0);
    whole.labels.iter().try_for_each(|(label, version)| print(format_args!("{label:width$}  {version:>4}\n")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_is_pointed_at_a_number() {
        let of = |label: &str, version| Ok(Pointed { label: label.into(), version });
        assert_eq!("stable=3".parse(), of("stable", 3));
        for wrong in ["stable", "stable=", "=3", "stable=x", ""] {
            assert!(wrong.parse::<Pointed>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn parsers_of_labels_take_what_comes() {
        keywarden_garble::texts(&["blue=2", "current=9223372036854775807"], |text| {
            if let Ok(Pointed { label, version }) = text.parse() {
                assert_eq!(format!("{label}={version}").parse(), Ok(Pointed { label, version }), "{text:?}");
            }
        });
    }
}
