//! The memory of PINs that were tried. Tokens lock themselves after a few wrong ones; a node that restarts in a loop
//! with a wrong PIN would do that within seconds.
//!
//! A clear refusal counts for good. A try without a clear answer (the token hangs, breaks or fails in general) may hide a
//! refusal or be a hiccup: the PIN rests, longer each time, and is tried again only while the token's own flags say that
//! no wrong PIN was shown to it.

use std::fs::File;
use std::io;
use std::path::PathBuf;
use std::thread::sleep;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rand::CryptoRng;

use super::protocol::Left;
use crate::envelope::frame;
use crate::mac::hmac_sha256;
use crate::seal::SealError;
use crate::seal::file::{open_lock, replace};
use crate::secret::SecretString;

/// A refused PIN is tried this often.
const TRIES: u8 = 2;

/// For how many seconds a PIN rests after its first try without a clear answer: that may have been a start cut short.
const FIRST_REST: i64 = 5;

/// And after its second one; twice as long after each further one.
const REST: i64 = 60;

/// This is doubled so often at most: it is an hour and a bit then.
const DOUBLED: u8 = 6;

/// A try of so few seconds ago may still be under way in another process.
const UNDER_WAY: i64 = 1;

/// How often, and how long, such a one's answer is waited for.
const LOOKS: u32 = 20;
const LOOK: Duration = Duration::from_millis(50);

/// Other PINs of the same token that are remembered; the oldest is forgotten first.
const REMEMBERED: usize = 64;

const SALT_LEN: usize = 16;

/// A file (mode 0600) with one line for each PIN that was tried and not accepted yet: token, salt, mark of the
/// PIN, clear refusals and, where there are any, tries without a clear answer and when the last of these was. It is
/// written and synced *before* each login as such a try, so that a crash in the midst counts as one, and the line is taken
/// out when the token accepts. Processes change it one after the other: `doctor` and `fsck` log in beside the server.
///
/// The mark is 16 bits of a salted MAC: enough to know a PIN again, too little to find it by trying all. One
/// new PIN in 65 536 is therefore taken for a refused one; the message says which file to delete.
#[derive(Debug)]
pub struct Attempts {
    path: PathBuf,
    salt: [u8; SALT_LEN],
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Line {
    token: String, // hex
    salt: [u8; SALT_LEN],
    mark: [u8; 2],
    refused: u8,
    unclear: u8,
    at: i64, // of the last unclear one, in seconds since 1970
}

/// A login that is about to happen and is already written down.
#[derive(Debug)]
pub(super) struct Attempt<'a> {
    attempts: &'a Attempts,
    before: Line,
}

/// A PIN is not tried yet.
#[derive(Debug, PartialEq, Eq)]
struct Rest {
    seconds: i64,
    since: i64, // in seconds
}

impl Attempts {
    /// Keeps the memory in `path`; `rng` gives the salt of lines to come.
    pub fn at(path: impl Into<PathBuf>, rng: &mut dyn CryptoRng) -> Self {
        let mut salt = [0; SALT_LEN];
        rng.fill_bytes(&mut salt);
        Self { path: path.into(), salt }
    }

    /// Writes down that `pin` is going to be tried on `token` (its serial number and label), or refuses. Where the token
    /// locks itself on the next wrong PIN, one that it has refused gets no second try; where it has seen a wrong one, none
    /// is tried again of which it may have been that.
    pub(super) fn begin(
        &self,
        token: &str,
        label: &str,
        pin: &SecretString,
        left: Left,
    ) -> Result<Attempt<'_>, SealError> {
        let mut looks = 0_u32;
        loop {
            match self.begin_at(wall(), token, label, pin, left)? {
                Ok(attempt) => return Ok(attempt),
                // Of `doctor` beside the server, say, which is about to be told that the PIN is right.
                Err(rest) if rest.since <= UNDER_WAY && looks < LOOKS => {
                    looks = looks.saturating_add(1);
                    sleep(LOOK);
                }
                Err(Rest { seconds, .. }) => {
                    return Err(SealError::PinRests { token: label.to_owned(), seconds });
                }
            }
        }
    }

    fn begin_at(
        &self,
        now: i64,
        token: &str,
        label: &str,
        pin: &SecretString,
        left: Left,
    ) -> Result<Result<Attempt<'_>, Rest>, SealError> {
        let _alone = self.hold()?;
        let mut lines = self.read()?;
        let token = hex::encode(token);
        let mark = |salt: &[u8; SALT_LEN]| {
            let [first, second, ..] = hmac_sha256(salt, &frame(&[token.as_bytes(), pin.expose().as_bytes()]));
            [first, second]
        };
        let known = lines.iter().position(|line| line.token == token && line.mark == mark(&line.salt));
        let before = match known {
            Some(at) => lines.remove(at),
            None => Line { mark: mark(&self.salt), salt: self.salt, token, refused: 0, unclear: 0, at: 0 },
        };
        let spent = before.refused >= TRIES || (left == Left::One && before.refused > 0);
        if spent || (left != Left::All && before.unclear > 0) {
            return Err(SealError::PinWithheld { token: label.to_owned(), attempts: self.path.clone() });
        }
        if let Some(rest) = before.rest(now) {
            return Ok(Err(rest));
        }
        lines.push(Line { unclear: before.unclear.saturating_add(1), at: now, ..before.clone() });
        let same_token = lines.iter().filter(|other| other.token == before.token).count();
        if same_token > REMEMBERED
            && let Some(oldest) = lines.iter().position(|other| other.token == before.token)
        {
            lines.remove(oldest);
        }
        self.write(&lines)?;
        Ok(Ok(Attempt { attempts: self, before }))
    }

    /// Nobody else changes the file until this is dropped, or its process is gone. The file itself is replaced by each
    /// change, so it is another one that is locked.
    fn hold(&self) -> Result<File, SealError> {
        let path = self.path.with_added_extension("lock");
        open_lock(&path).and_then(|file| file.lock().map(|()| file)).map_err(|error| self.broken(&error))
    }

    fn read(&self) -> Result<Vec<Line>, SealError> {
        let text = match std::fs::read_to_string(&self.path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            text => text.map_err(|error| self.broken(&error))?,
        };
        let lines = text.lines().map(Line::parse).collect::<Option<_>>();
        lines.ok_or_else(|| self.broken(&io::Error::other("a line is malformed")))
    }

    fn write(&self, lines: &[Line]) -> Result<(), SealError> {
        let text = lines.iter().fold(String::new(), |text, line| text + &line.to_text());
        replace(&self.path, &text).map_err(|error| self.broken(&error))
    }

    fn broken(&self, error: &io::Error) -> SealError {
        SealError::Attempts { path: self.path.clone(), cause: error.to_string() }
    }
}

/// Seconds since 1970.
#[expect(
    clippy::disallowed_methods,
    reason = "a rest outlives its process, and who asks a token has no operation to take an instant from"
)]
fn wall() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
}

impl Attempt<'_> {
    /// The token took the PIN: it is not refused any more.
    pub(super) fn accepted(self) -> Result<(), SealError> {
        let line = Line { refused: 0, unclear: 0, ..self.before.clone() };
        self.becomes(line)
    }

    /// The token did not come to look at the PIN: the try did not happen.
    pub(super) fn not_made(self) -> Result<(), SealError> {
        let line = self.before.clone();
        self.becomes(line)
    }

    /// The token said that the PIN is wrong.
    pub(super) fn refused(self) -> Result<(), SealError> {
        let line = Line { refused: self.before.refused.saturating_add(1), ..self.before.clone() };
        self.becomes(line)
    }

    fn becomes(self, line: Line) -> Result<(), SealError> {
        let _alone = self.attempts.hold()?;
        let mut lines = self.attempts.read()?;
        lines.retain(|other| (&other.token, other.salt, other.mark) != (&line.token, line.salt, line.mark));
        if line.refused > 0 || line.unclear > 0 {
            lines.push(line);
        }
        self.attempts.write(&lines)
    }
}

impl Line {
    /// How long it still has to wait for its next try, if it has.
    fn rest(&self, now: i64) -> Option<Rest> {
        let seconds = match self.unclear.checked_sub(1)? {
            0 => FIRST_REST,
            further => REST.checked_shl(further.saturating_sub(1).min(DOUBLED).into()).unwrap_or(i64::MAX),
        };
        let since = now.saturating_sub(self.at);
        // Under a clock that was set back nobody knows: better tried now than in a year.
        (0..seconds).contains(&since).then_some(Rest { seconds, since })
    }

    fn to_text(&self) -> String {
        let (salt, mark) = (hex::encode(self.salt), hex::encode(self.mark));
        match self.unclear {
            0 => format!("1 {}- {salt} {mark} {}\n", self.token, self.refused),
            unclear => format!("2 {}- {salt} {mark} {} {unclear} {}\n", self.token, self.refused, self.at),
        }
    }

    fn parse(text: &str) -> Option<Self> {
        let mut words = text.split(' ');
        let mut word = || words.next();
        let form = word()?;
        let token = word()?.strip_suffix('-')?.to_owned();
        let mut line = Self { token, salt: [0; SALT_LEN], mark: [0; 2], refused: 0, unclear: 0, at: 0 };
        hex::decode_to_slice(word()?, &mut line.salt).ok()?;
        hex::decode_to_slice(word()?, &mut line.mark).ok()?;
        line.refused = word()?.parse().ok()?;
        match form {
            "1" => {}
            "2" => {
                line.unclear = word()?.parse().ok()?;
                line.at = word()?.parse().ok()?;
            }
            _ => return None,
        }
        word().is_none().then_some(line)
    }
}

#[cfg(test)]
mod tests;
