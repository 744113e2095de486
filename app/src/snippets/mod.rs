//! Ways to get a secret's value that work as they are written: for a shell, a file, a cluster, a pipeline, a program.
//!
//! Each takes the server's address from `KEYWARDEN_SERVER` and a service token from `KEYWARDEN_TOKEN`, so that no text that
//! is copied around holds one; pipelines need none, since their platform's token is exchanged. Where one has to say why a
//! value is read, `KEYWARDEN_REASON` does; a pipeline names its run there. The tests of the server run them.

mod pipelines;
mod programs;

use std::fmt::Write as _;

use pipelines::CURL;

/// One way, to be copied.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Way {
    /// The client, printing one value.
    Cli,
    /// HTTP alone.
    Curl,
    /// A file of variables.
    Dotenv,
    /// A job of GitHub Actions, by the client.
    GitHub,
    /// A job of GitHub Actions, by HTTP alone.
    GitHubCurl,
    /// A job of GitLab CI, by the client.
    GitLab,
    /// A job of GitLab CI, by HTTP alone.
    GitLabCurl,
    /// A program in Go.
    Go,
    /// A Secret of a cluster.
    Kubernetes,
    /// A program in JavaScript.
    Node,
    /// A program in Python.
    Python,
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
    /// Whether its value is no text.
    pub binary: bool,
    /// Whether one has to say why it is read.
    pub asks_why: bool,
}

impl Way {
    /// All of them, in the order in which they are offered. A file of variables holds no bytes that are no text.
    pub fn all(is_binary: bool) -> Vec<Self> {
        let all = [
            Self::Cli,
            Self::Run,
            Self::Curl,
            Self::Python,
            Self::Node,
            Self::Go,
            Self::Dotenv,
            Self::Kubernetes,
            Self::GitHub,
            Self::GitHubCurl,
            Self::GitLab,
            Self::GitLabCurl,
        ];
        all.into_iter().filter(|it| !(is_binary && *it == Self::Dotenv)).collect()
    }

    /// The text to be copied.
    pub fn text(self, of: Spot<'_>) -> String {
        let Spot { project, environment, path, asks_why, .. } = of;
        let place = format!("--project {project} --environment {environment} --only {}", variable(path));
        let run = |program: &str| format!("keywarden run {place} -- {program}");
        match self {
            Self::Cli => format!("keywarden secret get {}", word(&format!("{project}/{environment}/{path}"))),
            Self::Run => run("./program"),
            Self::Curl => curl(of),
            Self::Dotenv => format!("keywarden export {place} --format dotenv > .env"),
            Self::Kubernetes => format!("keywarden export {place} --format k8s | kubectl apply -f -"),
            Self::GitHub => pipelines::github(&run("./deploy"), asks_why),
            Self::GitHubCurl => pipelines::github_with_curl(&curl(of), asks_why),
            Self::GitLab => pipelines::gitlab(&run("./deploy"), asks_why),
            Self::GitLabCurl => pipelines::gitlab_with_curl(&curl(of), asks_why),
            Self::Go => programs::go(of),
            Self::Node => programs::node(of),
            Self::Python => programs::python(of),
        }
    }
}

fn curl(of: Spot<'_>) -> String {
    let Spot { project, environment, path, asks_why, .. } = of;
    let why = if asks_why { "--header \"Keywarden-Reason: $KEYWARDEN_REASON\" \\\n  " } else { "" };
    format!(
        "{CURL} --header \"Authorization: Bearer $KEYWARDEN_TOKEN\" \\\n  \
         {why}\"$KEYWARDEN_SERVER/api/v1/projects/{project}/environments/{environment}/secrets/{}\"",
        escaped(path)
    )
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
        let path = "3ds/it's $HOME \u{e9}";
        let of = Spot { project: "pay", environment: "live", path, binary: false, asks_why: false };
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
        assert_eq!(
            Source::Aws.text("pay", "live", "a b"),
            "keywarden secret import --from-aws --region eu-central-1 \\\n  --project pay --environment live --folder 'a b' --dry-run"
        );
        assert!(!Source::Vault.text("pay", "live", "").contains("--folder"));
        assert!(!Way::all(true).contains(&Way::Dotenv) && Way::all(false).len() == 12);
    }

    #[test]
    fn a_path_is_written_as_each_language_writes_a_string() {
        let path = "a\"b\\c/${d} \u{e9}";
        let of = Spot { project: "pay", environment: "live", path, binary: false, asks_why: false };
        let literal = "\"a\\\"b\\\\c/${d} \u{e9}\"";
        for way in [Way::Go, Way::Node, Way::Python] {
            assert!(
                way.text(of).contains(&format!("({literal}"))
                    || way.text(of).contains(&format!("= {literal}.split")),
                "{}",
                way.text(of)
            );
            let binary = Spot { binary: true, ..of };
            assert!(way.text(binary).contains("value_base64") && !way.text(of).contains("base64"), "{way:?}");
        }
        let go = Way::Go.text(of);
        assert_eq!(go.matches('{').count(), go.matches('}').count(), "{go}");
        for part in ["url.PathEscape(name)", "\treturn answer.Value, err\n}", "`json:\"value\"`"] {
            assert!(go.contains(part), "{part}: {go}");
        }
        assert!(!go.contains("    "), "it is indented as gofmt does: {go}");
    }

    /// The client takes the variable by itself.
    #[test]
    fn the_reason_is_told_where_it_is_asked_for_and_nowhere_else() {
        let path = "db/password";
        let of = Spot { project: "pay", environment: "live", path, binary: false, asks_why: false };
        for way in Way::all(false) {
            let is_client = matches!(way, Way::Cli | Way::Run | Way::Dotenv | Way::Kubernetes);
            let asked = way.text(Spot { asks_why: true, ..of });
            assert_eq!(asked.contains("KEYWARDEN_REASON"), !is_client, "{asked}");
            assert!(!way.text(of).to_lowercase().contains("reason"), "{}", way.text(of));
        }
    }

    #[test]
    fn pipelines_hold_no_token_and_ask_for_their_platforms() {
        let path = "db/password";
        let of = Spot { project: "pay", environment: "live", path, binary: false, asks_why: false };
        for (way, parts) in [
            (Way::GitHub, &["id-token: write", "run: keywarden run --project pay"][..]),
            (
                Way::GitHubCurl,
                &[
                    "id-token: write",
                    "ACTIONS_ID_TOKEN_REQUEST_URL&audience=",
                    "/oauth2/token",
                    "::add-mask::",
                ],
            ),
            (
                Way::GitLab,
                &["id_tokens:", "aud: $KEYWARDEN_SERVER", "KEYWARDEN_EXCHANGE_TOKEN_FILE", "- keywarden run"],
            ),
            (
                Way::GitLabCurl,
                &["id_tokens:", "aud: $KEYWARDEN_SERVER", "/oauth2/token", "/secrets/db/password"],
            ),
        ] {
            let text = way.text(of);
            for part in parts {
                assert!(text.contains(part), "{part}: {text}");
            }
            assert!(!text.contains("secrets.KEYWARDEN_TOKEN"), "{text}");
            let block = text.lines().skip_while(|it| !it.ends_with('|')).skip(1);
            assert!(block.into_iter().all(|it| it.starts_with("      ")), "one block of YAML: {text}");
        }
    }
}
