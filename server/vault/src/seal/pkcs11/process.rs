//! The process that has a PKCS#11 library in it.
//!
//! A vendor's library runs with all that its process can reach: one that crashes or hangs would take the server, its
//! keyring and its database connections with it. So each library has a process of its own, the same program started for
//! nothing else. It is given one socket and the answers to its questions, PINs among them; it holds no key of the keyring
//! for longer than one call, and ends with the process that started it.

use std::ffi::OsString;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::Token;
use super::attempts::Attempt;
use super::protocol::{Frame, Open, Pin, Said, Tried, decode, encode, receive, send};
use crate::seal::SealError;

/// Variables that begin so are the server's own, and may hold secrets.
const OURS: &str = "KEYWARDEN_";

/// How the process of a library is started: a program that calls [`super::serve_library`] and does nothing else.
#[derive(Debug, Clone)]
pub struct Launch {
    program: PathBuf,
    arguments: Vec<OsString>,
    variables: Vec<(OsString, OsString)>,
    user: Option<(u32, u32)>,
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
        }
    }

    /// With one more variable in its environment.
    #[must_use]
    pub fn with(mut self, name: impl Into<OsString>, value: impl Into<OsString>) -> Self {
        self.variables.push((name.into(), value.into()));
        self
    }

    /// As another user and group; only root can.
    #[must_use]
    pub fn as_user(mut self, user: u32, group: u32) -> Self {
        self.user = Some((user, group));
        self
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "no setting is read: a library's process gets none of ours"
    )]
    fn start(&self, library: &Path) -> io::Result<Process> {
        let (ours, theirs) = UnixStream::pair()?;
        let mut command = Command::new(&self.program);
        command.args(&self.arguments).stdin(OwnedFd::from(theirs)).stdout(Stdio::null());
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with(OURS) {
                command.env_remove(name);
            }
        }
        command.envs(self.variables.iter().map(|(name, value)| (name, value)));
        if let Some((user, group)) = self.user {
            command.uid(user).gid(group);
        }
        let process = Process { child: command.spawn()?, socket: ours };
        send(&process.socket, &encode(&Open { library: library.to_owned() })?)?;
        Ok(process)
    }
}

/// A library's process, as its owner sees it.
#[derive(Debug)]
struct Process {
    child: Child,
    socket: UnixStream,
}

/// Why a process gave no answer.
enum Silence {
    /// It ended, or spoke nonsense; `trying` while a PIN was being tried.
    Broken { trying: bool, cause: String },
    /// The time was over.
    Late,
}

impl Process {
    /// One call. What the process asks meanwhile is answered here.
    fn ask(&mut self, token: &Token, call: &Frame, until: Until) -> Result<Frame, Silence> {
        let mut trying: Option<Attempt<'_>> = None;
        let mut unwritten: Option<SealError> = None;
        let broken = |trying: &Option<Attempt<'_>>, cause: &io::Error| match cause.kind() {
            io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut => Silence::Late,
            _ => Silence::Broken { trying: trying.is_some(), cause: cause.to_string() },
        };
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
        let _ended_just_now = self.child.kill();
        match self.child.wait() {
            Ok(status) => status.to_string(),
            Err(cause) => cause.to_string(),
        }
    }

    fn kill(&mut self) {
        // It may be gone already.
        let (_killed, _reaped) = (self.child.kill(), self.child.wait());
    }

    /// Lets it finalise its library; one that takes longer is killed.
    fn close(mut self, patience: Duration) {
        let _already_closed = self.socket.shutdown(std::net::Shutdown::Both);
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
}

impl Library {
    pub(super) fn new(path: PathBuf, launch: Launch, limit: Duration) -> Self {
        Self { path, launch, limit, process: None }
    }

    /// One call, in time. A process that hangs is killed, one that broke is started again, and asked again where that does
    /// no harm; a PIN that was being tried meanwhile got no clear answer, and rests.
    pub(super) fn ask(&mut self, token: &Token, call: &Frame, may_repeat: bool) -> Result<Frame, SealError> {
        let until = Until { began: Instant::now(), limit: self.limit };
        let mut again = may_repeat;
        loop {
            let mut process = match self.process.take() {
                Some(process) => process,
                None => self.launch.start(&self.path).map_err(|cause| self.broken(&cause.to_string()))?,
            };
            match process.ask(token, call, until) {
                Ok(frame) => {
                    self.process = Some(process);
                    return Ok(frame);
                }
                Err(Silence::Late) => {
                    process.kill();
                    return Err(self.silence());
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
