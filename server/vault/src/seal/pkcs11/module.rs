//! One owner for each PKCS#11 library: a thread that asks the library's process.
//!
//! PKCS#11 state belongs to a process: two threads initialising SoftHSM2 is undefined behaviour, closing the last session
//! logs everybody out, and login holds for all sessions. So everything is asked of one owner, over a bounded queue. A
//! library that hangs costs its caller [`ANSWER_LIMIT`], and its process the life.

use std::convert::Infallible;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use super::Token;
use super::process::{Launch, Library};
use super::protocol::{Answer, Ask, Does, Frame, Said, decode, encode};
use crate::seal::{ANSWER_LIMIT, SealError};

/// Calls that may wait; a keyring has a dozen keys, and one caller at a time.
const QUEUE: usize = 16;

/// One call, on its way.
struct Job {
    token: Arc<Token>,
    call: Frame,
    may_repeat: bool,
    asked: Instant,
    answer: SyncSender<Result<Frame, SealError>>,
}

/// A PKCS#11 library, in a process of its own. Clones share the process; when the last one is dropped the library is
/// finalised and its process ends, which that drop waits for.
///
/// **Invariant:** make one for each library: what one does to a token, another learns late.
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
        // For the call that it is in, and for the end of its process.
        let _hangs = alive.recv_timeout(self.limit.saturating_mul(2)) == Err(RecvTimeoutError::Timeout);
    }
}

impl Module {
    /// Starts the thread. The process is started by the first call, and loads the library, which need not be there yet.
    pub fn load(path: impl Into<PathBuf>, launch: Launch) -> io::Result<Self> {
        Self::with_limit(path.into(), launch, ANSWER_LIMIT)
    }

    pub(super) fn with_limit(path: PathBuf, launch: Launch, limit: Duration) -> io::Result<Self> {
        let (jobs, queue) = sync_channel(QUEUE);
        let (living, alive) = sync_channel(0);
        let library = path.clone();
        thread::Builder::new().name("pkcs11".to_owned()).spawn(move || {
            let _until_finalised = living;
            serve(Library::new(library, launch, limit), &queue);
        })?;
        let owner = Owner { jobs: Some(jobs), alive: Mutex::new(alive), limit };
        Ok(Self { path: path.into(), owner: Arc::new(owner), limit })
    }

    /// The library's file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// As [`Module::call`], where the answer says nothing more.
    pub(super) fn does(&self, token: &Arc<Token>, does: Does<'_>) -> Result<(), SealError> {
        self.call(token, does, |answer| matches!(answer, Answer::Nothing).then_some(()))
    }

    /// Has the library do something and waits for its answer, which `read` reads. What was not begun in time is not done
    /// any more; what was begun is ended with its process.
    pub(super) fn call<T>(
        &self,
        token: &Arc<Token>,
        does: Does<'_>,
        read: impl FnOnce(Answer<'_>) -> Option<T>,
    ) -> Result<T, SealError> {
        let ask = Ask { label: &token.label, serial: token.serial.as_deref(), does };
        let call = encode(&ask).map_err(|cause| self.broken(&cause.to_string()))?;
        let (answer, heard) = sync_channel(1);
        let (token, may_repeat) = (Arc::clone(token), does.may_repeat());
        self.send(Job { token, call, may_repeat, asked: Instant::now(), answer })?;
        let limit = self.limit;
        let frame = heard.recv_timeout(limit).unwrap_or_else(|error| match error {
            RecvTimeoutError::Timeout => Err(SealError::NoAnswer { path: self.path.to_path_buf(), limit }),
            RecvTimeoutError::Disconnected => Err(self.broken("the call failed unexpectedly")),
        })?;
        let told = match decode(&frame).map_err(|cause| self.broken(&cause.to_string()))? {
            Said::Done(done) => read(done?),
            _ => None,
        };
        told.ok_or_else(|| self.broken("it answered something else"))
    }

    fn send(&self, job: Job) -> Result<(), SealError> {
        let sent = match &self.owner.jobs {
            Some(jobs) => jobs.try_send(job),
            None => Err(TrySendError::Disconnected(job)),
        };
        sent.map_err(|error| match error {
            TrySendError::Full(_) => SealError::Busy(self.path.to_path_buf()),
            TrySendError::Disconnected(_) => self.broken("its thread has ended"),
        })
    }

    fn broken(&self, cause: &str) -> SealError {
        SealError::Module { path: self.path.to_path_buf(), cause: cause.to_owned() }
    }
}

fn serve(mut library: Library, queue: &Receiver<Job>) {
    while let Ok(Job { token, call, may_repeat, asked, answer }) = queue.recv() {
        let late = asked.elapsed() >= library.limit();
        let told = if late { Err(library.silence()) } else { library.ask(&token, &call, may_repeat) };
        let _nobody_waits = answer.try_send(told).is_err();
    }
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;
    use rand_chacha::ChaCha20Rng;

    use super::super::{Attempts, Pin};
    use super::*;
    use crate::seal::stages::launch;
    use crate::secret::SecretString;

    fn token() -> Arc<Token> {
        Arc::new(Token {
            label: "main".to_owned(),
            serial: None,
            pin: Pin::Given(SecretString::new("1234".to_owned())),
            attempts: Attempts::at("/nowhere/attempts", &mut ChaCha20Rng::seed_from_u64(1)),
        })
    }

    /// A process that is none of a library: it says nothing, or ends.
    fn with(script: &str, limit: Duration) -> Module {
        let launch = Launch::of("/bin/sh", ["-c", script]);
        Module::with_limit("/nowhere/module.so".into(), launch, limit).unwrap()
    }

    #[test]
    fn a_missing_library_is_named() {
        let module = Module::load("/nowhere/module.so", launch()).unwrap();
        let error = module.does(&token(), Does::Probe).unwrap_err();
        assert!(error.to_string().contains("`/nowhere/module.so` does not load"), "{error}");
        assert!(!error.to_string().contains("process"), "its process is well: {error}");
    }

    #[test]
    fn a_process_that_hangs_is_ended_and_does_not_hang_its_callers() {
        let folder = tempfile::tempdir().unwrap();
        let pids = folder.path().join("pids");
        let script = format!("echo $$ >> {}; exec sleep 1000", pids.display());
        let module = with(&script, Duration::from_millis(300));
        let began = Instant::now();
        for _ in 0..2 {
            let answer = module.does(&token(), Does::Probe);
            assert!(matches!(answer, Err(SealError::NoAnswer { .. })), "{answer:?}");
        }
        assert!(began.elapsed() < Duration::from_secs(20));
        drop(module);
        let pids = std::fs::read_to_string(pids).unwrap();
        assert!(pids.lines().count() >= 2, "each was asked in a process of its own: {pids}");
        for pid in pids.lines() {
            let cause = std::fs::read_to_string(format!("/proc/{pid}/cmdline"));
            assert!(cause.is_err_and(|cause| cause.kind() == io::ErrorKind::NotFound), "{pid} is left");
        }
    }

    #[test]
    fn a_process_that_ends_is_started_once_more_where_that_does_no_harm() {
        let folder = tempfile::tempdir().unwrap();
        let starts = folder.path().join("starts");
        let module = with(&format!("echo >> {}; exit 7", starts.display()), Duration::from_mins(1));
        let started = || std::fs::read_to_string(&starts).unwrap().len();
        let error = module.does(&token(), Does::Probe).unwrap_err();
        assert!(error.to_string().contains("exit status: 7"), "{error}");
        assert_eq!(started(), 2);
        assert!(module.does(&token(), Does::AddKey).is_err());
        assert_eq!(started(), 3, "a key may be there already");
    }

    #[test]
    fn calls_that_wait_are_bounded() {
        let module = with("exec sleep 1000", Duration::from_millis(500));
        let callers: Vec<_> = (0..QUEUE + 4)
            .map(|_| {
                let module = module.clone();
                thread::spawn(move || module.does(&token(), Does::Probe))
            })
            .collect();
        let answers: Vec<_> = callers.into_iter().map(|it| it.join().unwrap().unwrap_err()).collect();
        assert!(answers.iter().any(|it| matches!(it, SealError::Busy(_))), "{answers:?}");
        assert!(answers.iter().all(SealError::is_silence), "{answers:?}");
    }
}
