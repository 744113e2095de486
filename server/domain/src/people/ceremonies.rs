//! Ceremonies between the question and the answer: sealed rows, each bound to who began it and taken once.

use keywarden_model::{CeremonyId, InvitationId, SessionId};
use keywarden_store::people::ceremonies;
use keywarden_store::{StoreError, WriteError};
use keywarden_vault::{Purpose, SecretString};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::passkeys::{Ceremony, Passkeys};
use crate::{Domain, Env, Fault, Op, Refused};

/// Ceremonies of people who are not signed in yet that are kept at once; beyond that the oldest go, whenever it is
/// somebody's turn to look.
pub(super) const OF_STRANGERS: i64 = 20_000;
/// Ceremonies of one link or session that are kept at once; beyond that the oldest go.
pub(super) const OF_ONE: i64 = 20;

/// What the browser needs to perform a ceremony; serializes as `{"ceremony": …, "publicKey": …}`.
#[derive(Debug, Serialize)]
pub struct Started<O> {
    /// Names the ceremony when it is finished.
    pub ceremony: CeremonyId,
    /// For `navigator.credentials`.
    #[serde(rename = "publicKey")]
    pub options: O,
}

/// A browser in which nobody is signed in, known by a cookie that holds 128 random bits. A ceremony begun in one is
/// finished in no other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Browser([u8; 32]);

impl Browser {
    /// The browser that shows this cookie value.
    pub fn known(cookie: &str) -> Self {
        Self(Sha256::digest(cookie).into())
    }

    /// A browser seen for the first time, and the cookie value to give it.
    pub fn fresh(env: &Env) -> (Self, SecretString) {
        let cookie = hex::encode(env.bytes::<16>());
        (Self::known(&cookie), SecretString::new(cookie))
    }
}

/// Who may finish a ceremony.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Bound {
    Browser(Browser),
    Link(InvitationId),
    Session(SessionId),
}

impl Bound {
    fn text(self) -> String {
        match self {
            Self::Browser(Browser(hash)) => format!("browser_{}", hex::encode(hash)),
            Self::Link(id) => id.to_string(),
            Self::Session(id) => id.to_string(),
        }
    }
}

/// What a ceremony is part of. An answer finishes only the flow that asked for it.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Flow {
    AddPasskey,
    Approval,
    Invitation,
    Setup,
    SignIn,
    StepUp,
}

impl Flow {
    fn word(self) -> &'static str {
        match self {
            Self::AddPasskey => "add-passkey",
            Self::Approval => "approval",
            Self::Invitation => "invitation",
            Self::Setup => "setup",
            Self::SignIn => "sign-in",
            Self::StepUp => "step-up",
        }
    }
}

#[derive(Serialize)]
struct Kept<'a, T> {
    ceremony: &'a Ceremony,
    more: &'a T,
}

#[derive(Deserialize)]
struct Taken<T> {
    ceremony: Ceremony,
    more: T,
}

fn context(id: CeremonyId, flow: Flow, bound_to: &str) -> Vec<u8> {
    format!("ceremonies.sealed/{id}/{}/{bound_to}", flow.word()).into_bytes()
}

impl Domain {
    /// The ceremonies of this deployment's relying party.
    pub(crate) fn ceremonies(&self) -> Result<&Passkeys, Fault> {
        Ok(self.passkeys().as_ref().map_err(Clone::clone)?)
    }

    /// Keeps a ceremony that has begun, with what else its end needs to know.
    pub(crate) async fn keep_ceremony<T: Serialize>(
        &self,
        op: &Op,
        flow: Flow,
        bound: Bound,
        ceremony: &Ceremony,
        more: &T,
    ) -> Result<CeremonyId, Refused> {
        let id: CeremonyId = self.fresh(op);
        let bound_to = bound.text();
        let looks = matches!(bound, Bound::Browser(_)) && self.turns().ceremonies.take();
        let unreadable = |cause: serde_json::Error| Fault::Unexpected(cause.to_string());
        let plaintext = serde_json::to_vec(&Kept { ceremony, more }).map_err(unreadable)?;
        let sealed = self
            .env()
            .with_rng(|rng| {
                self.keyring().seal(Purpose::Session, &context(id, flow, &bound_to), &plaintext, rng)
            })
            .map_err(Fault::from)?;
        let row = ceremonies::Insert {
            id,
            kind: flow.word(),
            bound_to,
            sealed,
            created_at: op.now,
            expires_at: ceremony.expires_at(),
        };
        self.store()
            .write_silently("a ceremony has begun and nothing has come of it yet", move |tx| {
                let row = row.clone();
                Box::pin(async move {
                    ceremonies::insert(tx, &row).await?;
                    // Whoever begins as many as they like leaves a bounded number.
                    match bound {
                        Bound::Browser(_) if looks => {
                            ceremonies::forget_oldest(tx, row.kind, OF_STRANGERS).await
                        }
                        Bound::Browser(_) => Ok(()),
                        Bound::Link(_) | Bound::Session(_) => {
                            ceremonies::forget_oldest_of(tx, &row.bound_to, OF_ONE).await
                        }
                    }
                })
            })
            .await?;
        Ok(id)
    }

    /// Takes a ceremony away before its answer is looked at: one ceremony, one attempt, whatever comes of it.
    pub(crate) async fn take_ceremony<T: DeserializeOwned>(
        &self,
        op: &Op,
        flow: Flow,
        bound: Bound,
        id: CeremonyId,
    ) -> Result<Option<(Ceremony, T)>, Refused> {
        let (bound_to, now) = (bound.text(), op.now);
        let for_row = bound_to.clone();
        let taken = self
            .store()
            .write_silently("a ceremony is spent; what comes of it has its own event", move |tx| {
                let bound_to = for_row.clone();
                Box::pin(async move { ceremonies::take(tx, id, flow.word(), &bound_to, now).await })
            })
            .await
            .map_err(|error: WriteError<StoreError>| Refused::from(error))?;
        let Some(sealed) = taken else { return Ok(None) };
        let opened = self
            .keyring()
            .open(Purpose::Session, &context(id, flow, &bound_to), &sealed)
            .map_err(Fault::from)?;
        let Taken { ceremony, more } = serde_json::from_slice(opened.expose())
            .map_err(|cause| Fault::Damaged(format!("ceremony {id}: {cause}")))?;
        Ok(Some((ceremony, more)))
    }
}
