//! A process that holds keys leaves no core dump, however it dies, though whoever started it allows them.

use std::{
    fs,
    os::unix::process::ExitStatusExt as _,
    path::Path,
    process::{Command, ExitStatus, Stdio},
};

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use serde_json::json;

use crate::{
    canary::marks::Marks,
    house::{Server, keywarden, printed},
    hsm::{libraries, post},
};

/// A shell that allows cores of any length, and then is what it is told to be.
fn with_cores(folder: &Path, program: &Command) -> Command {
    let mut command = Command::new("/bin/sh");
    command.args(["-c", "ulimit -c unlimited 2>/dev/null; exec \"$0\" \"$@\""]).arg(program.get_program());
    command.args(program.get_args()).current_dir(folder).env_clear();
    command.envs(program.get_envs().filter_map(|(name, value)| Some((name, value?))));
    command
}

/// How any other program of the same user ends.
fn of_anybody(folder: &Path) -> ExitStatus {
    let mut sleeps = Command::new("/bin/sleep");
    sleeps.arg("60");
    let mut child = with_cores(folder, &sleeps).spawn().unwrap();
    let line = format!("/proc/{}/cmdline", child.id());
    while !fs::read_to_string(&line).unwrap().starts_with("/bin/sleep") {
        std::thread::yield_now();
    }
    kill(Pid::from_raw(i32::try_from(child.id()).unwrap()), Signal::SIGABRT).unwrap();
    child.wait().unwrap()
}

fn allowed(process: i32) -> String {
    let limits = fs::read_to_string(format!("/proc/{process}/limits")).unwrap();
    let line = limits.lines().find_map(|line| line.strip_prefix("Max core file size")).unwrap();
    line.split_whitespace().take(2).collect::<Vec<_>>().join(" ")
}

/// Takes away what the process said of its own limit; whether we may.
fn allow_again(process: i32) -> bool {
    let process = process.to_string();
    let mut command = Command::new("prlimit");
    command.args(["--core=unlimited", "--pid", &process]).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}

#[test]
fn a_server_and_the_process_of_its_library_leave_no_core_however_they_die() {
    let folder = tempfile::tempdir().unwrap();
    let marks = Marks::default();
    let value = marks.secret("a value in memory");
    let mut server = Server::start_as(with_cores(folder.path(), &keywarden(folder.path(), &["serve"])));
    server.becomes("\"ready\"");
    let token = printed(folder.path(), &[], &["operator", "token", "--role", "admin"]);
    post(&server, "/api/v1/projects", token.trim(), &json!({ "slug": "pay", "name": "Payments" }));
    let live = json!({ "slug": "live", "name": "Live", "label": "live" });
    post(&server, "/api/v1/projects/pay/environments", token.trim(), &live);
    let path = "/api/v1/projects/pay/environments/live/secrets/held";
    let put = server.send("PUT", path, token.trim(), &json!({ "value": value }).to_string());
    assert!(put.starts_with("HTTP/1.1 201"), "{put}");
    assert!(
        server.get_with(path, &[("Authorization", &format!("Bearer {}", token.trim()))]).contains(&value)
    );

    let own = i32::try_from(server.child.id()).unwrap();
    let [library] = libraries(&server)[..] else { panic!("one library, one process") };
    assert_eq!([own, library].map(allowed), ["0 0", "0 0"]);
    // Even where somebody allows it again the kernel dumps neither.
    let again = [own, library].map(allow_again);
    // As a library ends its process that finds itself broken.
    kill(Pid::from_raw(library), Signal::SIGABRT).unwrap();
    server.waits_for("another process", || libraries(&server).iter().any(|it| *it != library));
    server.becomes("\"ready\"");
    server.signal(Signal::SIGABRT);
    let ended = server.child.wait().unwrap();
    assert_eq!((ended.signal(), ended.core_dumped()), (Some(Signal::SIGABRT as i32), false));

    let hunt = marks.search();
    for file in fs::read_dir(folder.path()).unwrap().map(|it| it.unwrap().path()).filter(|it| it.is_file()) {
        let name = file.file_name().unwrap().to_string_lossy().into_owned();
        assert!(!name.contains("core"), "{name}");
        hunt.no_secret_in(&name, &fs::read(&file).unwrap());
    }
    hunt.end();
    if again != [true, true] || !of_anybody(folder.path()).core_dumped() {
        println!("SKIPPED: no process leaves a core here, so that these were not seen to leave none");
    }
}
