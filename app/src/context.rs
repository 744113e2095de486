//! What handlers are given: the house, who is asking, what was posted; and what they answer to a refusal.
//!
//! # How to
//! ```text
//! async fn show(State(house): State<House>, Asking { mut shell, op }: Asking, Path(id): Path<String>) -> Response {
//!     shell.section = Some(Section::Keys);
//!     match house.domain.key(&op, &id).await {
//!         Ok(key) => …,
//!         Err(refused) => render::refused(&shell, refused),
//!     }
//! }
//!
//! async fn create(State(house): State<House>, asking: Asking, posted: Posted) -> Response {
//!     let Asking { mut shell, op } = asking.once(&posted);      // the form's idempotency key
//!     let name = errors.required(t, &posted.fields, "name", 100);
//!     match house.domain.issue(&op, …).await {
//!         Ok(id) => render::done(…),
//!         Err(IssueError::NameTaken) => …,                      // 422, as typed
//!         Err(IssueError::Refused(refused)) => house.refused(&shell, &op, &posted, refused).await,
//!     }
//! }
//! ```
//! A post that needs a fresher passkey is kept; the person steps up, and the browser posts to the same address
//! again: [`Posted`] is then the kept post, byte for byte, and the handler never knows.
//!
//! # What the server puts into a request's extensions
//! [`RequestId`](keywarden_model::RequestId), [`Source`](keywarden_domain::Source), [`Actor`](keywarden_domain::Actor)
//! (the person behind the cookie, resolved anew; or nobody) and [`Browser`](keywarden_domain::people::Browser). A
//! response that opens or ends a session carries a [`SessionChange`](keywarden_domain::people::SessionChange) in its
//! extensions, from which the server makes the cookie.

mod asking;
pub(crate) mod json;
mod posted;
mod refusals;

use std::{fmt, sync::Arc};

use axum::extract::FromRef;
use keywarden_domain::Domain;

pub use asking::{Anybody, Asking, Guest, Reader, Signed};
pub(crate) use asking::{ENROL, SIGN_IN};
pub(crate) use posted::REASON;
pub use posted::{KEPT_POST, Posted, PostedValue};

use crate::{
    console::Console,
    shell::{Condition, Protection},
};

/// How this node stands, as every page's frame says it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Standing {
    /// Whether it can do its work.
    pub condition: Condition,
    /// What wraps its keys.
    pub protection: Protection,
}

/// The state of the console's router. Cheap to clone.
#[derive(Clone)]
pub struct House {
    /// The rules.
    pub domain: Domain,
    /// Assets and cookie flags.
    pub console: Console,
    openapi: Arc<serde_json::Value>,
    standing: Arc<dyn Fn() -> Standing + Send + Sync>,
}

impl House {
    /// `openapi` is the document served at `/api/v1/openapi.json`; `standing` is asked for every page.
    pub fn new(
        domain: Domain,
        console: Console,
        openapi: Arc<serde_json::Value>,
        standing: impl Fn() -> Standing + Send + Sync + 'static,
    ) -> Self {
        Self { domain, console, openapi, standing: Arc::new(standing) }
    }

    /// The document served at `/api/v1/openapi.json`.
    pub fn openapi(&self) -> &serde_json::Value {
        &self.openapi
    }

    /// How this node stands right now.
    pub fn standing(&self) -> Standing {
        (self.standing)()
    }
}

impl FromRef<House> for Console {
    fn from_ref(house: &House) -> Self {
        house.console
    }
}

impl fmt::Debug for House {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("House").field("console", &self.console).finish_non_exhaustive()
    }
}
