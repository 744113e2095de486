//! What a program asks of the kernel, and when, as strace tells it.
//!
//! Only what was done counts as done: a call that failed did nothing, and one that strace let nobody make did nothing either.
//! Those that it let fail are kept apart.

use std::{
    collections::HashMap,
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
    time::{Duration, Instant},
};

use anyhow::ensure;

use crate::Result;

/// What is looked at: whatever writes, makes durable, gives names, and talks.
const CALLS: &str = "write,writev,pwrite64,pwritev,sendto,sendmsg,read,recvfrom,recvmsg,fsync,fdatasync,rename,renameat,\
                     renameat2,link,linkat";
/// What makes durable.
pub const SYNCS: &str = "fsync,fdatasync";
const KILL: &str = "signal=KILL";
/// Characters of a call's data: a page of SQLite and what is before it.
const DATA: &str = "4200";
/// How long the end of a trace is waited for, once its program has ended.
const PATIENCE: Duration = Duration::from_secs(20);
const LOOK: Duration = Duration::from_millis(10);

/// A program is to be traced into a file.
#[derive(Debug, Clone)]
pub struct Tracing {
    file: PathBuf,
    /// In which calls' place strace does something, and what, in its own words.
    injected: Option<(&'static str, String)>,
    /// Files that alone are looked at.
    only: Vec<PathBuf>,
}

/// What is done in a call's place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// A call of one of these names fails with this error.
    Fails(&'static str, &'static str),
    /// The program is killed at a call of one of these names.
    Kill(&'static str),
    /// A sync fails with EIO.
    Sync,
}

/// One call that was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// Nanoseconds since 1970.
    pub begin: u64,
    pub end: u64,
    pub name: String,
    /// The descriptor that it is about, if it is about one.
    pub descriptor: Option<i32>,
    /// What lies behind the descriptor: a path, or a connection's two ends.
    pub behind: String,
    /// All that it was called with, and what it gave.
    pub text: String,
}

/// The calls of a program and all of its threads, as they began.
#[derive(Debug, Default, Clone)]
pub struct Trace {
    pub calls: Vec<Call>,
    /// Those that strace let fail.
    pub failed: Vec<Call>,
}

/// Says that something is not proven where programs cannot be traced: a loud skip on a laptop, a failure in CI.
#[expect(clippy::print_stderr, reason = "whoever runs it is told what was not proven")]
#[expect(clippy::disallowed_methods, reason = "only CI's own variable says that this is CI")]
pub fn skipped(what: &str, why: &str) -> Result<()> {
    ensure!(
        std::env::var_os("CI").is_none_or(|it| it.is_empty()),
        "in CI it must be proven that {what}: {why}"
    );
    eprintln!("  SKIPPED: that {what} is not proven: {why}");
    Ok(())
}

/// Whether programs can be traced here; if not, why.
pub fn can_trace() -> Result<(), String> {
    let tried = Command::new("strace").args(["-D", "-f", "-o", "/dev/null", "true"]).output();
    match tried {
        Ok(Output { status, .. }) if status.success() => Ok(()),
        Ok(Output { stderr, .. }) => {
            let told = String::from_utf8_lossy(&stderr);
            Err(format!(
                "strace may not trace here: {}",
                told.lines().next().unwrap_or("it does not say why")
            ))
        }
        Err(cause) => Err(format!("strace does not start ({cause}): .ci/setup strace")),
    }
}

impl Fault {
    /// The calls that it is about, and what is done in their place.
    fn told(self) -> (&'static str, String) {
        match self {
            Self::Fails(calls, error) => (calls, format!("error={error}")),
            Self::Kill(calls) => (calls, KILL.into()),
            Self::Sync => (SYNCS, "error=EIO".into()),
        }
    }
}

impl Tracing {
    pub fn to(file: PathBuf) -> Self {
        Self { file, injected: None, only: Vec::new() }
    }

    /// As SQLite's `synchronous=OFF` would have it, for the whole program: nothing is ever made durable.
    #[must_use]
    pub fn without_syncs(self) -> Self {
        Self { injected: Some((SYNCS, "retval=0".into())), ..self }
    }

    /// Something is done in the place of the call of this number, in each thread; the next one is done as ever.
    #[must_use]
    pub fn with(self, fault: Fault, number: u32) -> Self {
        let (calls, what) = fault.told();
        Self { injected: Some((calls, format!("{what}:when={number}"))), ..self }
    }

    /// The same in the place of each such call.
    #[must_use]
    pub fn always(self, fault: Fault) -> Self {
        Self { injected: Some(fault.told()), ..self }
    }

    /// Nothing but what is asked of these files and folders is looked at, or fails.
    #[must_use]
    pub fn only(self, files: Vec<PathBuf>) -> Self {
        Self { only: files, ..self }
    }

    /// What runs `program` traced; it is the child, and the tracer beside it. Of signals it tells as well: that one ended the
    /// program is the end of its trace.
    pub fn command(&self, program: &Path) -> Command {
        // strace looks for it from its own folder, and in no path.
        let program = std::path::absolute(program).unwrap_or_else(|_| program.to_path_buf());
        let mut command = Command::new("strace");
        command.args(["-D", "-f", "-q", "-yy", "-s", DATA]);
        command.args(["--absolute-timestamps=format:unix,precision:ns", "--syscall-times=ns"]);
        // With it strace stops at fewer calls, and its signals at them get lost.
        if !self.injected.as_ref().is_some_and(|(_, what)| what.starts_with(KILL)) {
            command.arg("--seccomp-bpf");
        }
        let more = self.injected.as_ref().map_or("", |(calls, _)| calls);
        command.arg("-e").arg(format!("trace={CALLS},{more}").trim_end_matches(','));
        if let Some((calls, what)) = &self.injected {
            command.arg("-e").arg(format!("inject={calls}:{what}"));
        }
        for file in &self.only {
            command.arg("-P").arg(file);
        }
        command.arg("-o").arg(&self.file).arg("--").arg(program);
        command
    }

    /// The trace, once the program of this number has ended.
    pub fn read(&self, program: u32) -> Result<Trace> {
        let began = Instant::now();
        loop {
            let told = String::from_utf8_lossy(&fs::read(&self.file)?).into_owned();
            let its_own = |line: &&str| line.split_whitespace().next() == Some(&*program.to_string());
            let last = told.lines().rev().find(its_own);
            if last.is_some_and(|line| line.ends_with("+++") && told.ends_with('\n')) {
                return Ok(Trace::of(&told));
            }
            let file = self.file.display();
            ensure!(began.elapsed() < PATIENCE, "the trace {file} has no end; is strace still there?");
            std::thread::sleep(LOOK);
        }
    }
}

impl Trace {
    fn of(told: &str) -> Self {
        let mut begun: HashMap<&str, (u64, &str)> = HashMap::new();
        let (mut calls, mut failed) = (Vec::new(), Vec::new());
        let mut take = |at, text: &str| match Call::of(at, text) {
            Some((call, Outcome::Done)) => calls.push(call),
            Some((call, Outcome::MadeToFail)) => failed.push(call),
            None => {}
        };
        for line in told.lines() {
            let Some((thread, rest)) = line.trim_start().split_once(' ') else { continue };
            let Some((at, rest)) = rest.trim_start().split_once(' ') else { continue };
            let Some(at) = nanoseconds(at) else { continue };
            if let Some(first) = rest.strip_suffix(" <unfinished ...>") {
                begun.insert(thread, (at, first));
            } else if rest.starts_with("<... ") {
                let Some((_, last)) = rest.split_once(" resumed>") else { continue };
                let Some((at, first)) = begun.remove(thread) else { continue };
                take(at, &format!("{first}{last}"));
            } else {
                take(at, rest);
            }
        }
        calls.sort_by_key(|call| call.begin);
        failed.sort_by_key(|call| call.begin);
        Self { calls, failed }
    }

    /// The same without those calls.
    #[must_use]
    pub fn without(&self, gone: impl Fn(&Call) -> bool) -> Self {
        let calls = self.calls.iter().filter(|call| !gone(call)).cloned().collect();
        Self { calls, failed: self.failed.clone() }
    }
}

/// What became of a call.
enum Outcome {
    Done,
    MadeToFail,
}

impl Call {
    /// `None` for what was not done, and for what is no call.
    fn of(begin: u64, text: &str) -> Option<(Self, Outcome)> {
        let (name, arguments) = text.split_once('(')?;
        let (text, took) = text.strip_suffix('>')?.rsplit_once(" <")?;
        let (_, gave) = text.rsplit_once(") = ")?;
        let outcome = match (gave.starts_with(['-', '?']), gave.contains("(INJECTED)")) {
            (false, false) => Outcome::Done,
            (true, true) => Outcome::MadeToFail,
            (true, false) | (false, true) => return None,
        };
        let digits = arguments.find(|it: char| !it.is_ascii_digit()).unwrap_or(0);
        let (number, rest) = arguments.split_at(digits);
        let behind = rest.strip_prefix('<').and_then(|rest| {
            let ends = [">,", ">)"].into_iter().filter_map(|end| rest.find(end));
            rest.get(..ends.min()?)
        });
        let call = Self {
            begin,
            end: begin + nanoseconds(took)?,
            name: name.to_owned(),
            descriptor: number.parse().ok(),
            behind: behind.unwrap_or_default().to_owned(),
            text: text.to_owned(),
        };
        Some((call, outcome))
    }

    pub fn writes(&self) -> bool {
        matches!(&*self.name, "write" | "writev" | "pwrite64" | "pwritev" | "sendto" | "sendmsg")
    }

    pub fn reads(&self) -> bool {
        matches!(&*self.name, "read" | "recvfrom" | "recvmsg")
    }

    pub fn syncs(&self) -> bool {
        matches!(&*self.name, "fsync" | "fdatasync")
    }

    /// The old and the new name that it gives a file.
    pub fn names(&self) -> Option<(&str, &str)> {
        if !matches!(&*self.name, "rename" | "renameat" | "renameat2" | "link" | "linkat") {
            return None;
        }
        let mut quoted = self.text.split('"').skip(1).step_by(2);
        Some((quoted.next()?, quoted.next()?))
    }

    /// Whether it is about a connection of which this is our port.
    pub fn is_at(&self, port: u16) -> bool {
        self.ends().is_some_and(|(own, _)| own.ends_with(&format!(":{port}")))
    }

    /// Whether it is about a connection to this port.
    pub fn leads_to(&self, port: u16) -> bool {
        self.ends().is_some_and(|(_, other)| other.ends_with(&format!(":{port}")))
    }

    fn ends(&self) -> Option<(&str, &str)> {
        let ends = self.behind.strip_prefix("TCP")?.split_once('[')?.1.strip_suffix(']')?;
        ends.split_once("->")
    }
}

/// Of seconds with nine digits behind the point.
fn nanoseconds(text: &str) -> Option<u64> {
    let (seconds, rest) = text.split_once('.')?;
    let rest = Some(rest).filter(|rest| rest.len() == 9)?;
    seconds.parse::<u64>().ok()?.checked_mul(1_000_000_000)?.checked_add(rest.parse().ok()?)
}

/// What strace told, for those who judge it.
#[cfg(test)]
pub(crate) fn told(lines: &[&str]) -> Trace {
    Trace::of(&lines.join("\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_are_read_though_threads_are_told_between_each_other() {
        let trace = told(&[
            r#"10 1.000000001 pwrite64(7</d/a.db-wal>, "x>, \"req_1\"", 3, 0) = 3 <0.000000009>"#,
            r"11 1.000000020 fdatasync(7</d/a.db-wal> <unfinished ...>",
            r#"12  1.000000030 sendto(9<TCP:[127.0.0.1:80->127.0.0.1:999]>, "HTTP", 4, MSG_NOSIGNAL, NULL, 0) = 4 <0.000000005>"#,
            r"11 1.000000050 <... fdatasync resumed>) = 0 <0.000000030>",
            r#"12 1.000000060 rename("/d/b.new", "/d/b") = 0 <0.000000001>"#,
        ]);
        let [write, sync, send, name] = &*trace.calls else { panic!("{trace:?}") };
        assert!(write.writes() && write.behind == "/d/a.db-wal" && write.text.contains("req_1"));
        assert_eq!((sync.begin, sync.end, &*sync.behind), (1_000_000_020, 1_000_000_050, "/d/a.db-wal"));
        assert!(sync.syncs() && send.is_at(80) && send.leads_to(999) && !send.leads_to(99));
        assert_eq!(name.names(), Some(("/d/b.new", "/d/b")));
    }

    #[test]
    fn a_program_that_is_killed_at_a_call_makes_none_and_its_trace_has_an_end() {
        use std::{os::unix::process::ExitStatusExt as _, process::Stdio};

        if let Err(why) = can_trace() {
            return skipped("a program is killed at a call", &why).unwrap();
        }
        let folder = tempfile::tempdir().unwrap();
        let (told, made) = (folder.path().join("told"), folder.path().join("made"));
        let tracing = Tracing::to(told).with(Fault::Kill("write"), 2);
        let mut command = tracing.command(Path::new("/bin/sh"));
        command.args(["-c", "echo one; echo two; echo three"]);
        let output = std::fs::File::create(&made).unwrap();
        let mut child = command.stdout(output).stderr(Stdio::null()).spawn().unwrap();
        assert_eq!(child.wait().unwrap().signal(), Some(9));
        let trace = tracing.read(child.id()).unwrap();
        assert_eq!(trace.calls.iter().filter(|call| call.writes()).count(), 1);
        assert_eq!(fs::read_to_string(&made).unwrap(), "one\n");
    }

    #[test]
    fn what_was_not_done_is_not_there() {
        let trace = told(&[
            "10 1.000000001 fsync(7</d/a>) = -1 EIO (Input/output error) <0.000000009>",
            "10 1.000000002 fsync(7</d/a>) = 0 (INJECTED) <0.000000009>",
            "10 1.000000002 fsync(8</d/b>) = -1 EIO (Input/output error) (INJECTED) <0.000000009>",
            "10 1.000000003 fsync(7</d/a> <unfinished ...>",
            "10 1.000000004 +++ killed by SIGKILL +++",
        ]);
        assert_eq!(trace.calls, []);
        let [failed] = &*trace.failed else { panic!("{trace:?}") };
        assert!(failed.syncs() && failed.behind == "/d/b");
    }
}
