//! A running binary, and commands beside it.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    path::Path,
    process::{Child, Command, Output, Stdio},
    sync::atomic::{AtomicU32, Ordering},
    thread::JoinHandle,
};

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};

pub(crate) fn keywarden(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_keywarden"));
    command.args(arguments).current_dir(folder).env_clear();
    command.env("KEYWARDEN_DATA_DIR", folder.join("data")).env("KEYWARDEN_LISTEN", "127.0.0.1:0");
    command
}

/// `serve` in a shell that allows `soft` open files, and `hard` ones to who asks.
pub(crate) fn with_open_files(folder: &Path, soft: usize, hard: usize) -> Command {
    let plain = keywarden(folder, &["serve"]);
    let mut command = Command::new("/bin/sh");
    command.arg("-c").arg(format!("ulimit -Sn {soft} && ulimit -Hn {hard} && exec \"$0\" serve"));
    command.arg(plain.get_program()).current_dir(folder).env_clear();
    command.envs(plain.get_envs().filter_map(|(name, value)| Some((name, value?))));
    command
}

pub(crate) fn told(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// A running server; killed when the test ends early.
pub(crate) struct Server {
    pub(crate) child: Child,
    pub(crate) address: String,
    /// Where its metrics are, if they are.
    pub(crate) metrics: Option<String>,
    log: Option<JoinHandle<Vec<String>>>,
}

impl Server {
    pub(crate) fn start(folder: &Path) -> Self {
        Self::start_with(folder, &[])
    }

    pub(crate) fn start_with(folder: &Path, variables: &[(&str, &str)]) -> Self {
        let mut command = keywarden(folder, &["serve"]);
        command.envs(variables.iter().copied());
        Self::start_as(command)
    }

    pub(crate) fn start_as(command: Command) -> Self {
        Self::start_printing(command, Stdio::null())
    }

    /// Starts it with what it prints going to `out`.
    pub(crate) fn start_printing(mut command: Command, out: Stdio) -> Self {
        let mut child = command.stdout(out).stderr(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let (mut seen, mut metrics) = (Vec::new(), None);
        let address = loop {
            let Some(Ok(line)) = lines.next() else { panic!("the server ended: {seen:?}") };
            let event: serde_json::Value = serde_json::from_str(&line).unwrap();
            match (event["message"].as_str(), event["address"].as_str()) {
                (Some("Keywarden is open"), Some(address)) => break address.to_owned(),
                (Some("metrics are open"), Some(address)) => metrics = Some(address.to_owned()),
                _ => {}
            }
            seen.push(line);
        };
        let log = std::thread::spawn(move || seen.into_iter().chain(lines.map_while(Result::ok)).collect());
        Self { child, address, metrics, log: Some(log) }
    }

    pub(crate) fn get(&self, path: &str) -> String {
        self.get_as(path, "*/*")
    }

    /// Waits until the answer of `/readyz` says `word`.
    pub(crate) fn becomes(&self, word: &str) -> String {
        let mut answer = String::new();
        for _ in 0..300 {
            answer = self.get("/readyz");
            if answer.contains(word) {
                return answer;
            }
            std::thread::sleep(std::time::Duration::from_millis(50));
        }
        panic!("never {word}: {answer}");
    }

    /// Waits until something outside is so.
    pub(crate) fn waits_for(&self, what: &str, is_so: impl Fn() -> bool) {
        for _ in 0..300 {
            if is_so() {
                return;
            }
            std::thread::sleep(std::time::Duration::from_millis(50));
        }
        panic!("{what} never came about at {}", self.address);
    }

    /// Ends it in good order, and gives what it logged.
    pub(crate) fn stop(mut self) -> Vec<String> {
        self.signal(Signal::SIGTERM);
        assert!(self.child.wait().unwrap().success());
        self.log.take().unwrap().join().unwrap()
    }

    pub(crate) fn get_as(&self, path: &str, accept: &str) -> String {
        self.get_with(path, &[("Accept", accept)])
    }

    /// Posts JSON with a token.
    pub(crate) fn post(&self, path: &str, token: &str, body: &str) -> String {
        self.send("POST", path, token, body)
    }

    /// Sends JSON with a token.
    pub(crate) fn send(&self, method: &str, path: &str, token: &str, body: &str) -> String {
        self.send_with(method, path, &format!("Authorization: Bearer {token}"), body)
    }

    /// Posts JSON as the console's page at `origin` does, and gives the JSON that came back.
    pub(crate) fn post_as_page(
        &self,
        path: &str,
        origin: &str,
        body: &serde_json::Value,
    ) -> serde_json::Value {
        json_of(&self.send_with("POST", path, &format!("Origin: {origin}"), &body.to_string()))
    }

    /// Sends JSON with these header lines.
    pub(crate) fn send_with(&self, method: &str, path: &str, header: &str, body: &str) -> String {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        write!(
            stream,
            "{method} {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{header}\r\n\
             Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        )
        .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }

    pub(crate) fn get_with(&self, path: &str, headers: &[(&str, &str)]) -> String {
        get_at(&self.address, path, headers)
    }

    pub(crate) fn signal(&self, signal: Signal) {
        kill(Pid::from_raw(i32::try_from(self.child.id()).unwrap()), signal).unwrap();
    }
}

/// The JSON of an answer, whatever it was cut into on the way.
pub(crate) fn json_of(answer: &str) -> serde_json::Value {
    let body = answer.split_once("\r\n\r\n").map_or("", |(_, body)| body);
    let json = body.find('{').zip(body.rfind('}')).and_then(|(from, to)| body.get(from..=to));
    serde_json::from_str(json.unwrap_or_default()).unwrap_or_else(|_| panic!("{answer}"))
}

/// What is answered at an address.
pub(crate) fn get_at(address: &str, path: &str, headers: &[(&str, &str)]) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    write!(stream, "GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n").unwrap();
    for (name, value) in headers {
        write!(stream, "{name}: {value}\r\n").unwrap();
    }
    write!(stream, "\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

impl Drop for Server {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

/// What a command printed, which must have succeeded.
pub(crate) fn printed(folder: &Path, variables: &[(&str, &str)], arguments: &[&str]) -> String {
    let output = keywarden(folder, arguments).envs(variables.iter().copied()).output().unwrap();
    assert!(
        output.status.success(),
        "{arguments:?}: {} {}",
        told(&output),
        String::from_utf8_lossy(&output.stdout)
    );
    String::from_utf8(output.stdout).unwrap()
}

/// The PostgreSQL server on which tests may make databases: a loud skip without one, a failure in CI.
pub(crate) fn postgres() -> Option<String> {
    let server = std::env::var_os("KEYWARDEN_TEST_POSTGRES").map(|it| it.into_string().unwrap());
    if server.is_none() {
        assert!(std::env::var_os("CI").is_none(), "KEYWARDEN_TEST_POSTGRES must name a server in CI");
        println!("SKIPPED on PostgreSQL: KEYWARDEN_TEST_POSTGRES names no server");
    }
    server
}

/// The URL of a database of the test's own.
pub(crate) fn fresh_database(server: &str) -> String {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    let name = format!("kw_serve_{}_{number}", std::process::id());
    let made = Command::new("psql")
        .args(["--no-psqlrc", "--quiet", "--dbname", server, "--command", &format!("CREATE DATABASE {name}")])
        .output()
        .unwrap();
    assert!(made.status.success(), "{}", told(&made));
    let mut url = url::Url::parse(server).unwrap();
    url.set_path(&name);
    url.into()
}
