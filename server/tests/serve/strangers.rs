//! What a browser sends in another site's name, and heads that are too long: every address of the console, over a socket.

use std::{
    fmt::Write as _,
    fs,
    io::{Read, Write as _},
    net::TcpStream,
    path::{Path, PathBuf},
};

use crate::house::Server;

/// Addresses that the console's pages have, as their source names them.
fn addresses() -> Vec<String> {
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().join("app/src/pages")];
    let mut files: Vec<PathBuf> = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            let kept = if entry.is_dir() { &mut folders } else { &mut files };
            kept.push(entry);
        }
    }
    let mut all = Vec::new();
    for file in files {
        let text = fs::read_to_string(file).unwrap();
        let named = text.split(".route(").skip(1).filter_map(|after| after.trim_start().strip_prefix('"'));
        let named = named.filter_map(|after| Some(after.split_once('"')?.0)).filter(|it| it.starts_with('/'));
        all.extend(named.map(ToOwned::to_owned));
    }
    all.sort();
    all.dedup();
    all
}

/// One that can be asked for: something stands for each parameter.
fn filled(address: &str) -> String {
    let parts = address
        .split('/')
        .map(|part| if part.starts_with('{') { "key_01JDB2W1N9F6Q3R8T5V7X9Z0AB" } else { part });
    parts.collect::<Vec<_>>().join("/")
}

/// The status and the rest of the answer.
pub(crate) fn ask(
    server: &Server,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: &str,
) -> (u16, String) {
    answered(server, method, path, headers, body).unwrap()
}

/// As [`ask`]; nothing where the server hung up before it had everything, and its answer went lost with that.
fn answered(
    server: &Server,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: &str,
) -> Option<(u16, String)> {
    let mut request = format!("{method} {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n");
    for (name, value) in headers {
        write!(request, "{name}: {value}\r\n").unwrap();
    }
    write!(request, "Content-Length: {}\r\n\r\n{body}", body.len()).unwrap();
    let mut stream = TcpStream::connect(&server.address).unwrap();
    let mut answer = Vec::new();
    stream.write_all(request.as_bytes()).and_then(|()| stream.read_to_end(&mut answer)).ok();
    let answer = String::from_utf8(answer).unwrap();
    let (head, rest) = answer.split_once("\r\n")?;
    Some((head.split(' ').nth(1).unwrap().parse().unwrap(), rest.to_owned()))
}

#[test]
fn nothing_of_the_console_takes_a_post_from_another_sites_page() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(folder.path());
    server.becomes("ready");
    let all = addresses();
    assert!(all.len() > 70, "{all:?}");
    let formats = [
        ("application/x-www-form-urlencoded", "name=x"),
        (
            "multipart/form-data; boundary=x",
            "--x\r\nContent-Disposition: form-data; name=\"name\"\r\n\r\nx\r\n--x--\r\n",
        ),
        ("text/plain", "name=x"),
        ("application/json", r#"{"name":"x"}"#),
    ];
    let senders: [&[(&str, &str)]; 5] = [
        &[],
        &[("Origin", "https://elsewhere.example")],
        &[("Origin", "null")],
        &[("Sec-Fetch-Site", "cross-site")],
        &[("Sec-Fetch-Site", "same-site")],
    ];
    for path in all.iter().map(|address| filled(address)) {
        for (format, body) in formats {
            for sender in senders {
                let headers = [&[("Content-Type", format), ("Cookie", "session=x")], sender].concat();
                let (status, rest) = ask(&server, "POST", &path, &headers, body);
                assert_eq!(status, 403, "{path} {format} {sender:?} {rest}");
                assert!(rest.contains("cross-site"), "{path} {rest}");
            }
        }
        // Nor does its page read one, embed one or send a probe.
        for method in ["GET", "HEAD"] {
            for (mode, dest) in [("no-cors", "script"), ("cors", "empty"), ("navigate", "iframe")] {
                let headers =
                    [("Sec-Fetch-Site", "cross-site"), ("Sec-Fetch-Mode", mode), ("Sec-Fetch-Dest", dest)];
                let (status, _) = ask(&server, method, &path, &headers, "");
                assert_eq!(status, 403, "{method} {path} {mode} {dest}");
            }
        }
    }
    server.stop();
}

#[test]
fn a_head_that_is_too_long_is_refused_before_anything_is_looked_at() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(folder.path());
    let long = "x".repeat(64 << 10);
    let many: Vec<_> = (0..10_000).map(|n| format!("p{n}=1")).collect();
    let many = format!("/keys?{}", many.join("&"));
    for (path, headers) in [
        ("/livez", &[("X-Long", long.as_str())][..]),
        ("/api/v1/keys", &[("Authorization", long.as_str())]),
        (many.as_str(), &[]),
    ] {
        if let Some((status, rest)) = answered(&server, "GET", path, headers, "") {
            assert!([414, 431].contains(&status), "{status} {rest}");
        }
    }
    let crowd: Vec<_> = (0..200).map(|n| (format!("X-{n}"), "1")).collect();
    let crowd: Vec<_> = crowd.iter().map(|(name, value)| (name.as_str(), *value)).collect();
    assert_eq!(ask(&server, "GET", "/livez", &crowd, "").0, 431);
    assert!(server.get("/livez").starts_with("HTTP/1.1 200"));
    server.stop();
}
