//! A stream of changes over a real socket: told, resumed, ended with its permission and with its server.

use std::{
    io::{BufRead, BufReader, Write as _},
    net::TcpStream,
    time::Duration,
};

use serde_json::{Value, json};

use crate::house::{Server, printed};

/// An open stream.
struct Stream(BufReader<TcpStream>);

impl Stream {
    fn open(server: &Server, token: &str, query: &str, last: Option<&str>) -> Self {
        let mut socket = TcpStream::connect(&server.address).unwrap();
        socket.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
        let last = last.map_or_else(String::new, |id| format!("Last-Event-ID: {id}\r\n"));
        write!(
            socket,
            "GET /api/v1/secrets/watch?{query} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\n{last}\r\n"
        )
        .unwrap();
        let mut stream = Self(BufReader::new(socket));
        let status = stream.line().unwrap();
        assert!(status.starts_with("HTTP/1.1 200"), "{status}");
        while !stream.line().unwrap().is_empty() {}
        stream
    }

    /// The next line; `None` at the end.
    fn line(&mut self) -> Option<String> {
        let mut line = String::new();
        match self.0.read_line(&mut line).unwrap() {
            0 => None,
            _ => Some(line.trim_end().to_owned()),
        }
    }

    /// The next event: its name, id and data.
    fn event(&mut self) -> Option<(String, Option<String>, Value)> {
        let (mut name, mut id) = (None, None);
        loop {
            let line = self.line()?;
            if let Some(given) = line.strip_prefix("event: ") {
                name = Some(given.to_owned());
            } else if let Some(given) = line.strip_prefix("id: ") {
                id = Some(given.to_owned());
            } else if let Some(data) = line.strip_prefix("data: ") {
                return Some((name.unwrap(), id, serde_json::from_str(data).unwrap()));
            }
        }
    }

    fn ends(&mut self) {
        while self.line().is_some() {}
    }

    /// The name of the last event, once there is an end.
    fn last(&mut self) -> Option<String> {
        let mut last = None;
        while let Some((name, _, _)) = self.event() {
            last = Some(name);
        }
        last
    }
}

struct Stage {
    _folder: tempfile::TempDir,
    server: Server,
    admin: String,
    workload: String,
    token: String,
}

const LIVE: &str = "project=pay&environment=live";

impl Stage {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let server = Server::start(folder.path());
        server.becomes("ready");
        let admin = printed(folder.path(), &[], &["operator", "token", "--role", "admin"]).trim().to_owned();
        let made = |path: &str, body: Value| -> Value {
            let answer = server.post(path, &admin, &body.to_string());
            assert!(answer.starts_with("HTTP/1.1 20"), "{answer}");
            serde_json::from_str(answer.rsplit("\r\n\r\n").next().unwrap()).unwrap_or_default()
        };
        made("/api/v1/projects", json!({ "slug": "pay", "name": "Payments" }));
        made("/api/v1/projects/pay/environments", json!({ "slug": "live", "name": "Live", "label": "live" }));
        let workload =
            made("/api/v1/workloads", json!({ "name": "shop", "project": "pay", "role": "reader" }))["id"]
                .as_str()
                .unwrap()
                .to_owned();
        let token = made(&format!("/api/v1/workloads/{workload}/tokens"), json!({}))["token"]
            .as_str()
            .unwrap()
            .to_owned();
        Self { _folder: folder, server, admin, workload, token }
    }

    /// Posts as the admin; what is answered, if it is something.
    fn post(&self, path: &str, body: &Value) -> Value {
        let answer = self.server.post(path, &self.admin, &body.to_string());
        assert!(answer.starts_with("HTTP/1.1 20"), "{answer}");
        serde_json::from_str(answer.rsplit("\r\n\r\n").next().unwrap()).unwrap_or_default()
    }

    fn put(&self, path: &str, value: &str) {
        let body = json!({ "value": value }).to_string();
        let path = format!("/api/v1/projects/pay/environments/live/secrets/{path}");
        let answer = self.server.send("PUT", &path, &self.admin, &body);
        assert!(answer.starts_with("HTTP/1.1 20"), "{answer}");
    }
}

#[test]
fn a_change_is_told_without_its_value_and_a_stream_goes_on_where_another_ended() {
    let stage = Stage::new();
    stage.put("db/before", "canary-41");
    let mut all = Stream::open(&stage.server, &stage.token, LIVE, None);
    let mut folder = Stream::open(&stage.server, &stage.token, &format!("{LIVE}&folder=db"), None);
    stage.put("web/cookie", "canary-42");
    stage.put("db/password", "canary-43");
    let (name, first, data) = all.event().unwrap();
    assert_eq!((name.as_str(), &data["path"], &data["version"]), ("secret", &json!("web/cookie"), &json!(1)));
    let (_, _, data) = all.event().unwrap();
    assert_eq!((&data["path"], &data["action"]), (&json!("db/password"), &json!("secret.create")));
    assert!(!data.to_string().contains("canary"), "{data}");
    let (_, _, data) = folder.event().unwrap();
    assert_eq!(data["path"], "db/password", "the other folder's is not told");
    drop((all, folder));

    // What happened while nobody listened is told to whoever comes back.
    stage.put("db/password", "canary-44");
    let mut back = Stream::open(&stage.server, &stage.token, LIVE, first.as_deref());
    let mut told = Vec::new();
    while told.last() != Some(&("db/password".to_owned(), 2)) {
        let (name, _, data) = back.event().unwrap();
        assert_eq!(name, "secret");
        let version = data["version"].as_i64().unwrap();
        told.push((data["path"].as_str().unwrap().to_owned(), version));
    }
    for wrong in ["evt_01JDB2W1N9F6Q3R8T5V7X9Z0AB", "nonsense"] {
        let mut lost = Stream::open(&stage.server, &stage.token, LIVE, Some(wrong));
        assert_eq!(lost.event().unwrap().0, "resync", "{wrong}");
        stage.put("db/password", wrong);
        assert_eq!(lost.event().unwrap().2["path"], "db/password", "it goes on all the same");
    }
    stage.server.stop();
}

#[test]
fn a_stream_ends_with_its_permission_with_its_server_and_only_so_many_are_open() {
    let stage = Stage::new();
    let mut streams: Vec<_> =
        (0..10).map(|_| Stream::open(&stage.server, &stage.token, LIVE, None)).collect();
    let path = format!("/api/v1/secrets/watch?{LIVE}");
    let bearer = format!("Bearer {}", stage.token);
    let refused = stage.server.get_with(&path, &[("Authorization", &bearer)]);
    assert!(refused.starts_with("HTTP/1.1 429") && refused.contains("too-many-streams"), "{refused}");
    // One that is closed makes room, once the server has noticed.
    streams.pop();
    stage.put("a", "x");
    let mut admins = Stream::open(&stage.server, &stage.admin, LIVE, None);

    let ended =
        stage.server.post(&format!("/api/v1/workloads/{}/deactivate", stage.workload), &stage.admin, "{}");
    assert!(ended.starts_with("HTTP/1.1 200"), "{ended}");
    for stream in &mut streams {
        assert_eq!(stream.last().as_deref(), Some("end"));
    }
    let refused = stage.server.get_with(&path, &[("Authorization", &bearer)]);
    assert!(refused.starts_with("HTTP/1.1 401"), "{refused}");
    let stopping = std::thread::spawn(move || admins.ends());
    stage.server.stop();
    stopping.join().unwrap();
}

#[test]
fn a_stream_ends_when_the_role_that_permitted_it_is_revoked_and_another_one_does_not_bring_it_back() {
    let stage = Stage::new();
    let mut readers = Stream::open(&stage.server, &stage.token, LIVE, None);
    let mut admins = Stream::open(&stage.server, &stage.admin, LIVE, None);
    stage.put("a", "canary-45");
    assert_eq!(readers.event().unwrap().2["path"], "a", "it is told while it may be");
    assert_eq!(admins.event().unwrap().2["path"], "a");

    let workload = format!("/api/v1/workloads/{}", stage.workload);
    let bearer = format!("Bearer {}", stage.admin);
    let shown = stage.server.get_with(&workload, &[("Authorization", &bearer)]);
    let shown: Value = serde_json::from_str(shown.rsplit("\r\n\r\n").next().unwrap()).unwrap();
    let role = shown["roles"][0]["id"].as_str().unwrap();
    stage.post(&format!("/api/v1/roles/{role}/revoke"), &json!({}));
    let (name, _, data) = readers.event().unwrap();
    assert_eq!((name.as_str(), data), ("end", json!({ "reason": "permission" })));
    assert_eq!(readers.event(), None, "and then the connection is over");
    stage.put("a", "canary-46");
    assert_eq!(admins.event().unwrap().2["version"], 2, "who may still see it goes on");

    // The token is good still: it is refused as what may not be seen, until it may again.
    let path = format!("/api/v1/secrets/watch?{LIVE}");
    let own = format!("Bearer {}", stage.token);
    let refused = stage.server.get_with(&path, &[("Authorization", &own)]);
    assert!(refused.starts_with("HTTP/1.1 404"), "{refused}");
    stage.post("/api/v1/roles", &json!({ "holder": stage.workload, "role": "viewer", "project": "pay" }));
    let mut again = Stream::open(&stage.server, &stage.token, LIVE, None);
    stage.put("a", "canary-47");
    assert_eq!(again.event().unwrap().2["version"], 3);
    stage.server.stop();
}

#[test]
fn a_stream_ends_with_its_own_token_and_another_one_of_its_workload_goes_on() {
    let stage = Stage::new();
    let issued = stage.post(&format!("/api/v1/workloads/{}/tokens", stage.workload), &json!({}));
    let (id, revoked) = (issued["id"].as_str().unwrap(), issued["token"].as_str().unwrap());
    let mut stays = Stream::open(&stage.server, &stage.token, LIVE, None);
    let mut both: Vec<_> = (0..2).map(|_| Stream::open(&stage.server, revoked, LIVE, None)).collect();
    stage.post(&format!("/api/v1/tokens/{id}/revoke"), &json!({}));
    for stream in &mut both {
        assert_eq!(stream.last().as_deref(), Some("end"));
    }
    stage.put("a", "canary-48");
    assert_eq!(stays.event().unwrap().2["path"], "a");
    let path = format!("/api/v1/secrets/watch?{LIVE}");
    let refused = stage.server.get_with(&path, &[("Authorization", &format!("Bearer {revoked}"))]);
    assert!(refused.starts_with("HTTP/1.1 401"), "{refused}");
    stage.server.stop();
}
