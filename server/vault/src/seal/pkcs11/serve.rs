//! What the process of a PKCS#11 library does: it answers its owner's calls, and asks the owner for PINs.

use std::cell::RefCell;
use std::env::set_current_dir;
use std::fs::read_dir;
use std::io;
use std::os::fd::{AsFd, AsRawFd, RawFd};
use std::os::unix::net::UnixStream;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;

use nix::sys::prctl::{set_dumpable, set_pdeathsig};
use nix::sys::resource::{Resource, setrlimit};
use nix::sys::signal::{SigSet, Signal};
use nix::unistd::{close, setsid};

use super::protocol::{
    Answer, Ask, Does, Frame, Left, Open, Pin, Said, Tried, decode, encode, receive, send,
};
use super::target::{Desk, Target};
use super::worker::Worker;
use crate::envelope::NONCE_LEN;
use crate::seal::{KeyNumber, SealError};
use crate::secret::{SecretBytes, SecretString};

/// Is the process of a library until its owner is gone, which it asks over standard input. It shows its memory to nobody.
pub fn serve_library() -> io::Result<()> {
    // Out of the terminal that root may sit at; Ctrl-C and service managers end whole groups, too, and the server still needs
    // the library while it closes. Whoever leads a group has no terminal to leave.
    let _alone_already = setsid().is_err();
    SigSet::from_iter([Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP]).thread_block()?;
    close_the_rest()?;
    let socket = UnixStream::from(io::stdin().as_fd().try_clone_to_owned()?);
    serve(&socket)
}

/// Closes what whoever started the server left open for all that it starts: none of it is the library's.
fn close_the_rest() -> io::Result<()> {
    let open =
        read_dir("/proc/self/fd")?.filter_map(|it| it.ok()?.file_name().to_str()?.parse::<RawFd>().ok());
    for file in open.collect::<Vec<_>>().into_iter().filter(|it| *it > io::stderr().as_raw_fd()) {
        // The list itself is closed by now.
        let _closed_before = close(file).is_err();
    }
    Ok(())
}

/// No core dump and no debugger of the same user sees this process's memory from now on (`PR_SET_DUMPABLE`), and no dump that
/// of a process which it starts, before that one can say the same (`RLIMIT_CORE`).
pub fn keep_memory_private() -> io::Result<()> {
    setrlimit(Resource::RLIMIT_CORE, 0, 0)?;
    Ok(set_dumpable(false)?)
}

fn serve(socket: &UnixStream) -> io::Result<()> {
    let Some(open) = receive(socket)? else { return Ok(()) };
    let open: Open = decode(&open)?;
    let entered = enter(&open);
    // Only now: whoever becomes somebody else loses both.
    set_pdeathsig(Signal::SIGKILL)?;
    keep_memory_private()?;
    let library = open.library;
    let told = match &entered {
        Ok(()) => Ok(Answer::Nothing),
        Err(cause) => Err(SealError::Module { path: library.clone(), cause: cause.to_string() }),
    };
    send(socket, &encode(&Said::Done(told))?)?;
    if entered.is_err() {
        return Ok(()); // as it was told
    }
    let mut worker = Worker::new(&library, open.met);
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
        if let Some(met) = worker.met_since() {
            send(socket, &encode(&Said::Met(met))?)?;
        }
        let done = done.as_ref().map(Done::answer).map_err(Clone::clone);
        send(socket, &encode(&Said::Done(done))?)?;
    }
    Ok(())
}

/// Goes where the process is wanted, and becomes whom.
fn enter(open: &Open) -> io::Result<()> {
    let failed = |what: String, cause: io::Error| io::Error::new(cause.kind(), format!("{what}: {cause}"));
    if let Some(folder) = &open.folder {
        set_current_dir(folder)
            .map_err(|cause| failed(format!("cannot enter {}", folder.display()), cause))?;
    }
    match open.user {
        Some(user) => {
            user.assume(open.all_groups).map_err(|cause| failed(format!("cannot become user {user}"), cause))
        }
        None => Ok(()),
    }
}

/// What a call came to, with what it holds.
enum Done {
    Keys(Vec<KeyNumber>),
    Nothing,
    Number(KeyNumber),
    Opened(SecretBytes),
    Sealed(KeyNumber, [u8; NONCE_LEN], Vec<u8>),
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
    fn begin(&self, serial: &str, left: Left) -> Result<SecretString, SealError> {
        self.pin(&Said::Login { serial, left })
    }

    fn tried(&self, tried: Tried) -> Result<(), SealError> {
        let told = encode(&Said::Tried(tried)).and_then(|frame| send(self.socket, &frame));
        told.map_err(|cause| self.gone(cause))
    }

    fn new_pin(&self) -> Result<SecretString, SealError> {
        self.pin(&Said::NewPin)
    }
}
