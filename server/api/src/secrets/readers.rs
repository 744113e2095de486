//! `GET /api/v1/secrets/{secret}/readers`

use axum::{Json, extract::State};
use keywarden_domain::{
    Domain,
    secrets::{self, Address},
};
use keywarden_model::SecretId;
use serde::Serialize;
use utoipa::ToSchema;

use crate::{at::At, caller::Caller, problem::Problem};

/// Everybody who may read a secret's value.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Readers {
    /// People and workloads by name.
    readers: Vec<Reader>,
    /// True if the organization has more roles than are looked through.
    incomplete: bool,
}

/// Somebody who may read it.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Reader {
    /// The id of the person or workload.
    #[schema(example = "usr_01JDB2W1N9F6Q3R8T5V7X9Z0AB")]
    id: String,
    /// `person` or `workload`.
    #[schema(example = "person")]
    kind: &'static str,
    #[schema(example = "Alice")]
    name: String,
    /// Each role that would do by itself.
    roles: Vec<Ground>,
}

/// A role that lets somebody read it.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Ground {
    #[schema(example = "manager")]
    role: &'static str,
    /// `project` for a role held in the secret's project, otherwise `organization`.
    #[schema(example = "project")]
    held_in: &'static str,
    /// The team that holds the role; absent for one's own.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "tem_01JDB2W1N9F6Q3R8T5V7X9Z0AB")]
    team: Option<String>,
}

/// List who may read a secret's value, and why
///
/// As the policies answer for each person and workload. Whoever works on the server's own shell is not listed.
#[utoipa::path(
    get,
    path = "/api/v1/secrets/{secret}/readers",
    tag = "Secrets",
    operation_id = "listSecretReaders",
    params(("secret" = String, Path, description = "`sec_…`")),
    responses((status = 200, description = "Who may read it", body = Readers)),
)]
pub(crate) async fn readers(
    State(domain): State<Domain>,
    caller: Caller,
    At(secret): At<SecretId>,
) -> Result<Json<Readers>, Problem> {
    let secrets::Readers { readers, incomplete } =
        domain.secret_readers(caller.op(), &Address::Id(secret)).await?;
    Ok(Json(Readers { readers: readers.into_iter().map(Reader::from).collect(), incomplete }))
}

impl From<secrets::Reader> for Reader {
    fn from(reader: secrets::Reader) -> Self {
        Self {
            id: reader.holder.to_string(),
            kind: reader.holder.kind(),
            name: reader.name,
            roles: reader.grounds.into_iter().map(Ground::from).collect(),
        }
    }
}

impl From<secrets::Ground> for Ground {
    fn from(ground: secrets::Ground) -> Self {
        Self {
            role: ground.role.as_str(),
            held_in: if ground.in_project { "project" } else { "organization" },
            team: ground.team.map(|(id, _)| id.to_string()),
        }
    }
}
