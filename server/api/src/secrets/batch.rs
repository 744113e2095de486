//! `POST /api/v1/secrets/batch-get`

use axum::{extract::State, response::Response};
use futures_util::{FutureExt as _, StreamExt as _, future::BoxFuture, stream};
use keywarden_domain::{
    Domain, Op,
    keys::Place,
    secrets::{Address, As, Which},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::read::{Got, NO_NAME, SecretValue};
use crate::{
    caller::Caller,
    flaw::{Flaw, Flaws},
    json::{self, Asked},
    keys::create::place,
    problem::Problem,
};

/// The most values of one request.
const MOST: usize = 100;
/// How many are read at once.
const AT_ONCE: usize = 8;

/// Which values are wanted.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct BatchGet {
    /// Slug or `prj_…`.
    #[schema(example = "pay")]
    project: String,
    /// Slug or `env_…`.
    #[schema(example = "live")]
    environment: String,
    /// 1 to 100.
    #[schema(example = json!([{ "path": "database/password" }]))]
    items: Vec<BatchItem>,
    /// Templates as they were put; otherwise they are resolved.
    #[serde(default)]
    #[schema(example = false)]
    raw: bool,
}

/// One of them.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct BatchItem {
    /// Folders and name.
    #[schema(example = "database/password")]
    path: String,
    /// The number of a version.
    #[schema(example = 3)]
    version: Option<i64>,
    /// A label; `current` unless this or `version` says otherwise.
    label: Option<String>,
    /// The name of a field of the JSON object that the value is: only what stands there.
    field: Option<String>,
}

/// What was read, in the order in which it was wanted. No `Debug`: it holds secrets.
#[derive(Serialize, ToSchema)]
pub(crate) struct BatchGot<'a> {
    items: Vec<BatchAnswer<'a>>,
}

/// One value, or why there is none.
#[derive(Serialize, ToSchema)]
pub(crate) struct BatchAnswer<'a> {
    /// As it was asked for.
    #[schema(example = "database/password")]
    path: &'a str,
    /// The status that reading it alone would have had.
    #[schema(example = 200)]
    status: u16,
    /// With 200.
    #[serde(skip_serializing_if = "Option::is_none")]
    value: Option<SecretValue<'a>>,
    /// With any other status: what went wrong with this one.
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<String>,
}

/// Read many values
///
/// Each is read as if it was read alone: with its own permission and its own event in the audit record. One that cannot be
/// read does not keep the others from being read; its `status` says why.
#[utoipa::path(
    post,
    path = "/api/v1/secrets/batch-get",
    tag = "Secrets",
    operation_id = "batchGetSecrets",
    params(("Keywarden-Reason" = Option<String>, Header, description = "Why the values are read")),
    request_body = BatchGet,
    responses((status = 200, description = "One answer for each item", body = BatchGot)),
    extensions(("x-reads" = json!(true)), ("x-discloses" = json!(true))),
)]
pub(crate) async fn batch_get(
    State(domain): State<Domain>,
    caller: Caller,
    asked: Asked<BatchGet>,
) -> Result<Response, Problem> {
    // A value is never kept for a replay: each request reads anew.
    let (op, body) = caller.asks(asked);
    let op = Op { once: None, ..op };
    let wanted = body.read()?;
    let place = place(&domain, &op, &body.project, &body.environment).await?;
    let reads: Vec<BoxFuture<'_, _>> = wanted
        .iter()
        .zip(&body.items)
        .map(|(which, item)| read(&domain, &op, &place, item, (which, As::of(body.raw))).boxed())
        .collect();
    let got: Vec<_> = stream::iter(reads).buffered(AT_ONCE).collect().await;
    let items = body.items.iter().zip(&got).map(|(item, got)| BatchAnswer::of(&item.path, got)).collect();
    Ok(json::ok(&BatchGot { items }))
}

async fn read(
    domain: &Domain,
    op: &Op,
    place: &Place,
    item: &BatchItem,
    (which, wanted): (&Which, As),
) -> Result<Got, Problem> {
    let path = item.path.parse().map_err(|_| Problem::not_found())?;
    let address = Address::Path { place: place.clone(), path };
    Got::read(domain, op, &address, (which, wanted), item.field.clone()).await
}

impl BatchGet {
    fn read(&self) -> Result<Vec<Which>, Problem> {
        let mut flaws = Flaws::default();
        if self.items.is_empty() || self.items.len() > MOST {
            flaws.note(Flaw::at("/items", format!("ask for 1 to {MOST} values")));
            return Err(flaws.problem());
        }
        let mut wanted = Vec::with_capacity(self.items.len());
        for (at, item) in self.items.iter().enumerate() {
            match item.which() {
                Ok(which) => wanted.push(which),
                Err((field, why)) => flaws.note(Flaw::at(format!("/items/{at}/{field}"), why)),
            }
        }
        if wanted.len() == self.items.len() { Ok(wanted) } else { Err(flaws.problem()) }
    }
}

impl BatchItem {
    fn which(&self) -> Result<Which, (&'static str, String)> {
        if self.field.as_deref() == Some("") {
            return Err(("field", NO_NAME.into()));
        }
        match (self.version, &self.label) {
            (Some(_), Some(_)) => Err(("label", "send either this or `version`".into())),
            (Some(number @ 1..), None) => Ok(Which::Number(number)),
            (Some(_), None) => Err(("version", "write a version's number: 1 or more".into())),
            (None, Some(label)) => label.parse().map(Which::Label).map_err(|why| ("label", format!("{why}"))),
            (None, None) => Ok(Which::default()),
        }
    }
}

impl<'a> BatchAnswer<'a> {
    fn of(path: &'a str, got: &'a Result<Got, Problem>) -> Self {
        match got {
            Ok(got) => Self { path, status: 200, value: Some(SecretValue::of(got)), detail: None },
            Err(problem) => Self {
                path,
                status: problem.status().as_u16(),
                value: None,
                detail: Some(problem.detail().to_owned()),
            },
        }
    }
}
