//! `keywarden access`: a pipeline asks for a role, waits until people signed, goes on, and gives it back.

use std::{io::Write as _, time::Duration};

use clap::Subcommand;

use super::{Failure, shown_at};
use crate::client::{Access, AccessRequest, Client, NewAccessRequest};

/// How often a server is asked whether it is answered.
const EVERY: Duration = Duration::from_secs(5);

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    access: Access,
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Ask for a role for a while; prints the request's id
    Request {
        /// `viewer`, `reader`, `issuer`, `verifier` or `manager` of a project; `auditor` or `admin` of the organization
        role: String,
        /// The project's slug or id
        #[arg(long, short)]
        project: Option<String>,
        /// For how long: `45m`, `2h` or `1d`
        #[arg(long = "for", value_parser = span, value_name = "TIME")]
        lasts: i64,
        /// Why, in 3 to 200 characters; others sign it
        #[arg(long, value_name = "TEXT")]
        because: String,
        /// Where else it is spoken of
        #[arg(long, default_value = "")]
        ticket: String,
        /// The id of the person or workload who is to hold it, if it is not the caller
        #[arg(long, value_name = "ID")]
        holder: Option<String>,
        /// Wait until it is answered; fails if the role is not held then
        #[arg(long)]
        wait: bool,
    },
    /// List what was asked for, newest first
    List {
        /// Only in this state: `pending`, `active`, `denied`, `ended`, `expired` or `withdrawn`
        #[arg(long)]
        state: Option<String>,
    },
    /// Say how it is with a request
    Status { request: String },
    /// Wait until a request is answered; fails if the role is not held then
    Wait { request: String },
    /// Give back the role that came of a request
    GiveBack { request: String },
}

/// `45m`, `2h` or `1d`, in seconds.
fn span(text: &str) -> Result<i64, &'static str> {
    const WRITE: &str = "write minutes, hours or days: 45m, 2h, 1d";
    let (number, unit) = match text.char_indices().next_back() {
        Some((at, 'm')) => (text.get(..at), 60),
        Some((at, 'h')) => (text.get(..at), 3_600),
        Some((at, 'd')) => (text.get(..at), 86_400),
        _ => return Err(WRITE),
    };
    let number = number.filter(|it| !it.is_empty() && it.bytes().all(|byte| byte.is_ascii_digit()));
    let number: i64 = number.and_then(|it| it.parse().ok()).ok_or(WRITE)?;
    number.checked_mul(unit).filter(|it| *it > 0 && *it <= 2_592_000).ok_or(WRITE)
}

pub(super) async fn run(arguments: Arguments) -> Result<(), Failure> {
    let client = Client::new(&arguments.access, "access").await?;
    match arguments.what {
        What::Request { role, project, lasts, because, ticket, holder, wait: waits } => {
            let new = NewAccessRequest {
                role: &role,
                project: project.as_deref(),
                holder: holder.as_deref(),
                lasts_seconds: lasts,
                reason: &because,
                ticket: &ticket,
            };
            let request = client.request_access(&new).await?;
            say(&request.id)?;
            if waits { wait(&client, &request.id).await } else { Ok(()) }
        }
        What::List { state } => {
            for request in client.access_requests(state.as_deref()).await? {
                say(&line(&request))?;
            }
            Ok(())
        }
        What::Status { request } => say(&line(&client.access_request(&request).await?)),
        What::Wait { request } => wait(&client, &request).await,
        What::GiveBack { request } => {
            let request = client.access_request(&request).await?;
            let held = request.grant.filter(|it| it.ended_at.is_none());
            let held = held.ok_or_else(|| Failure::NotHeld(request.state))?;
            let ended = client.give_back(&held.id).await?;
            say(&format!("{}  given back", ended.id))
        }
    }
}

async fn wait(client: &Client, id: &str) -> Result<(), Failure> {
    loop {
        let request = client.access_request(id).await?;
        match request.state.as_str() {
            "pending" => tokio::time::sleep(EVERY).await,
            "active" => return say(&line(&request)),
            _ => {
                say(&line(&request))?;
                return Err(Failure::NotHeld(request.state));
            }
        }
    }
}

/// One line: what it is about, how it is, until when.
fn line(it: &AccessRequest) -> String {
    let place = it.project.as_deref().unwrap_or("-");
    let more = match (it.state.as_str(), &it.grant) {
        ("active", Some(grant)) => format!("until {}", shown_at(grant.ends_at)),
        ("pending", _) => match it.need {
            Some(need) => format!("{} of {need} signed, until {}", it.have, shown_at(it.expires_at)),
            None => format!("until {}", shown_at(it.expires_at)),
        },
        _ => it.words.clone(),
    };
    format!("{}  {:<9}  {} {place}  {more}", it.id, it.state, it.role).trim_end().to_owned()
}

fn say(line: &str) -> Result<(), Failure> {
    writeln!(std::io::stdout().lock(), "{line}").map_err(Failure::io("print"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_minutes_hours_or_days_and_nothing_else() {
        for (text, read) in [("45m", 2_700), ("2h", 7_200), ("1d", 86_400), ("30d", 2_592_000)] {
            assert_eq!(span(text), Ok(read), "{text}");
        }
        for text in ["", "h", "0h", "-1h", "1.5h", "2", "31d", "2H", "99999999999999999999d", "é", "2é"] {
            assert!(span(text).is_err(), "{text}");
        }
    }
}
