use std::{
    fs::File,
    io::{self, BufReader},
    path::PathBuf,
};

use axum::{
    Json, Router,
    extract::State,
    routing::{get, post},
};
use chrono::{DateTime, Utc};
use keywarden_domain::backup::{ApplyEvents, DrillReport, EventsReport};
use keywarden_model::{Name, RecipientId};
use serde::{Deserialize, Serialize};

use super::{Desk, trouble::Trouble};

/// Where a backup is to be written. The server writes the file itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct MakeBackup {
    pub to: PathBuf,
}

/// The backup that was made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct MadeBackup {
    pub id: String,
    pub made_at: DateTime<Utc>,
    pub size: u64,
    pub digest: String,
    pub recipients: Vec<RecipientId>,
}

/// A drill that was done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Drilled {
    pub made_at: DateTime<Utc>,
    /// Milliseconds.
    pub took: u64,
    pub report: DrillReport,
}

/// Whom later backups are encrypted to as well.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewRecipient {
    pub name: String,
    pub text: String,
}

/// The recipient that was added.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct RecipientMade {
    pub id: RecipientId,
}

/// Whom later backups are not encrypted to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RemoveRecipient {
    pub id: String,
}

/// A recipient, as the shell shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct RecipientShown {
    pub id: RecipientId,
    pub name: String,
    pub added_at: DateTime<Utc>,
}

/// Events that are to be applied after a restore. The server reads the files itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct WantedEvents {
    pub files: Vec<PathBuf>,
    pub complete_until: Option<DateTime<Utc>>,
    pub accept_gap: bool,
}

/// Where the gap begins that is accepted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Accept {
    pub made_at: DateTime<Utc>,
}

/// What was accepted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Accepted {
    pub made_at: DateTime<Utc>,
    pub reached: DateTime<Utc>,
    pub restored_at: DateTime<Utc>,
}

pub(super) fn routes() -> Router<Desk> {
    Router::new()
        .route("/backups", post(make))
        .route("/drills", post(drill))
        .route("/recipients", get(list).post(add).delete(remove))
        .route("/restores/accept", post(accept))
        .route("/restores/events", post(apply))
}

/// Files of events, each at its beginning.
pub(crate) fn opened(files: &[PathBuf]) -> io::Result<Vec<BufReader<File>>> {
    let open = |path: &PathBuf| match File::open(path) {
        Ok(file) => Ok(BufReader::new(file)),
        Err(cause) => Err(io::Error::new(cause.kind(), format!("{}: {cause}", path.display()))),
    };
    files.iter().map(open).collect()
}

async fn make(State(desk): State<Desk>, Json(wanted): Json<MakeBackup>) -> Result<Json<MadeBackup>, Trouble> {
    let made = desk.domain.back_up(&desk.domain.shell_op(), &wanted.to).await?;
    Ok(Json(MadeBackup {
        id: made.id.to_string(),
        made_at: made.made_at,
        size: made.size,
        digest: made.digest,
        recipients: made.recipients,
    }))
}

async fn drill(State(desk): State<Desk>) -> Result<Json<Drilled>, Trouble> {
    let drill = desk.domain.drill(&desk.domain.shell_op()).await?;
    let took = drill.took().unwrap_or_default().as_millis();
    Ok(Json(Drilled {
        made_at: drill.made_at,
        took: u64::try_from(took).unwrap_or(u64::MAX),
        report: drill.report.unwrap_or_default(),
    }))
}

async fn list(State(desk): State<Desk>) -> Result<Json<Vec<RecipientShown>>, Trouble> {
    let backups = desk.domain.backups(&desk.domain.shell_op()).await?;
    let shown = backups.recipients.into_iter();
    Ok(Json(shown.map(|it| RecipientShown { id: it.id, name: it.name, added_at: it.added_at }).collect()))
}

async fn add(
    State(desk): State<Desk>,
    Json(wanted): Json<NewRecipient>,
) -> Result<Json<RecipientMade>, Trouble> {
    let name: Name = wanted.name.parse()?;
    let id = desk.domain.add_recipient(&desk.domain.shell_op(), name, &wanted.text).await?;
    Ok(Json(RecipientMade { id }))
}

async fn remove(State(desk): State<Desk>, Json(wanted): Json<RemoveRecipient>) -> Result<Json<()>, Trouble> {
    let id: RecipientId = wanted.id.parse()?;
    desk.domain.remove_recipient(&desk.domain.shell_op(), id).await?;
    Ok(Json(()))
}

async fn accept(State(desk): State<Desk>, Json(wanted): Json<Accept>) -> Result<Json<Accepted>, Trouble> {
    let gap = desk.domain.accept_restore(&desk.domain.shell_op(), wanted.made_at).await?;
    Ok(Json(Accepted { made_at: gap.made_at, reached: gap.reached(), restored_at: gap.restored_at }))
}

async fn apply(
    State(desk): State<Desk>,
    Json(wanted): Json<WantedEvents>,
) -> Result<Json<EventsReport>, Trouble> {
    let files = opened(&wanted.files)?;
    let how = ApplyEvents { complete_until: wanted.complete_until, accept_gap: wanted.accept_gap };
    Ok(Json(desk.domain.apply_events(&desk.domain.shell_op(), files, how).await?))
}
