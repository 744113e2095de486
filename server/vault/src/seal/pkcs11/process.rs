//! The process that has a PKCS#11 library in it.
//!
//! A vendor's library runs with all that its process can reach: one that crashes or hangs would take the server, its
//! keyring and its database connections with it. So each library has a process of its own, the same program started for
//! nothing else. It is given one socket, standard error to complain on, and the answers to its questions, PINs among them; it
//! holds no key of the keyring for longer than one call, and ends with the process that started it. Before it loads the
//! library it becomes the user that it is told, if any.

use std::ffi::OsString;
use std::io;
use std::net::Shutdown;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use super::attempts::Attempt;
use super::protocol::{Frame, Met, Open, Pin, Said, Tried, decode, encode, receive, send};
use super::{Token, User};
use crate::seal::{ANSWER_LIMIT, SealError};

/// Variables that begin so are the server's own, and its database's: they may hold secrets.
const OURS: [&str; 2] = ["KEYWARDEN_", "PG"];

/// How the process of a library is started: a program that calls [`super::serve_library`] and does nothing else.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Launch {
    program: PathBuf,
    arguments: Vec<OsString>,
    variables: Vec<(OsString, OsString)>,
    user: Option<User>,
    all_groups: bool,
    folder: Option<PathBuf>,
}

impl Launch {
    /// This program, with these arguments.
    pub fn again(arguments: impl IntoIterator<Item = impl Into<OsString>>) -> Self {
        // Also when the file has been replaced since.
        Self::of("/proc/self/exe", arguments)
    }

    pub(super) fn of(
        program: impl Into<PathBuf>,
        arguments: impl IntoIterator<Item = impl Into<OsString>>,
    ) -> Self {
        Self {
            program: program.into(),
            arguments: arguments.into_iter().map(Into::into).collect(),
            variables: Vec::new(),
            user: None,
            all_groups: false,
            folder: None,
        }
    }

    /// With one more variable in its environment.
    #[must_use]
    pub fn with(mut self, name: impl Into<OsString>, value: impl Into<OsString>) -> Self {
        self.variables.push((name.into(), value.into()));
        self
    }

    /// As another user, without other groups; only root can.
    #[must_use]
    pub fn as_user(mut self, user: User) -> Self {
        self.user = Some(user);
        self
    }

    /// As another user, in all groups of his, as a service of his is started; only root can.
    #[must_use]
    pub fn as_service_of(self, user: User) -> Self {
        Self { all_groups: true, ..self.as_user(user) }
    }

    /// Beginning in this folder, which may lie where that user would not get to.
    #[must_use]
    pub fn in_folder(mut self, folder: impl Into<PathBuf>) -> Self {
        self.folder = Some(folder.into());
        self
    }

    /// The user that it is to become, if it is another.
    pub(in crate::seal) fn user(&self) -> Option<User> {
        self.user
    }

    /// Starts one that loads nothing and kills it: what keeps it from being as it is wanted, if anything does. Blocks for at most
    /// [`ANSWER_LIMIT`].
    pub fn trial(&self) -> Result<(), String> {
        let mut process = self.start(Path::new(""), &[]).map_err(|cause| cause.to_string())?;
        match process.open(Until { began: Instant::now(), limit: ANSWER_LIMIT }) {
            // One that hangs has to be ended so.
            Ok(()) => match process.killed() {
                Ok(_) => Ok(()),
                Err(cause) => {
                    process.close(ANSWER_LIMIT);
                    Err(format!("it could not be ended if it hung: {cause}"))
                }
            },
            Err(Silence::Refused(frame)) => {
                process.kill();
                match decode(&frame) {
                    Ok(Said::Done(Err(SealError::Module { cause, .. }))) => Err(cause),
                    _ => Err("it answered something else".to_owned()),
                }
            }
            Err(Silence::Late) => {
                process.kill();
                Err("it did not answer".to_owned())
            }
            Err(Silence::Broken { cause, .. }) => Err(format!("it ended ({}): {cause}", process.end())),
        }
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "no setting is read: a library's process gets none of ours"
    )]
    fn start(&self, library: &Path, met: &[Met]) -> io::Result<Process> {
        let (ours, theirs) = UnixStream::pair()?;
        let mut command = Command::new(&self.program);
        command.args(&self.arguments).stdin(OwnedFd::from(theirs)).stdout(Stdio::null());
        for (name, _) in std::env::vars_os() {
            if OURS.iter().any(|it| name.to_string_lossy().starts_with(it)) {
                command.env_remove(name);
            }
        }
        if let Some(user) = self.user {
            command.env("HOME", user.home());
        }
        command.envs(self.variables.iter().map(|(name, value)| (name, value)));
        let process = Process { child: command.spawn()?, socket: ours, is_open: false };
        let (user, all_groups, folder) = (self.user, self.all_groups, self.folder.clone());
        let (library, met) = (found_anywhere(library)?, met.to_vec());
        let open = Open { library, user, all_groups, folder, met };
        send(&process.socket, &encode(&open)?)?;
        Ok(process)
    }
}

/// The library's path, for a process that may be in another folder. A bare name is looked for by the system.
fn found_anywhere(library: &Path) -> io::Result<PathBuf> {
    let is_path = library.parent().is_some_and(|it| !it.as_os_str().is_empty());
    if is_path { std::path::absolute(library) } else { Ok(library.to_owned()) }
}

/// A library's process, as its owner sees it.
#[derive(Debug)]
struct Process {
    child: Child,
    socket: UnixStream,
    /// Whether it said that it is as it is wanted.
    is_open: bool,
}

/// Why a process gave no answer.
enum Silence {
    /// It ended, or spoke nonsense; `trying` while a PIN was being tried.
    Broken { trying: bool, cause: String },
    /// The time was over.
    Late,
    /// It cannot be as it is wanted: what it said of that, in the place of any answer.
    Refused(Frame),
}

impl Silence {
    fn of(trying: bool, cause: &io::Error) -> Self {
        match cause.kind() {
            io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut => Self::Late,
            _ => Self::Broken { trying, cause: cause.to_string() },
        }
    }
}

impl Process {
    /// Waits until it is as it is wanted.
    fn open(&mut self, until: Until) -> Result<(), Silence> {
        if self.is_open {
            return Ok(());
        }
        let broken = |cause: &io::Error| Silence::of(false, cause);
        let frame = self.receive(until).map_err(|cause| broken(&cause))?;
        self.is_open = matches!(decode(&frame).map_err(|cause| broken(&cause))?, Said::Done(Ok(_)));
        if self.is_open { Ok(()) } else { Err(Silence::Refused(frame)) }
    }

    /// One call. What the process asks meanwhile is answered here, and what it met noted.
    fn ask(
        &mut self,
        token: &Token,
        call: &Frame,
        met: &mut Vec<Met>,
        until: Until,
    ) -> Result<Frame, Silence> {
        let mut trying: Option<Attempt> = None;
        let mut unwritten: Option<SealError> = None;
        let broken = |trying: &Option<Attempt>, cause: &io::Error| Silence::of(trying.is_some(), cause);
        self.open(until)?;
        self.send(call, until).map_err(|cause| broken(&trying, &cause))?;
        loop {
            let frame = self.receive(until).map_err(|cause| broken(&trying, &cause))?;
            let said = decode(&frame).map_err(|cause| broken(&trying, &cause))?;
            let pin = match said {
                Said::Done(_) => {
                    let failed = unwritten.map(|why| encode(&Said::Done(Err(why))));
                    return failed.unwrap_or(Ok(frame)).map_err(|cause| broken(&trying, &cause));
                }
                Said::Tried(tried) => {
                    let written = match (trying.take(), tried) {
                        (Some(attempt), Tried::Accepted) => attempt.accepted(),
                        (Some(attempt), Tried::NotMade) => attempt.not_made(),
                        (Some(attempt), Tried::Refused) => attempt.refused(),
                        // As it was written down before.
                        (Some(_), Tried::Unclear) | (None, _) => Ok(()),
                    };
                    unwritten = written.err();
                    continue;
                }
                Said::Met(keys) => {
                    *met = keys;
                    continue;
                }
                Said::NewPin => token.pin.read(),
                Said::Login { serial, left } => token.pin.read().and_then(|pin| {
                    trying = Some(token.attempts.begin(serial, &token.label, &pin, left)?);
                    Ok(pin)
                }),
            };
            let answer = match &pin {
                Ok(pin) => encode(&Pin::Is(pin.expose())),
                Err(why) => encode(&Pin::Withheld(why.clone())),
            };
            answer.and_then(|answer| self.send(&answer, until)).map_err(|cause| broken(&trying, &cause))?;
        }
    }

    fn send(&self, frame: &Frame, until: Until) -> io::Result<()> {
        self.socket.set_write_timeout(Some(until.left()?))?;
        send(&self.socket, frame)
    }

    fn receive(&self, until: Until) -> io::Result<Frame> {
        self.socket.set_read_timeout(Some(until.left()?))?;
        receive(&self.socket)?.ok_or_else(|| io::ErrorKind::UnexpectedEof.into())
    }

    /// How it ended: it is dead, or killed now.
    fn end(mut self) -> String {
        // One that broke is ending; its own word on why is worth a moment.
        for _ in 0..20 {
            match self.child.try_wait() {
                Ok(None) => std::thread::sleep(Duration::from_millis(5)),
                Ok(Some(status)) => return status.to_string(),
                Err(cause) => return cause.to_string(),
            }
        }
        match self.killed() {
            Ok(status) => status.to_string(),
            Err(cause) => cause.to_string(),
        }
    }

    /// How it ended. One that may not be killed is not waited for.
    fn killed(&mut self) -> io::Result<ExitStatus> {
        self.child.kill()?;
        self.child.wait()
    }

    /// Kills it. One that may not be killed comes back: it ends once its library lets go of it, as its socket is closed.
    fn kill(mut self) -> Option<Self> {
        if self.killed().is_ok() {
            return None;
        }
        let _closed_by_it = self.socket.shutdown(Shutdown::Both);
        Some(self)
    }

    /// Lets it finalise its library; one that takes longer is killed.
    fn close(mut self, patience: Duration) {
        let _already_closed = self.socket.shutdown(Shutdown::Both);
        let began = Instant::now();
        while began.elapsed() < patience {
            match self.child.try_wait() {
                Ok(None) => std::thread::sleep(Duration::from_millis(2)),
                _ => return,
            }
        }
        self.kill();
    }
}

/// When an answer must be there.
#[derive(Clone, Copy)]
struct Until {
    began: Instant,
    limit: Duration,
}

impl Until {
    fn left(self) -> io::Result<Duration> {
        let left = self.limit.saturating_sub(self.began.elapsed());
        if left.is_zero() { Err(io::ErrorKind::TimedOut.into()) } else { Ok(left) }
    }
}

/// A library, with or without a living process.
#[derive(Debug)]
pub(super) struct Library {
    path: PathBuf,
    launch: Launch,
    limit: Duration,
    process: Option<Process>,
    /// The keys that its processes met.
    met: Vec<Met>,
    /// One that hung and may not be killed. There is no other beside it.
    left: Option<Process>,
}

impl Library {
    pub(super) fn new(path: PathBuf, launch: Launch, limit: Duration) -> Self {
        Self { path, launch, limit, process: None, met: Vec::new(), left: None }
    }

    /// One call, in time. A process that hangs is killed, one that broke is started again, and asked again where that does
    /// no harm; a PIN that was being tried meanwhile got no clear answer, and rests.
    pub(super) fn ask(&mut self, token: &Token, call: &Frame, may_repeat: bool) -> Result<Frame, SealError> {
        let until = Until { began: Instant::now(), limit: self.limit };
        let mut again = may_repeat;
        loop {
            let mut process = match self.process.take() {
                Some(process) => process,
                None if self.is_held_up() => return Err(self.silence()),
                None => self
                    .launch
                    .start(&self.path, &self.met)
                    .map_err(|cause| self.broken(&cause.to_string()))?,
            };
            match process.ask(token, call, &mut self.met, until) {
                Ok(frame) => {
                    self.process = Some(process);
                    return Ok(frame);
                }
                Err(Silence::Late) => {
                    self.left = process.kill();
                    return Err(self.silence());
                }
                Err(Silence::Refused(frame)) => {
                    process.kill();
                    return Ok(frame);
                }
                Err(Silence::Broken { trying, cause }) => {
                    let how = process.end();
                    if !again || trying {
                        return Err(self.broken(&format!("its process ended ({how}): {cause}")));
                    }
                    again = false;
                }
            }
        }
    }

    fn is_held_up(&mut self) -> bool {
        self.left.take_if(|it| !matches!(it.child.try_wait(), Ok(None)));
        self.left.is_some()
    }

    pub(super) fn limit(&self) -> Duration {
        self.limit
    }

    /// What callers are told who waited as long as anybody may.
    pub(super) fn silence(&self) -> SealError {
        SealError::NoAnswer { path: self.path.clone(), limit: self.limit }
    }

    fn broken(&self, cause: &str) -> SealError {
        SealError::Module { path: self.path.clone(), cause: cause.to_owned() }
    }
}

impl Drop for Library {
    fn drop(&mut self) {
        if let Some(process) = self.process.take() {
            process.close(self.limit);
        }
    }
}
