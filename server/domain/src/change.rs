//! Changing: decide, write with an event, answer a repeated request as the first one.

use std::sync::Arc;

use futures_util::future::BoxFuture;
use keywarden_store::{Basis, Tx, WriteError, Written};

use crate::audit::Record;
use crate::authz::{Action, Permit, Resource};
use crate::messages;
use crate::once::{self, Noted, Repeatable};
use crate::{Domain, Fault, Op, Refused};

/// How often a mutation is decided anew because who may do what changed under it.
const DECISIONS: u32 = 32;
/// How often one write asks seals of projects for keys that are not at hand: a template may refer to fifty projects.
const FETCHES: u32 = 64;

/// What a change is about: one thing, or several that change together or not at all.
pub(crate) trait Concerned: Sync {
    /// Each of them, with what is done to it: `action`, unless it says otherwise.
    fn each(&self, action: Action) -> Vec<(Action, Resource)>;
}

impl Concerned for Resource {
    fn each(&self, action: Action) -> Vec<(Action, Self)> {
        vec![(action, *self)]
    }
}

impl Concerned for [Resource] {
    fn each(&self, action: Action) -> Vec<(Action, Resource)> {
        self.iter().map(|resource| (action, *resource)).collect()
    }
}

/// Whatever else is done with it, and to what.
#[derive(Debug)]
pub(crate) struct Besides {
    /// What the change is about.
    pub(crate) what: Resource,
    /// What else is asked for.
    pub(crate) also: Vec<(Action, Resource)>,
}

impl Concerned for Besides {
    fn each(&self, action: Action) -> Vec<(Action, Resource)> {
        std::iter::once((action, self.what)).chain(self.also.iter().copied()).collect()
    }
}

/// Another thing that the change takes from: reading it is asked for as well.
#[derive(Debug)]
pub(crate) struct With {
    /// What the change is about.
    pub(crate) what: Resource,
    /// What else is done, and to what.
    pub(crate) also: (Action, Resource),
}

impl Concerned for With {
    fn each(&self, action: Action) -> Vec<(Action, Resource)> {
        vec![(action, self.what), self.also]
    }
}

/// What the events of each action are made with.
#[derive(Debug, Clone)]
pub(crate) struct Records(Vec<(Action, Record)>);

impl Records {
    /// Of an action that was asked for.
    pub(crate) fn of(&self, action: Action) -> Result<&Record, Fault> {
        let found = self.0.iter().find(|(asked, _)| *asked == action);
        found
            .map(|(_, record)| record)
            .ok_or_else(|| Fault::Unexpected(format!("`{}` was not asked for", action.name())))
    }

    /// Of the first one: for what is told of the whole.
    pub(crate) fn first(&self) -> Result<Record, Fault> {
        let first = self.0.first().map(|(_, record)| record.clone());
        first.ok_or_else(|| Fault::Unexpected("nothing was asked for".into()))
    }
}

fn undecided<E: From<Refused>>() -> E {
    Refused::from(Fault::Unexpected("who may do what changes too often to decide".into())).into()
}

impl Domain {
    /// Decides, then writes with its event, and notes the idempotency key; decides anew when who may do what changed
    /// in between. Of several things each is asked for, and one no is a no to all. `subjects` are the people (ids) of
    /// whom the events will tell, beside the actor.
    ///
    /// `body` runs inside the transaction, perhaps more than once: SQL and pure decisions only.
    pub(crate) async fn change<T, E, F>(
        &self,
        op: &Op,
        action: Action,
        concerned: &(impl Concerned + ?Sized),
        subjects: &[String],
        body: F,
    ) -> Result<T, E>
    where
        T: Repeatable + Send + Sync + 'static,
        E: From<Refused> + Send + 'static,
        F: for<'t> Fn(&'t mut Tx, Record) -> BoxFuture<'t, Result<Written<T>, E>>
            + Clone
            + Send
            + Sync
            + 'static,
    {
        let questions = concerned.each(action);
        let restricts = questions.iter().any(|(action, _)| action.restricts());
        for _ in 0..DECISIONS {
            let mut permit: Option<Permit> = None;
            for (action, resource) in questions.iter().copied() {
                // The first one tells the event; it is the oldest, too, so that what it rests on is checked for all.
                let one = self.authorize(op, action, &resource).await?;
                permit = permit.or(Some(one));
            }
            let permit = permit.ok_or(Refused::NotFound)?;
            let basis = Basis::Permit { counter: permit.counter(), restricts };
            let record = self.record(op, Some(&permit), subjects).await.map_err(Refused::from)?;
            let done = self.commit(op, basis, record, body.clone()).await;
            if let Some(done) = self.settled(done, restricts).await? {
                return Ok(done);
            }
        }
        Err(undecided())
    }

    /// As [`Domain::change`] for several things of which different ones are done: each question is asked, one no is a no
    /// to all, and the events of an action are made under the permit of its first question.
    pub(crate) async fn change_together<T, E, F>(
        &self,
        op: &Op,
        questions: &[(Action, Resource)],
        body: F,
    ) -> Result<T, E>
    where
        T: Repeatable + Send + Sync + 'static,
        E: From<Refused> + Send + 'static,
        F: for<'t> Fn(&'t mut Tx, Records) -> BoxFuture<'t, Result<Written<T>, E>>
            + Clone
            + Send
            + Sync
            + 'static,
    {
        let restricts = questions.iter().any(|(action, _)| action.restricts());
        for _ in 0..DECISIONS {
            let mut permits: Vec<Permit> = Vec::new();
            for (action, resource) in questions {
                let permit = self.authorize(op, *action, resource).await?;
                if permits.iter().all(|it| it.action() != *action) {
                    permits.push(permit);
                }
            }
            // The oldest, so that what it rests on is checked for all.
            let counter = permits.first().ok_or(Refused::NotFound)?.counter();
            let mut records = Vec::with_capacity(permits.len());
            for permit in &permits {
                let record = self.record(op, Some(permit), &[]).await.map_err(Refused::from)?;
                records.push((permit.action(), record));
            }
            let (records, body) = (Records(records), body.clone());
            let first = records.first().map_err(Refused::from)?;
            let basis = Basis::Permit { counter, restricts };
            let done = self.commit(op, basis, first, move |tx, _| body(tx, records.clone())).await;
            if let Some(done) = self.settled(done, restricts).await? {
                return Ok(done);
            }
        }
        Err(undecided())
    }

    /// What a write came to; `None`: who may do what changed meanwhile, and it is to be decided anew.
    async fn settled<T, E: From<Refused>>(
        &self,
        done: Result<T, WriteError<E>>,
        restricts: bool,
    ) -> Result<Option<T>, E> {
        match done {
            Err(WriteError::Stale) => {
                self.look().await.map_err(Refused::from)?;
                Ok(None)
            }
            Err(WriteError::Refused(error)) => Err(error),
            Err(WriteError::Store(error)) => Err(Refused::from(error).into()),
            Ok(done) => {
                if restricts {
                    self.heed().await;
                }
                Ok(Some(done))
            }
        }
    }

    /// Writes on its own account, without a permit: a job, the operator's shell, a one-time link that proves itself
    /// in `body`. `why` names which.
    pub(crate) async fn change_unasked<T, E, F>(
        &self,
        op: &Op,
        why: &'static str,
        subjects: &[String],
        body: F,
    ) -> Result<T, E>
    where
        T: Repeatable + Send + Sync + 'static,
        E: From<Refused> + Send + 'static,
        F: for<'t> Fn(&'t mut Tx, Record) -> BoxFuture<'t, Result<Written<T>, E>>
            + Clone
            + Send
            + Sync
            + 'static,
    {
        tracing::debug!(why, actor = op.actor.kind(), "domain.change_unasked");
        let record = self.record(op, None, subjects).await.map_err(Refused::from)?;
        match self.commit(op, Basis::Own, record, body).await {
            Err(WriteError::Refused(error)) => Err(error),
            Err(WriteError::Stale) => {
                Err(Refused::from(Fault::Unexpected("stale without a permit".into())).into())
            }
            Err(WriteError::Store(error)) => Err(Refused::from(error).into()),
            Ok(done) => {
                self.heed().await;
                Ok(done)
            }
        }
    }

    /// What was written counts on this node at once. It is done, whatever happens now: if the counter cannot be read,
    /// everything is forgotten instead, and the caller gets its answer. A fresh value is shown only this once.
    async fn heed(&self) {
        if let Err(fault) = self.look().await {
            tracing::warn!(%fault, "domain.change: the change counter does not answer; all is forgotten");
            self.forget_everything();
        }
    }

    /// Writes; where that fails for want of a project's key that a seal of its own wraps, the seal is asked, outside of the
    /// transaction, and it is written once more.
    async fn commit<T, E, F>(
        &self,
        op: &Op,
        basis: Basis,
        record: Record,
        body: F,
    ) -> Result<T, WriteError<E>>
    where
        T: Repeatable + Send + Sync + 'static,
        E: From<Refused> + Send + 'static,
        F: for<'t> Fn(&'t mut Tx, Record) -> BoxFuture<'t, Result<Written<T>, E>>
            + Clone
            + Send
            + Sync
            + 'static,
    {
        let mut fetches = 0;
        loop {
            let seen = self.custody_seen();
            let wrote = Box::pin(self.commit_once(op, basis, record.clone(), body.clone())).await;
            let refused = matches!(wrote, Err(WriteError::Refused(_)));
            if !refused || fetches == FETCHES || !self.fetch_project_keys(&seen).await {
                return wrote;
            }
            fetches = fetches.saturating_add(1);
        }
    }

    async fn commit_once<T, E, F>(
        &self,
        op: &Op,
        basis: Basis,
        record: Record,
        body: F,
    ) -> Result<T, WriteError<E>>
    where
        T: Repeatable + Send + Sync + 'static,
        E: From<Refused> + Send + 'static,
        F: for<'t> Fn(&'t mut Tx, Record) -> BoxFuture<'t, Result<Written<T>, E>>
            + Clone
            + Send
            + Sync
            + 'static,
    {
        if let Some(before) = self.done_before(op).await? {
            return Ok(before);
        }
        let noted = Arc::new(Noted::of(op));
        let (keyring, env) = (Arc::clone(self.keyring()), self.env().clone());
        let wrote = self
            .store()
            .write(basis, move |tx: &mut Tx| {
                let (body, record) = (body.clone(), record.clone());
                let (noted, keyring, env) = (Arc::clone(&noted), Arc::clone(&keyring), env.clone());
                Box::pin(async move {
                    let written = body(tx, record).await?;
                    messages::write(tx, &env, written.events())
                        .await
                        .map_err(|fault| E::from(Refused::from(fault)))?;
                    if let Some(noted) = &*noted {
                        once::note(tx, noted, &keyring, &env, written.value())
                            .await
                            .map_err(|fault| E::from(Refused::from(fault)))?;
                    }
                    Ok(written)
                })
            })
            .await;
        match wrote {
            // A twin of this very request was faster: its row stands, so its answer is ours.
            Err(WriteError::Refused(_) | WriteError::Store(_)) if op.once.is_some() => {
                match self.done_before(op).await? {
                    Some(before) => Ok(before),
                    None => wrote,
                }
            }
            other => other,
        }
    }

    /// The answer of the same request, if it was done before.
    pub(crate) async fn answered<T: Repeatable>(&self, op: &Op) -> Result<Option<T>, Refused> {
        if op.once.is_none() {
            return Ok(None);
        }
        let mut conn = self.store().read().await?;
        let before = once::look::<T>(&mut conn, op, self.keyring()).await?;
        Ok(before.transpose()?)
    }

    /// Whether the same request was done before, whatever it answered then.
    pub async fn was_done(&self, op: &Op) -> Result<bool, Refused> {
        Ok(self.answered::<()>(op).await?.is_some())
    }

    async fn done_before<T, E>(&self, op: &Op) -> Result<Option<T>, WriteError<E>>
    where
        T: Repeatable,
        E: From<Refused>,
    {
        self.answered(op).await.map_err(|refused| WriteError::Refused(E::from(refused)))
    }
}
