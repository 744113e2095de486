//! How many connections an address may have, as it was set.

use std::{
    io::{Read as _, Write as _},
    net::TcpStream,
    thread::sleep,
    time::Duration,
};

use crate::house::Server;

/// A connection that stays open after it was answered; none if it was closed instead.
fn kept(address: &str) -> Option<TcpStream> {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.write_all(b"GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n").ok()?;
    let mut answer = [0; 64];
    let read = stream.read(&mut answer).ok()?;
    answer[..read].starts_with(b"HTTP/1.1 200").then_some(stream)
}

#[test]
fn an_address_has_as_many_connections_as_were_set() {
    let folder = tempfile::tempdir().unwrap();
    let most = [("KEYWARDEN_LIMITS_CONNECTIONS_PER_ADDRESS", "8")];
    let server = Server::start_with(folder.path(), &most);
    server.becomes("\"ready\"");
    let mut open = Vec::new();
    // What asked for readiness may not have been seen to go yet.
    while open.len() < 8 {
        match kept(&server.address) {
            Some(stream) => open.push(stream),
            None => sleep(Duration::from_millis(20)),
        }
    }
    assert!(kept(&server.address).is_none(), "the ninth is closed");
    open.pop();
    while kept(&server.address).is_none() {
        sleep(Duration::from_millis(20));
    }
    drop(open);
    server.stop();
}
