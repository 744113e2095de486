//! `GET /api/v1/secrets/{secret}/versions/{version}`

use axum::{extract::State, response::Response};
use keywarden_domain::{
    Domain,
    secrets::{self, DeliveryWay, Origin},
};
use serde::Serialize;
use utoipa::ToSchema;

use super::{
    SecretVersion,
    at::{Number, Of},
};
use crate::{caller::Caller, json, problem::Problem};

/// A version of a secret, and how it came to be.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct MadeVersion {
    #[serde(flatten)]
    version: SecretVersion,
    /// As the record tells it; absent where the record does not have it.
    #[serde(skip_serializing_if = "Option::is_none")]
    made: Option<VersionMaking>,
}

/// How a version came to be.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct VersionMaking {
    /// `console`, `client` or `program`.
    #[schema(example = "client")]
    way: &'static str,
    /// The client's command.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "secret")]
    command: Option<String>,
    /// Why, where its maker said so.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "INC-7: the database was moved")]
    reason: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    from: Option<VersionOrigin>,
    /// The event's id; this and what follows for those who may read the project's record.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "evt_01JDB2W1N9F6Q3R8T5V7X9Z0AB")]
    event: Option<String>,
    /// Whence it was made.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "192.0.2.7")]
    address: Option<String>,
    /// What its maker's program called itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "keywarden/1.2.3 (secret)")]
    agent: Option<String>,
}

/// Where a value comes from that was not sent.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct VersionOrigin {
    /// `edited`: a version of the same secret, with other fields; `rotated`: one under another data key; `promoted`: another
    /// secret.
    #[schema(example = "promoted")]
    by: &'static str,
    /// The other secret, if the caller may see it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "sec_01JDB2W1N9F6Q3R8T5V7X9Z0AB")]
    secret: Option<String>,
    /// The slug of its environment.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "test")]
    environment: Option<String>,
    /// The number of the version.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = 3)]
    version: Option<i64>,
}

/// Show a version of a secret, without its value
///
/// With who made it, how, from which value and why.
#[utoipa::path(
    get,
    path = "/api/v1/secrets/{secret}/versions/{version}",
    tag = "Secrets",
    operation_id = "showSecretVersion",
    params(
        ("secret" = String, Path, description = "`sec_…`"),
        ("version" = u64, Path, description = "The version's number"),
    ),
    responses((status = 200, description = "The version", body = MadeVersion)),
)]
pub(crate) async fn show(
    State(domain): State<Domain>,
    caller: Caller,
    of: Of<Number>,
) -> Result<Response, Problem> {
    let (version, making) = domain.secret_version(caller.op(), of.secret, of.part.0).await?;
    Ok(json::ok(&MadeVersion { version: version.into(), made: making.map(VersionMaking::from) }))
}

impl From<secrets::Making> for VersionMaking {
    fn from(it: secrets::Making) -> Self {
        let (way, command) = match it.way {
            DeliveryWay::Client(command) => ("client", Some(command)),
            DeliveryWay::Console => ("console", None),
            _ => ("program", None),
        };
        let (event, address, agent) = match it.record {
            Some(record) => (Some(record.event.to_string()), record.address, record.agent),
            None => (None, None, None),
        };
        Self {
            way,
            command,
            reason: it.reason,
            from: it.origin.map(VersionOrigin::from),
            event,
            address,
            agent,
        }
    }
}

impl From<Origin> for VersionOrigin {
    fn from(origin: Origin) -> Self {
        let own = |by, version| Self { by, secret: None, environment: None, version: Some(version) };
        match origin {
            Origin::Edited(version) => own("edited", version),
            Origin::Rotated(version) => own("rotated", version),
            Origin::Promoted(None) => Self { by: "promoted", secret: None, environment: None, version: None },
            Origin::Promoted(Some((secret, version))) => Self {
                by: "promoted",
                secret: Some(secret.id.to_string()),
                environment: Some(secret.environment_slug),
                version: Some(version),
            },
        }
    }
}
