//! Posts that wait for a fresher passkey: sealed, bound to their session, ten minutes, once.

use chrono::TimeDelta;
use keywarden_model::{PendingPostId, SessionId, time::later};
use keywarden_store::people::posts;
use keywarden_store::{StoreError, WriteError};
use keywarden_vault::{Purpose, SecretBytes};

use super::step_up::whole;
use crate::secrets::files::MAX_FILE;
use crate::{Domain, Fault, Op, Refused, Settings};

/// How long a post waits.
pub const WAITS: TimeDelta = TimeDelta::minutes(10);
/// The longest body that is kept of a form in which no value is written.
const BODY_LIMIT: usize = 256 * 1024;
/// What a byte of a value takes in a urlencoded body, at most: a browser sends the end of a line as two, each of them as three.
const LONGEST_BYTE: usize = 6;

impl Settings {
    /// The longest body of a form in which a value is written, in bytes. It is kept, too.
    pub fn longest_post(&self) -> usize {
        self.max_value.saturating_mul(LONGEST_BYTE).saturating_add(BODY_LIMIT)
    }
}

/// A post that was kept.
#[derive(Debug)]
pub struct KeptPost {
    /// Path and query that it went to.
    pub path: String,
    /// Its body, byte for byte.
    pub body: SecretBytes,
}

/// Why a post was not kept.
#[derive(Debug, thiserror::Error)]
pub enum KeepError {
    /// The body is longer than may be kept.
    #[error("this form is too long to wait for your passkey: sign again, then send it anew")]
    TooLong,
    /// As everywhere.
    #[error(transparent)]
    Refused(#[from] Refused),
}
crate::refused::carries_refused!(KeepError);

fn context(id: PendingPostId, session: SessionId) -> Vec<u8> {
    format!("pending_posts.sealed/{id}/{session}").into_bytes()
}

impl Domain {
    /// Keeps a post that answered [`Refused::StepUp`].
    pub async fn keep_post(
        &self,
        op: &Op,
        path: &str,
        body: &SecretBytes,
    ) -> Result<PendingPostId, KeepError> {
        self.keep(op, path, body, self.settings().longest_post()).await
    }

    /// Keeps a file for the page on which its person decides: as long as a post, in their session alone. `path` says what
    /// was to be done with it.
    pub async fn keep_file(
        &self,
        op: &Op,
        path: &str,
        file: &SecretBytes,
    ) -> Result<PendingPostId, KeepError> {
        self.keep(op, path, file, MAX_FILE).await
    }

    async fn keep(
        &self,
        op: &Op,
        path: &str,
        body: &SecretBytes,
        limit: usize,
    ) -> Result<PendingPostId, KeepError> {
        let session = whole(op)?.session;
        if body.expose().len() > limit {
            return Err(KeepError::TooLong);
        }
        let id: PendingPostId = self.fresh(op);
        // A path has no line break, so the first one ends it.
        if path.contains('\n') {
            return Err(Refused::NotFound.into());
        }
        let plaintext = SecretBytes::new([path.as_bytes(), b"\n", body.expose()].concat());
        let sealed = self
            .env()
            .with_rng(|rng| {
                self.keyring().seal(Purpose::Session, &context(id, session), plaintext.expose(), rng)
            })
            .map_err(Fault::from)?;
        let now = op.now;
        self.store()
            .write_silently("a post waits and has done nothing yet", move |tx| {
                let sealed = sealed.clone();
                Box::pin(async move { posts::insert(tx, id, session, &sealed, now, later(now, WAITS)).await })
            })
            .await
            .map_err(|error: WriteError<StoreError>| Refused::from(error))?;
        Ok(id)
    }

    /// Takes it, once, in the session that kept it.
    pub async fn take_post(&self, op: &Op, id: PendingPostId) -> Result<Option<KeptPost>, Refused> {
        let session = whole(op)?.session;
        let now = op.now;
        let taken = self
            .store()
            .write_silently("a kept post is sent on; what it does has its own event", move |tx| {
                Box::pin(async move { posts::take(tx, id, session, now).await })
            })
            .await
            .map_err(|error: WriteError<StoreError>| Refused::from(error))?;
        taken.map(|sealed| self.kept(id, session, &sealed)).transpose()
    }

    /// Looks at what was kept, in the session that kept it. It stays.
    pub async fn kept_file(&self, op: &Op, id: PendingPostId) -> Result<Option<KeptPost>, Refused> {
        let session = whole(op)?.session;
        let mut conn = self.store().read().await?;
        let found = posts::find(&mut conn, id, session, op.now).await?;
        drop(conn);
        found.map(|sealed| self.kept(id, session, &sealed)).transpose()
    }

    fn kept(&self, id: PendingPostId, session: SessionId, sealed: &[u8]) -> Result<KeptPost, Refused> {
        let opened =
            self.keyring().open(Purpose::Session, &context(id, session), sealed).map_err(Fault::from)?;
        let damaged = || Fault::Damaged(format!("pending_posts: {id}"));
        let at = opened.expose().iter().position(|byte| *byte == b'\n').ok_or_else(damaged)?;
        let (path, rest) = opened.expose().split_at_checked(at).ok_or_else(damaged)?;
        Ok(KeptPost {
            path: String::from_utf8(path.to_vec()).map_err(|_| damaged())?,
            body: SecretBytes::copy_of(rest.get(1..).unwrap_or_default()),
        })
    }
}
