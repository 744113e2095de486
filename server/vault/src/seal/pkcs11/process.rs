//! The process that has a PKCS#11 library in it.
//!
//! A vendor's library runs with all that its process can reach: one that crashes or hangs would take the server, its
//! keyring and its database connections with it. So each library has a process of its own, the same program started for
//! nothing else. It is given one socket and the answers to its questions, PINs among them; it holds no key of the keyring
//! for longer than one call, and ends with the process that started it.

use std::cell::RefCell;
use std::ffi::OsString;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use nix::sys::signal::{SigSet, Signal};

use super::Token;
use super::attempts::Attempt;
use super::protocol::{Answer, Ask, Does, Frame, Open, Pin, Said, Tried, decode, encode, receive, send};
use super::worker::{Desk, Target, Worker};
use crate::seal::SealError;
use crate::secret::SecretString;

/// Variables that begin so are the server's own, and may hold secrets.
const OURS: &str = "KEYWARDEN_";

/// How the process of a library is started: a program that calls [`serve_library`] and does nothing else.
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
    fn ask(&mut self, token: &Token, call: &Frame, until: Instant) -> Result<Frame, Silence> {
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
                Said::Done(Ok(_)) if unwritten.is_some() => {
                    let done = Said::Done(Err(unwritten.unwrap_or(SealError::UnknownFormat)));
                    return encode(&done).map_err(|cause| broken(&trying, &cause));
                }
                Said::Done(_) => return Ok(frame),
                Said::Tried(tried) => {
                    let written = match (trying.take(), tried) {
                        (Some(attempt), Tried::Accepted) => attempt.accepted(),
                        (Some(attempt), Tried::NotMade) => attempt.not_made(),
                        _ => Ok(()),
                    };
                    unwritten = written.err();
                    continue;
                }
                Said::NewPin => token.pin.read(),
                Said::Login { serial, final_try } => token.pin.read().and_then(|pin| {
                    trying = Some(token.attempts.begin(serial, &token.label, &pin, final_try)?);
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

    fn send(&self, frame: &Frame, until: Instant) -> io::Result<()> {
        self.socket.set_write_timeout(Some(left(until)?))?;
        send(&self.socket, frame)
    }

    fn receive(&self, until: Instant) -> io::Result<Frame> {
        self.socket.set_read_timeout(Some(left(until)?))?;
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
        let until = Instant::now() + patience;
        while Instant::now() < until {
            match self.child.try_wait() {
                Ok(None) => std::thread::sleep(Duration::from_millis(2)),
                _ => return,
            }
        }
        self.kill();
    }
}

fn left(until: Instant) -> io::Result<Duration> {
    let left = until.saturating_duration_since(Instant::now());
    if left.is_zero() { Err(io::ErrorKind::TimedOut.into()) } else { Ok(left) }
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
    /// no harm; a PIN that was being tried meanwhile counts as tried.
    pub(super) fn ask(&mut self, token: &Token, call: &Frame, may_repeat: bool) -> Result<Frame, SealError> {
        let until = Instant::now() + self.limit;
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
                    return Err(SealError::NoAnswer { path: self.path.clone(), limit: self.limit });
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

/// Is the process of a library until its owner is gone, which it asks over standard input. It shows its memory to nobody.
pub fn serve_library() -> io::Result<()> {
    nix::sys::prctl::set_pdeathsig(Signal::SIGKILL)?;
    keep_memory_private()?;
    // Ctrl-C and service managers end whole groups; the server still needs the library while it closes.
    SigSet::from_iter([Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP]).thread_block()?;
    let socket = UnixStream::from(io::stdin().as_fd().try_clone_to_owned()?);
    serve(&socket)
}

/// No core dump and no debugger of the same user sees this process's memory from now on (`PR_SET_DUMPABLE`).
pub fn keep_memory_private() -> io::Result<()> {
    Ok(nix::sys::prctl::set_dumpable(false)?)
}

pub(super) fn serve(socket: &UnixStream) -> io::Result<()> {
    let Some(open) = receive(socket)? else { return Ok(()) };
    let Open { library } = decode(&open)?;
    let mut worker = Worker::new(&library);
    while let Some(call) = receive(socket)? {
        let Ask { label, serial, does } = decode(&call)?;
        let owner = Owner { socket, broken: RefCell::new(None) };
        let target = Target { label, serial, desk: &owner };
        let done = catch_unwind(AssertUnwindSafe(|| answer(&mut worker, &target, does)));
        let done = done.unwrap_or_else(|_| {
            worker.reset();
            let cause = "the call failed unexpectedly".to_owned();
            Err(SealError::Module { path: library.clone(), cause })
        });
        if let Some(broken) = owner.broken.take() {
            return Err(broken);
        }
        let done = done.as_ref().map(Done::answer).map_err(Clone::clone);
        send(socket, &encode(&Said::Done(done))?)?;
    }
    Ok(())
}

/// What a call came to, with what it holds.
enum Done {
    Keys(Vec<u32>),
    Nothing,
    Number(u32),
    Opened(crate::secret::SecretBytes),
    Sealed(u32, [u8; crate::envelope::NONCE_LEN], Vec<u8>),
}

impl Done {
    fn answer(&self) -> Answer<'_> {
        match self {
            Self::Keys(numbers) => Answer::Keys(numbers.clone()),
            Self::Nothing => Answer::Nothing,
            Self::Number(number) => Answer::Number(*number),
            Self::Opened(bytes) => Answer::Opened(bytes.expose()),
            Self::Sealed(number, nonce, ciphertext) => {
                Answer::Sealed { number: *number, nonce: *nonce, ciphertext }
            }
        }
    }
}

fn answer(worker: &mut Worker, target: &Target<'_>, does: Does<'_>) -> Result<Done, SealError> {
    Ok(match does {
        Does::AddKey => Done::Number(worker.add_key(target)?),
        Does::CreateKey => {
            worker.create_key(target)?;
            Done::Nothing
        }
        Does::CreateToken { so_pin } => {
            worker.create_token(target, &SecretString::new(so_pin.to_owned()))?;
            Done::Nothing
        }
        Does::Decrypt { number, nonce, context, ciphertext } => {
            Done::Opened(worker.decrypt(target, number, nonce, context, ciphertext)?)
        }
        Does::DestroyKey { number } => {
            worker.destroy_key(target, number)?;
            Done::Nothing
        }
        Does::Encrypt { nonce, context, plaintext } => {
            let (number, nonce, ciphertext) = worker.encrypt(target, nonce, context, plaintext)?;
            Done::Sealed(number, nonce, ciphertext)
        }
        Does::Keys => Done::Keys(worker.keys(target)?),
        Does::Probe => {
            worker.probe(target)?;
            Done::Nothing
        }
    })
}

/// The owner, whom the process asks for PINs.
struct Owner<'a> {
    socket: &'a UnixStream,
    /// The owner cannot be asked any more.
    broken: RefCell<Option<io::Error>>,
}

impl Owner<'_> {
    fn pin(&self, asked: &Said<'_>) -> Result<SecretString, SealError> {
        let asked = || -> io::Result<Frame> {
            send(self.socket, &encode(asked)?)?;
            receive(self.socket)?.ok_or_else(|| io::ErrorKind::UnexpectedEof.into())
        };
        let frame = asked().map_err(|cause| self.gone(cause))?;
        match decode(&frame).map_err(|cause| self.gone(cause))? {
            Pin::Is(pin) => Ok(SecretString::new(pin.to_owned())),
            Pin::Withheld(why) => Err(why),
        }
    }

    fn gone(&self, cause: io::Error) -> SealError {
        let said = cause.to_string();
        *self.broken.borrow_mut() = Some(cause);
        SealError::Module { path: PathBuf::new(), cause: said }
    }
}

impl Desk for Owner<'_> {
    fn begin(&self, serial: &str, final_try: bool) -> Result<SecretString, SealError> {
        self.pin(&Said::Login { serial, final_try })
    }

    fn tried(&self, tried: Tried) -> Result<(), SealError> {
        let told = encode(&Said::Tried(tried)).and_then(|frame| send(self.socket, &frame));
        told.map_err(|cause| self.gone(cause))
    }

    fn new_pin(&self) -> Result<SecretString, SealError> {
        self.pin(&Said::NewPin)
    }
}
