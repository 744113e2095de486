//! The one write path: a closure of SQL and pure decisions, its events, one commit.
//!
//! On SQLite a single task runs the waiting closures, each in a savepoint of its own, under one
//! `BEGIN IMMEDIATE … COMMIT`, so that they share the flush (group commit). On PostgreSQL each closure is its own
//! transaction and the engine shares the flush; one that collides with another is run again.
//!
//! **Invariants:** what [`Store::write`] committed has its events in the same commit. A closure that has begun runs to
//! its end even if the caller goes away. A failed commit is answered as failed, to everyone whose closure was in it;
//! whether it took effect is then unknown, and the caller's idempotency key is what tells. Where SQLite's disk failed to
//! sync, nothing more is written: [`Store::lost`].

use std::{panic::AssertUnwindSafe, time::Duration};

use futures_util::{FutureExt, future::BoxFuture};
use sqlx::SqlitePool;
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;

use crate::{Conn, EventRow, Store, StoreError, Tx, engine::Db, event, sql};

/// How many closures share one commit on SQLite at most.
const GROUP: usize = 256;
/// Pages in SQLite's log from which on it is moved into the file.
const LONG: i64 = 1000;
/// How often PostgreSQL may give up a transaction for another one.
const ATTEMPTS: u32 = 10;

/// What a write rests on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Basis {
    /// A permit that was decided when the change counter stood at `counter`. `restricts` says that the closure will
    /// call [`Tx::restrict`].
    Permit {
        /// The counter then.
        counter: i64,
        /// Whether a yes may become a no.
        restricts: bool,
    },
    /// No permit: the operator's shell, a job, a one-time link that proves itself in the closure.
    Own,
}

/// What a closure leaves: a value for the caller, and at least one event.
#[derive(Debug)]
pub struct Written<T> {
    value: T,
    events: Vec<EventRow>,
}

impl<T> Written<T> {
    /// A value and its event.
    pub fn new(value: T, event: EventRow) -> Self {
        Self { value, events: vec![event] }
    }

    /// The value, before it is committed.
    pub fn value(&self) -> &T {
        &self.value
    }

    /// What is told of it, before it is committed.
    pub fn events(&self) -> &[EventRow] {
        &self.events
    }

    /// Whatever else happened with it.
    #[must_use]
    pub fn and_all(mut self, events: impl IntoIterator<Item = EventRow>) -> Self {
        self.events.extend(events);
        self
    }

    /// One more event.
    #[must_use]
    pub fn and(mut self, event: EventRow) -> Self {
        self.events.push(event);
        self
    }
}

/// Why nothing was written.
#[derive(Debug, thiserror::Error)]
pub enum WriteError<E> {
    /// The closure refused.
    #[error("{0}")]
    Refused(E),
    /// Who may do what has changed since the permit: decide again.
    #[error("the permit is out of date")]
    Stale,
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Store {
    /// Runs `body` in a transaction and commits it with its events. `body` may run more than once: it must not do
    /// anything but SQL and computing. An error of its own rolls it back.
    pub async fn write<T, E, F>(&self, basis: Basis, body: F) -> Result<T, WriteError<E>>
    where
        T: Send + 'static,
        E: Send + 'static,
        F: for<'t> FnMut(&'t mut Tx) -> BoxFuture<'t, Result<Written<T>, E>> + Send + 'static,
    {
        self.submit(basis, body).await
    }

    /// As [`Store::write`] for what owes no event; `reason` says why, for whoever reads the code.
    pub async fn write_silently<T, E, F>(&self, reason: &'static str, mut body: F) -> Result<T, WriteError<E>>
    where
        T: Send + 'static,
        E: Send + 'static,
        F: for<'t> FnMut(&'t mut Tx) -> BoxFuture<'t, Result<T, E>> + Send + 'static,
    {
        tracing::trace!(reason, "store.write_silently");
        self.submit(Basis::Own, move |tx: &mut Tx| {
            let ran = body(tx);
            async move { ran.await.map(|value| Written { value, events: Vec::new() }) }.boxed()
        })
        .await
    }

    async fn submit<T, E, F>(&self, basis: Basis, body: F) -> Result<T, WriteError<E>>
    where
        T: Send + 'static,
        E: Send + 'static,
        F: for<'t> FnMut(&'t mut Tx) -> BoxFuture<'t, Result<Written<T>, E>> + Send + 'static,
    {
        let (answer, answered) = oneshot::channel();
        let work = Work { basis, body, outcome: None, answer };
        match self.db() {
            Db::Sqlite { writer, .. } => {
                let gone = || StoreError::Unavailable("the writer has stopped".into());
                writer.send(Box::new(work)).await.map_err(|_| gone())?;
            }
            Db::Postgres(pool) => {
                let pool = pool.clone();
                let patience = self.patience();
                self.in_background(async move { work.run_on_postgres(&pool, patience).await });
            }
        }
        // A closure that panicked drops its answer.
        answered.await.unwrap_or_else(|_| Err(StoreError::Unknown("the write was cut off".into()).into()))
    }
}

/// A closure with its types forgotten, so that one queue holds them all.
pub(crate) trait Job: Send {
    /// Runs it; whether its savepoint should stay.
    fn run<'t>(&'t mut self, tx: &'t mut Tx) -> BoxFuture<'t, bool>;
    /// Tells the caller, after the commit or its failure.
    fn settle(self: Box<Self>, committed: Result<(), StoreError>);
}

struct Work<T, E, F> {
    basis: Basis,
    body: F,
    outcome: Option<Result<T, WriteError<E>>>,
    answer: oneshot::Sender<Result<T, WriteError<E>>>,
}

impl<T, E, F> Work<T, E, F>
where
    T: Send + 'static,
    E: Send + 'static,
    F: for<'t> FnMut(&'t mut Tx) -> BoxFuture<'t, Result<Written<T>, E>> + Send + 'static,
{
    async fn attempt(&mut self, tx: &mut Tx) -> Result<T, WriteError<E>> {
        if let Basis::Permit { counter, restricts } = self.basis
            && !tx.authority_stands(counter, restricts).await?
        {
            return Err(WriteError::Stale);
        }
        let written = (self.body)(tx).await.map_err(WriteError::Refused)?;
        for event in &written.events {
            event::insert(tx, event).await?;
        }
        Ok(written.value)
    }

    async fn run_on_postgres(mut self, pool: &sqlx::PgPool, patience: Duration) {
        let mut attempts = 0_u32;
        let outcome = loop {
            attempts = attempts.saturating_add(1);
            let conn = match pool.acquire().await {
                Ok(conn) => Conn::postgres(conn, patience),
                Err(error) => break Err(StoreError::from(error).into()),
            };
            match self.once_on_postgres(conn).await {
                Attempt::Collided if attempts < ATTEMPTS => {}
                Attempt::Collided => {
                    break Err(StoreError::Unavailable("too many writes at once".into()).into());
                }
                Attempt::Done(outcome) => break outcome,
            }
        };
        drop(self.answer.send(outcome)); // a caller that went away needs no answer
    }

    async fn once_on_postgres(&mut self, conn: Conn) -> Attempt<T, E> {
        let mut tx = Tx::new(conn);
        if let Err(error) = tx.control("BEGIN ISOLATION LEVEL READ COMMITTED").await {
            tx.into_conn().close();
            return Attempt::Done(Err(error.into()));
        }
        let outcome = AssertUnwindSafe(self.attempt(&mut tx)).catch_unwind().await;
        let ended = match outcome {
            Ok(Ok(_)) => tx.control("COMMIT").await.map_err(StoreError::of_commit),
            _ if tx.broken() => Err(StoreError::Unavailable("the connection broke".into())),
            Ok(Err(_)) | Err(_) => tx.control("ROLLBACK").await,
        };
        let collided = tx.collided();
        if ended.is_err() {
            tx.into_conn().close();
        }
        match (outcome, ended) {
            (Ok(_), _) if collided => Attempt::Collided,
            (Ok(Ok(_)), Err(error)) => Attempt::Done(Err(error.into())),
            (Ok(outcome), _) => Attempt::Done(outcome),
            (Err(_), _) => Attempt::Done(Err(panicked().into())),
        }
    }
}

enum Attempt<T, E> {
    Collided,
    Done(Result<T, WriteError<E>>),
}

impl<T, E, F> Job for Work<T, E, F>
where
    T: Send + 'static,
    E: Send + 'static,
    F: for<'t> FnMut(&'t mut Tx) -> BoxFuture<'t, Result<Written<T>, E>> + Send + 'static,
{
    fn run<'t>(&'t mut self, tx: &'t mut Tx) -> BoxFuture<'t, bool> {
        async move {
            let outcome = AssertUnwindSafe(self.attempt(tx)).catch_unwind().await;
            let outcome = outcome.unwrap_or_else(|_| Err(panicked().into()));
            let keep = outcome.is_ok();
            self.outcome = Some(outcome);
            keep
        }
        .boxed()
    }

    fn settle(self: Box<Self>, committed: Result<(), StoreError>) {
        let outcome = match (self.outcome, committed) {
            (Some(Err(refused)), _) => Err(refused),
            (Some(Ok(value)), Ok(())) => Ok(value),
            (Some(Ok(_)), Err(StoreError::Unknown(cause))) => Err(StoreError::Unknown(cause).into()),
            (_, Err(cause)) => Err(StoreError::Unavailable(cause.to_string()).into()),
            (None, Ok(())) => Err(StoreError::Unavailable("the write never ran".into()).into()),
        };
        drop(self.answer.send(outcome)); // a caller that went away needs no answer
    }
}

fn panicked() -> StoreError {
    StoreError::Refused("the write panicked and was rolled back".into())
}

/// SQLite's one writer: takes what waits, runs it under one commit, answers, again. Once a sync failed it cancels `lost` and
/// ends: what is asked for from then on is refused.
pub(crate) async fn write_in_groups(
    pool: SqlitePool,
    mut waiting: mpsc::Receiver<Box<dyn Job>>,
    lost: CancellationToken,
) {
    let mut group = Vec::with_capacity(GROUP);
    while waiting.recv_many(&mut group, GROUP).await > 0 {
        let (committed, conn) = match pool.acquire().await {
            Ok(conn) => run_group(Conn::sqlite(conn), &mut group).await,
            Err(error) => (Err(StoreError::from(error)), None),
        };
        if let Err(error) = &committed {
            tracing::error!(%error, writes = group.len(), "a group of writes was not committed");
        }
        for job in group.drain(..) {
            job.settle(committed.clone());
        }
        let Some(mut conn) = conn else { continue };
        if committed.is_ok()
            && let Err(error) = shorten_log(&mut conn).await
        {
            tracing::warn!(%error, "the database's log was not moved into its file");
        }
        if conn.unsynced() {
            tracing::error!("the disk failed to sync the database: nothing more is written by this process");
            conn.leave_open();
            lost.cancel();
            return;
        }
    }
}

/// Runs the group; and the connection, if it can be used again.
async fn run_group(conn: Conn, group: &mut [Box<dyn Job>]) -> (Result<(), StoreError>, Option<Conn>) {
    let mut tx = Tx::new(conn);
    let ran = run_all(&mut tx, group).await;
    if ran.is_err() && !tx.unsynced() && tx.control("ROLLBACK").await.is_err() {
        tx.into_conn().close();
        return (ran, None);
    }
    (ran, Some(tx.into_conn()))
}

/// How long SQLite's log is.
#[derive(sqlx::FromRow)]
struct Log {
    /// In pages.
    log: i64,
}

/// Moves SQLite's log into its file once it is long. SQLite itself would do it within a commit, before its answer, and tell
/// nobody when it fails.
///
/// It is asked each time, which reads the log's header: the log's file keeps its length when the log begins anew in it, sqlx
/// hands SQLite's hook for this to nobody, and how many pages a closure wrote is not known (an import writes thousands).
async fn shorten_log(conn: &mut Conn) -> Result<(), StoreError> {
    let Log { log } = sql("PRAGMA wal_checkpoint(NOOP)").one(conn).await?;
    if log >= LONG {
        sql("PRAGMA wal_checkpoint(PASSIVE)").one::<Log>(conn).await?;
    }
    Ok(())
}

async fn run_all(tx: &mut Tx, group: &mut [Box<dyn Job>]) -> Result<(), StoreError> {
    tx.control("BEGIN IMMEDIATE").await?;
    for job in group.iter_mut() {
        tx.control("SAVEPOINT job").await?;
        if !job.run(tx).await {
            tx.control("ROLLBACK TO job").await?;
        }
        tx.control("RELEASE job").await?;
    }
    // Whatever went wrong with the file: what a next start finds in its log may be whole.
    tx.control("COMMIT").await.map_err(|error| StoreError::Unknown(error.to_string()))
}

#[cfg(test)]
mod tests {
    use std::sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    };

    use chrono::DateTime;
    use futures_util::FutureExt as _;
    use tokio::task::JoinSet;

    use super::{Basis, Written};
    use crate::{ChangeKind, Location, Store, StoreError, Tx, WriteError, sql};

    /// Lets SQLite's file have so many pages, or writes more than fit, and says what came of it.
    async fn silently(store: &Store, statement: &'static str) -> Result<u64, WriteError<StoreError>> {
        store
            .write_silently("a full disk for a test", move |tx| {
                Box::pin(async move { sql(statement).execute(tx).await })
            })
            .await
    }

    #[tokio::test]
    async fn a_full_disk_passes_and_leaves_nothing_half_written() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&Location::Sqlite(folder.path().join("full.db"))).await.unwrap();
        let fill = "INSERT INTO subjects (id, sealed_key, created_at) VALUES ('a', zeroblob(4000000), 1)";
        for _ in 0..3 {
            silently(&store, "PRAGMA max_page_count = 1").await.unwrap();
            match silently(&store, fill).await.unwrap_err() {
                WriteError::Refused(error) | WriteError::Store(error) => {
                    assert!(error.is_passing(), "{error}");
                }
                WriteError::Stale => panic!("there is no permit"),
            }
        }
        silently(&store, "PRAGMA max_page_count = 1000000").await.unwrap();
        assert_eq!(silently(&store, fill).await.unwrap(), 1, "once there is room, it is written");
    }

    /// A write that takes its time under a permit, which stands.
    async fn slowly(store: &Store, restricts: bool) -> Result<(), WriteError<StoreError>> {
        let permit = Basis::Permit { counter: i64::MAX, restricts };
        store
            .submit(permit, |tx: &mut Tx| {
                async move {
                    sql("SELECT pg_sleep(0.02)").execute(tx).await?;
                    Ok::<_, StoreError>(Written { value: (), events: Vec::new() })
                }
                .boxed()
            })
            .await
    }

    #[tokio::test]
    async fn on_postgresql_a_write_that_restricts_gets_its_turn_among_many_that_do_not() {
        let Some(server) = crate::explain::server() else { return };
        let name = format!("kw_turns_{}", std::process::id());
        let store = Store::open(&crate::cast::fresh_postgres(&server, &name).await.unwrap()).await.unwrap();
        let done = Arc::new(AtomicU32::new(0));
        let mut crowd = JoinSet::new();
        for _ in 0..8 {
            let (store, done) = (store.clone(), Arc::clone(&done));
            crowd.spawn(async move {
                loop {
                    slowly(&store, false).await.unwrap();
                    done.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
        while done.load(Ordering::Relaxed) < 16 {
            tokio::task::yield_now().await;
        }
        for _ in 0..3 {
            slowly(&store, true).await.expect("overtaken until its patience ends");
            let restricts = store.write_silently("a write without a permit that restricts", |tx| {
                Box::pin(async { tx.restrict(ChangeKind::Session, "a", DateTime::UNIX_EPOCH).await })
            });
            restricts.await.expect("overtaken until its patience ends");
        }
        crowd.shutdown().await;
    }

    #[tokio::test]
    async fn what_a_disk_of_postgresql_did_not_do_passes_and_leaves_a_doubt_in_a_commit() {
        let Some(server) = crate::explain::server() else { return };
        let name = format!("kw_failing_disk_{}", std::process::id());
        let store = Store::open(&crate::cast::fresh_postgres(&server, &name).await.unwrap()).await.unwrap();
        for statement in [
            "CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS $$ \
             BEGIN RAISE EXCEPTION 'could not write' USING ERRCODE = 'io_error'; END $$",
            "CREATE CONSTRAINT TRIGGER fail AFTER INSERT ON subjects DEFERRABLE INITIALLY DEFERRED \
             FOR EACH ROW EXECUTE FUNCTION fail()",
        ] {
            silently(&store, statement).await.unwrap();
        }
        let insert = "INSERT INTO subjects (id, sealed_key, created_at) VALUES ('a', '', 1)";
        match silently(&store, insert).await.unwrap_err() {
            WriteError::Store(error) => assert!(error.is_passing() && error.leaves_doubt(), "{error}"),
            other => panic!("{other}"),
        }
        silently(&store, "ALTER TABLE subjects DISABLE TRIGGER fail").await.unwrap();
        silently(
            &store,
            "CREATE TRIGGER fail_at_once BEFORE INSERT ON subjects FOR EACH ROW EXECUTE FUNCTION fail()",
        )
        .await
        .unwrap();
        match silently(&store, insert).await.unwrap_err() {
            WriteError::Refused(error) => assert!(error.is_passing() && !error.leaves_doubt(), "{error}"),
            other => panic!("{other}"),
        }
    }

    #[tokio::test]
    async fn what_collided_on_postgresql_is_written_at_the_next_attempt() {
        let Some(server) = crate::explain::server() else { return };
        let name = format!("kw_collided_{}", std::process::id());
        let store = Store::open(&crate::cast::fresh_postgres(&server, &name).await.unwrap()).await.unwrap();
        let serialize = "DO $$ BEGIN RAISE EXCEPTION 'not now' USING ERRCODE = '40001'; END $$";
        let deadlock = "DO $$ BEGIN RAISE EXCEPTION 'not now' USING ERRCODE = '40P01'; END $$";
        // PostgreSQL's own words, and not from where it says them.
        let multixact = "DO $$ BEGIN RAISE EXCEPTION 'new multixact has more than one updating member: 0 3' \
                         USING ERRCODE = 'XX000'; END $$";
        for (said, attempts) in [(serialize, 2), (deadlock, 2), (multixact, 1)] {
            let tried = Arc::new(AtomicU32::new(0));
            let count = Arc::clone(&tried);
            let written: Result<u64, WriteError<StoreError>> = store
                .write_silently("a test that collides once", move |tx| {
                    let first = count.fetch_add(1, Ordering::Relaxed) == 0;
                    Box::pin(async move {
                        if first {
                            sql(said).execute(tx).await?;
                        }
                        sql("INSERT INTO subjects (id, sealed_key, created_at) VALUES ('a', '', 1)
                             ON CONFLICT (id) DO UPDATE SET created_at = 2")
                        .execute(tx)
                        .await
                    })
                })
                .await;
            assert_eq!((tried.load(Ordering::Relaxed), written.is_ok()), (attempts, attempts == 2), "{said}");
        }
    }
}
