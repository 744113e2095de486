//! The memory of refused PINs. Tokens lock themselves after a few wrong ones; a node that restarts in a loop
//! with a wrong PIN would do that within seconds.

use std::io;
use std::path::PathBuf;

use rand::CryptoRng;

use crate::envelope::frame;
use crate::mac::hmac_sha256;
use crate::seal::SealError;
use crate::seal::file::replace;
use crate::secret::SecretString;

/// A refused PIN is tried this often.
const TRIES: u8 = 2;

/// Other PINs of the same token that are remembered; the oldest is forgotten first.
const REMEMBERED: usize = 64;

const SALT_LEN: usize = 16;

/// A file (mode 0600) with one line for each PIN that was tried and not accepted yet: token, salt, mark of the
/// PIN, tries. It is written and synced *before* each login, so that a crash in the midst counts as a try, and
/// the line is taken out when the token accepts.
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
    tries: u8,
}

/// A login that is about to happen and is already written down.
#[derive(Debug)]
pub(super) struct Attempt<'a> {
    attempts: &'a Attempts,
    line: Line,
}

impl Attempts {
    /// Keeps the memory in `path`; `rng` gives the salt of lines to come.
    pub fn at(path: impl Into<PathBuf>, rng: &mut dyn CryptoRng) -> Self {
        let mut salt = [0; SALT_LEN];
        rng.fill_bytes(&mut salt);
        Self { path: path.into(), salt }
    }

    /// Writes down that `pin` is going to be tried on `token` (its serial number and label), or refuses.
    /// `final_try`: the token locks itself on the next wrong PIN, so a PIN it has refused gets no second try.
    pub(super) fn begin(
        &self,
        token: &str,
        label: &str,
        pin: &SecretString,
        final_try: bool,
    ) -> Result<Attempt<'_>, SealError> {
        let mut lines = self.read()?;
        let token = hex::encode(token);
        let mark = |salt: &[u8; SALT_LEN]| {
            let [first, second, ..] = hmac_sha256(salt, &frame(&[token.as_bytes(), pin.expose().as_bytes()]));
            [first, second]
        };
        let known = lines.iter().position(|line| line.token == token && line.mark == mark(&line.salt));
        let mut line = match known {
            Some(at) => lines.remove(at),
            None => Line { mark: mark(&self.salt), salt: self.salt, token, tries: 0 },
        };
        if line.tries >= TRIES || (final_try && line.tries > 0) {
            return Err(SealError::PinWithheld { token: label.to_owned(), attempts: self.path.clone() });
        }
        line.tries += 1;
        lines.push(line.clone());
        let same_token = lines.iter().filter(|other| other.token == line.token).count();
        if same_token > REMEMBERED
            && let Some(oldest) = lines.iter().position(|other| other.token == line.token)
        {
            lines.remove(oldest);
        }
        self.write(&lines)?;
        Ok(Attempt { attempts: self, line })
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

impl Attempt<'_> {
    /// The token took the PIN: it is not refused any more.
    pub(super) fn accepted(self) -> Result<(), SealError> {
        self.become_tries(0)
    }

    /// The token did not come to look at the PIN: the try did not happen.
    pub(super) fn not_made(self) -> Result<(), SealError> {
        let before = self.line.tries.saturating_sub(1);
        self.become_tries(before)
    }

    fn become_tries(mut self, tries: u8) -> Result<(), SealError> {
        let mut lines = self.attempts.read()?;
        lines.retain(|line| *line != self.line);
        self.line.tries = tries;
        if tries > 0 {
            lines.push(self.line);
        }
        self.attempts.write(&lines)
    }
}

impl Line {
    fn to_text(&self) -> String {
        let (salt, mark) = (hex::encode(self.salt), hex::encode(self.mark));
        format!("1 {}- {salt} {mark} {}\n", self.token, self.tries)
    }

    fn parse(text: &str) -> Option<Self> {
        let mut words = text.split(' ');
        let mut word = || words.next();
        (word()? == "1").then_some(())?;
        let token = word()?.strip_suffix('-')?.to_owned();
        let mut line = Self { token, salt: [0; SALT_LEN], mark: [0; 2], tries: 0 };
        hex::decode_to_slice(word()?, &mut line.salt).ok()?;
        hex::decode_to_slice(word()?, &mut line.mark).ok()?;
        line.tries = word()?.parse().ok()?;
        word().is_none().then_some(line)
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;
    use std::path::Path;

    use rand::SeedableRng;
    use rand_chacha::ChaCha20Rng;

    use super::*;

    fn attempts(folder: &Path) -> Attempts {
        Attempts::at(folder.join("pin-attempts"), &mut ChaCha20Rng::seed_from_u64(1))
    }

    fn begin<'a>(attempts: &'a Attempts, token: &str, pin: &str) -> Result<Attempt<'a>, SealError> {
        attempts.begin(token, "main", &SecretString::new(pin.to_owned()), false)
    }

    #[test]
    fn a_pin_is_tried_twice_and_never_again() {
        let folder = tempfile::tempdir().unwrap();
        for _ in 0..2 {
            begin(&attempts(folder.path()), "serial", "1234").unwrap();
        }
        // Also by another process with another salt.
        let restarted = Attempts::at(folder.path().join("pin-attempts"), &mut ChaCha20Rng::seed_from_u64(2));
        for _ in 0..2 {
            assert!(matches!(begin(&restarted, "serial", "1234"), Err(SealError::PinWithheld { .. })));
        }
        begin(&restarted, "serial", "4321").unwrap();
        begin(&restarted, "another serial", "1234").unwrap();
        begin(&restarted, "", "1234").unwrap();
    }

    #[test]
    fn an_accepted_pin_starts_anew_and_leaves_the_refused_one_refused() {
        let folder = tempfile::tempdir().unwrap();
        let attempts = attempts(folder.path());
        for _ in 0..2 {
            begin(&attempts, "serial", "wrong").unwrap();
        }
        for _ in 0..5 {
            begin(&attempts, "serial", "right").unwrap().accepted().unwrap();
        }
        assert!(begin(&attempts, "serial", "wrong").is_err());
    }

    #[test]
    fn a_try_that_did_not_reach_the_token_does_not_count() {
        let folder = tempfile::tempdir().unwrap();
        let attempts = attempts(folder.path());
        begin(&attempts, "serial", "1234").unwrap();
        for _ in 0..5 {
            begin(&attempts, "serial", "1234").unwrap().not_made().unwrap();
        }
        begin(&attempts, "serial", "1234").unwrap();
        assert!(begin(&attempts, "serial", "1234").is_err());
    }

    #[test]
    fn a_tokens_last_try_is_not_wasted_on_a_pin_it_refused() {
        let folder = tempfile::tempdir().unwrap();
        let attempts = attempts(folder.path());
        begin(&attempts, "serial", "1234").unwrap();
        let last = |pin: &str| attempts.begin("serial", "main", &SecretString::new(pin.into()), true).is_ok();
        assert!(!last("1234"));
        assert!(last("4321"));
    }

    #[test]
    fn the_file_is_private_and_holds_no_pin() {
        let folder = tempfile::tempdir().unwrap();
        begin(&attempts(folder.path()), "serial", "31415926").unwrap();
        let path = folder.path().join("pin-attempts");
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        let text = std::fs::read_to_string(path).unwrap();
        assert!(!text.contains("31415926") && !text.contains(&hex::encode("31415926")));
        assert_eq!(Line::parse(text.trim_end()).unwrap().to_text(), text);
    }

    #[test]
    fn without_its_memory_no_pin_is_tried() {
        let folder = tempfile::tempdir().unwrap();
        let attempts = attempts(folder.path());
        for text in ["1 00- 00 0000 1\n", "nonsense\n", "\n", "2 00- 0 0 0\n"] {
            std::fs::write(folder.path().join("pin-attempts"), text).unwrap();
            assert!(matches!(begin(&attempts, "serial", "1234"), Err(SealError::Attempts { .. })), "{text}");
        }
        let nowhere = self::attempts(&folder.path().join("missing"));
        assert!(matches!(begin(&nowhere, "serial", "1234"), Err(SealError::Attempts { .. })));
    }

    #[test]
    fn the_memory_is_bounded() {
        let folder = tempfile::tempdir().unwrap();
        let attempts = attempts(folder.path());
        for pin in 0..200 {
            begin(&attempts, "serial", &format!("pin {pin}")).unwrap();
        }
        assert_eq!(attempts.read().unwrap().len(), REMEMBERED);
    }
}
