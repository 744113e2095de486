//! Where values come from: the server, or what is kept of it; and when they are others.
//!
//! A server that is lost changes nothing: the program keeps what it has, and the server is asked again and again, ever more
//! slowly. Changes that come close together are one.
//!
//! A value whose time is over changes nothing either, unless that is to end the program: a program is never started with a
//! value that is not valid, and none is stopped for want of another one without being asked for.

use std::{sync::Arc, time::Duration};

use tokio::time::{Instant, sleep, timeout};

use super::cache::Cache;
use crate::{
    client::{Client, ClientError, News, Stream, Value, Variable},
    commands::{
        Failure,
        wanted::{Values, Wanted},
    },
};

/// Changes are close together while none of these pauses is between them; a stream looks for them twice as often.
const QUIET: Duration = Duration::from_secs(1);
/// However many come: so long, and they are read.
const SETTLED: Duration = Duration::from_secs(5);
/// The first pause before a lost server is asked again; each further one is twice as long.
const PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_mins(1);
/// Without news of a value that is valid again, it is looked for after so long.
const LOOK: Duration = Duration::from_mins(1);
/// A stream that lasted so long was a good one.
const LASTED: Duration = Duration::from_secs(20);

/// What becomes of a program that holds a value whose time is over, when there is no other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum OnExpiry {
    /// It goes on with the values it has
    Keep,
    /// It is stopped
    Stop,
}

/// Where the values of a program come from.
#[derive(Debug)]
pub(super) struct Source {
    wanted: Wanted,
    on_expiry: OnExpiry,
    cache: Option<Cache>,
    /// Signed in; `None`: to be signed in when it is needed.
    client: Option<Client>,
    stream: Option<(Stream, Instant)>,
    /// Where the next stream goes on.
    last: Option<String>,
    pause: Duration,
    /// Whether it was said that the server is lost.
    lost: bool,
    /// Which value was said to be invalid.
    invalid: Option<String>,
}

impl Source {
    pub(super) fn new(wanted: Wanted, cache: Option<Cache>, on_expiry: OnExpiry) -> Self {
        Self {
            wanted,
            on_expiry,
            cache,
            client: None,
            stream: None,
            last: None,
            pause: PAUSE,
            lost: false,
            invalid: None,
        }
    }

    /// The values to begin with: the server's; where it is away, those that are kept.
    pub(super) async fn first(&mut self) -> Result<Values, Failure> {
        match (self.read(&Values::new()).await, &self.cache) {
            (Err(Failure::Client(cause)), Some(cache)) if cause.is_absence() => cache.instead(cause),
            (read, _) => read,
        }
    }

    /// Other values than those that are held, once there are any; or why the program is to be stopped.
    pub(super) async fn changed(&mut self, held: &Values) -> Result<Values, Failure> {
        loop {
            self.news().await;
            // What comes right behind belongs to it.
            let began = Instant::now();
            while began.elapsed() < SETTLED && timeout(QUIET, self.news()).await.is_ok() {}
            let values = self.read_at_last(held).await?;
            if !same(&values, held) {
                return Ok(values);
            }
        }
    }

    /// Reads until it can be done.
    async fn read_at_last(&mut self, held: &Values) -> Result<Values, Failure> {
        loop {
            match self.read(held).await {
                Ok(values) => {
                    self.is_back();
                    self.invalid = None;
                    return Ok(values);
                }
                Err(failure @ Failure::NoValue { .. }) if self.on_expiry == OnExpiry::Stop => {
                    return Err(failure);
                }
                Err(Failure::NoValue { variable, cause }) => {
                    self.is_back();
                    self.says_invalid(variable, &cause);
                    // The next value is told of, and the beginning of its time, too.
                    timeout(LOOK, self.news()).await.ok();
                }
                Err(failure) => self.is_lost(&failure).await,
            }
        }
    }

    /// Reads all values, and keeps them.
    async fn read(&mut self, held: &Values) -> Result<Values, Failure> {
        let client = signed_in(&mut self.client, &self.wanted).await?;
        let read = self.wanted.values(client, held).await;
        if matches!(&read, Err(Failure::Client(cause)) if cause.is_unknown_caller()) {
            self.client = None;
        }
        let values = read?;
        if let Some(Err(cause)) = self.cache.as_ref().map(|cache| cache.keep(&values)) {
            eprintln!("keywarden: the values are not kept: {cause}");
        }
        Ok(values)
    }

    /// Waits until something may have changed. May be given up at any moment.
    async fn news(&mut self) {
        loop {
            let Some((stream, since)) = &mut self.stream else {
                match self.open().await {
                    Ok(()) if self.last.is_none() => return,
                    Ok(()) => {}
                    Err(cause) => self.is_lost(&cause.into()).await,
                }
                continue;
            };
            let lasted = since.elapsed() > LASTED;
            match stream.next().await {
                Ok(Some(event)) if event.news != News::Ended => {
                    self.pause = PAUSE;
                    // After a gap there is nowhere to go on from.
                    self.last = event.id.filter(|_| event.news != News::Resync);
                    return;
                }
                // A token ran out, perhaps: sign in anew, and see.
                Ok(Some(_)) => self.client = None,
                Ok(None) => {}
                Err(cause) => self.says_lost(&cause.into()),
            }
            self.stream = None;
            if lasted {
                self.pause = PAUSE;
            }
            self.rest().await;
        }
    }

    async fn open(&mut self) -> Result<(), ClientError> {
        let client = signed_in(&mut self.client, &self.wanted).await?;
        let opened = client.watch(&self.wanted.place(), self.wanted.folder(), self.last.as_deref()).await;
        if opened.as_ref().is_err_and(ClientError::is_unknown_caller) {
            self.client = None;
        }
        self.stream = Some((opened?, Instant::now()));
        self.is_back();
        Ok(())
    }

    fn is_back(&mut self) {
        if std::mem::take(&mut self.lost) {
            eprintln!("keywarden: the server answers again");
        }
    }

    async fn is_lost(&mut self, failure: &Failure) {
        self.says_lost(failure);
        self.rest().await;
    }

    fn says_lost(&mut self, failure: &Failure) {
        if !std::mem::replace(&mut self.lost, true) {
            eprintln!(
                "keywarden: {failure}; the program keeps the values it has, and the server is asked again"
            );
        }
    }

    /// Once for each variable: those that stay invalid are found again whenever others change.
    fn says_invalid(&mut self, variable: String, cause: &ClientError) {
        if self.invalid.as_ref() != Some(&variable) {
            eprintln!(
                "keywarden: {variable} has no valid value: {cause}; the program keeps the values it has until there is one"
            );
            self.invalid = Some(variable);
        }
    }

    /// A pause, and the next one longer. Many that lose one server do not all come back at once.
    async fn rest(&mut self) {
        let pause = self.pause;
        self.pause = pause.saturating_mul(2).min(LONGEST_PAUSE);
        sleep(pause.mul_f64(0.5 + rand::random::<f64>() / 2.0)).await;
    }
}

async fn signed_in<'a>(client: &'a mut Option<Client>, wanted: &Wanted) -> Result<&'a Client, ClientError> {
    let there = match client.take() {
        Some(there) => there,
        None => wanted.client("run").await?,
    };
    Ok(client.insert(there))
}

/// Whether a program that was given the ones would be given the same by the others.
pub(super) fn same(one: &Values, other: &Values) -> bool {
    one.len() == other.len() && one.iter().all(|it| has(other, it))
}

/// Whether a variable is there, with this value.
pub(super) fn has(values: &Values, (variable, value): &(Variable, Arc<Value>)) -> bool {
    values.iter().any(|(it, that)| {
        it.name == variable.name
            && that.is_binary == value.is_binary
            && that.bytes.expose() == value.bytes.expose()
    })
}
