//! `keywarden run --watch`: a program that is started anew when its values change, and never for anything else.

use std::{
    fs,
    io::{BufRead as _, BufReader, Lines},
    process::{Child, ChildStderr, ChildStdout, Stdio},
};

use chrono::{TimeDelta, Utc};
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};

use crate::{client::Stage, house::Server};

/// A program that says with what it was started, and ends when it is asked to, or left alone.
const SAYS: &str = r#"trap 'exit 0' TERM; echo "with $URL"; while [ -d /proc/$PPID ]; do sleep 0.05; done"#;

/// `keywarden run`, and what it and its program say.
pub(crate) struct Run {
    pub(crate) child: Child,
    out: Lines<BufReader<ChildStdout>>,
    err: Lines<BufReader<ChildStderr>>,
}

impl Run {
    /// Runs a shell's `script` with the values of pay/live; `more` are arguments of ours.
    pub(crate) fn of(stage: &Stage, more: &[&str], script: &str) -> Self {
        let arguments = [&["run", "-p", "pay", "-e", "live"][..], more, &["--", "sh", "-c", script]].concat();
        let mut command = stage.command(&arguments);
        let command = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let out = BufReader::new(child.stdout.take().unwrap()).lines();
        let err = BufReader::new(child.stderr.take().unwrap()).lines();
        Self { child, out, err }
    }

    /// The next line of the program.
    pub(crate) fn line(&mut self) -> String {
        self.out.next().unwrap().unwrap()
    }

    /// The next line of ours that has `words` in it.
    pub(crate) fn says(&mut self, words: &str) -> String {
        self.err.by_ref().map(Result::unwrap).find(|line| line.contains(words)).unwrap()
    }

    pub(crate) fn signal(&self, signal: Signal) {
        kill(Pid::from_raw(i32::try_from(self.child.id()).unwrap()), signal).unwrap();
    }

    /// Its exit code, once it ended.
    pub(crate) fn code(mut self) -> Option<i32> {
        self.child.wait().unwrap().code()
    }
}

impl Drop for Run {
    fn drop(&mut self) {
        // A program of a test that failed would run for ever.
        self.signal_if_there();
        self.child.wait().ok();
    }
}

impl Run {
    fn signal_if_there(&mut self) {
        if matches!(self.child.try_wait(), Ok(None)) {
            self.signal(Signal::SIGTERM);
        }
    }
}

#[test]
fn a_program_starts_anew_once_for_changes_close_together_and_not_for_the_same_value() {
    let stage = Stage::new();
    assert!(stage.put("pay/live/url", b"one").status.success());
    let mut run = Run::of(&stage, &["--watch"], SAYS);
    assert_eq!(run.line(), "with one");
    let token = fs::read_to_string(stage.token()).unwrap();
    for value in ["two", "three"] {
        let body = serde_json::json!({ "value": value }).to_string();
        let path = "/api/v1/projects/pay/environments/live/secrets/url";
        let answer = stage.server.send("PUT", path, token.trim(), &body);
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    }
    assert_eq!(run.line(), "with three", "both changes are one");
    let told = run.says("changed");
    assert!(told.contains("URL") && !told.contains("three"), "{told}");
    // A version with the same value, and a value that the program was not given.
    assert!(stage.put("pay/live/url", b"three").status.success());
    assert!(stage.put("pay/live/url", b"four").status.success());
    assert_eq!(run.line(), "with four");
    run.signal(Signal::SIGTERM);
    assert_eq!(run.code(), Some(0));
    stage.server.stop();
}

#[test]
fn only_what_the_program_was_given_starts_it_anew() {
    let stage = Stage::new();
    assert!(stage.put("pay/live/url", b"one").status.success());
    assert!(stage.put("pay/live/other", b"x").status.success());
    let mut run = Run::of(&stage, &["--watch", "--only", "URL"], SAYS);
    assert_eq!(run.line(), "with one");
    assert!(stage.put("pay/live/other", b"y").status.success());
    stage.done(&["secret", "labels", "pay/live/url", "--point", "mine=1"]);
    assert!(stage.put("pay/live/url", b"two").status.success());
    assert_eq!(run.line(), "with two");
    // What is deleted does not take the program's value away: `--only` names it, and it is not there.
    stage.done(&["secret", "delete", "pay/live/url"]);
    assert!(run.says("asked again").contains("URL"));
    stage.done(&["secret", "restore", "pay/live/url"]);
    assert!(stage.put("pay/live/url", b"three").status.success());
    assert_eq!(run.line(), "with three");
    run.signal(Signal::SIGTERM);
    assert_eq!(run.code(), Some(0));
    stage.server.stop();
}

impl Stage {
    /// Puts a value of pay/live/url that is good from `from` seconds on and until `until` seconds from now.
    fn put_good(&self, value: &str, from: Option<i64>, until: Option<i64>) {
        let at = |seconds: i64| (Utc::now() + TimeDelta::seconds(seconds)).to_rfc3339();
        let body =
            serde_json::json!({ "value": value, "not_before": from.map(at), "expires_at": until.map(at) });
        let token = fs::read_to_string(self.token()).unwrap();
        let path = "/api/v1/projects/pay/environments/live/secrets/url";
        let answer = self.server.send("PUT", path, token.trim(), &body.to_string());
        assert!(answer.starts_with("HTTP/1.1 20"), "{answer}");
    }
}

#[test]
fn a_value_that_expires_is_said_to_and_the_next_one_starts_the_program_anew() {
    let stage = Stage::new();
    stage.put_good("one", None, Some(2));
    let mut run = Run::of(&stage, &["--watch"], SAYS);
    assert_eq!(run.line(), "with one");
    let told = run.says("no valid value");
    assert!(told.contains("URL") && told.contains("expired") && told.contains("keeps"), "{told}");
    // The next one is there before its time.
    stage.put_good("two", Some(3), None);
    assert_eq!(run.line(), "with two", "when its time has begun, though nobody did anything then");
    run.signal(Signal::SIGTERM);
    assert_eq!(run.code(), Some(0));
    stage.server.stop();
}

#[test]
fn a_program_whose_value_expires_is_stopped_where_that_was_asked_for() {
    let stage = Stage::new();
    stage.put_good("one", None, Some(2));
    let script =
        r#"trap 'echo asked; exit 0' TERM; echo "with $URL"; while [ -d /proc/$PPID ]; do sleep 0.05; done"#;
    let mut run = Run::of(&stage, &["--watch", "--on-expiry", "stop"], script);
    assert_eq!(run.line(), "with one");
    assert_eq!(run.line(), "asked");
    run.says("the program is stopped");
    let told = run.says("no valid value");
    assert!(told.contains("URL") && told.contains("expired"), "{told}");
    assert_eq!(run.code(), Some(1));
    let started = Run::of(&stage, &["--watch"], SAYS).code();
    assert_eq!(started, Some(1), "nothing is started with a value that is not valid");
    stage.server.stop();
}

#[test]
fn its_exit_code_and_its_signals_are_the_programs_own() {
    let stage = Stage::new();
    assert!(stage.put("pay/live/url", b"one").status.success());
    let script = r#"[ "$URL" = two ] && exit 7; trap 'exit 0' TERM; echo ready; while [ -d /proc/$PPID ]; do sleep 0.05; done"#;
    let mut run = Run::of(&stage, &["--watch"], script);
    assert_eq!(run.line(), "ready");
    assert!(stage.put("pay/live/url", b"two").status.success());
    assert_eq!(run.code(), Some(7), "the second one ended by itself");

    let script = "trap 'exit 3' TERM; trap 'echo reloading' HUP; echo ready; while [ -d /proc/$PPID ]; do sleep 0.05; done";
    let mut run = Run::of(&stage, &["--watch"], script);
    assert_eq!(run.line(), "ready");
    run.signal(Signal::SIGHUP);
    assert_eq!(run.line(), "reloading");
    run.signal(Signal::SIGTERM);
    assert_eq!(run.code(), Some(3));
    stage.server.stop();
}

#[test]
fn a_program_that_does_not_end_is_killed_and_one_that_may_not_start_anew_is_not() {
    let stage = Stage::new();
    assert!(stage.put("pay/live/url", b"one").status.success());
    let stubborn = r#"trap '' TERM; echo "with $URL"; while [ -d /proc/$PPID ]; do sleep 0.05; done"#;
    let mut run = Run::of(&stage, &["--watch", "--grace", "1"], stubborn);
    assert_eq!(run.line(), "with one");
    assert!(stage.put("pay/live/url", b"two").status.success());
    assert_eq!(run.line(), "with two");
    run.signal(Signal::SIGKILL);
    drop(run);

    // Asked to end while it ends for a new start: there is none.
    let slow = r#"trap 'echo asked; sleep 1; exit 5' TERM; echo "with $URL"; while [ -d /proc/$PPID ]; do sleep 0.05; done"#;
    let mut run = Run::of(&stage, &["--watch", "--grace", "30"], slow);
    assert_eq!(run.line(), "with two");
    assert!(stage.put("pay/live/url", b"three").status.success());
    assert_eq!(run.line(), "asked");
    run.signal(Signal::SIGTERM);
    assert_eq!(run.code(), Some(5));
    stage.server.stop();
}

#[test]
fn a_lost_server_changes_nothing_until_it_is_back() {
    let mut stage = Stage::new();
    assert!(stage.put("pay/live/url", b"one").status.success());
    let mut run = Run::of(&stage, &["--watch"], SAYS);
    assert_eq!(run.line(), "with one");
    let address = stage.server.address.clone();
    stage.server.signal(Signal::SIGTERM);
    assert!(stage.server.child.wait().unwrap().success());
    run.says("asked again");
    stage.server = Server::start_with(stage.folder.path(), &[("KEYWARDEN_LISTEN", &address)]);
    stage.server.becomes("ready");
    run.says("answers again");
    assert!(stage.put("pay/live/url", b"two").status.success());
    assert_eq!(run.line(), "with two", "it was not started in between");
    run.signal(Signal::SIGTERM);
    assert_eq!(run.code(), Some(0));
    stage.server.stop();
}
