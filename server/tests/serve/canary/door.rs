//! Requests over a socket, however wrong they are, and what was answered to each.

use std::{
    cell::RefCell,
    fmt::Write as _,
    io::{Read as _, Write as _},
    net::TcpStream,
    time::Duration,
};

use serde_json::Value;

/// What came back.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    /// Head and body.
    pub(crate) whole: String,
}

impl Answer {
    pub(crate) fn body(&self) -> &str {
        self.whole.split_once("\r\n\r\n").map_or("", |(_, body)| body)
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(self.body()).unwrap_or_else(|_| panic!("no JSON: {self:?}"))
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let head = self.whole.split_once("\r\n\r\n").map_or("", |(head, _)| head);
        let lines = head.lines().filter_map(|line| line.split_once(": "));
        lines.filter(|(it, _)| it.eq_ignore_ascii_case(name)).map(|(_, value)| value).next()
    }
}

/// A door of a server, and everything that it answered, by what was asked.
#[derive(Debug)]
pub(crate) struct Door {
    pub(crate) address: String,
    pub(crate) answers: RefCell<Vec<(String, Answer)>>,
}

impl Door {
    pub(crate) fn new(address: &str) -> Self {
        Self { address: address.to_owned(), answers: RefCell::default() }
    }

    /// Asks; `name` says what for. Nothing where the server hung up on it.
    pub(crate) fn ask(
        &self,
        name: &str,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> Option<Answer> {
        let method = method.to_uppercase();
        let mut head = format!("{method} {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n");
        for (name, value) in headers {
            write!(head, "{name}: {value}\r\n").unwrap();
        }
        write!(head, "Content-Length: {}\r\n\r\n", body.len()).unwrap();
        let mut stream = TcpStream::connect(&self.address).unwrap();
        // A stream of events has no end.
        let patience = Duration::from_millis(if name == "watchSecrets" { 300 } else { 60_000 });
        stream.set_read_timeout(Some(patience)).unwrap();
        let mut answer = Vec::new();
        let sent = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(body));
        let heard = stream.read_to_end(&mut answer);
        let whole = unchunked(&String::from_utf8_lossy(&answer));
        let Some(status) = whole.split(' ').nth(1).and_then(|it| it.parse().ok()) else {
            assert!(sent.is_err() || heard.is_err(), "{name}: no answer");
            return None;
        };
        let answer = Answer { status, whole };
        self.answers.borrow_mut().push((format!("{method} {name}"), answer.clone()));
        Some(answer)
    }
}

/// The same with a body in one piece.
fn unchunked(whole: &str) -> String {
    let Some((head, mut rest)) = whole.split_once("\r\n\r\n") else { return whole.to_owned() };
    if !head.to_ascii_lowercase().contains("transfer-encoding: chunked") {
        return whole.to_owned();
    }
    let mut body = Vec::new();
    while let Some((size, after)) = rest.split_once("\r\n") {
        let Ok(size @ 1..) = usize::from_str_radix(size, 16) else { break };
        // Lossy text may be cut within a character; bodies of these tests are ASCII where it matters.
        let Some(piece) = after.as_bytes().get(..size) else { break };
        body.extend_from_slice(piece);
        rest = after.get(size + 2..).unwrap_or_default();
    }
    format!("{head}\r\n\r\n{}", String::from_utf8_lossy(&body))
}
