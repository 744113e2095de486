//! What one node does at a time, and no transaction could hold together: what is made in an HSM is not undone with it.

use std::fmt;

use sqlx::{Postgres, pool::PoolConnection};

use crate::{
    Store, StoreError,
    dialect::{END_TURNS, TAKE_TURN},
    engine::Db,
    turn::Turn,
};

/// A node's turn. It ends with [`Alone::end`]; a while after this is dropped; and however the node ends.
pub struct Alone(Held);

enum Held {
    /// The folder of the file.
    Folder(Turn),
    /// A session with an advisory lock.
    Session(PoolConnection<Postgres>),
}

impl Alone {
    /// On return another may have the turn.
    pub async fn end(self) {
        match self.0 {
            Held::Folder(turn) => drop(turn),
            Held::Session(mut session) => {
                let ended = sqlx::query(END_TURNS).execute(&mut *session).await;
                if let Err(cause) = ended {
                    tracing::debug!(%cause, "a turn ends with its session");
                }
            }
        }
    }
}

impl Store {
    /// The turn at what is called so; nothing while another node has it.
    pub async fn alone(&self, name: &str) -> Result<Option<Alone>, StoreError> {
        match self.db() {
            Db::Postgres(pool) => {
                let mut session = pool.acquire().await?;
                // The lock goes with the session, which goes back to nobody.
                session.close_on_drop();
                let taken: bool = sqlx::query_scalar(TAKE_TURN).bind(name).fetch_one(&mut *session).await?;
                Ok(taken.then(|| Alone(Held::Session(session))))
            }
            Db::Sqlite { path, .. } => Ok(Turn::now(path).map(|turn| Alone(Held::Folder(turn)))),
        }
    }
}

impl fmt::Debug for Alone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Alone")
    }
}
