//! Liveness and readiness. Both are open to anybody and say what to do, never a version or an address.

use axum::{
    Json, Router,
    extract::State,
    response::{IntoResponse, Response},
    routing::get,
};
use http::HeaderMap;
use keywarden_model::ProblemKind as Kind;
use serde_json::json;
use tokio::sync::watch;

use super::problem::{Problem, retry_after};

/// What this node can do now. A background probe keeps it, so that asking costs nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Condition {
    /// Restored from a backup, and nobody has accepted yet what is lost by that.
    Closed {
        why: String,
    },
    /// The HSM is away and the grace runs: reading and revoking go on with the keys in memory.
    Degraded {
        why: String,
    },
    /// The database does not answer. `why` may hold names: it is for the log and the operator.
    NoDatabase {
        why: String,
    },
    Ready,
    /// No keys in memory. It unseals by itself when the HSM is back. The cause may be told to anybody; `why` is for the log and
    /// the operator.
    Sealed {
        cause: &'static str,
        why: String,
    },
    Starting,
}

impl Condition {
    /// One word, for `keywarden status` and `/readyz`.
    pub(crate) fn word(&self) -> &'static str {
        match self {
            Self::Closed { .. } => "closed",
            Self::Degraded { .. } => "degraded",
            Self::NoDatabase { .. } => "no-database",
            Self::Ready => "ready",
            Self::Sealed { .. } => "sealed",
            Self::Starting => "starting",
        }
    }

    pub(crate) fn why(&self) -> Option<&str> {
        match self {
            Self::Closed { why }
            | Self::Degraded { why }
            | Self::NoDatabase { why }
            | Self::Sealed { why, .. } => Some(why),
            Self::Ready | Self::Starting => None,
        }
    }
}

pub(super) fn routes<S: Clone + Send + Sync + 'static>(condition: watch::Receiver<Condition>) -> Router<S> {
    Router::new().route("/livez", get(live)).route("/readyz", get(ready)).with_state(condition)
}

async fn live() -> Json<serde_json::Value> {
    Json(json!({ "status": "alive" }))
}

async fn ready(State(condition): State<watch::Receiver<Condition>>) -> Response {
    let condition = condition.borrow().clone();
    match &condition {
        Condition::Ready => Json(json!({ "status": "ready" })).into_response(),
        Condition::Degraded { why } => Json(json!({ "status": "degraded", "detail": why })).into_response(),
        Condition::Closed { why } => unavailable(Kind::Closed, why).json(),
        Condition::NoDatabase { .. } => {
            unavailable(Kind::NoDatabase, "the database does not answer; this node tries again every second")
                .json()
        }
        Condition::Sealed { cause, .. } => sealed(cause).json(),
        Condition::Starting => unavailable(Kind::Starting, "ready in a moment").json(),
    }
}

/// What is said at a shut door, and after how many seconds it is worth asking again; nothing while doors are open.
pub(super) fn at_shut_door(condition: &Condition, asked: &HeaderMap) -> Option<Response> {
    let (problem, seconds) = match condition {
        Condition::Closed { why } => (unavailable(Kind::Closed, why), 60),
        Condition::Sealed { cause, .. } => (sealed(cause), 5),
        Condition::Starting => (unavailable(Kind::Starting, "ready in a moment"), 1),
        Condition::Degraded { .. } | Condition::NoDatabase { .. } | Condition::Ready => return None,
    };
    Some(retry_after(problem.answer(asked), seconds))
}

fn sealed(cause: &str) -> Problem {
    let why = format!(
        "this node has no keys in memory: {cause}. It unseals by itself as soon as its HSM answers; `keywarden doctor` on \
         the server's shell says what is wrong"
    );
    Problem::new(Kind::Sealed, why).about(cause)
}

fn unavailable(kind: Kind, why: &str) -> Problem {
    Problem::new(kind, why).about(why)
}
