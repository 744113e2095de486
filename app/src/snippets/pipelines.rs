//! Jobs of pipelines that sign in with the token that their platform gives them (RFC 8693): nothing is stored there but the
//! server's address, which is the audience, too. A sign-in rule of a workload has to admit the job.

/// A job of GitHub Actions that runs `command`, a command of the client.
pub(super) fn github(command: &str, asks_why: bool) -> String {
    format!("{GITHUB}{}  run: {command}", if asks_why { GITHUB_WHY } else { "" })
}

/// A job of GitHub Actions that runs `command`, which takes a service token.
pub(super) fn github_with_curl(command: &str, asks_why: bool) -> String {
    let asked = format!(
        "KEYWARDEN_ID_TOKEN=$({CURL} --header \"Authorization: Bearer $ACTIONS_ID_TOKEN_REQUEST_TOKEN\" \\\n  \
         \"$ACTIONS_ID_TOKEN_REQUEST_URL&audience=$KEYWARDEN_SERVER\" | {})",
        field("value")
    );
    let masked = "echo \"::add-mask::$KEYWARDEN_TOKEN\"";
    let lines = [asked.as_str(), &exchanged(), masked, command].join("\n");
    format!("{GITHUB}{}  run: |\n{}", if asks_why { GITHUB_WHY } else { "" }, indented(&lines))
}

/// A job of GitLab CI that runs `command`, a command of the client.
pub(super) fn gitlab(command: &str, asks_why: bool) -> String {
    let why = if asks_why { GITLAB_WHY } else { "" };
    format!(
        "{GITLAB}  variables:\n    KEYWARDEN_EXCHANGE_TOKEN_FILE: .keywarden-id-token\n{why}  script:\n    \
         - (umask 077; printf %s \"$KEYWARDEN_ID_TOKEN\" > \"$KEYWARDEN_EXCHANGE_TOKEN_FILE\")\n    - {command}"
    )
}

/// A job of GitLab CI that runs `command`, which takes a service token.
pub(super) fn gitlab_with_curl(command: &str, asks_why: bool) -> String {
    let lines = [exchanged().as_str(), command].join("\n");
    let why = if asks_why { format!("  variables:\n{GITLAB_WHY}") } else { String::new() };
    format!("{GITLAB}{why}  script:\n    - |\n{}", indented(&lines))
}

const GITHUB: &str = "# The job needs `permissions: { id-token: write }`, and a sign-in rule that admits it.\n\
    - name: Deploy\n  env:\n    KEYWARDEN_SERVER: ${{ vars.KEYWARDEN_SERVER }}\n";

/// Names the run.
const GITHUB_WHY: &str = "    KEYWARDEN_REASON: run ${{ github.run_id }} of ${{ github.repository }}\n";

const GITLAB_WHY: &str = "    KEYWARDEN_REASON: job $CI_JOB_ID of $CI_PROJECT_PATH\n";

const GITLAB: &str = "# KEYWARDEN_SERVER is a CI/CD variable; a sign-in rule has to admit the job.\n\
    deploy:\n  id_tokens:\n    KEYWARDEN_ID_TOKEN:\n      aud: $KEYWARDEN_SERVER\n";

pub(super) const CURL: &str = "curl --fail-with-body --silent --show-error";

/// Gets a service token of a quarter of an hour for the platform's.
fn exchanged() -> String {
    format!(
        "KEYWARDEN_TOKEN=$({CURL} \\\n  \
         --data-urlencode grant_type=urn:ietf:params:oauth:grant-type:token-exchange \\\n  \
         --data-urlencode subject_token_type=urn:ietf:params:oauth:token-type:jwt \\\n  \
         --data-urlencode \"subject_token=$KEYWARDEN_ID_TOKEN\" \\\n  \
         \"$KEYWARDEN_SERVER/oauth2/token\" | {})",
        field("access_token")
    )
}

/// Takes a token out of a JSON object: no character of it is escaped there.
fn field(name: &str) -> String {
    format!("sed 's/.*\"{name}\" *: *\"\\([^\"]*\\)\".*/\\1/'")
}

fn indented(lines: &str) -> String {
    lines.lines().map(|line| format!("      {line}")).collect::<Vec<_>>().join("\n")
}
