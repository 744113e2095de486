//! `keywarden policy`: policies of any server as a folder of Cedar files, one policy a file, called by its name.

mod cases;
mod folder;

use std::{
    collections::BTreeMap,
    io::Write as _,
    path::{Path, PathBuf},
};

use clap::Subcommand;

use super::Failure;
use crate::client::{Access, Client, Policy, PolicyVersion};

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    access: Access,
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Write drafts for the files that the server has otherwise, or not at all
    Apply {
        #[command(flatten)]
        place: Place,
        /// Let each of them decide at once, too
        #[arg(long)]
        activate: bool,
        /// What is said about each draft
        #[arg(long, default_value = "")]
        note: String,
    },
    /// Say what `apply` would do, what is wrong with a file, and what is on the server alone; does nothing
    Plan(Place),
    /// Ask what is expected of the folder's policies, as if they decided; fails where a decision is another one. Changes nothing
    Test {
        #[command(flatten)]
        place: Place,
        /// The file of expected decisions, in TOML or JSON; `tests.toml` or `tests.json` in the folder without one
        #[arg(long)]
        tests: Option<PathBuf>,
    },
    /// Write what decides on the server into files; a policy that nothing of decides comes as its newest draft
    Pull(Place),
}

#[derive(Debug, clap::Args)]
struct Place {
    /// The folder of `.cedar` files
    folder: PathBuf,
    /// The project's slug; the organization's own policies without one
    #[arg(long, short)]
    project: Option<String>,
}

/// What a file means for the server.
#[derive(Debug, Clone, Copy)]
enum Step<'a> {
    /// There is no policy of this name.
    Create,
    /// Its text is another one.
    Redraft(&'a Policy),
    /// This version says it already, and decides.
    Same,
    /// This version says it already, and decides nothing.
    Waits(&'a Policy, &'a PolicyVersion),
}

impl<'a> Step<'a> {
    fn of(policies: &'a [Policy], name: &str, text: &str) -> Self {
        let Some(policy) = policies.iter().find(|it| it.name == name) else { return Self::Create };
        let same = |it: &&PolicyVersion| it.text.trim() == text.trim();
        let version = |number: i64| policy.versions.iter().find(|it| it.number == number);
        if policy.active.and_then(version).as_ref().is_some_and(same) {
            return Self::Same;
        }
        match policy.versions.iter().find(same).filter(|it| it.state != "withdrawn") {
            Some(version) => Self::Waits(policy, version),
            None => Self::Redraft(policy),
        }
    }
}

pub(super) async fn run(arguments: Arguments) -> Result<(), Failure> {
    let client = Client::new(&arguments.access, "policy").await?;
    match arguments.what {
        What::Apply { place, activate, note } => apply(&client, &place, activate, &note).await,
        What::Plan(place) => plan(&client, &place).await.map(|_| ()),
        What::Pull(place) => pull(&client, &place).await,
        What::Test { place, tests } => test(&client, &place, tests.as_deref()).await,
    }
}

async fn pull(client: &Client, place: &Place) -> Result<(), Failure> {
    let policies = client.policies(place.project.as_deref()).await?;
    let mut out = std::io::stdout().lock();
    for policy in &policies {
        let deciding = policy.versions.iter().find(|it| Some(it.number) == policy.active);
        let Some(version) = deciding.or(policy.versions.first()) else { continue };
        let file = folder::write(&place.folder, &policy.name, &version.text)?;
        said(writeln!(out, "{}  version {}, {}", file.display(), version.number, version.state))?;
    }
    Ok(())
}

/// What there is and what is wanted; fails where a file holds no policy that could decide.
async fn plan(client: &Client, place: &Place) -> Result<(Vec<Policy>, BTreeMap<String, String>), Failure> {
    let project = place.project.as_deref();
    let (files, policies) = (folder::read(&place.folder)?, client.policies(project).await?);
    let mut out = std::io::stdout().lock();
    let mut bad = 0_usize;
    for (name, text) in &files {
        let word = match Step::of(&policies, name, text) {
            Step::Create => "create",
            Step::Redraft(_) => "change",
            Step::Same => "same",
            Step::Waits(..) => "activate",
        };
        said(writeln!(out, "{word:<9}{name}"))?;
        if word == "same" {
            continue;
        }
        let checked = client.check_policy(project, text).await?;
        let file = folder::path(&place.folder, name);
        for error in &checked.errors {
            let (line, column) = (error.line, error.column);
            said(writeln!(out, "{}:{line}:{column}: {}", file.display(), error.detail))?;
        }
        bad = bad.saturating_add(usize::from(!checked.valid));
    }
    for policy in policies.iter().filter(|it| it.active.is_some() && !files.contains_key(&it.name)) {
        said(writeln!(out, "{:<9}{}", "extra", policy.name))?;
    }
    if bad > 0 { Err(Failure::NoPolicies(bad)) } else { Ok((policies, files)) }
}

async fn test(client: &Client, place: &Place, tests: Option<&Path>) -> Result<(), Failure> {
    /// Cases that a server takes at once.
    const AT_ONCE: usize = 200;
    let cases = cases::read(&place.folder, tests)?;
    let project = place.project.as_deref();
    let (files, policies) = (folder::read(&place.folder)?, client.policies(project).await?);
    let differs = |(name, text): &(&String, &String)| !matches!(Step::of(&policies, name, text), Step::Same);
    let texts: Vec<_> =
        files.iter().filter(differs).map(|(name, text)| (name.as_str(), text.as_str())).collect();
    let mut out = std::io::stdout().lock();
    let mut failed = 0_usize;
    for some in cases.chunks(AT_ONCE) {
        let asked: Vec<_> = some.iter().map(cases::Case::asked).collect();
        let outcomes = client.run_policy_cases(project, &texts, &asked).await?;
        if outcomes.len() != some.len() {
            return Err(Failure::Usage("the server answered another number of tests"));
        }
        for (case, outcome) in some.iter().zip(outcomes) {
            let expected = case.expect.as_str();
            if outcome == expected {
                said(writeln!(out, "pass     {}", case.name))?;
            } else {
                failed = failed.saturating_add(1);
                said(writeln!(out, "fail     {}: {outcome}, and must be {expected}", case.name))?;
            }
        }
    }
    if failed > 0 { Err(Failure::TestsFailed(failed)) } else { Ok(()) }
}

async fn apply(client: &Client, place: &Place, activate: bool, note: &str) -> Result<(), Failure> {
    let (policies, files) = plan(client, place).await?;
    let project = place.project.as_deref();
    for (name, text) in &files {
        let (id, number, decided) = match Step::of(&policies, name, text) {
            Step::Same => continue,
            Step::Waits(policy, version) => {
                (policy.id.clone(), version.number, version.state == "superseded")
            }
            Step::Create => newest(client.create_policy(project, name, text, note).await?)?,
            Step::Redraft(policy) => newest(client.redraft_policy(&policy.id, text, note).await?)?,
        };
        if activate {
            let verb = if decided { "roll-back" } else { "activate" };
            client.turn_policy(&id, number, verb).await?;
        }
    }
    Ok(())
}

/// The draft that was made just now.
fn newest(policy: Policy) -> Result<(String, i64, bool), Failure> {
    let number = policy.versions.first().map(|it| it.number);
    Ok((policy.id, number.ok_or(Failure::Usage("the server answered without a version"))?, false))
}

fn said(written: std::io::Result<()>) -> Result<(), Failure> {
    written.map_err(Failure::io("print"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn version(number: i64, state: &str, text: &str) -> PolicyVersion {
        PolicyVersion { number, state: state.into(), text: text.into() }
    }

    #[test]
    fn a_file_means_what_the_server_lacks() {
        let versions =
            vec![version(3, "draft", "c"), version(2, "active", "b\n"), version(1, "superseded", "a")];
        let policies =
            [Policy { id: "pol_1".into(), name: "Night".into(), project: None, active: Some(2), versions }];
        let step = |name, text| match Step::of(&policies, name, text) {
            Step::Create => "create".to_owned(),
            Step::Redraft(_) => "redraft".to_owned(),
            Step::Same => "same".to_owned(),
            Step::Waits(_, version) => format!("waits {}", version.number),
        };
        assert_eq!(step("Day", "a"), "create");
        assert_eq!(step("Night", "b"), "same");
        assert_eq!(step("Night", "c"), "waits 3");
        assert_eq!(step("Night", "a"), "waits 1");
        assert_eq!(step("Night", "d"), "redraft");
    }
}
