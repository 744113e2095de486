use std::{path::PathBuf, sync::Arc};

use axum::{
    Json, Router,
    extract::State,
    routing::{delete, get, post},
};
use chrono::{DateTime, Utc};
use keywarden_domain::{
    project_seals::{At, OfferedSeal},
    system::SealStatus,
};
use keywarden_vault::{Seal, SealId, seal::software::SoftwareSeal};
use serde::{Deserialize, Serialize};
use tokio::task::spawn_blocking;

use super::{Desk, Letter, LetterTo, trouble::Trouble};

/// A seal, as the shell shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct SealShown {
    pub id: String,
    /// `hsm` or `software`.
    pub protection: String,
    pub added_at: DateTime<Utc>,
    /// Keys that it does not wrap.
    pub lacks: usize,
}

/// Which seal to add. A token's files are named: the server reads them itself. A key file's text is sent in a [`Letter`] about its
/// name, as its place is one that the server's user need not reach: a stick, another machine's folder.
#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) enum SealWanted {
    Pkcs11 {
        module: PathBuf,
        token: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        serial: Option<String>,
        pin_file: PathBuf,
    },
    Software {
        name: String,
        keys: Letter,
    },
}

/// Which seal to take away.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RemoveSeal {
    pub id: String,
}

/// Which seal gets a new key of its own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RotateSeal {
    pub id: String,
}

/// The seal's new key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct RotatedSeal {
    pub number: u32,
    /// How many projects name it; nothing for a seal that wraps the keyring.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub projects: Option<usize>,
}

/// Which old key of a seal is to be destroyed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct DestroySealKey {
    pub id: String,
    pub number: u32,
}

/// The seal that was added.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Added {
    pub id: String,
}

/// A seal that projects may name, as the shell shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct OfferedShown {
    pub id: String,
    /// `hsm` or `software`.
    pub protection: String,
    pub offered_at: DateTime<Utc>,
    /// Why it cannot be asked now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub away: Option<String>,
    /// Slugs of the projects that name it.
    pub projects: Vec<String>,
}

/// How many PINs were forgotten that tokens had refused, or may have.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ForgottenPins {
    pub pins: u64,
}

/// Which seal projects may name from now on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct OfferSeal {
    pub id: String,
}

impl From<OfferedSeal> for OfferedShown {
    fn from(seal: OfferedSeal) -> Self {
        Self {
            id: seal.id.to_string(),
            protection: seal.protection.name().to_owned(),
            offered_at: seal.offered_at,
            away: match seal.at {
                At::Away { cause, .. } => Some(cause),
                At::NotHere => Some("it is not set in KEYWARDEN_SEAL_PROJECTS".into()),
                At::Present => None,
            },
            projects: seal.projects,
        }
    }
}

impl From<SealStatus> for SealShown {
    fn from(seal: SealStatus) -> Self {
        Self {
            id: seal.id.to_string(),
            protection: seal.protection.name().to_owned(),
            added_at: seal.added_at,
            lacks: seal.lacks,
        }
    }
}

pub(super) fn routes() -> Router<Desk> {
    Router::new()
        .route("/seals", get(list).post(add).delete(remove))
        .route("/seals/letters", post(next_letter))
        .route("/seals/offered", get(offered).post(offer))
        .route("/seals/keys", post(rotate).delete(destroy))
        .route("/seals/pins", delete(forget_pins))
}

async fn list(State(desk): State<Desk>) -> Result<Json<Vec<SealShown>>, Trouble> {
    let seals = desk.domain.seals(&desk.domain.shell_op()).await?;
    Ok(Json(seals.into_iter().map(SealShown::from).collect()))
}

async fn add(State(desk): State<Desk>, Json(wanted): Json<SealWanted>) -> Result<Json<Added>, Trouble> {
    let seal: Arc<dyn Seal> = match wanted {
        SealWanted::Pkcs11 { module, token, serial, pin_file } => {
            let made = desk.seals.another_token(&module, (&token, serial.as_deref()), &pin_file)?;
            let (seal, env) = (made.as_seal(), desk.domain.env().clone());
            spawn_blocking(move || made.create(&env)).await??;
            seal
        }
        SealWanted::Software { name, keys } => {
            Arc::new(SoftwareSeal::given(desk.letterbox.open(&name, &keys)?, &name))
        }
    };
    let added = desk.domain.add_seal(&desk.domain.shell_op(), seal).await?;
    Ok(Json(Added { id: added.seal.to_string() }))
}

async fn next_letter(State(desk): State<Desk>) -> Result<Json<LetterTo>, Trouble> {
    Ok(Json(desk.letterbox.next(desk.domain.env())?))
}

async fn rotate(
    State(desk): State<Desk>,
    Json(wanted): Json<RotateSeal>,
) -> Result<Json<RotatedSeal>, Trouble> {
    let id: SealId = wanted.id.parse()?;
    let op = desk.domain.shell_op();
    if desk.domain.is_offered(&op, &id).await? {
        let rotated = desk.domain.rotate_offered_key(&op, &id).await?;
        return Ok(Json(RotatedSeal { number: rotated.number, projects: Some(rotated.projects) }));
    }
    let rotated = desk.domain.rotate_seal_key(&op, &id).await?;
    Ok(Json(RotatedSeal { number: rotated.number, projects: None }))
}

async fn destroy(State(desk): State<Desk>, Json(wanted): Json<DestroySealKey>) -> Result<Json<()>, Trouble> {
    let id: SealId = wanted.id.parse()?;
    let op = desk.domain.shell_op();
    if desk.domain.is_offered(&op, &id).await? {
        desk.domain.destroy_offered_key(&op, &id, wanted.number).await?;
    } else {
        desk.domain.destroy_seal_key(&op, &id, wanted.number).await?;
    }
    Ok(Json(()))
}

async fn remove(State(desk): State<Desk>, Json(wanted): Json<RemoveSeal>) -> Result<Json<()>, Trouble> {
    let id: SealId = wanted.id.parse()?;
    let op = desk.domain.shell_op();
    if desk.domain.is_offered(&op, &id).await? {
        desk.domain.withdraw_seal(&op, &id).await?;
        return Ok(Json(()));
    }
    desk.domain.remove_seal(&desk.domain.shell_op(), &id, &desk.seals.ids()).await?;
    Ok(Json(()))
}

async fn forget_pins(State(desk): State<Desk>) -> Result<Json<ForgottenPins>, Trouble> {
    let pins = desk.domain.forget_pins(&desk.domain.shell_op()).await?;
    Ok(Json(ForgottenPins { pins }))
}

async fn offered(State(desk): State<Desk>) -> Result<Json<Vec<OfferedShown>>, Trouble> {
    let seals = desk.domain.offered_seals(&desk.domain.shell_op()).await?;
    Ok(Json(seals.into_iter().map(OfferedShown::from).collect()))
}

/// Makes the seal's own key first: the only time that one is made.
async fn offer(State(desk): State<Desk>, Json(wanted): Json<OfferSeal>) -> Result<Json<Added>, Trouble> {
    let id: SealId = wanted.id.parse()?;
    let op = desk.domain.shell_op();
    if let Some(made) = desk.seals.of_projects_named(&id)
        && !desk.domain.is_offered(&op, &id).await?
    {
        let env = desk.domain.env().clone();
        spawn_blocking(move || made.create(&env)).await??;
    }
    let offered = desk.domain.offer_seal(&op, &id).await?;
    Ok(Json(Added { id: offered.seal.to_string() }))
}
