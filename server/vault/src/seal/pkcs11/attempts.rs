//! The memory of PINs that were tried. Tokens lock themselves after a few wrong ones; a node that restarts in a loop
//! with a wrong PIN would do that within seconds, and several nodes on one token sooner.
//!
//! A clear refusal counts for good. A try without a clear answer (the token hangs, breaks or fails in general) may hide a
//! refusal or be a hiccup: the PIN rests, longer each time, and is tried again only while the token's own flags say that
//! no wrong PIN was shown to it.

mod file;
mod place;

use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::sleep;
use std::time::{Duration, Instant};

use rand::CryptoRng;

use self::file::FilePlace;
pub use self::place::{Change, MARK_LEN, Place, SALT_LEN, TriedPin};
use super::protocol::Left;
use crate::envelope::frame;
use crate::mac::hmac_sha256;
use crate::seal::SealError;
use crate::secret::SecretString;

/// A refused PIN is tried this often.
const TRIES: u8 = 2;

/// For how many seconds a PIN rests after its first try without a clear answer: that may have been a start cut short.
const FIRST_REST: i64 = 5;

/// And after its second one; twice as long after each further one.
const REST: i64 = 60;

/// This is doubled so often at most: it is an hour and a bit then.
const DOUBLED: u8 = 6;

/// A try of so few seconds ago may still be under way in another process, or on another node.
const UNDER_WAY: i64 = 1;

/// For how long such a one's answer is waited for, and how often it is looked for.
const LOOKS: Duration = Duration::from_secs(1);
const LOOK: Duration = Duration::from_millis(50);

/// Other PINs of the same token that are remembered; the oldest is forgotten first.
const REMEMBERED: usize = 64;

/// The salt of every mark in a place that nodes share.
const ONE_FOR_ALL: [u8; SALT_LEN] = [0; SALT_LEN];

/// Remembers tries in a [`Place`]. Each is written down *before* the login, as one without a clear answer, so that a crash in
/// the midst counts as that, and is taken out when the token accepts.
///
/// A mark is 16 bits of a MAC: enough to know a PIN again, too little to find it by trying all. One new PIN in 65 536 is
/// therefore taken for a refused one; the message says what to do. In a file each process has a salt of its own. A database
/// has a history (a log, copies of it), in which many marks of one PIN, each by another salt, would tell it: there a PIN has
/// one mark for ever, whichever token it is for.
#[derive(Debug, Clone)]
pub struct Attempts(Arc<Memory>);

#[derive(Debug)]
struct Memory {
    place: Arc<dyn Place>,
    salt: [u8; SALT_LEN],
    before: Before,
    /// What became of tries and could not be written down: it is made up for before the next one.
    owed: Mutex<Vec<(String, Ended)>>,
}

/// Where tries were remembered before, and are taken in from.
#[derive(Debug)]
enum Before {
    /// Where this node did so for itself.
    Alone(FilePlace),
    Nowhere,
    /// Where nodes did so together, of whose records this one's are a copy.
    Together(Arc<dyn Place>),
}

impl Before {
    /// Gives what is remembered of a token to `place`.
    fn give(&self, token: &str, place: &dyn Place) -> io::Result<()> {
        match self {
            Self::Alone(file) => file.move_to(place),
            Self::Nowhere => Ok(()),
            Self::Together(shared) => {
                let given = shared.pins(token)?;
                if !given.is_empty() {
                    place.change(token, Change::taking_in(given.clone()))?;
                    // Whoever may only look at the records leaves it there; it is taken in once more then.
                    shared.change(token, Change::letting_go(given)).ok();
                }
                Ok(())
            }
        }
    }

    fn name(&self) -> Option<String> {
        match self {
            Self::Alone(file) => Some(file.name()),
            Self::Nowhere => None,
            Self::Together(shared) => Some(shared.name()),
        }
    }
}

/// A login that is about to happen and is already written down.
#[derive(Debug)]
pub struct Attempt {
    attempts: Attempts,
    /// The token's serial number.
    token: String,
    before: TriedPin,
    at: i64,
}

/// A PIN is not tried yet.
#[derive(Debug, PartialEq, Eq)]
struct Rest {
    seconds: i64,
    since: i64, // in seconds
}

/// Whether a PIN is tried.
#[derive(Debug)]
enum Verdict {
    /// It is, and was this before.
    Begun {
        before: TriedPin,
        at: i64,
    },
    Rests(Rest),
    Withheld,
}

/// What became of a try.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outcome {
    Accepted,
    NotMade,
    Refused,
}

/// A try that is over: what was remembered of the PIN before it, when it began, and what became of it.
#[derive(Debug, Clone)]
struct Ended {
    before: TriedPin,
    at: i64,
    outcome: Outcome,
}

impl Attempts {
    /// Keeps the memory in the file `path`; `rng` gives the salt of lines to come.
    pub fn at(path: impl Into<PathBuf>, rng: &mut dyn CryptoRng) -> Self {
        Self::in_file(path.into(), rng, Before::Nowhere)
    }

    /// The same. What nodes remembered together in `before`, from where these records were copied, goes there too before a
    /// token is tried.
    pub fn at_after(path: impl Into<PathBuf>, rng: &mut dyn CryptoRng, before: Arc<dyn Place>) -> Self {
        Self::in_file(path.into(), rng, Before::Together(before))
    }

    fn in_file(path: PathBuf, rng: &mut dyn CryptoRng, before: Before) -> Self {
        let mut salt = [0; SALT_LEN];
        rng.fill_bytes(&mut salt);
        Self::new(Arc::new(FilePlace::at(path)), salt, before)
    }

    /// Keeps the memory in a place that all nodes share. What the file `before` remembers, from when this node did so for
    /// itself, goes there too before anything is tried.
    pub fn shared(place: Arc<dyn Place>, before: impl Into<PathBuf>) -> Self {
        Self::new(place, ONE_FOR_ALL, Before::Alone(FilePlace::at(before)))
    }

    fn new(place: Arc<dyn Place>, salt: [u8; SALT_LEN], before: Before) -> Self {
        Self(Arc::new(Memory { place, salt, before, owed: Mutex::default() }))
    }

    /// Writes down that `pin` is going to be tried on `token` (its serial number and label), or refuses. Where the token
    /// locks itself on the next wrong PIN, one that it has refused gets no second try; where it has seen a wrong one, none
    /// is tried again of which it may have been that.
    pub fn begin(
        &self,
        token: &str,
        label: &str,
        pin: &SecretString,
        left: Left,
    ) -> Result<Attempt, SealError> {
        let began = Instant::now();
        loop {
            match self.begin_once(token, pin, left)? {
                Verdict::Begun { before, at } => {
                    return Ok(Attempt { attempts: self.clone(), token: token.to_owned(), before, at });
                }
                // Of `doctor` beside the server, say, which is about to be told that the PIN is right.
                Verdict::Rests(rest) if rest.since <= UNDER_WAY && began.elapsed() < LOOKS => sleep(LOOK),
                Verdict::Rests(Rest { seconds, .. }) => {
                    return Err(SealError::PinRests { token: label.to_owned(), seconds });
                }
                Verdict::Withheld => {
                    let remedy = self.0.place.remedy();
                    return Err(SealError::PinWithheld { token: label.to_owned(), remedy });
                }
            }
        }
    }

    fn begin_once(&self, token: &str, pin: &SecretString, left: Left) -> Result<Verdict, SealError> {
        self.0.before.give(token, &*self.0.place).map_err(|cause| {
            let places = self.0.before.name().into_iter().chain([self.0.place.name()]);
            SealError::Attempts { place: places.collect::<Vec<_>>().join(" and "), cause: cause.to_string() }
        })?;
        let owed = self.take_owed(token);
        let (made_up, salt) = (owed.clone(), self.0.salt);
        let (serial, pin) = (hex::encode(token), SecretString::new(pin.expose().to_owned()));
        let verdict = self.change(token, move |now, pins| {
            for ended in &made_up {
                ended.settle(pins);
            }
            begin_among(pins, now, &|salt| mark(salt, &serial, &pin), salt, left)
        });
        if verdict.is_err() {
            self.owe(token, owed);
        }
        verdict
    }

    fn take_owed(&self, token: &str) -> Vec<Ended> {
        let mut owed = self.0.owed.lock().unwrap_or_else(PoisonError::into_inner);
        owed.extract_if(.., |(whose, _)| whose.as_str() == token).map(|(_, ended)| ended).collect()
    }

    fn owe(&self, token: &str, ended: impl IntoIterator<Item = Ended>) {
        let ended = ended.into_iter().map(|it| (token.to_owned(), it));
        self.0.owed.lock().unwrap_or_else(PoisonError::into_inner).extend(ended);
    }

    /// Has the place run this, and gives what it said when what it left was kept.
    fn change<T: Send + 'static>(
        &self,
        token: &str,
        mut change: impl FnMut(i64, &mut Vec<TriedPin>) -> T + Send + 'static,
    ) -> Result<T, SealError> {
        let said = Arc::new(Mutex::new(None));
        let says = Arc::clone(&said);
        let change = Change::new(move |now, pins| {
            let word = change(now, pins);
            *says.lock().unwrap_or_else(PoisonError::into_inner) = Some(word);
        });
        self.0.place.change(token, change).map_err(|cause| self.broken(&cause))?;
        let word = said.lock().unwrap_or_else(PoisonError::into_inner).take();
        word.ok_or_else(|| self.broken(&io::Error::other("it was not asked")))
    }

    fn broken(&self, cause: &io::Error) -> SealError {
        SealError::Attempts { place: self.0.place.name(), cause: cause.to_string() }
    }
}

/// By what a PIN is known again. `token`: its serial number, in hexadecimal digits.
fn mark(salt: &[u8; SALT_LEN], token: &str, pin: &SecretString) -> [u8; MARK_LEN] {
    let token = if *salt == ONE_FOR_ALL { "" } else { token };
    let [first, second, ..] = hmac_sha256(salt, &frame(&[token.as_bytes(), pin.expose().as_bytes()]));
    [first, second]
}

/// Judges whether a PIN is tried, which `mark` knows, and notes that among the token's if it is; `salt` is that of new marks.
fn begin_among(
    pins: &mut Vec<TriedPin>,
    now: i64,
    mark: &dyn Fn(&[u8; SALT_LEN]) -> [u8; MARK_LEN],
    salt: [u8; SALT_LEN],
    left: Left,
) -> Verdict {
    let is_it = |other: &TriedPin| other.mark == mark(&other.salt);
    // Nodes that remembered for themselves marked it each by another salt: what any of them tried was tried.
    let known = pins.iter().filter(|other| is_it(other)).cloned().reduce(TriedPin::and);
    let before = known.unwrap_or_else(|| TriedPin { salt, mark: mark(&salt), refused: 0, unclear: 0, at: 0 });
    let spent = before.refused >= TRIES || (left == Left::One && before.refused > 0);
    // One without a clear answer may have been a refusal that could not be noted.
    let tries = before.refused.saturating_add(before.unclear);
    let may_be = (before.refused > 0 && tries >= TRIES) || (left != Left::All && before.unclear > 0);
    let rest = before.rest(now);
    // What becomes of one that is under way tells whether it is the wrong one that the token has seen.
    let is_over = rest.as_ref().is_none_or(|rest| rest.since > UNDER_WAY);
    if spent || (may_be && is_over) {
        return Verdict::Withheld;
    }
    if let Some(rest) = rest {
        return Verdict::Rests(rest);
    }
    pins.retain(|other| !is_it(other));
    pins.push(TriedPin { unclear: before.unclear.saturating_add(1), at: now, ..before.clone() });
    if pins.len() > REMEMBERED {
        pins.remove(0);
    }
    Verdict::Begun { before, at: now }
}

impl Attempt {
    /// The token took the PIN: it is not refused any more.
    pub fn accepted(self) -> Result<(), SealError> {
        self.ends(Outcome::Accepted)
    }

    /// The token did not come to look at the PIN: the try did not happen.
    pub fn not_made(self) -> Result<(), SealError> {
        self.ends(Outcome::NotMade)
    }

    /// The token said that the PIN is wrong.
    pub fn refused(self) -> Result<(), SealError> {
        self.ends(Outcome::Refused)
    }

    fn ends(self, outcome: Outcome) -> Result<(), SealError> {
        let Self { attempts, token, before, at } = self;
        let ended = Ended { before, at, outcome };
        let told = ended.clone();
        let settled = attempts.change(&token, move |_, pins| told.settle(pins));
        if settled.is_err() {
            attempts.owe(&token, [ended]);
        }
        settled
    }
}

impl Ended {
    /// Notes what became of the try. Others may have been made meanwhile, by nodes that waited no longer, or all been
    /// forgotten; and it may be noted already: then it counts twice rather than not at all.
    fn settle(&self, pins: &mut Vec<TriedPin>) {
        let known = pins.iter().position(|other| other.is_of(&self.before));
        let mut pin = match known {
            Some(at) => pins.remove(at),
            None => TriedPin { refused: 0, unclear: 0, ..self.before.clone() },
        };
        if pin.at == self.at {
            pin.unclear = pin.unclear.saturating_sub(1);
            pin.at = self.before.at;
        }
        match self.outcome {
            // Whoever was refused meanwhile knows better.
            Outcome::Accepted if pin.refused <= self.before.refused => return,
            Outcome::Accepted | Outcome::NotMade => {}
            Outcome::Refused => pin.refused = pin.refused.saturating_add(1),
        }
        if pin.refused > 0 || pin.unclear > 0 {
            pins.push(pin);
        }
    }
}

impl TriedPin {
    /// Whether both have the same mark by the same salt.
    fn is_of(&self, other: &Self) -> bool {
        (self.salt, self.mark) == (other.salt, other.mark)
    }

    /// All tries of both.
    fn and(self, other: Self) -> Self {
        Self {
            refused: self.refused.saturating_add(other.refused),
            unclear: self.unclear.saturating_add(other.unclear),
            at: self.at.max(other.at),
            ..self
        }
    }

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
}

#[cfg(test)]
mod tests;
