//! The memory of tries in a file, for a house of one node and for shells without a database.

use std::fs::{File, remove_file};
use std::io;
use std::path::PathBuf;
use std::time::{SystemTime, UNIX_EPOCH};

use super::place::{Change, MARK_LEN, Place, SALT_LEN, TriedPin};
use crate::seal::file::{open_lock, replace, sync_folder};

/// A file (mode 0600) with one line for each PIN that was tried and not accepted yet: token, salt, mark of the PIN, clear
/// refusals and, where there are any, tries without a clear answer and when the last of these was. Processes change it one
/// after the other: `doctor` and `fsck` log in beside the server.
#[derive(Debug)]
pub(super) struct FilePlace(PathBuf);

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Line {
    token: String, // hex
    pub(super) pin: TriedPin,
}

impl FilePlace {
    pub(super) fn at(path: impl Into<PathBuf>) -> Self {
        Self(path.into())
    }

    /// Gives all that it remembers to another place, and forgets it. Who dies in between gives it once more, which counts as no
    /// further try.
    pub(super) fn move_to(&self, other: &dyn Place) -> io::Result<()> {
        if !self.0.try_exists()? {
            return Ok(());
        }
        let _alone = self.hold()?;
        let mut lines = self.read()?;
        while let Some(Line { token, .. }) = lines.first().cloned() {
            let (ours, others): (Vec<_>, _) = lines.into_iter().partition(|line| line.token == token);
            lines = others;
            let serial = hex::decode(&token).ok().and_then(|it| String::from_utf8(it).ok());
            let given = ours.into_iter().map(|line| line.pin).collect();
            other.change(&serial.ok_or_else(malformed)?, Change::taking_in(given))?;
        }
        match remove_file(&self.0) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            gone => gone.and_then(|()| sync_folder(&self.0)),
        }
    }

    /// Nobody else changes the file until this is dropped, or its process is gone. The file itself is replaced by each change,
    /// so it is another one that is locked.
    fn hold(&self) -> io::Result<File> {
        let file = open_lock(&self.0.with_added_extension("lock"))?;
        file.lock().map(|()| file)
    }

    pub(super) fn read(&self) -> io::Result<Vec<Line>> {
        let text = match std::fs::read_to_string(&self.0) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            text => text?,
        };
        text.lines().map(Line::parse).collect::<Option<_>>().ok_or_else(malformed)
    }

    fn write(&self, lines: &[Line]) -> io::Result<()> {
        replace(&self.0, &lines.iter().fold(String::new(), |text, line| text + &line.to_text()))
    }

    fn shown(&self) -> String {
        format!("`{}`", self.0.display())
    }
}

impl Place for FilePlace {
    fn change(&self, token: &str, mut change: Change) -> io::Result<()> {
        let _alone = self.hold()?;
        let token = hex::encode(token);
        let (ours, mut lines): (Vec<_>, Vec<_>) =
            self.read()?.into_iter().partition(|line| line.token == token);
        let before: Vec<_> = ours.into_iter().map(|line| line.pin).collect();
        let mut pins = before.clone();
        change.run(wall(), &mut pins);
        if pins == before {
            return Ok(());
        }
        lines.extend(pins.into_iter().map(|pin| Line { token: token.clone(), pin }));
        self.write(&lines)
    }

    fn pins(&self, token: &str) -> io::Result<Vec<TriedPin>> {
        let token = hex::encode(token);
        Ok(self.read()?.into_iter().filter(|line| line.token == token).map(|line| line.pin).collect())
    }

    fn name(&self) -> String {
        self.shown()
    }

    fn remedy(&self) -> String {
        format!("delete {}", self.shown())
    }
}

fn malformed() -> io::Error {
    io::Error::other("a line is malformed")
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

impl Line {
    pub(super) fn to_text(&self) -> String {
        let TriedPin { salt, mark, refused, unclear, at } = &self.pin;
        let (token, salt, mark) = (&self.token, hex::encode(salt), hex::encode(mark));
        match unclear {
            0 => format!("1 {token}- {salt} {mark} {refused}\n"),
            unclear => format!("2 {token}- {salt} {mark} {refused} {unclear} {at}\n"),
        }
    }

    pub(super) fn parse(text: &str) -> Option<Self> {
        let mut words = text.split(' ');
        let mut word = || words.next();
        let form = word()?;
        let token = word()?.strip_suffix('-')?.to_owned();
        let mut pin = TriedPin { salt: [0; SALT_LEN], mark: [0; MARK_LEN], refused: 0, unclear: 0, at: 0 };
        hex::decode_to_slice(word()?, &mut pin.salt).ok()?;
        hex::decode_to_slice(word()?, &mut pin.mark).ok()?;
        pin.refused = word()?.parse().ok()?;
        match form {
            "1" => {}
            "2" => {
                pin.unclear = word()?.parse().ok()?;
                pin.at = word()?.parse().ok()?;
            }
            _ => return None,
        }
        word().is_none().then_some(Self { token, pin })
    }
}
