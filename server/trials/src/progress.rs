//! How far a long proof is, kept in a file, so that one that was interrupted goes on where it was.

use std::{
    collections::BTreeMap,
    fs,
    path::PathBuf,
    time::{Duration, Instant},
};

use crate::Result;

/// Rounds done, by proof.
#[derive(Debug)]
pub struct Progress {
    file: Option<PathBuf>,
    done: BTreeMap<String, u64>,
}

/// How often a proof says how far it is.
const SAY: Duration = Duration::from_secs(10);

impl Progress {
    /// What `file` remembers; nothing is remembered without one.
    pub fn open(file: Option<PathBuf>) -> Result<Self> {
        let text = match &file {
            Some(file) if file.exists() => fs::read_to_string(file)?,
            _ => String::new(),
        };
        let done = text
            .lines()
            .filter_map(|line| {
                let (rounds, proof) = line.split_once(' ')?;
                Some((proof.to_owned(), rounds.parse().ok()?))
            })
            .collect();
        Ok(Self { file, done })
    }

    pub fn done(&self, proof: &str) -> u64 {
        self.done.get(proof).copied().unwrap_or(0)
    }

    /// Forgets everything: the next run begins anew.
    pub fn forget(self) -> Result<()> {
        match self.file {
            Some(file) if file.exists() => Ok(fs::remove_file(file)?),
            _ => Ok(()),
        }
    }

    /// Notes that `rounds` rounds of `proof` are done.
    pub fn note(&mut self, proof: &str, rounds: u64) -> Result<()> {
        self.done.insert(proof.to_owned(), rounds);
        let Some(file) = &self.file else { return Ok(()) };
        let lines: Vec<_> = self.done.iter().map(|(proof, rounds)| format!("{rounds} {proof}")).collect();
        let beside = file.with_extension("new");
        fs::write(&beside, lines.join("\n"))?;
        Ok(fs::rename(beside, file)?)
    }
}

/// Says at times how far a proof is, and at its end.
#[derive(Debug)]
pub struct Voice {
    proof: String,
    rounds: u64,
    began: Instant,
    said: Option<Instant>,
}

impl Voice {
    pub fn new(proof: &str, rounds: u64) -> Self {
        Self { proof: proof.to_owned(), rounds, began: Instant::now(), said: None }
    }

    #[expect(clippy::print_stdout, reason = "it is what the person who waits reads")]
    pub fn round(&mut self, done: u64, found: &str) {
        let last = done == self.rounds;
        if last || self.said.is_none_or(|said| said.elapsed() >= SAY) {
            self.said = Some(Instant::now());
            let seconds = self.began.elapsed().as_secs();
            println!("{:24} {done:>4}/{} rounds, {seconds:>4} s  {found}", self.proof, self.rounds);
        }
    }
}
