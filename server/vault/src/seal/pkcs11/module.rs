//! One thread for each PKCS#11 library: the only one that calls it.
//!
//! PKCS#11 state belongs to the process: two threads initialising SoftHSM2 is undefined behaviour, closing the
//! last session logs everybody out, and login holds for all sessions. So everything is asked of one owner, over
//! a bounded queue. A library that hangs costs its callers [`ANSWER_LIMIT`] each, and nothing once the queue is
//! full.

use std::convert::Infallible;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use super::worker::Worker;
use crate::seal::{ANSWER_LIMIT, SealError};

/// Calls that may wait; a keyring has a dozen keys, and one caller at a time.
const QUEUE: usize = 16;

type Job = Box<dyn FnOnce(&mut Worker) + Send>;

/// A PKCS#11 library of this process. Clones share the thread; when the last one is dropped the library is finalised
/// and the thread ends, which that drop waits for: a process that ends while its library is being finalised on another
/// thread runs the library's destructors under its feet.
///
/// **Invariant:** make one for each library. A second one is refused by the library itself
/// (`CKR_CRYPTOKI_ALREADY_INITIALIZED`).
#[derive(Debug, Clone)]
pub struct Module {
    path: Arc<Path>,
    owner: Arc<Owner>,
    limit: Duration,
}

/// The thread, as long as anybody may ask it.
#[derive(Debug)]
struct Owner {
    /// `None` once it is told to end.
    jobs: Option<SyncSender<Job>>,
    /// Closes when the library is finalised.
    alive: Mutex<Receiver<Infallible>>,
    limit: Duration,
}

impl Drop for Owner {
    fn drop(&mut self) {
        self.jobs = None;
        let alive = self.alive.get_mut().unwrap_or_else(PoisonError::into_inner);
        // One that hangs is left behind.
        let _hangs = alive.recv_timeout(self.limit) == Err(RecvTimeoutError::Timeout);
    }
}

impl Module {
    /// Starts the thread. The library is loaded by the first call, and need not be there yet.
    pub fn load(path: impl Into<PathBuf>) -> io::Result<Self> {
        Self::with_limit(path.into(), ANSWER_LIMIT)
    }

    pub(super) fn with_limit(path: PathBuf, limit: Duration) -> io::Result<Self> {
        let (jobs, queue) = sync_channel(QUEUE);
        let (living, alive) = sync_channel(0);
        let worker = path.clone();
        thread::Builder::new().name("pkcs11".to_owned()).spawn(move || {
            let _until_finalised = living;
            serve(&worker, &queue);
        })?;
        let owner = Owner { jobs: Some(jobs), alive: Mutex::new(alive), limit };
        Ok(Self { path: path.into(), owner: Arc::new(owner), limit })
    }

    /// The library's file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Has the owner do something and waits for its answer. What was not begun in time is not done any more;
    /// what was begun runs to its end, unheard.
    pub(in crate::seal) fn call<T: Send + 'static>(
        &self,
        task: impl FnOnce(&mut Worker) -> Result<T, SealError> + Send + 'static,
    ) -> Result<T, SealError> {
        let (answer, heard) = sync_channel(1);
        let asked = Instant::now();
        let limit = self.limit;
        let job: Job = Box::new(move |worker| {
            if asked.elapsed() < limit {
                let _nobody_waits = answer.try_send(task(worker)).is_err();
            }
        });
        let sent = match &self.owner.jobs {
            Some(jobs) => jobs.try_send(job),
            None => Err(TrySendError::Disconnected(job)),
        };
        sent.map_err(|error| match error {
            TrySendError::Full(_) => SealError::Busy(self.path.to_path_buf()),
            TrySendError::Disconnected(_) => self.broken("its thread has ended"),
        })?;
        heard.recv_timeout(limit).unwrap_or_else(|error| match error {
            RecvTimeoutError::Timeout => Err(SealError::NoAnswer { path: self.path.to_path_buf(), limit }),
            RecvTimeoutError::Disconnected => Err(self.broken("the call failed unexpectedly")),
        })
    }

    fn broken(&self, cause: &str) -> SealError {
        SealError::Module { path: self.path.to_path_buf(), cause: cause.to_owned() }
    }
}

fn serve(path: &Path, queue: &Receiver<Job>) {
    let mut worker = Worker::new(path);
    while let Ok(job) = queue.recv() {
        if catch_unwind(AssertUnwindSafe(|| job(&mut worker))).is_err() {
            worker.reset();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::channel;

    use rand::SeedableRng;
    use rand_chacha::ChaCha20Rng;

    use super::super::{Attempts, Pin, Token};
    use super::*;
    use crate::secret::SecretString;

    fn module(limit: Duration) -> Module {
        Module::with_limit("/nowhere/module.so".into(), limit).unwrap()
    }

    #[test]
    fn a_module_that_hangs_does_not_hang_its_callers() {
        let module = module(Duration::from_millis(20));
        let (release, held) = channel::<()>();
        let hanging = module.call(move |_| Ok(held.recv().is_ok()));
        assert!(matches!(hanging, Err(SealError::NoAnswer { .. })));

        // Calls that nobody waits for any more are not made up for.
        let (made, calls) = channel();
        let mut full = false;
        for _ in 0..=QUEUE {
            let made = made.clone();
            let answer = module.call(move |_| Ok(made.send(()).is_ok()));
            full |= matches!(answer, Err(SealError::Busy(_)));
        }
        assert!(full, "the queue is bounded");
        release.send(()).unwrap();
        let patient = Module { limit: Duration::from_mins(1), ..module };
        let answered = std::iter::repeat_with(|| patient.call(|_| Ok(7))).find(Result::is_ok);
        assert_eq!(answered, Some(Ok(7)), "it goes on when the module answers again");
        assert!(calls.try_recv().is_err());
    }

    #[test]
    fn the_last_drop_waits_until_the_thread_is_done_or_for_as_long_as_for_an_answer() {
        let (release, held) = channel::<()>();
        let (finished, seen) = channel();
        let patient = module(Duration::from_mins(1));
        let owner = Arc::clone(&patient.owner);
        let task: Job = Box::new(move |_| {
            let released = held.recv().is_ok();
            finished.send(released).unwrap();
        });
        owner.jobs.as_ref().unwrap().try_send(task).ok().unwrap();
        drop(owner);
        let other = patient.clone();
        drop(other);
        release.send(()).unwrap();
        drop(patient);
        assert_eq!(seen.try_recv(), Ok(true), "what was begun has ended by now");

        let impatient = module(Duration::from_millis(20));
        let (_never, held) = channel::<()>();
        assert!(impatient.call(move |_| Ok(held.recv().is_ok())).is_err());
        drop(impatient);
    }

    #[test]
    fn a_panic_fails_one_call_only() {
        let module = module(Duration::from_mins(1));
        let failed = module.call(|_| -> Result<(), _> { panic!("as a library might") });
        assert!(matches!(failed, Err(SealError::Module { .. })));
        assert_eq!(module.call(|_| Ok(7)), Ok(7));
    }

    #[test]
    fn a_missing_library_is_named() {
        let module = module(Duration::from_mins(1));
        let token = Token {
            label: "main".to_owned(),
            serial: None,
            pin: Pin::Given(SecretString::new("1234".to_owned())),
            attempts: Attempts::at("/nowhere/attempts", &mut ChaCha20Rng::seed_from_u64(1)),
        };
        let error = module.call(move |worker| worker.probe(&token)).unwrap_err();
        assert!(error.to_string().contains("/nowhere/module.so"), "{error}");
    }
}
