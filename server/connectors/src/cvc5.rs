//! Proofs by cvc5, a solver that reads SMT-LIB and answers `sat`, `unsat` or `unknown`.
//!
//! Cedar's symbolic compiler writes each question down as one script; a process reads it, answers and ends. That process is
//! given nothing but the script on its standard input, which is made of policies and the schema alone: no arguments of theirs, none of
//! our variables, no shell. It has so much memory, processor time and wall time and no more, runs as nobody where root starts the
//! server, and is killed when the time is over or nobody waits for it any more. Compiling has a thread of its own with a deep stack:
//! it goes down into what is nested. Nothing can end a thread: one that compiles for longer than it may is not waited for, and until it
//! ends no other begins, so that there is never more than one.

mod compiling;
mod process;
#[cfg(test)]
mod tests;

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use keywarden_domain::policy::proof::{NoSolver, Prover, Question, Shown};
use tokio::runtime::Handle;
use tokio::sync::{Semaphore, oneshot};
use tokio::time::{Instant, timeout};

use process::Program;

/// How long what was found is taken for true.
const LOOKED: Duration = Duration::from_mins(1);
/// How long it may take to tell its version.
const VERSION: Duration = Duration::from_secs(5);
/// What a question may take besides its time: to be ended.
const ENDING: Duration = Duration::from_secs(2);
/// The stack of the thread that compiles, in bytes; only what is used of it is taken.
const STACK: usize = 64 * 1024 * 1024;

/// The solver of this machine.
#[derive(Debug, Clone)]
pub struct Cvc5 {
    program: Program,
    looked: Arc<Mutex<Option<Looked>>>,
    /// Whoever compiles has it.
    turn: Arc<Semaphore>,
}

#[derive(Debug, Clone)]
struct Looked {
    at: Instant,
    found: Result<String, NoSolver>,
}

impl Cvc5 {
    /// By the name or path of its program; whether it is there is found out by [`Prover::look`]. A bare name is looked for in
    /// `/usr/local/bin`, `/usr/bin` and `/bin`.
    pub fn at(program: PathBuf) -> Self {
        Self { program: Program::at(program), looked: Arc::default(), turn: Arc::new(Semaphore::new(1)) }
    }

    fn looked(&self) -> Option<Looked> {
        self.looked.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    async fn version(&self) -> Result<String, NoSolver> {
        let program = self.program.path().display();
        let told = match timeout(VERSION, self.program.run(&["--version"], &[], VERSION)).await {
            Ok(told) => told.map_err(|cause| NoSolver(format!("`{program}` cannot be run: {cause}")))?,
            Err(_) => return Err(NoSolver(format!("`{program}` does not tell its version"))),
        };
        let version = told.lines().find_map(version_in);
        version.ok_or_else(|| NoSolver(format!("`{program}` is no cvc5, or tells no version")))
    }
}

/// `cvc5 1.0.3` of `This is cvc5 version 1.0.3 [git …]`.
fn version_in(line: &str) -> Option<String> {
    let (_, after) = line.split_once("cvc5 version ")?;
    let version = after.split_whitespace().next()?;
    let plain =
        version.len() <= 40 && version.bytes().all(|it| it.is_ascii_alphanumeric() || b".-_+".contains(&it));
    plain.then(|| format!("cvc5 {version}"))
}

#[async_trait]
impl Prover for Cvc5 {
    async fn look(&self) -> Result<String, NoSolver> {
        if let Some(looked) = self.looked().filter(|it| it.at.elapsed() < LOOKED) {
            return looked.found;
        }
        let found = self.version().await;
        let looked = Looked { at: Instant::now(), found: found.clone() };
        *self.looked.lock().unwrap_or_else(PoisonError::into_inner) = Some(looked);
        found
    }

    fn last(&self) -> Result<String, NoSolver> {
        let unknown = || Err(NoSolver("nobody has looked for a solver yet".to_owned()));
        self.looked().map_or_else(unknown, |it| it.found)
    }

    async fn show(&self, question: Question, limit: Duration) -> Shown {
        let Ok(Ok(turn)) = timeout(limit, Arc::clone(&self.turn).acquire_owned()).await else {
            return Shown::NotRun("an earlier question is still being compiled".to_owned());
        };
        let (program, runtime) = (self.program.clone(), Handle::current());
        let (mut answer, answered) = oneshot::channel();
        let began = std::thread::Builder::new().name("proof".to_owned()).stack_size(STACK).spawn(move || {
            let shown = runtime.block_on(async {
                tokio::select! {
                    // Nobody waits any more: what runs is dropped, and killed by that.
                    () = answer.closed() => None,
                    shown = timeout(limit, compiling::show(&program, &question, limit)) => Some(shown),
                }
            });
            drop(turn);
            if let Some(shown) = shown {
                let late = || Shown::NotRun(format!("the solver took longer than {} s", limit.as_secs()));
                answer.send(shown.unwrap_or_else(|_| late())).ok();
            }
        });
        if let Err(cause) = began {
            return Shown::NotRun(format!("no thread could be started: {cause}"));
        }
        match timeout(limit.saturating_add(ENDING), answered).await {
            Ok(Ok(shown)) => shown,
            Ok(Err(_)) => Shown::NotRun("the symbolic compiler failed".to_owned()),
            Err(_) => Shown::NotRun(format!("the symbolic compiler took longer than {} s", limit.as_secs())),
        }
    }
}
