//! Ways to get a secret's value that work as they are written: for a shell, a file, a cluster, a pipeline.
//!
//! Each takes the server's address from `KEYWARDEN_SERVER` and a service token from `KEYWARDEN_TOKEN`, so that no text that
//! is copied around holds one. The tests of the server run them.

use std::fmt::Write as _;

/// One way, to be copied.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Way {
    /// The client, printing one value.
    Cli,
    /// HTTP alone.
    Curl,
    /// A file of variables.
    Dotenv,
    /// A job of GitHub Actions.
    GitHub,
    /// A job of GitLab CI.
    GitLab,
    /// A Secret of a cluster.
    Kubernetes,
    /// A program that finds the value in a variable.
    Run,
}

/// A running system whose secrets are imported: looked at first, since each has `--dry-run`. Its own keys are never in the
/// text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Source {
    /// AWS Secrets Manager.
    Aws,
    /// A Vault or OpenBao.
    Vault,
}

impl Source {
    /// All of them, in the order in which they are offered.
    pub const ALL: [Self; 2] = [Self::Vault, Self::Aws];

    /// The text to be copied, for an environment and perhaps a folder of it.
    pub fn text(self, project: &str, environment: &str, folder: &str) -> String {
        let from = match self {
            Self::Aws => "--from-aws --region eu-central-1",
            Self::Vault => "--from-vault https://vault.example.com:8200 --mount secret",
        };
        let folder = if folder.is_empty() { String::new() } else { format!(" --folder {}", word(folder)) };
        format!(
            "keywarden secret import {from} \\\n  --project {project} --environment {environment}{folder} --dry-run"
        )
    }
}

/// Where a secret lives.
#[derive(Clone, Copy, Debug)]
pub struct Spot<'a> {
    /// The project's slug.
    pub project: &'a str,
    /// The environment's slug.
    pub environment: &'a str,
    /// Folders and name.
    pub path: &'a str,
}

impl Way {
    /// All of them, in the order in which they are offered. A file of variables holds no bytes that are no text.
    pub fn all(is_binary: bool) -> Vec<Self> {
        let all =
            [Self::Cli, Self::Run, Self::Curl, Self::Dotenv, Self::Kubernetes, Self::GitHub, Self::GitLab];
        all.into_iter().filter(|it| !(is_binary && *it == Self::Dotenv)).collect()
    }

    /// The text to be copied.
    pub fn text(self, of: Spot<'_>) -> String {
        let Spot { project, environment, path } = of;
        let place = format!("--project {project} --environment {environment} --only {}", variable(path));
        match self {
            Self::Cli => format!("keywarden secret get {}", word(&format!("{project}/{environment}/{path}"))),
            Self::Run => format!("keywarden run {place} -- ./program"),
            Self::Curl => format!(
                "curl --fail-with-body --silent --show-error --header \"Authorization: Bearer $KEYWARDEN_TOKEN\" \\\n  \
                 \"$KEYWARDEN_SERVER/api/v1/projects/{project}/environments/{environment}/secrets/{}\"",
                escaped(path)
            ),
            Self::Dotenv => format!("keywarden export {place} --format dotenv > .env"),
            Self::Kubernetes => format!("keywarden export {place} --format k8s | kubectl apply -f -"),
            Self::GitHub => format!(
                "- name: Deploy\n  env:\n    KEYWARDEN_SERVER: ${{{{ vars.KEYWARDEN_SERVER }}}}\n    \
                 KEYWARDEN_TOKEN: ${{{{ secrets.KEYWARDEN_TOKEN }}}}\n  run: keywarden run {place} -- ./deploy"
            ),
            Self::GitLab => format!(
                "# KEYWARDEN_SERVER and KEYWARDEN_TOKEN are CI/CD variables, the token masked.\n\
                 deploy:\n  script:\n    - keywarden run {place} -- ./deploy"
            ),
        }
    }
}

/// The variable that `keywarden run` and `keywarden export` make of a path.
pub fn variable(path: &str) -> String {
    let letter = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_uppercase() } else { '_' };
    let name: String = path.chars().map(letter).collect();
    if name.starts_with(|c: char| c.is_ascii_digit()) { format!("_{name}") } else { name }
}

/// A word of a shell, quoted where it has to be.
fn word(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '/' | '.' | '_' | '-');
    if text.chars().all(plain) { text.to_owned() } else { format!("'{}'", text.replace('\'', "'\\''")) }
}

/// A path within an address (RFC 3986, 2.3), its slashes as they are.
fn escaped(path: &str) -> String {
    path.bytes().fold(String::new(), |mut text, byte| {
        match byte {
            b'/' | b'-' | b'.' | b'_' | b'~' => text.push(byte.into()),
            _ if byte.is_ascii_alphanumeric() => text.push(byte.into()),
            _ => {
                write!(text, "%{byte:02X}").ok();
            }
        }
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_special_to_a_shell_or_an_address_is_quoted() {
        let of = Spot { project: "pay", environment: "live", path: "3ds/it's $HOME \u{e9}" };
        assert_eq!(Way::Cli.text(of), "keywarden secret get 'pay/live/3ds/it'\\''s $HOME \u{e9}'");
        assert!(
            Way::Curl.text(of).ends_with("/secrets/3ds/it%27s%20%24HOME%20%C3%A9\""),
            "{}",
            Way::Curl.text(of)
        );
        assert_eq!(
            Way::Run.text(of),
            "keywarden run --project pay --environment live --only _3DS_IT_S__HOME__ -- ./program"
        );
        assert!(Way::GitHub.text(of).contains("${{ secrets.KEYWARDEN_TOKEN }}"), "{}", Way::GitHub.text(of));
        assert_eq!(
            Source::Aws.text("pay", "live", "a b"),
            "keywarden secret import --from-aws --region eu-central-1 \\\n  --project pay --environment live --folder 'a b' --dry-run"
        );
        assert!(!Source::Vault.text("pay", "live", "").contains("--folder"));
        assert!(!Way::all(true).contains(&Way::Dotenv) && Way::all(false).len() == 7);
    }
}
